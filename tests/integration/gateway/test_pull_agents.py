"""Pull agents and the status of jobs, as clients see them. Named after the rows of the behaviour list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_story_in_process import shop

JOBS = 3


@dataclass
class Queue:
    """An agent with three queued jobs, newest first."""

    one: House
    agent: str
    path: str
    jobs: list[str]

    async def claim(self, job: str, agent: str | None = None) -> int:
        path = f"/job-agents/{agent or self.agent}/jobs/{job}/claim"
        return (await self.one.send("POST", path)).status_code


@asynccontextmanager
async def queued(**config: Any) -> AsyncIterator[Queue]:
    """An agent of this configuration with its jobs."""
    async with house() as one:
        ids = await shop(one)
        agent = ids["agent"]
        body = {"name": "pull", "type": "http-pull", "config": {"from": "agent", **config}}
        await one.call("PUT", f"/job-agents/{agent}", body, want=202)
        for number in range(1, JOBS):
            await one.call("PUT", one.path_of(f"more/{number}"), {"name": "m", "kind": "Cluster", "version": "v1"}, want=202)
        body = {"tag": "v1", "name": "", "status": "ready"}
        await one.call("POST", f"/deployments/{ids['deployment']}/versions", body, want=200)
        path = f"/job-agents/{agent}/jobs"
        page = await one.until(lambda: one.call("GET", f"{path}?status=queued"), lambda seen: seen["total"] == JOBS)
        yield Queue(one, agent, path, [job["id"] for job in page["items"]])


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    async with queued() as made:
        yield made


async def test_pull_list_filter_paging_context_flag(queue: Queue) -> None:
    one, path = queue.one, queue.path
    page = await one.call("GET", path, want=200)
    assert (page["total"], page["limit"], page["offset"]) == (JOBS, 50, 0)
    assert [job["id"] for job in page["items"]] == queue.jobs
    assert all("dispatchContext" not in job and job["jobAgentConfig"] == {"from": "agent"} for job in page["items"])
    times = [job["createdAt"] for job in page["items"]]
    assert times == sorted(times, reverse=True)
    for offset in range(JOBS + 1):
        page = await one.call("GET", f"{path}?status=queued&limit=1&offset={offset}", want=200)
        assert ([job["id"] for job in page["items"]], page["total"]) == (queue.jobs[offset : offset + 1], JOBS)
    told = await one.call("GET", f"{path}?includeDispatchContext=true&limit=1", want=200)
    parts = {"job", "release", "deployment", "environment", "resource", "version", "variables", "jobAgent", "jobAgentConfig"}
    assert set(told["items"][0]["dispatchContext"]) == parts
    assert "dispatchContext" not in (await one.call("GET", f"{path}?includeDispatchContext=false", want=200))["items"][0]
    assert await queue.claim(queue.jobs[0]) == 200
    assert [job["id"] for job in (await one.call("GET", f"{path}?status=inProgress", want=200))["items"]] == queue.jobs[:1]
    assert (await one.call("GET", f"{path}?status=queued", want=200))["total"] == JOBS - 1
    assert (await one.call("GET", f"{path}?status=successful", want=200))["total"] == 0
    for query in ("status=in_progress", "status=", "includeDispatchContext=1", "limit=0", "limit=1001", "offset=-1", "agent=x"):
        await one.call("GET", f"{path}?{query}", want=400)
    await one.call("GET", f"/job-agents/{uuid4()}/jobs", want=404)


async def test_pull_claim_once_under_concurrency(queue: Queue) -> None:
    job = queue.jobs[0]
    answers = await asyncio.gather(*(queue.claim(job) for _ in range(10)))
    assert sorted(answers) == [200, *[409] * 9]
    facts = await queue.one.call("GET", "/events?types=dispatcher.job_status_changed.v1&limit=1000", want=200)
    assert [entry["data"]["status"] for entry in facts["items"] if entry["data"]["job_id"] == job] == ["queued", "inProgress"]


async def test_pull_claim_409_404(queue: Queue) -> None:
    other = str(uuid4())
    await queue.one.call("PUT", f"/job-agents/{other}", {"name": "other", "type": "http-pull", "config": {}}, want=202)
    job = queue.jobs[0]
    assert await queue.claim(job, other) == 404
    assert await queue.claim(job, str(uuid4())) == 404
    assert await queue.claim(str(uuid4())) == 404
    assert await queue.claim("nonsense") == 404
    claimed = await queue.one.call("POST", f"{queue.path}/{job}/claim", want=200)
    assert (claimed["id"], claimed["status"], claimed["dispatchContext"]["jobAgent"]["id"]) == (job, "inProgress", queue.agent)
    assert claimed["startedAt"] >= claimed["createdAt"]
    assert await queue.claim(job) == 409
    await queue.one.call("PUT", f"/jobs/{job}/status", {"status": "successful"}, want=202)
    assert await queue.claim(job) == 409


async def test_a_claim_that_is_sent_again_with_its_key_is_still_won(queue: Queue) -> None:
    path = f"{queue.path}/{queue.jobs[0]}/claim"
    for _ in range(2):
        claimed = await queue.one.call("POST", path, want=200, headers={"Idempotency-Key": "one claim"})
        assert claimed["status"] == "inProgress"
    await queue.one.call("POST", path, want=409, headers={"Idempotency-Key": "another claim"})


async def test_job_status_put_202_400_404(queue: Queue) -> None:
    one, path = queue.one, f"/jobs/{queue.jobs[0]}"
    wrong: list[dict[str, Any]] = [
        {},
        {"status": None},
        {"status": "in_progress"},
        {"status": "successful", "message": 1},
        {"status": "successful", "metadata": {"a": 1}},
        {"status": "successful", "completedAt": "yesterday"},
        {"status": "successful", "completedAt": "2026-01-01T00:00:00"},
    ]
    for body in wrong:
        refused = await one.call("PUT", f"{path}/status", body, want=400)
        assert refused["details"][0]["path"].startswith("/body/")
    assert (await one.call("GET", path, want=200))["status"] == "queued"
    body = {"status": "successful", "message": "done", "externalId": "x-1", "metadata": {"ctrlplane/links": "{}"}, "extra": 1}
    assert (await one.call("PUT", f"{path}/status", body, want=202))["id"] == queue.jobs[0]
    job = await one.call("GET", path, want=200)
    assert (job["status"], job["message"], job["externalId"]) == ("successful", "done", "x-1")
    assert job["metadata"]["ctrlplane/links"] == "{}"
    assert job["completedAt"]
    # A person may open it again; then it is not complete.
    await one.call("PUT", f"{path}/status", {"status": "inProgress"}, want=202)
    assert "completedAt" not in await one.call("GET", path, want=200)
    for unknown in (str(uuid4()), "nonsense"):
        await one.call("PUT", f"/jobs/{unknown}/status", {"status": "successful"}, want=404)
