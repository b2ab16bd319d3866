"""`github-app` against a pretended GitHub: what it asks for, what it makes of the answers, and that a job never has two runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.shapes import Json
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.webhooks import github as webhook
from libs.webhooks.told import Told
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.github_app import ACCEPTED_AT, ASKED_AT, GithubApp
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanRequest
from tests.fakes.github import APP, INSTALLATION, ORGANIZATION, WORKFLOW, FakeGithub, no
from tests.fakes.serving import Clock, Fault
from tests.unit.outbound.outside import Leaps, calling

JOB = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
CONFIG: Json = {"installationId": INSTALLATION, "owner": "acme", "repo": "shop", "workflowId": WORKFLOW}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
DISPATCH = "POST .*/dispatches"


@dataclass
class House:
    """A GitHub, and an agent that knows it."""

    github: FakeGithub
    outbound: Outbound
    clock: Clock
    own: AppKey
    agent: GithubApp

    def restarted(self) -> GithubApp:
        """The agent in another process."""
        return GithubApp(GithubApi(self.outbound, self.own, clock=self.clock), clock=self.clock, pause=self.clock.pause)

    def runs_of(self, job_id: str = JOB) -> list[dict[str, Any]]:
        return [run for run in self.github.runs if job_id in run["name"]]


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    github = FakeGithub(KEY.public_key(), clock)
    async with github.serving(), calling() as outbound:
        own = AppKey(APP, PEM, github.url)
        house = House(
            github, outbound, clock, own, GithubApp(GithubApi(outbound, own, clock=clock), clock=clock, pause=clock.pause)
        )
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house
        assert all(one.headers.get("authorization", "").startswith("Bearer ") for one in house.github.asked)


def asking(
    house: House, *, again: bool = False, external_id: str | None = None, metadata: Any = None, **config: Any
) -> AgentRequest:
    whole = {**CONFIG, "apiUrl": house.github.url, **config}
    whole = {key: value for key, value in whole.items() if value is not None}
    return AgentRequest(JOB, "github-app", whole, external_id, metadata=metadata or {}, again=again)


def following(request: AgentRequest, answer: AgentAnswer) -> AgentRequest:
    """The job after an answer."""
    metadata = {**request.metadata, **answer.metadata}
    return replace(request, external_id=answer.external_id or request.external_id, metadata=metadata, again=False)


def answered(answer: AgentAnswer | Delayed) -> AgentAnswer:
    assert isinstance(answer, AgentAnswer), answer
    return answer


def delayed(answer: AgentAnswer | CancelAnswer | Delayed) -> Delayed:
    assert isinstance(answer, Delayed), answer
    return answer


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


# --- when things go wrong --------------------------------------------------------------------------------------------------------


async def test_down_nothing_is_started(house: House) -> None:
    own = AppKey(APP, PEM, "http://127.0.0.1:1")
    agent = GithubApp(GithubApi(house.outbound, own, clock=house.clock), clock=house.clock)
    answer = delayed(await agent.dispatch(replace(asking(house), config={**CONFIG, "apiUrl": own.api_url})))
    assert "no connection" in answer.message


async def test_an_address_that_may_not_be_called_is_no_reason_to_wait(house: House) -> None:
    config = {**CONFIG, "apiUrl": "http://10.0.0.1", "appId": "1", "privateKey": PEM}
    async with Outbound(AddressRules.parse("loopback")) as outbound:
        agent = GithubApp(GithubApi(outbound, clock=house.clock), clock=house.clock)
        answer = answered(await agent.dispatch(replace(asking(house), config=config)))
    assert answer.status == "invalidIntegration"
    assert "may not be called" in (answer.message or "")


@pytest.mark.parametrize("done", [True, False])
async def test_slow_it_is_looked_for_and_never_started_again(house: House, done: bool) -> None:
    house.github.faults.append(Fault(DISPATCH, done=done))
    house.github.lag_s = 1
    leaps = Leaps(asyncio.get_running_loop())
    call = asyncio.create_task(house.agent.dispatch(asking(house)))
    await house.github.silent.wait()
    leaps.leap()
    answer = answered(await call)
    assert (answer.status, ASKED_AT in answer.metadata) == ("pending", True)
    assert "did not answer" in (answer.message or "")
    request = following(asking(house), answer)
    house.clock.forward(60)
    seen = answered(await house.agent.observe(request))
    assert seen.status == ("inProgress" if done else "pending")
    house.clock.forward(180)
    seen = answered(await house.agent.observe(following(request, seen)))
    assert seen.status == ("inProgress" if done else "externalRunNotFound")
    assert len(house.github.calls(DISPATCH)) == 1


@pytest.mark.parametrize(
    "reply,seconds",
    [
        (no(429, "slow down", Retry_After="17"), 17),
        (no(403, "You have exceeded a secondary rate limit."), 60),
        (no(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset="1777637100"), 300),
        (no(503, "in a moment", Retry_After="5"), 5),
    ],
)
async def test_limited_it_waits_as_long_as_it_is_told(house: House, reply: Any, seconds: float) -> None:
    house.github.faults.append(Fault(DISPATCH, reply))
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s == seconds
    asked = len(house.github.asked)
    house.clock.forward(seconds - 1)
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s == 1
    assert delayed(await house.agent.observe(asking(house))).retry_after_s == 1
    assert len(house.github.asked) == asked, "who calls on while limited is banned"
    house.clock.forward(1)
    assert answered(await house.agent.dispatch(asking(house))).status == "pending"
    assert len(house.runs_of()) == 1


async def test_the_last_call_of_an_allowance_is_no_failure(house: House) -> None:
    used_up = no(204, "", X_RateLimit_Remaining="0", X_RateLimit_Reset="1777636810")
    house.github.faults.append(Fault(DISPATCH, used_up, done=True))
    assert answered(await house.agent.dispatch(asking(house))).status == "pending"
    assert delayed(await house.agent.observe(asking(house))).retry_after_s == 10


async def test_a_bare_429_leaves_the_pause_to_us(house: House) -> None:
    house.github.faults.append(Fault(DISPATCH, no(429, "slow down")))
    assert delayed(await house.agent.dispatch(asking(house))).retry_after_s is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_500_after_the_run_was_started_finds_it(house: House, status: int) -> None:
    house.github.faults.append(Fault(DISPATCH, no(status, "Server Error"), done=True))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.external_id) == ("inProgress", "9000000001")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_500_and_the_run_appears_later(house: House) -> None:
    house.github.lag_s = 20
    house.github.faults.append(Fault(DISPATCH, no(500, "Server Error"), done=True))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.look_again_s) == ("pending", 5)
    house.clock.forward(25)
    assert answered(await house.agent.observe(following(asking(house), answer))).external_id == "9000000001"
    assert len(house.runs_of()) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_cut_after_the_request_was_sent(house: House, done: bool) -> None:
    house.github.faults.append(Fault(DISPATCH, cut=True, done=done))
    answer = answered(await house.agent.dispatch(asking(house)))
    assert answer.status == ("inProgress" if done else "pending")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_cut_and_the_look_fails_as_well(house: House) -> None:
    house.github.faults += [Fault(DISPATCH, cut=True, done=True), Fault("GET .*/runs", no(500, "Server Error"))]
    answer = answered(await house.agent.dispatch(asking(house)))
    assert (answer.status, answer.look_again_s) == ("pending", 5)
    assert answered(await house.agent.observe(following(asking(house), answer))).external_id == "9000000001"


@pytest.mark.parametrize(
    "fault", [Fault("/access_tokens", no(500, "x")), Fault("/access_tokens", cut=True), Fault("/access_tokens", no(201, "x"))]
)
async def test_without_a_token_nothing_was_started(house: House, fault: Fault) -> None:
    house.github.faults.append(replace(fault))
    delayed(await house.agent.dispatch(asking(house)))
    assert house.github.calls(DISPATCH) == []


@pytest.mark.parametrize(
    "fault", [Fault("GET .*/runs", no(500, "x")), Fault("GET .*/runs", cut=True), Fault("GET .*/runs", no(403, "no"))]
)
@pytest.mark.parametrize("external_id", [None, "9000000001"])
async def test_a_job_does_not_end_because_its_run_could_not_be_asked_for(
    house: House, fault: Fault, external_id: str | None
) -> None:
    house.github.run(JOB)
    house.github.faults.append(replace(fault))
    delayed(await house.agent.observe(asking(house, external_id=external_id)))
    assert answered(await house.agent.observe(asking(house, external_id=external_id))).status == "inProgress"


@pytest.mark.parametrize("lag_s", [0, 3, 14])
async def test_again_after_a_crash_finds_the_run(house: House, lag_s: float) -> None:
    house.github.lag_s = lag_s
    await house.agent.dispatch(asking(house))
    answer = answered(await house.restarted().dispatch(asking(house, again=True)))
    assert (answer.status, answer.external_id) == ("inProgress", "9000000001")
    assert len(house.github.calls(DISPATCH)) == 1


async def test_again_after_a_crash_before_the_call_starts_it(house: House) -> None:
    answer = answered(await house.agent.dispatch(asking(house, again=True)))
    assert (answer.status, ACCEPTED_AT in answer.metadata) == ("pending", True)
    assert len(house.runs_of()) == 1
    assert house.clock.pauses == [15]


async def test_what_is_taken_over_together_waits_together(house: House) -> None:
    for n in range(20):
        await house.agent.dispatch(replace(asking(house, again=True), job_id=f"{n:08}-2222-4333-8444-555555555555"))
    assert house.clock.pauses == [15]
    house.clock.forward(60)
    await house.agent.dispatch(asking(house, again=True))
    assert house.clock.pauses == [15, 15]


async def test_again_is_not_forgotten_over_a_delay(house: House) -> None:
    await house.agent.dispatch(asking(house))
    agent = house.restarted()
    house.github.faults.append(Fault("GET .*/runs", no(502, "x")))
    delayed(await agent.dispatch(asking(house, again=True)))
    assert answered(await agent.dispatch(asking(house))).external_id == "9000000001"
    assert len(house.github.calls(DISPATCH)) == 1


FAULTS = st.lists(
    st.sampled_from(
        [
            (DISPATCH, no(500, "x"), True, False),
            (DISPATCH, no(500, "x"), False, False),
            (DISPATCH, no(429, "x", Retry_After="3"), False, False),
            (DISPATCH, None, True, True),
            (DISPATCH, None, False, True),
            ("GET .*/runs", no(502, "x"), False, False),
            ("GET .*/runs", None, False, True),
            ("/access_tokens", no(503, "x"), False, False),
        ]
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FAULTS, st.lists(st.booleans(), max_size=6), st.floats(0, 14))
def test_a_job_never_has_two_runs(faults: list[Any], crashes: list[bool], lag_s: float) -> None:
    async def tried() -> None:
        async with standing() as house:
            house.github.lag_s = lag_s
            house.github.faults = [Fault(meets, reply, done, cut) for meets, reply, done, cut in faults]
            agent, again, ahead = house.agent, False, iter(crashes)
            answer: AgentAnswer | Delayed | None = None
            for _ in range(20):
                answer = await agent.dispatch(asking(house, again=again))
                crashed = next(ahead, False)
                if crashed:  # whatever it answered, nobody wrote it down
                    agent, again = house.restarted(), True
                elif isinstance(answer, AgentAnswer):
                    break
                else:
                    again = False
                    house.clock.forward(answer.retry_after_s or 1)
            assert isinstance(answer, AgentAnswer)
            assert len(house.runs_of()) <= 1
            if answer.status != "pending" or ACCEPTED_AT in answer.metadata:
                assert len(house.runs_of()) == 1

    asyncio.run(tried())


# --- cancel ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
async def test_a_run_is_cancelled(house: House, known: bool) -> None:
    run = house.github.run(JOB, status="in_progress")
    answer = await house.agent.cancel(asking(house, external_id=str(run["id"]) if known else None))
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped
    assert run["conclusion"] == "cancelled"


@pytest.mark.parametrize("there", [True, False])
async def test_a_run_that_ended_or_is_gone_is_stopped(house: House, there: bool) -> None:
    if there:
        house.github.run(JOB, status="completed", conclusion="success")
    answer = await house.agent.cancel(asking(house, external_id="9000000001"))
    assert isinstance(answer, CancelAnswer)
    assert answer.stopped


async def test_a_run_that_is_about_to_appear_is_waited_for(house: House) -> None:
    house.github.lag_s = 5
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    delayed(await house.agent.cancel(request))
    house.clock.forward(6)
    answer = await house.agent.cancel(request)
    assert isinstance(answer, CancelAnswer)
    assert house.github.runs[0]["conclusion"] == "cancelled"


async def test_a_run_that_never_appears_is_not_waited_for_for_ever(house: House) -> None:
    house.github.named = False
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    house.clock.forward(301)
    answer = await house.agent.cancel(request)
    assert isinstance(answer, CancelAnswer)
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
    answer = await house.agent.cancel(asking(house, external_id="9000000001"))
    assert isinstance(answer, CancelAnswer)
    assert (answer.stopped, "not accessible" in (answer.message or "")) == (False, True)
