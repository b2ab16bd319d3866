"""What runs behind releases, as pages list it: jobs, agents, providers, how far the services are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_event_chains import deployed


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house(version="1.2.3") as made:
        yield made


async def test_jobs_are_listed_by_the_names_of_what_they_are_of(one: House) -> None:
    ids = await deployed(one)
    page = await one.call("GET", "/board/jobs", want=200)
    (job,) = page["items"]
    assert (job["id"], job["status"], job["target"]) == (ids["job"], "successful", ids["target"])
    assert job["agent"] == {"id": ids["agent"], "name": "runner", "type": "test-runner"}
    assert job["deployment"] == {"id": ids["deployment"], "name": "api"}
    assert job["environment"] == {"id": ids["environment"], "name": "staging"}
    assert job["resource"] == {"id": ids["resource"], "name": "one", "identifier": "cluster/a:b"}
    assert job["version"] == {"versionId": ids["version"], "tag": "v1"}
    assert job["run"] is None
    assert page["counts"] == {"queued": 0, "running": 0, "finished": 1}


async def test_jobs_are_filtered(one: House) -> None:
    ids = await deployed(one)
    other = str(uuid4())

    async def total(query: str) -> int:
        found: int = (await one.call("GET", f"/board/jobs?{query}", want=200))["total"]
        return found

    for query in ("state=finished", "status=successful", "state=finished&status=successful"):
        assert await total(query) == 1
    for query in ("state=queued", "state=running", "status=failure", "state=running&status=successful"):
        assert await total(query) == 0
    for name, value in (("deploymentId", ids["deployment"]), ("environmentId", ids["environment"]), ("jobAgentId", ids["agent"])):
        assert await total(f"{name}={value}") == 1
        assert await total(f"{name}={other}") == 0
    elsewhere = await one.call("GET", f"/board/jobs?jobAgentId={other}&state=finished", want=200)
    assert elsewhere["counts"] == {"queued": 0, "running": 0, "finished": 0}
    before = await one.call("GET", "/board/jobs?at=1", want=200)
    assert (before["total"], before["counts"]["finished"]) == (0, 0)


async def test_a_job_of_a_workflow_run_names_its_step(one: House) -> None:
    agent = str(uuid4())
    await one.call("PUT", f"/job-agents/{agent}", {"name": "runner", "type": "test-runner", "config": {}}, want=202)
    step = {"name": "migrate", "selector": f'jobAgent.id == "{agent}"', "config": {}}
    body = {"name": "nightly", "inputs": [], "jobAgents": [{**step, "ref": agent}]}
    workflow = await one.call("POST", "/workflows", body, want=201)
    run = await one.call("POST", f"/workflows/{workflow['id']}/runs", {"inputs": {}}, want=201)
    (job,) = (await one.call("GET", "/board/jobs", want=200))["items"]
    assert job["run"] == {"id": run["id"], "workflow": "nightly", "step": "migrate"}
    assert (job["target"], job["deployment"], job["version"]) == (None, None, None)


async def test_what_was_deleted_has_no_name_any_more(one: House) -> None:
    ids = await deployed(one)
    await one.call("DELETE", one.path_of("cluster/a:b"), want=200)
    await one.call("DELETE", f"/job-agents/{ids['agent']}", want=202)
    (job,) = (await one.call("GET", "/board/jobs", want=200))["items"]
    assert (job["resource"], job["agent"]) == (None, None)
    assert job["deployment"]["name"] == "api"


async def test_agents_tell_what_they_have_to_do_and_what_went_wrong(one: House) -> None:
    ids = await deployed(one)
    (agent,) = (await one.call("GET", "/board/agents", want=200))["items"]
    assert (agent["queued"], agent["running"], agent["finished"]) == (0, 0, 1)
    assert agent["lastError"] is None
    await one.call("PUT", f"/jobs/{ids['job']}/status", {"status": "failure", "message": "no space left"}, want=202)
    (agent,) = (await one.call("GET", "/board/agents", want=200))["items"]
    error = agent["lastError"]
    assert (error["jobId"], error["status"], error["message"]) == (ids["job"], "failure", "no space left")


async def test_providers_tell_how_many_resources_they_own(one: House) -> None:
    provider = (await one.call("PUT", "/resource-providers", {"id": "", "name": "terraform"}, want=202))["id"]
    (empty,) = (await one.call("GET", "/board/providers", want=200))["items"]
    assert (empty["name"], empty["resources"], empty["changedAt"]) == ("terraform", 0, None)
    resource = {
        "name": "r",
        "kind": "Cluster",
        "version": "v1",
        "config": {},
        "metadata": {},
        "createdAt": "2026-01-01T00:00:00Z",
    }
    wanted = [{**resource, "identifier": f"r{number}"} for number in range(3)]
    await one.call("PUT", f"/resource-providers/{provider}/set", {"resources": wanted}, want=202)
    (full,) = (await one.call("GET", "/board/providers", want=200))["items"]
    assert full["resources"] == 3
    assert full["changedAt"].endswith("Z")


async def test_the_system_tells_how_far_everything_is(one: House) -> None:
    assert (await one.call("GET", "/board/system", want=200))["recordedAt"] is None
    await deployed(one)
    seen = await one.until(
        lambda: one.call("GET", "/board/system", want=200),
        lambda seen: all(service["position"] == seen["position"] for service in seen["services"]),
    )
    assert seen["version"] == "1.2.3"
    assert [service["name"] for service in seen["services"]] == ["inventory", "planner", "policy", "dispatcher", "verifier"]
    assert all(service["decided"] <= seen["position"] and service["stopped"] == "" for service in seen["services"])
    assert seen["rows"] == seen["position"]
    assert seen["parked"] == []
    await one.deps.log.park("policy", one.workspace_id, 2, "it was odd")
    told = (await one.call("GET", "/board/system", want=200))["parked"]
    assert told == [{"consumer": "policy", "position": 2, "error": "it was odd"}]
