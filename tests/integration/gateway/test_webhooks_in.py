"""What GitHub, Terraform, Argo Workflows and receivers of `webhook` agents send us. Named after the rows of the behaviour list."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from libs.webhooks.signatures import signed
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest
from services.gateway.http.deps import WebhookSecrets
from tests.integration.gateway.gateway_house import PATIENCE_S, House, house
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.secrets.secret_scenes import MASTER

GITHUB, TFE, OWN = "github's secret", "terraform's secret", "the agent's own secret"
STARTED, UPDATED = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"
NOW = datetime(2026, 1, 2, 4, tzinfo=UTC)


class Runs:
    """An agent whose jobs run until somebody tells how they stand."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress", external_id=f"run of {request.agent_id}")

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        return PlanAnswer(status="unsupported")


CONFIGS: dict[str, dict[str, Any]] = {
    "github-app": {"installationId": 7, "owner": "acme", "repo": "shop", "workflowId": 1},
    "tfe": {"address": "https://t.example", "token": "t", "organization": "o", "template": "name: x"},
    "argo-workflow": {"serverUrl": "https://a.example", "template": "kind: Workflow", "webhookSecret": OWN},
    "webhook": {"url": "https://w.example", "secret": OWN},
}


@dataclass
class Running:
    """A job that runs outside, and whoever may tell of it."""

    one: House
    agent: str
    job: str

    async def now(self) -> Any:
        """The job, as all that is recorded says."""
        head = await self.one.deps.log.head(self.one.workspace_id)
        assert await self.one.projector.reached(self.one.workspace_id, head, PATIENCE_S)
        return await self.one.call("GET", f"/jobs/{self.job}", want=200)

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Send a webhook without any credential; the body as it is, or as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.one.client.post(f"/api{path}", content=content, headers=headers)
        assert answer.status_code != 500, answer.text
        return answer

    async def github(self, body: Any, secret: str = GITHUB, event: str = "workflow_run") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        mark = "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        return await self.post("/github/webhook", content, **{"X-Hub-Signature-256": mark, "X-GitHub-Event": event})

    async def tfe(self, body: Any, secret: str = TFE, path: str = "/tfe/webhook") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        mark = hmac.new(secret.encode(), content, hashlib.sha512).hexdigest()
        return await self.post(path, content, **{"X-TFE-Notification-Signature": mark})

    async def ours(self, body: Any, secret: str = OWN, at: datetime = NOW) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.post(f"/webhook/{self.agent}", content, **{"X-Signalbox-Signature": signed(content, secret, at)})


