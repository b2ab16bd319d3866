"""What Argo Workflows and receivers of `webhook` agents send to an agent's own address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House
from tests.integration.gateway.test_story_in_process import shop
from tests.integration.gateway.webhook_scenes import CONFIGS, NOW, OWN, STARTED, UPDATED, Running, run_by, told_house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with told_house() as one:
        yield one


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
