"""Webhooks over the wire: no credential, the bytes as they came, and the job moves in whatever workspace it is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import new_id
from tests.story.house import House

pytestmark = pytest.mark.integration

SECRET = "exit handler's secret"


@pytest.fixture
def stranger(stack: House) -> Any:
    """A client without any credential."""
    with httpx.Client(base_url=stack.url, timeout=30) as one:
        yield one


def post(client: httpx.Client, path: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
    return client.post(f"/api{path}", content=content, headers=headers)


def test_what_is_not_signed_is_turned_away(stranger: httpx.Client) -> None:
    for path, status in (
        ("/github/webhook", 503),
        ("/tfe/webhook", 401),
        (f"/argo/{new_id()}/webhook", 404),
        (f"/webhook/{new_id()}", 404),
        ("/webhook/nonsense", 404),
    ):
        for body in (b"", b"{", b'{"workflow_run": {}}'):
            answer = post(stranger, path, body)
            assert answer.status_code == status, f"{path} {body!r}: {answer.text}"
            assert answer.json()["message"]
        assert post(stranger, path, b" " * (5 * 1024 * 1024 + 1)).status_code == 413
        assert stranger.get(f"/api{path}").status_code == 405


def test_what_the_database_can_not_hold_is_no_way_in(stranger: httpx.Client) -> None:
    for run_id in ("a\x00b", "\x00", "x" * 100_000, ["\x00"]):
        event = {"run_id": run_id, "notifications": [{"trigger": "run:completed", "message": "\x00"}]}
        assert post(stranger, "/tfe/webhook", event).status_code == 401
    assert post(stranger, "/webhook/%00", {}).status_code == 404


def test_a_webhook_moves_the_job_that_it_names(api: Api, stranger: httpx.Client) -> None:
    at = scenes.shop(api)
    # What it renders to is no workflow: the job fails before anybody is called, and a person who ran it by hand opens it again.
    config = {"serverUrl": "https://argo.invalid", "template": "[]", "webhookSecret": SECRET}
    api.call("agent.put", {"name": "argo", "type": "argo-workflow", "config": config}, jobAgentId=at.agent)
    version = scenes.version(api, at.deployment)

    def failed(fact: dict[str, Any]) -> bool:
        return bool(fact["version_id"] == version and fact["status"] == "failure")

    created = scenes.recorded(api, "dispatcher.job_status_changed.v1", failed)
    api.call("job.status", {"status": "inProgress"}, jobId=created["job_id"])
    event = {"jobId": created["job_id"], "uid": "u-1", "phase": "Succeeded", "finishedAt": "2026-01-02T03:04:05Z"}
    path = f"/argo/{at.agent}/webhook"
    assert post(stranger, path, event, Authorization="another").status_code == 401
    answer = post(stranger, path, event, Authorization=SECRET)
    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})

    def ended(fact: dict[str, Any]) -> bool:
        return bool(fact["job_id"] == created["job_id"] and fact["status"] == "successful")

    scenes.recorded(api, "dispatcher.job_status_changed.v1", ended)
    job = api.call("job.get", jobId=created["job_id"])
    assert (job["status"], job["externalId"]) == ("successful", "u-1")
    assert "ignored" in post(stranger, path, event, Authorization=SECRET).json()


def test_no_secret_is_in_the_database(api: Api, stack: House) -> None:
    word = f"s3cret-{new_id()}"
    agent = new_id()
    config = {"serverUrl": "https://argo.invalid", "apiKey": word, "template": "x"}
    api.call("agent.put", {"name": "argo", "type": "argo-cd", "config": config}, jobAgentId=agent)
    body = {"name": "api", "slug": "api", "jobAgentSelector": "true", "jobAgentConfig": {"password": word}}
    deployment = scenes.id_of(api.call("deployment.create", body))
    scenes.version(api, deployment, jobAgentConfig={"token": word})
    assert api.call("agent.get", jobAgentId=agent)["config"] == config
    tables = stack.rows(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('es', 'read') AND table_type = 'BASE TABLE'"
    )
    assert len(tables) > 20
    # Whatever a column holds is looked at as text; bytes are written out.
    holding = [
        f"{schema}.{name}"
        for schema, name in tables
        if stack.rows(
            f"SELECT 1 FROM {schema}.{name} AS one WHERE strpos(one::text, %s) > 0 OR strpos(one::text, %s) > 0 LIMIT 1",
            word,
            word.encode().hex(),
        )
    ]
    assert holding == []
    streams = (stack.folder / "js", stack.folder / "logs")
    assert all(folder.is_dir() for folder in streams)
    assert [
        path.name for folder in streams for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()
    ] == []
    (sealed,) = stack.rows("SELECT count(*) FROM es.secret_key WHERE workspace_id = %s::uuid", api.workspace_id)
    assert sealed == (1,)