async def run_by(one: House, agent_type: str, config: dict[str, Any] | None = None) -> Running:
    """A job of an agent of this type that runs."""
    ids = await shop(one)
    body = {"name": agent_type, "type": agent_type, "config": CONFIGS[agent_type] if config is None else config}
    await one.call("PUT", f"/job-agents/{ids['agent']}", body, want=202)
    await one.call("POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    path = f"/job-agents/{ids['agent']}/jobs?status=inProgress"
    page = await one.until(lambda: one.call("GET", path, want=200), lambda seen: seen["total"] == 1)
    return Running(one, ids["agent"], page["items"][0]["id"])


@pytest.fixture
async def one() -> AsyncIterator[House]:
    agents = {name: Runs() for name in CONFIGS}
    vault = Vault(Sources({}, None), MemoryKeys(MASTER))
    async with house(agents, vault=vault, webhook_secrets=WebhookSecrets(GITHUB, TFE), clock=lambda: NOW) as made:
        yield made


def run(job: str, conclusion: str | None = "success", status: str = "completed", **more: Any) -> dict[str, Any]:
    """GitHub's event of a workflow run."""
    told = {
        "id": 42,
        "name": f"deploy {job}",
        "status": status,
        "conclusion": conclusion,
        "html_url": "https://g.example/42",
        "run_started_at": STARTED,
        "updated_at": UPDATED,
    }
    return {"workflow_run": told, "repository": {"full_name": "Acme/shop"}, "installation": {"id": 7}, **more}


def notification(job: str, trigger: str = "run:completed", **more: Any) -> dict[str, Any]:
    """Terraform's notification of a run."""
    first = {"trigger": trigger, "message": "told", "run_updated_at": UPDATED}
    return {
        "run_id": "run-1",
        "run_url": "https://t.example/app/o/w/runs/run-1",
        "run_message": f"Triggered by ctrlplane job {job}",
        "notifications": [first],
        **more,
    }


# --- GitHub -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "conclusion,status",
    [
        ("success", "successful"),
        ("action_required", "actionRequired"),
        ("cancelled", "cancelled"),
        ("neutral", "skipped"),
        ("skipped", "skipped"),
        ("timed_out", "failure"),
    ],
)
async def test_gh_webhook_conclusions_table(one: House, conclusion: str, status: str) -> None:
    here = await run_by(one, "github-app")
    # What GitHub called the run is not known yet where only a webhook tells it.
    answer = await here.github(
        {**run(here.job, conclusion), "workflow_run": {**run(here.job, conclusion)["workflow_run"], "id": None}}
    )
    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})
    job = await here.now()
    assert (job["status"], job["metadata"]["run_url"]) == (status, "https://g.example/42")
    assert json.loads(job["metadata"]["ctrlplane/links"])["Run"] == "https://g.example/42"
    ended = status != "actionRequired"
    assert job.get("completedAt", "") == ("2026-01-02T03:05:05.000Z" if ended else "")


