"""What GitHub sends us, and what holds of every webhook. Named after the rows of the behaviour list."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.webhook_scenes import GITHUB, Running, notification, run, run_by, told_house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with told_house() as one:
        yield one


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
