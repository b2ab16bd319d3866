"""A short promotion story through the application: read-your-writes, derived state, and every answer in its declared shape."""

from __future__ import annotations

from uuid import uuid4

from tests.integration.gateway.gateway_house import House, house


async def shop(house: House) -> dict[str, str]:
    """A system with a deployment, an environment, an agent and a resource that is a target."""
    agent = str(uuid4())
    await house.call(
        "PUT", f"/job-agents/{agent}", {"name": "runner", "type": "test-runner", "config": {"delaySeconds": 0}}, want=202
    )
    system = (await house.call("POST", "/systems", {"name": "shop"}, want=202))["id"]
    environment = (await house.call("POST", "/environments", {"name": "staging", "resourceSelector": "true"}, want=202))["id"]
    deployment = (
        await house.call(
            "POST",
            "/deployments",
            {"name": "api", "slug": "x", "resourceSelector": "true", "jobAgentSelector": f'jobAgent.id == "{agent}"'},
            want=202,
        )
    )["id"]
    await house.call("PUT", f"/systems/{system}/deployments/{deployment}", want=202)
    await house.call("PUT", f"/systems/{system}/environments/{environment}", want=202)
    resource = {"name": "one", "kind": "Cluster", "version": "v1", "config": {"a": 1}, "metadata": {"env": "staging"}}
    made = await house.call("PUT", house.path_of("cluster/a:b"), resource, want=202)
    ids = {"agent": agent, "system": system, "environment": environment, "deployment": deployment, "resource": made["id"]}
    return {**ids, "target": f"{made['id']}-{environment}-{deployment}"}


async def test_a_version_reaches_its_target_and_everything_can_be_read() -> None:
    async with house() as one:
        ids = await shop(one)
        version = await one.call(
            "POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200
        )
        assert version["name"] == "v1"
        state_path = f"/release-targets/{ids['target']}/state"
        state = await one.until(lambda: one.call("GET", state_path, want=200), lambda seen: "currentRelease" in seen)
        assert state["currentRelease"]["version"]["tag"] == "v1"
        assert state["desiredRelease"]["id"] == state["currentRelease"]["id"]
        assert state["latestJob"]["job"]["status"] == "successful"
        assert state["latestJob"]["verifications"] == []

        jobs = await one.call("GET", f"/release-targets/{ids['target']}/jobs?limit=10", want=200)
        assert jobs["total"] == 1
        context = jobs["items"][0]["dispatchContext"]
        assert context["version"]["tag"] == "v1"
        assert context["resource"]["config"] == {"a": 1}
        assert context["environment"]["workspaceId"] == one.workspace_id
        assert context["jobAgent"]["id"] == ids["agent"]
        assert context["release"]["version"] == context["version"]

        # What a job was made from does not change with what the thing is now.
        await one.call("PUT", one.path_of("cluster/a:b"), {"name": "two", "kind": "Cluster", "version": "v1"}, want=202)
        job = await one.call("GET", f"/jobs/{jobs['items'][0]['id']}", want=200)
        assert job["dispatchContext"]["resource"]["name"] == "one"

        nested = await one.call("GET", "/jobs", want=200)
        assert [entry["job"]["id"] for entry in nested["items"]] == [job["id"]]
        await one.call("GET", f"/jobs/{job['id']}/with-release", want=200)
        release = await one.call("GET", f"/releases/{job['releaseId']}", want=200)
        assert release["releaseTarget"] == {
            "resourceId": ids["resource"],
            "environmentId": ids["environment"],
            "deploymentId": ids["deployment"],
        }
        desired = await one.call("GET", f"/release-targets/{ids['target']}/desired-release", want=200)
        assert desired["desiredRelease"] == release
        pair = {"deploymentId": ids["deployment"], "environmentId": ids["environment"]}
        states = await one.call("POST", "/release-targets/state", pair, want=200)
        assert states["total"] == 1
        assert states["items"][0]["state"]["currentRelease"] == release
        explanation = await one.call("GET", f"/release-targets/{ids['target']}/explanation", want=200)
        assert explanation["current"]["tag"] == "v1"
        found = await one.call("GET", f"{'/resources/cluster%2Fa%3Ab'}/release-targets/deployment/{ids['deployment']}", want=200)
        assert found["environmentId"] == ids["environment"]


async def test_a_deleted_resource_takes_its_target_and_release_out_of_sight() -> None:
    async with house() as one:
        ids = await shop(one)
        await one.call(
            "POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200
        )
        state_path = f"/release-targets/{ids['target']}/state"
        state = await one.until(lambda: one.call("GET", state_path, want=200), lambda seen: "currentRelease" in seen)
        await one.call("DELETE", one.path_of("cluster/a:b"), want=200)
        await one.call("GET", one.path_of("cluster/a:b"), want=404)
        await one.call("GET", f"/releases/{state['currentRelease']['id']}", want=404)
        pair = {"deploymentId": ids["deployment"], "environmentId": ids["environment"]}
        assert (await one.call("POST", "/release-targets/state", pair, want=200))["total"] == 0
        # The job stays, with what it was made from.
        job = await one.call("GET", f"/jobs/{state['latestJob']['job']['id']}", want=200)
        assert job["dispatchContext"]["resource"]["identifier"] == "cluster/a:b"


async def test_a_pull_agent_claims_and_finishes_a_job() -> None:
    async with house() as one:
        ids = await shop(one)
        agent = {"name": "runner", "type": "http-pull", "config": {}}
        await one.call("PUT", f"/job-agents/{ids['agent']}", agent, want=202)
        await one.call(
            "POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200
        )
        queue = f"/job-agents/{ids['agent']}/jobs"
        page = await one.until(lambda: one.call("GET", f"{queue}?status=queued", want=200), lambda seen: seen["total"] == 1)
        job_id = page["items"][0]["id"]
        assert "dispatchContext" not in page["items"][0]
        page = await one.call("GET", f"{queue}?includeDispatchContext=true", want=200)
        assert page["items"][0]["dispatchContext"]["version"]["tag"] == "v1"
        claimed = await one.call("POST", f"{queue}/{job_id}/claim", want=200)
        assert claimed["status"] == "inProgress"
        assert claimed["startedAt"]
        assert claimed["dispatchContext"]["deployment"]["name"] == "api"
        await one.call("POST", f"{queue}/{job_id}/claim", want=409)
        await one.call("PUT", f"/jobs/{job_id}/status", {"status": "failure", "message": "no"}, want=202)
        job = await one.call("GET", f"/jobs/{job_id}", want=200)
        assert (job["status"], job["message"], "completedAt" in job) == ("failure", "no", True)
        await one.call("PUT", f"/jobs/{job_id}/status", {"status": "done"}, want=400)