async def test_gh_webhook_signature_401_500(one: House) -> None:
    """Without a secret of ours the answer is 503 and not 500: it is the operator who has to do something, and GitHub may deliver again."""
    here = await run_by(one, "github-app")
    for answer in (
        await here.github(run(here.job), secret="another"),
        await here.post("/github/webhook", run(here.job), **{"X-GitHub-Event": "workflow_run"}),
        await here.post("/github/webhook", b"", **{"X-Hub-Signature-256": "sha256=", "X-API-Key": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SIGNATURE")
    assert (await here.now())["status"] == "inProgress"


async def test_webhooks_that_are_not_set_up_say_what_to_do() -> None:
    async with house() as one:
        here = Running(one, str(uuid4()), str(uuid4()))
        answer = await here.github(run(here.job))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "SIGNALBOX_GITHUB_WEBHOOK_SECRET" in answer.json()["message"]
        answer = await here.tfe(notification(here.job), secret="")
        assert answer.status_code == 401
        assert "SIGNALBOX_TFE_WEBHOOK_SECRET" in answer.json()["message"]


async def test_the_signature_is_over_the_bytes_as_they_came(one: House) -> None:
    here = await run_by(one, "github-app")
    odd = json.dumps({"workflow_run": {"name": here.job, "status": "completed", "conclusion": "failure"}}, indent=3).encode()
    odd = odd.replace(b'"conclusion"', b'"\\u0063onclusion"').replace(b"failure", b"f\\u0061ilure")
    mark = "sha256=" + hmac.new(GITHUB.encode(), odd, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": mark, "X-GitHub-Event": "workflow_run"}
    assert (await here.post("/github/webhook", odd + b" ", **headers)).status_code == 401
    assert (await here.post("/github/webhook", odd, **headers)).json() == {"message": "OK"}
    assert (await here.now())["status"] == "failure"


async def test_a_genuine_webhook_that_is_not_about_a_job_is_taken_and_ignored(one: House) -> None:
    here = await run_by(one, "github-app")
    for body, event in (
        (run(here.job), "push"),
        (run("nobody"), "workflow_run"),
        (run(str(uuid4())), "workflow_run"),
        ({}, "workflow_run"),
    ):
        answer = await here.github(body, event=event)
        assert (answer.status_code, answer.json()["message"]) == (200, "OK")
        assert answer.json()["ignored"]
    for odd in (b"", b"{", b"[]", b"\xff"):
        answer = await here.github(odd)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_WEBHOOK")
    assert (await here.now())["status"] == "inProgress"


@pytest.mark.parametrize(
    "elsewhere",
    [{"installation": {"id": 8}}, {"repository": {"full_name": "acme/other"}}, {"repository": {"full_name": "evil/shop"}}],
)
async def test_a_run_of_another_repository_that_is_named_after_a_job_is_not_believed(
    one: House, elsewhere: dict[str, Any]
) -> None:
    here = await run_by(one, "github-app")
    answer = await here.github({**run(here.job), **elsewhere})
    assert answer.json()["ignored"]
    assert (await here.now())["status"] == "inProgress"


async def test_a_webhook_twice_late_or_out_of_order_does_no_harm(one: House) -> None:
    here = await run_by(one, "tfe")
    body = notification(here.job, "run:completed", run_id=f"run of {here.agent}")
    assert (await here.tfe(body)).json() == {"message": "OK"}
    done = await here.now()
    assert (done["status"], done["message"]) == ("successful", "told")
    for again in (body, notification(here.job, "run:errored"), notification(here.job, "run:planning")):
        answer = await here.tfe(again)
        assert answer.status_code == 200
        assert answer.json()["ignored"]
    assert await here.now() == done


async def test_a_webhook_reaches_the_workspace_whose_job_it_is(one: House) -> None:
    here = await run_by(one, "github-app")
    first = one.workspace_id
    one.workspace_id = (await one.call("POST", "/api/v1/workspaces", {"name": "other", "slug": "other"}, want=201))["id"]
    there = await run_by(one, "github-app")
    told = run(there.job)
    assert (await here.github({**told, "workflow_run": {**told["workflow_run"], "id": None}})).json() == {"message": "OK"}
    assert (await there.now())["status"] == "successful"
    # A workspace that was deleted is out of reach.
    await one.call("DELETE", f"/api/v1/workspaces/{one.workspace_id}", want=204)
    assert (await here.github(run(there.job))).json()["ignored"]
    one.workspace_id = first
    assert (await here.now())["status"] == "inProgress"


async def test_a_job_that_was_made_a_moment_ago_is_waited_for(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await run_by(one, "github-app")
    looked: list[str] = []
    holders = one.rows.holders

    async def late(table: Any, row_id: str) -> list[str]:
        looked.append(row_id)
        return await holders(table, row_id) if len(looked) > 1 else []

    monkeypatch.setattr(one.rows, "holders", late)
    told = run(here.job)
    await here.github({**told, "workflow_run": {**told["workflow_run"], "id": None}})
    assert looked == [here.job, here.job]
    assert (await here.now())["status"] == "successful"


# --- Terraform --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trigger,status",
    [
        ("run:planning", "inProgress"),
        ("run:applying", "inProgress"),
        ("run:needs_attention", "actionRequired"),
        ("run:completed", "successful"),
        ("run:errored", "failure"),
    ],
)
async def test_tfe_webhook_triggers_and_hmac512(one: House, trigger: str, status: str) -> None:
    here = await run_by(one, "tfe")
    body = notification(here.job, trigger, run_id=f"run of {here.agent}")
    assert (await here.tfe(body, secret="another")).status_code == 401
    assert (await here.post("/tfe/webhook", body)).status_code == 401
    assert (await here.tfe(body)).json() == {"message": "OK"}
    job = await here.now()
    assert (job["status"], job["message"]) == (status, "told")
    assert job["metadata"]["run_url"] == "https://t.example/app/o/w/runs/run-1"
    assert json.loads(job["metadata"]["ctrlplane/links"])["Workspace"] == "https://t.example/app/o/w"


async def test_a_run_without_a_job_in_its_message_is_known_by_its_id(one: House) -> None:
    here = await run_by(one, "tfe")
    body = notification("", "run:errored", run_id=f"run of {here.agent}", run_message="by hand")
    assert (await here.tfe(body)).json() == {"message": "OK"}
    assert (await here.now())["status"] == "failure"


async def test_terraforms_question_whether_we_are_there_is_answered(one: House) -> None:
    here = Running(one, "", "")
    pings: list[dict[str, Any]] = [{"notifications": []}, {"run_id": None, "notifications": [{"trigger": "verification"}]}]
    for body in pings:
        assert (await here.tfe(body)).status_code == 200
        assert (await here.tfe(body, secret="another")).status_code == 401


async def test_a_run_of_another_organization_moves_nothing(one: House) -> None:
    """Whoever starts a run writes its message, and may name a job in it that is not theirs."""
    here = await run_by(one, "tfe")
    body = notification(here.job, "run:errored", run_id=f"run of {here.agent}", organization_name="theirs")
    assert (await here.tfe(body)).json()["ignored"]
    assert (await here.now())["status"] == "inProgress"
    assert (await here.tfe({**body, "organization_name": "O"})).json() == {"message": "OK"}
    assert (await here.now())["status"] == "failure"


async def test_an_agent_with_a_secret_of_its_own_believes_nobody_else(one: House) -> None:
    here = await run_by(one, "tfe", {**CONFIGS["tfe"], "webhookSecret": OWN})
    body = notification(here.job, "run:completed", run_id=f"run of {here.agent}")
    assert (await here.tfe(body, secret=TFE)).status_code == 401
    assert (await here.tfe(body, secret=TFE, path=f"/webhook/{here.agent}")).status_code == 401
    ping = {"notifications": [{"trigger": "verification"}]}
    assert (await here.tfe(ping, secret=OWN, path=f"/webhook/{here.agent}")).status_code == 200
    assert (await here.tfe(body, secret=OWN)).json() == {"message": "OK"}
    assert (await here.now())["status"] == "successful"
    assert (await here.tfe(body, secret=OWN, path=f"/webhook/{here.agent}")).json()["ignored"]


# --- Argo Workflows ---------------------------------------------------------------------------------------------------------------


def phase(job: str | None, told: str = "Succeeded", **more: Any) -> dict[str, Any]:
    """What an exit handler posts."""
    times = {"createdAt": STARTED, "startedAt": STARTED, "finishedAt": UPDATED}
    return {
        "workflowName": "w",
        "namespace": "default",
        "uid": None,
        "jobId": job,
        "phase": told,
        "eventType": "x",
        **times,
        **more,
    }


async def test_argowf_webhook_no_regression_and_auth(one: House) -> None:
    here = await run_by(one, "argo-workflow")
    path = f"/argo/{here.agent}/webhook"
    for headers in ({}, {"Authorization": f"Bearer {OWN}"}, {"Authorization": "another"}):
        assert (await here.post(path, phase(here.job), **headers)).status_code == 401
    genuine = {"Authorization": OWN}
    assert (await here.post(path, b"", **genuine)).status_code == 200
    assert (await here.post(path, phase(None), **genuine)).json()["ignored"]
    assert (await here.post(path, phase(here.job, "Odd"), **genuine)).json()["ignored"]
    assert (await here.post(path, phase(here.job, finishedAt=None), **genuine)).json() == {"message": "OK"}
    done = await here.now()
    assert done["status"] == "successful"
    assert done["completedAt"]
    for late in ("Running", "Pending", "Failed", "Succeeded"):
        assert (await here.post(path, phase(here.job, late), **genuine)).json()["ignored"]
    assert await here.now() == done
    assert (await here.post(f"/webhook/{here.agent}", phase(here.job), **genuine)).json()["ignored"]


async def test_a_webhook_for_an_agent_that_is_not_there_is_404(one: House) -> None:
    here = await run_by(one, "github-app")
    for agent in (str(uuid4()), "nonsense", here.agent):
        for path in (f"/argo/{agent}/webhook", f"/webhook/{agent}"):
            answer = await here.post(path, {}, Authorization=OWN)
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_an_agent_without_a_secret_believes_nobody(one: House) -> None:
    here = await run_by(one, "argo-workflow", {**CONFIGS["argo-workflow"], "webhookSecret": ""})
    for headers in ({}, {"Authorization": ""}, {"Authorization": OWN}):
        answer = await here.post(f"/argo/{here.agent}/webhook", phase(here.job), **headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "WEBHOOK_NOT_SET_UP")
    assert (await here.now())["status"] == "inProgress"


async def test_an_agent_tells_of_its_own_jobs_only(one: House) -> None:
    here = await run_by(one, "argo-workflow")
    other = str(uuid4())
    await one.call(
        "PUT", f"/job-agents/{other}", {"name": "b", "type": "argo-workflow", "config": CONFIGS["argo-workflow"]}, want=202
    )
    answer = await here.post(f"/argo/{other}/webhook", phase(here.job), Authorization=OWN)
    assert answer.json()["ignored"] == "the job is another agent's"
    assert (await here.now())["status"] == "inProgress"


# --- ours -------------------------------------------------------------------------------------------------------------------------


async def test_a_receiver_calls_back_with_our_signature(one: House) -> None:
    here = await run_by(one, "webhook")
    body = {"jobId": here.job, "status": "successful", "message": "done", "links": {"Log": "https://l.example"}}
    assert (await here.ours(body, secret="another")).status_code == 401
    assert (await here.ours(body, at=NOW - timedelta(minutes=6))).status_code == 401
    assert (await here.ours({**body, "status": "odd"})).status_code == 400
    assert (await here.ours(body)).json() == {"message": "OK"}
    job = await here.now()
    assert (job["status"], job["message"]) == ("successful", "done")
    assert json.loads(job["metadata"]["ctrlplane/links"]) == {"Log": "https://l.example"}
    assert (await here.ours({**body, "status": "failure"})).json()["ignored"]


async def test_a_character_that_can_not_be_kept_does_not_lose_the_news(one: House) -> None:
    here = await run_by(one, "webhook")
    assert (await here.ours({"jobId": here.job, "status": "failure", "message": "a\x00b"})).json() == {"message": "OK"}
    assert (await here.now())["message"] == "ab"


async def test_a_deployment_may_bring_another_secret_than_its_agent(one: House) -> None:
    ids = await shop(one)
    await one.call("PUT", f"/job-agents/{ids['agent']}", {"name": "w", "type": "webhook", "config": CONFIGS["webhook"]}, want=202)
    found = (await one.call("GET", f"/deployments/{ids['deployment']}", want=200))["deployment"]
    await one.call("PUT", f"/deployments/{ids['deployment']}", {**found, "jobAgentConfig": {"secret": "deployment's"}}, want=202)
    await one.call("POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    path = f"/job-agents/{ids['agent']}/jobs?status=inProgress"
    page = await one.until(lambda: one.call("GET", path, want=200), lambda seen: seen["total"] == 1)
    here = Running(one, ids["agent"], page["items"][0]["id"])
    body = {"jobId": here.job, "status": "successful"}
    assert (await here.ours(body)).status_code == 401
    assert (await here.ours(body, secret="deployment's")).json() == {"message": "OK"}


# --- at the door ------------------------------------------------------------------------------------------------------------------


async def test_what_is_too_large_is_not_read(one: House) -> None:
    here = Running(one, "", "")
    assert (await here.github(b" " * (5 * 1024 * 1024 + 1))).status_code == 413
    assert (await here.github(b" " * (5 * 1024 * 1024))).status_code == 400
    for path in ("/github/webhook", "/tfe/webhook", f"/argo/{uuid4()}/webhook", f"/webhook/{uuid4()}"):
        assert (await one.client.get(f"/api{path}")).status_code == 405


async def test_a_webhook_waits_for_nobody_who_is_away(one: House) -> None:
    here = await run_by(one, "github-app")
    one.requests.away = True
    answer = await here.github(run(here.job))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    one.requests.away = False
    assert (await here.github(run(here.job))).status_code == 200
