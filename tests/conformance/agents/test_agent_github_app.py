"""`github-app` against a pretended GitHub: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from libs.webhooks import github as webhook
from libs.webhooks.told import Told
from services.dispatcher.adapters.github_api import GithubApi
from services.dispatcher.adapters.github_app import GithubApp
from services.dispatcher.adapters.port import PlanRequest
from tests.conformance.agents.agent_scenes import JOB, OTHER, answered, cancelled, delayed, following
from tests.conformance.agents.github_scenes import DISPATCH, PEM, House, asking, standing
from tests.fakes.github import INSTALLATION, ORGANIZATION, WORKFLOW, no
from tests.fakes.serving import Fault


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


# --- what is asked for -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ref,used", [(None, "main"), ("release", "release"), ("", "main")])
async def test_gh_dispatch_default_and_custom_ref(house: House, ref: str | None, used: str) -> None:
    answer = answered(await house.agent.dispatch(asking(house, ref=ref)))
    (call,) = house.github.calls(DISPATCH)
    assert call.json == {"ref": used, "inputs": {"job_id": JOB}}
    assert call.headers["x-github-api-version"] == "2022-11-28"
    assert (answer.status, answer.external_id) == ("pending", None)
    assert answer.look_again_s is not None


async def test_numbers_may_be_text(house: House) -> None:
    await house.agent.dispatch(asking(house, installationId=str(INSTALLATION), workflowId=str(WORKFLOW)))
    assert len(house.runs_of()) == 1


async def test_an_organization_may_be_named_by_its_number_and_is_looked_up_once(house: House) -> None:
    request = asking(house, owner=None, organizationId=ORGANIZATION)
    await house.agent.dispatch(request)
    await house.agent.dispatch(replace(request, job_id=OTHER))
    assert len(house.github.calls("GET /organizations/900")) == 1
    assert len(house.github.runs) == 2


async def test_a_token_serves_until_shortly_before_its_end(house: House) -> None:
    for job, seconds in (("1", 0), ("2", 54 * 60), ("3", 2 * 60)):
        house.clock.forward(seconds)
        await house.agent.dispatch(replace(asking(house), job_id=job))
    assert len(house.github.calls("POST .*/access_tokens")) == 2
    assert len(house.github.runs) == 3


async def test_a_token_is_made_once_for_all_who_wait_for_it(house: House) -> None:
    await asyncio.gather(*(house.agent.dispatch(replace(asking(house), job_id=str(n))) for n in range(20)))
    assert len(house.github.calls("POST .*/access_tokens")) == 1
    assert len(house.github.runs) == 20


async def test_a_token_that_was_taken_back_is_replaced(house: House) -> None:
    await house.agent.dispatch(replace(asking(house), job_id=OTHER))
    house.github.revoke()
    assert answered(await house.agent.dispatch(asking(house))).status == "pending"
    assert len(house.runs_of()) == 1


async def test_a_configuration_may_bring_its_own_app(house: House) -> None:
    agent = GithubApp(GithubApi(house.outbound, clock=house.clock), clock=house.clock, pause=house.clock.pause)
    answer = answered(await agent.dispatch(asking(house, appId=1234, privateKey=PEM.replace("\n", "\\n"))))
    assert answer.status == "pending"
    assert len(house.runs_of()) == 1


async def test_the_installation_of_a_repository_can_be_found(house: House) -> None:
    api = GithubApi(house.outbound, house.own, clock=house.clock)
    assert (await api.installation_of(house.own, "acme", "shop")).number == INSTALLATION


# --- what can not be done --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config,said",
    [
        ({"owner": None}, "neither owner nor organizationId"),
        ({"appId": "1"}, "appId and privateKey belong together"),
        ({"privateKey": PEM}, "appId and privateKey belong together"),
        ({"appId": "1", "privateKey": "no key"}, "can not be read"),
        ({"appId": "1", "privateKey": PEM * 10}, "at most 8192 are read"),
        ({"apiUrl": "https://elsewhere.example"}, "needs its own appId and privateKey"),
    ],
)
async def test_gh_bad_config(house: House, config: dict[str, Any], said: str) -> None:
    answer = answered(await house.agent.dispatch(asking(house, **config)))
    assert answer.status == "failure"
    assert said in (answer.message or "")
    assert house.github.asked == []


async def test_gh_bad_config_without_any_app(house: House) -> None:
    agent = GithubApp(GithubApi(house.outbound, clock=house.clock), clock=house.clock)
    answer = answered(await agent.dispatch(asking(house)))
    assert (answer.status, house.github.asked) == ("failure", [])
    assert "No GitHub App is configured" in (answer.message or "")


async def test_gh_bad_config_with_a_key_of_another_kind(house: House) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    answer = answered(await house.agent.dispatch(asking(house, appId="1", privateKey=curve)))
    assert answer.status == "failure"
    assert "no RSA key" in (answer.message or "")


@pytest.mark.parametrize(
    "config,said",
    [
        ({"workflowId": 43}, "404: Not Found. Check owner, repo, workflowId"),
        ({"repo": "other"}, "404: Not Found. Check owner, repo, workflowId"),
        ({"installationId": 78}, "404: Not Found. Check owner, repo, workflowId and installationId"),
        ({"ref": "gone"}, "422: No ref found for: gone. The workflow must be triggered by workflow_dispatch"),
        ({"owner": None, "organizationId": 901}, "404: Not Found"),
        ({"appId": "9", "privateKey": PEM}, "401: A JSON web token could not be decoded. Check appId"),
    ],
)
async def test_gh_error_invalid_integration(house: House, config: dict[str, Any], said: str) -> None:
    answer = answered(await house.agent.dispatch(asking(house, **config)))
    assert answer.status == "invalidIntegration"
    assert said in (answer.message or "")
    assert house.github.runs == []


async def test_gh_error_invalid_integration_where_the_app_may_not(house: House) -> None:
    house.github.faults.append(Fault(DISPATCH, no(403, "Resource not accessible by integration")))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert answer.status == "invalidIntegration"
    assert "403: Resource not accessible by integration" in (answer.message or "")


async def test_no_message_shows_a_secret(house: House) -> None:
    await house.agent.dispatch(replace(asking(house), job_id=OTHER))
    token = house.github.asked[-1].headers["authorization"].removeprefix("Bearer ")
    house.github.faults.append(Fault(DISPATCH, no(422, f"the token {token} is not liked")))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert "is not liked" in (answer.message or "")
    assert token not in (answer.message or "")
    assert PEM not in repr(house.own)


async def test_a_dry_run_is_not_supported(house: House) -> None:
    assert (await house.agent.plan(PlanRequest("r", "github-app", asking(house).config))).status == "unsupported"


# --- how a run stands ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["queued", "in_progress", "waiting", "requested", "completed"])
@pytest.mark.parametrize(
    "conclusion",
    ["success", "action_required", "cancelled", "neutral", "skipped", "failure", "timed_out", "stale", "startup_failure", None],
)
async def test_gh_webhook_conclusions_table_holds_for_polling(house: House, status: str, conclusion: str | None) -> None:
    run = house.github.run(JOB, status=status, conclusion=conclusion)
    told = webhook.read("workflow_run", json.dumps({"workflow_run": run}).encode())
    assert isinstance(told, Told)
    answer = answered(await house.agent.observe(asking(house)))
    assert (answer.status, answer.external_id) == (told.status, told.external_id)
    assert answer.metadata["run_url"] == told.metadata["run_url"]
    assert (answer.look_again_s is None) == (told.completed_at is not None)


async def test_a_job_is_followed_from_its_start_to_its_end(house: House) -> None:
    house.github.lag_s = 3
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    seen = answered(await house.agent.observe(request))
    assert (seen.status, seen.external_id, seen.message) == ("pending", None, None)
    house.clock.forward(10)
    seen = answered(await house.agent.observe(request))
    assert (seen.status, seen.external_id) == ("inProgress", "9000000001")
    request = following(request, seen)
    assert json.loads(request.metadata["ctrlplane/links"]) == {
        "Run": "https://github.example/acme/shop/actions/runs/9000000001",
        "Workflow": "https://github.example/acme/shop/actions/workflows/deploy.yml",
    }
    house.github.runs[0] |= {"status": "completed", "conclusion": "timed_out"}
    house.clock.forward(10)
    seen = answered(await house.agent.observe(request))
    assert (seen.status, seen.look_again_s, seen.metadata) == ("failure", None, {})
    assert "completed, timed_out" in (seen.message or "")


async def test_links_of_others_stay(house: House) -> None:
    house.github.run(JOB)
    links = json.dumps({"Dashboard": "https://d.example", "Run": "https://mine.example"})
    answer = answered(await house.agent.observe(asking(house, metadata={"ctrlplane/links": links})))
    assert json.loads(answer.metadata["ctrlplane/links"]) == {
        "Dashboard": "https://d.example",
        "Run": "https://mine.example",
        "Workflow": "https://github.example/acme/shop/actions/workflows/deploy.yml",
    }


async def test_a_run_that_vanished_is_not_found(house: House) -> None:
    answer = answered(await house.agent.observe(asking(house, external_id="9000000001")))
    assert (answer.status, answer.look_again_s) == ("externalRunNotFound", None)


async def test_a_run_may_be_named_by_its_title(house: House) -> None:
    house.github.run(OTHER, name="Deploy", display_title=f"Deploy {JOB} now")
    assert answered(await house.agent.observe(asking(house, external_id="what a person wrote"))).external_id == "9000000001"


async def test_a_run_without_the_job_in_its_name_is_told_what_to_mend(house: House) -> None:
    house.github.named = False
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    house.clock.forward(301)
    answer = answered(await house.agent.observe(request))
    assert answer.status == "pending"  # it was started for certain: another one beside it would be worse
    assert "run-name: Deploy ${{ inputs.job_id }}" in (answer.message or "")


async def test_a_run_is_asked_for_ever_less_often(house: House) -> None:
    house.github.run(JOB, status="in_progress")
    pauses = []
    for seconds in (0, 30, 70, 200, 3000):
        house.clock.forward(seconds)
        pauses.append(answered(await house.agent.observe(asking(house, external_id="9000000001"))).look_again_s)
    assert pauses == [5, 5, 10, 30, 60]


@pytest.mark.parametrize("older", [99, 100, 250, 1150, 2500])
async def test_a_run_is_found_behind_many_others(house: House, older: int) -> None:
    house.github.run(JOB)
    for n in range(older):
        if n % 50 == 0:
            house.clock.forward(1)
        house.github.run(OTHER)
    assert answered(await house.agent.observe(asking(house))).external_id == "9000000001"


async def test_runs_from_before_the_job_are_not_read(house: House) -> None:
    for _ in range(300):
        house.github.run(OTHER)
    house.clock.forward(3600)
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    house.github.named = False
    house.github.runs.pop()
    assert answered(await house.agent.observe(request)).status == "pending"
    assert len(house.github.calls("GET .*/workflows/42/runs")) == 1


async def test_many_jobs_are_followed_by_few_calls(house: House) -> None:
    for n in range(50):
        house.github.run(f"{n:08}-2222-4333-8444-555555555555", status="in_progress")
    requests = [
        replace(asking(house, external_id=run_id), job_id=f"{n:08}-2222-4333-8444-555555555555")
        for n in range(50)
        for run_id in (None, str(9_000_000_001 + n))
    ]
    answers = await asyncio.gather(*(house.agent.observe(one) for one in requests[::2]))
    answers += await asyncio.gather(*(house.agent.observe(one) for one in requests[1::2]))
    assert {answered(one).status for one in answers} == {"inProgress"}
    assert len(house.github.calls("GET .*/runs")) == 1


# --- cancel ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
async def test_a_run_is_cancelled(house: House, known: bool) -> None:
    run = house.github.run(JOB, status="in_progress")
    answer = cancelled(await house.agent.cancel(asking(house, external_id=str(run["id"]) if known else None)))
    assert answer.stopped
    assert run["conclusion"] == "cancelled"


@pytest.mark.parametrize("there", [True, False])
async def test_a_run_that_ended_or_is_gone_is_stopped(house: House, there: bool) -> None:
    if there:
        house.github.run(JOB, status="completed", conclusion="success")
    answer = cancelled(await house.agent.cancel(asking(house, external_id="9000000001")))
    assert answer.stopped


async def test_a_run_that_is_about_to_appear_is_waited_for(house: House) -> None:
    house.github.lag_s = 5
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    delayed(await house.agent.cancel(request))
    house.clock.forward(6)
    cancelled(await house.agent.cancel(request))
    assert house.github.runs[0]["conclusion"] == "cancelled"


async def test_a_run_that_never_appears_is_not_waited_for_for_ever(house: House) -> None:
    house.github.named = False
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    house.clock.forward(301)
    answer = cancelled(await house.agent.cancel(request))
    assert "No run of workflow 42 of acme/shop holds the job's id" in (answer.message or "")


async def test_a_run_that_can_not_be_cancelled_at_this_moment_is_tried_again(house: House) -> None:
    house.github.run(JOB, status="in_progress")
    house.github.faults.append(Fault("POST .*/cancel", no(409, "Cannot cancel a workflow run that is starting.")))
    assert "is starting" in delayed(await house.agent.cancel(asking(house, external_id="9000000001"))).message


@pytest.mark.parametrize("reply", [no(500, "x"), no(429, "x", Retry_After="3")])
async def test_to_cancel_is_tried_again(house: House, reply: Any) -> None:
    house.github.run(JOB, status="in_progress")
    house.github.faults.append(Fault("POST .*/cancel", reply))
    delayed(await house.agent.cancel(asking(house, external_id="9000000001")))


async def test_who_may_not_cancel_is_told(house: House) -> None:
    house.github.run(JOB, status="in_progress")
    house.github.faults.append(Fault("POST .*/cancel", no(403, "Resource not accessible by integration")))
    answer = cancelled(await house.agent.cancel(asking(house, external_id="9000000001")))
    assert (answer.stopped, "not accessible" in (answer.message or "")) == (False, True)
