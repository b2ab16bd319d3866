"""Workflows over HTTP: what clients in use send and read, runs over several resources and agents, and a run end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house


@pytest.fixture
async def at() -> AsyncIterator[House]:
    async with house() as made:
        yield made


NOWHERE = str(uuid4())
STEP = {"name": "a", "ref": NOWHERE, "config": {}, "selector": "true"}


async def agent(at: House, name: str, config: dict[str, Any] | None = None) -> str:
    agent_id = str(uuid4())
    body = {"name": name, "type": "http-pull", "config": config or {}, "metadata": {}}
    await at.call("PUT", f"/job-agents/{agent_id}", body, want=202)
    return agent_id


async def cluster(at: House, name: str, server: str) -> str:
    body = {"name": name, "kind": "Cluster", "version": "v1", "config": {"argo": {"server": server}}, "metadata": {}}
    answer = await at.call("PUT", f"/resources/identifier/{name}", body, want=202)
    return str(answer["id"])


async def refused(at: House, status: int, method: str, path: str, body: Any = None) -> Any:
    return await at.call(method, path, body, want=status)


async def test_a_workflow_is_read_back_as_it_was_sent(at: House) -> None:
    body = {
        "name": "Nightly Backup",
        "inputs": [
            {"key": "env", "type": "string", "default": "test"},
            {"key": "n", "type": "number", "default": 0},
            {"key": "list", "type": "array", "default": [{"a": 1}]},
            {"key": "clusters", "type": "array", "selector": {"entityType": "resource", "default": "true"}},
        ],
        "jobAgents": [STEP],
    }
    made = await at.call("POST", "/workflows", body, want=201)
    assert made == {**body, "id": made["id"], "slug": "nightly-backup"}
    assert await at.call("GET", f"/workflows/{made['id']}", want=200) == made
    assert await at.call("GET", "/workflows/slug/nightly-backup", want=200) == made
    assert (await at.call("GET", "/workflows", want=200))["items"] == [made]
    changed = await at.call("PUT", f"/workflows/{made['id']}", {"name": "Other", "inputs": [], "jobAgents": []}, want=202)
    assert changed == {"id": made["id"], "name": "Other", "slug": "nightly-backup", "inputs": [], "jobAgents": []}
    gone = await at.call("DELETE", f"/workflows/{made['id']}", want=202)
    assert gone == changed
    await refused(at, 404, "GET", f"/workflows/{made['id']}")


async def test_what_is_ours_is_shown_where_it_was_given(at: House) -> None:
    steps = [{**STEP, "name": "a"}, {**STEP, "name": "b", "needs": ["a"]}]
    body = {"name": "w", "inputs": [{"key": "x", "type": "string", "required": True}], "jobAgents": steps}
    made = await at.call("POST", "/workflows", body, want=201)
    assert (made["inputs"], made["jobAgents"]) == (body["inputs"], steps)


async def test_a_slug_conflict_names_the_workflow_that_has_it(at: House) -> None:
    first = await at.call("POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": []}, want=201)
    told = await refused(at, 409, "POST", "/workflows", {"name": "W", "inputs": [], "jobAgents": []})
    assert told["code"] == "DUPLICATE_SLUG"
    assert told["details"] == {"slug": "w", "existingWorkflowId": first["id"]}


@pytest.mark.parametrize(
    "change,code,path",
    [
        ({"slug": "No Slug"}, "INVALID_SLUG", "/body/slug"),
        ({"name": "!!"}, "INVALID_SLUG", "/body/slug"),
        ({"jobAgents": [{**STEP, "selector": "resource.name =="}]}, "INVALID_CEL", "/body/jobAgents/0/selector"),
        (
            {"inputs": [{"key": "resourceSelector", "type": "string", "default": "nope("}]},
            "INVALID_CEL",
            "/body/inputs/0/default",
        ),
        ({"inputs": [{"key": "x", "type": "date"}]}, "Bad Request", "/body/inputs/0/type"),
        ({"inputs": None}, "Bad Request", "/body/inputs"),
    ],
)
async def test_a_workflow_that_can_not_be_is_refused_with_its_place(
    at: House, change: dict[str, Any], code: str, path: str
) -> None:
    told = await refused(at, 400, "POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": [], **change})
    assert (told["code"], told["details"][0]["path"]) == (code, path)
    assert (await at.call("GET", "/workflows", want=200))["total"] == 0


@pytest.mark.parametrize("inputs", [{"env": 7}, {"resourceSelector": 7}, {"resourceSelector": "nope("}])
async def test_a_run_that_can_not_be_is_refused(at: House, inputs: dict[str, Any]) -> None:
    puller = await agent(at, "puller")
    body = {"name": "w", "inputs": [{"key": "env", "type": "string"}], "jobAgents": [{**STEP, "ref": puller}]}
    made = await at.call("POST", "/workflows", body, want=201)
    told = await refused(at, 400, "POST", f"/workflows/{made['id']}/runs", {"inputs": inputs})
    assert told["code"] == "WORKFLOW_RUN_ERROR"
    await refused(at, 404, "POST", "/workflows/slug/none/runs", {"inputs": {}})
    await refused(at, 404, "POST", f"/workflows/{NOWHERE}/runs", {"inputs": {}})
    await refused(at, 400, "POST", "/workflows/slug/w/runs", {})


async def test_a_run_routes_each_resource_to_the_agent_of_its_server(at: House) -> None:
    one = await agent(at, "one", {"serverUrl": "argo-1"})
    two = await agent(at, "two", {"serverUrl": "argo-2"})
    for name, server in (("c1", "https://argo-1"), ("c2", "https://argo-1"), ("c3", "https://argo-2")):
        await cluster(at, name, server)
    route = "resource.config.argo.server.contains(jobAgent.config.serverUrl)"
    steps = [{**STEP, "name": name, "ref": ref, "selector": route} for name, ref in (("one", one), ("two", two))]
    await at.call("POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": steps}, want=201)
    run = await at.call("POST", "/workflows/slug/w/runs", {"inputs": {"resourceSelector": "true"}}, want=201)
    assert sorted(job["jobAgentId"] for job in run["jobs"]) == sorted([one, one, two])


async def test_jobs_of_a_run_wait_for_a_place_and_say_so(at: House) -> None:
    puller = await agent(at, "puller", {"maxConcurrentJobs": 1})
    for name in ("c1", "c2", "c3"):
        await cluster(at, name, "s")
    made = await at.call("POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": [{**STEP, "ref": puller}]}, want=201)
    run = await at.call("POST", f"/workflows/{made['id']}/runs", {"inputs": {"resourceSelector": "true"}}, want=201)
    first, second, third = (job["jobId"] for job in run["jobs"])

    async def job(job_id: str) -> Any:
        return await at.call("GET", f"/jobs/{job_id}", want=200)

    await at.until(lambda: job(first), lambda seen: seen["status"] == "queued")
    waits = await job(second)
    assert (waits["status"], "deadlineAt" in waits) == ("pending", False)
    assert "Waits for a free place: job agent 'puller' runs 1 job at once" in waits["message"]
    (step,) = (await at.call("GET", f"/workflow-runs/{run['id']}", want=200))["steps"]
    assert ["message" in one for one in step["jobs"]] == [False, True, True]
    await refused(at, 409, "POST", f"/job-agents/{puller}/jobs/{second}/claim", {})
    await at.call("POST", f"/jobs/{second}/cancel", {"reason": "not this one"}, want=202)
    await at.call("PUT", f"/jobs/{first}/status", {"status": "successful"}, want=202)
    seen = await at.until(lambda: job(third), lambda seen: seen["status"] == "queued")
    assert "message" not in seen
    assert seen["deadlineAt"]
    assert (await job(second))["status"] == "cancelled"
    await at.call("PUT", f"/jobs/{third}/status", {"status": "successful"}, want=202)
    ended = await at.call("GET", f"/workflow-runs/{run['id']}", want=200)
    assert ended["status"] == "cancelled"


async def test_a_run_of_two_steps_through_pull_agents(at: House) -> None:
    puller = await agent(at, "puller", {"who": "me"})
    for name in ("c1", "c2", "c3"):
        await cluster(at, name, "s")
    steps = [
        {**STEP, "name": "drain", "ref": puller, "config": {"how": "gently"}},
        {**STEP, "name": "restart", "ref": puller, "needs": ["drain"]},
    ]
    made = await at.call("POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": steps}, want=201)
    inputs = {"resourceSelector": "true", "reason": "patch day"}
    run = await at.call("POST", f"/workflows/{made['id']}/runs", {"inputs": inputs}, want=201)
    assert run["inputs"] == inputs
    path = f"/job-agents/{puller}/jobs?status=queued"
    for step in ("drain", "restart"):
        queue = await at.until(lambda: at.call("GET", path, want=200), lambda found: found["total"] == 3)
        for job in queue["items"]:
            taken = await at.call("POST", f"/job-agents/{puller}/jobs/{job['id']}/claim", want=200)
            context = taken["dispatchContext"]
            assert (context["workflowJob"]["name"], context["inputs"]) == (step, inputs)
            assert context["workflow"]["jobs"] == context["workflow"]["jobAgents"] == steps_shown(steps)
            assert context["resource"]["kind"] == "Cluster"
            assert taken["jobAgentConfig"] == ({"who": "me", "how": "gently"} if step == "drain" else {"who": "me"})
            assert (await at.call("GET", f"/jobs/{job['id']}", want=200))["dispatchContext"] == context
            await refused(at, 404, "GET", f"/jobs/{job['id']}/with-release")
            await at.call("PUT", f"/jobs/{job['id']}/status", {"status": "successful"}, want=202)
    ended = await at.until(
        lambda: at.call("GET", f"/workflow-runs/{run['id']}", want=200), lambda one: one["status"] != "inProgress"
    )
    assert ended["status"] == "successful"
    assert [(one["name"], one["needs"], len(one["jobs"])) for one in ended["steps"]] == [
        ("drain", [], 3),
        ("restart", ["drain"], 3),
    ]
    assert (await at.call("GET", f"/workflows/{made['id']}/runs", want=200))["items"][0]["status"] == "successful"
    assert (await at.call("GET", "/jobs", want=200))["total"] == 0


def steps_shown(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in one.items() if key != "needs" or value} for one in steps]


async def test_a_run_is_stopped(at: House) -> None:
    puller = await agent(at, "puller")
    steps = [{**STEP, "name": "a", "ref": puller}, {**STEP, "name": "b", "ref": puller, "needs": ["a"]}]
    await at.call("POST", "/workflows", {"name": "w", "inputs": [], "jobAgents": steps}, want=201)
    run = await at.call("POST", "/workflows/slug/w/runs", {"inputs": {}}, want=201)
    await at.call("POST", f"/workflow-runs/{run['id']}/cancel", {"reason": "wrong day"}, want=202)
    ended = await at.until(
        lambda: at.call("GET", f"/workflow-runs/{run['id']}", want=200), lambda one: one["status"] != "inProgress"
    )
    assert (ended["status"], [one["leftOut"] for one in ended["steps"]]) == ("cancelled", [False, True])
    await refused(at, 404, "POST", f"/workflow-runs/{run['id']}/cancel")
    await refused(at, 404, "GET", f"/workflow-runs/{NOWHERE}")
