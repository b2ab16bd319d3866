"""What people choose by hand, and what would go where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_story_in_process import shop


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def posted(one: House, deployment: str, tag: str, **more: Any) -> str:
    body = {"tag": tag, "name": "", "status": "ready", **more}
    return str((await one.call("POST", f"/deployments/{deployment}/versions", body, want=200))["id"])


async def state_of(one: House, ids: dict[str, str], holds: Callable[[Any], bool]) -> Any:
    return await one.until(lambda: one.call("GET", f"/release-targets/{ids['target']}/state", want=200), holds)


def runs(tag: str) -> Callable[[Any], bool]:
    return lambda state: (
        state.get("currentRelease", {}).get("version", {}).get("tag") == tag
        and state["latestJob"]["job"]["status"] == "successful"
    )


async def test_a_version_that_is_pinned_stays(one: House) -> None:
    ids = await shop(one)
    first = await posted(one, ids["deployment"], "v1")
    await state_of(one, ids, runs("v1"))
    scopes = {
        "target": f"/release-targets/{ids['target']}",
        "environment": f"/deployments/{ids['deployment']}/environments/{ids['environment']}",
    }
    for scope, path in scopes.items():
        await one.call("GET", f"{path}/pin", want=404)
        await one.call("DELETE", f"{path}/pin", want=404)
        body = {"versionId": first.upper(), "reason": "holidays"}
        assert (await one.call("PUT", f"{path}/pin", body, want=202))["id"] == first
        pin = await one.call("GET", f"{path}/pin", want=200)
        assert (pin["versionId"], pin["reason"], pin["scope"]) == (first, "holidays", scope)
        assert (await one.call("GET", f"/release-targets/{ids['target']}/state", want=200))["pin"] == pin
        listed = await one.call(
            "POST",
            "/release-targets/state",
            {"deploymentId": ids["deployment"], "environmentId": ids["environment"]},
            want=200,
        )
        assert listed["items"][0]["state"]["pin"] == pin
        assert (await one.call("DELETE", f"{path}/pin", want=202))["id"] == first
        await one.call("GET", f"{path}/pin", want=404)
        await one.call("PUT", f"{path}/pin", {"versionId": str(uuid4())}, want=404)
        await one.call("PUT", f"{path}/pin", {"versionId": "v1"}, want=400)
    assert "pin" not in await one.call("GET", f"/release-targets/{ids['target']}/state", want=200)


async def test_the_pin_of_a_target_goes_with_its_resource(one: House) -> None:
    ids = await shop(one)
    first = await posted(one, ids["deployment"], "v1")
    await state_of(one, ids, runs("v1"))
    path = f"/release-targets/{ids['target']}/pin"
    await one.call("PUT", path, {"versionId": first}, want=202)
    await one.call("DELETE", one.path_of("cluster/a:b"), want=200)
    await one.call("GET", path, want=404)


async def test_a_desired_release_is_dispatched_once_more(one: House) -> None:
    ids = await shop(one)
    await posted(one, ids["deployment"], "v1")
    first = await state_of(one, ids, runs("v1"))
    pair = f"/deployments/{ids['deployment']}/environments/{ids['environment']}"
    for path, body in ((f"/release-targets/{ids['target']}/redeploy", None), (f"{pair}/redeploy", {"reason": "again"})):
        answer = await one.call("POST", path, body, want=202)
        assert answer["targets"] == 1
        before = first["latestJob"]["job"]["id"]
        first = await state_of(one, ids, lambda state, job=before: runs("v1")(state) and state["latestJob"]["job"]["id"] != job)
    await one.call("POST", f"/release-targets/{uuid4()}-{uuid4()}-{uuid4()}/redeploy", want=404)
    await one.call("POST", "/release-targets/none/redeploy", want=400)


async def test_a_target_goes_back(one: House) -> None:
    ids = await shop(one)
    target = f"/release-targets/{ids['target']}"
    for tag in ("v1", "v2", "v3"):
        await posted(one, ids["deployment"], tag)
        state = await state_of(one, ids, runs(tag))
    assert state["lastGoodRelease"]["version"]["tag"] == "v2"
    assert (await one.call("POST", f"{target}/rollback", {"reason": "slow"}, want=202))["targets"] == 1
    state = await state_of(one, ids, runs("v2"))
    # What was left is marked bad: nobody goes back to it.
    assert state["lastGoodRelease"]["version"]["tag"] == "v1"
    oldest = state["lastGoodRelease"]["version"]["id"]
    pair = f"/deployments/{ids['deployment']}/environments/{ids['environment']}"
    assert (await one.call("POST", f"{pair}/rollback", {"versionId": oldest}, want=202))["targets"] == 1
    state = await state_of(one, ids, runs("v1"))
    assert "lastGoodRelease" not in state
    await one.call("POST", f"{target}/rollback", want=409)
    await one.call("POST", f"{target}/rollback", {"versionId": "v1"}, want=400)
    await one.call("POST", f"{pair}/rollback", {"versionId": None}, want=400)


async def test_eligible_versions_endpoint(one: House) -> None:
    ids = await shop(one)
    rules = [{"anyApproval": {"minApprovals": 1}}]
    policy = await one.call("POST", "/policies", {"name": "p", "rules": rules}, want=202)
    without = {"excludeRuleIds": [policy["rules"][0]["id"].upper()]}
    first, second = [await posted(one, ids["deployment"], tag, config={"tier": tag}) for tag in ("v1", "v2")]
    await posted(one, ids["deployment"], "v3", status="building")
    path = f"/release-targets/{ids['target']}/eligible-versions"

    async def eligible(body: Any = None, query: str = "") -> tuple[list[str], int]:
        page = await one.call("POST", path + query, body, want=200)
        return [entry["id"] for entry in page["items"]], page["total"]

    assert await eligible() == await eligible({}) == ([], 0)
    assert await eligible(without) == ([second, first], 2)
    assert await eligible(without, "?limit=1&offset=1") == ([first], 2)
    # The filter sees whole versions.
    tier = 'version.config.tier == "v1" && version.dependencies == {}'
    assert await eligible({**without, "filter": tier}) == ([first], 1)
    assert await eligible({**without, "filter": "false"}) == ([], 0)
    approval = {"status": "approved", "environmentIds": [ids["environment"]]}
    await one.call("PUT", f"/deployment-versions/{first}/user-approval-records", approval, want=202)
    assert await eligible() == ([first], 1)
    refused = await one.call("POST", path, {"filter": "version."}, want=400)
    assert (refused["details"][0]["path"], {"line", "column"} <= set(refused["details"][0])) == ("/body/filter", True)
    refused = await one.call("POST", path, {"excludeRuleIds": ["x"]}, want=400)
    assert refused["details"][0]["path"] == "/body/excludeRuleIds/0"
    await one.call("POST", "/release-targets/none/eligible-versions", {}, want=400)
    for body in ({}, {"filter": "true"}):
        await one.call("POST", f"/release-targets/{uuid4()}-{uuid4()}-{uuid4()}/eligible-versions", body, want=404)


async def test_a_resource_is_previewed(one: House) -> None:
    ids = await shop(one)
    body = {"name": "n", "kind": "k", "version": "v", "identifier": "i", "config": {}, "metadata": {}}
    page = await one.call("POST", "/release-targets/resource-preview", body, want=200)
    assert page["total"] == 1
    (found,) = page["items"]
    assert [found[what]["id"] for what in ("system", "deployment", "environment")] == [
        ids["system"],
        ids["deployment"],
        ids["environment"],
    ]
    page = await one.call("POST", "/release-targets/resource-preview?offset=1", body, want=200)
    assert (page["items"], page["total"]) == ([], 1)
    await one.call("PUT", f"/environments/{ids['environment']}", {"name": "staging", "resourceSelector": "false"}, want=202)
    assert (await one.call("POST", "/release-targets/resource-preview", body, want=200))["items"] == []
    assert (await one.call("GET", "/resources", want=200))["total"] == 1
    await one.call("POST", "/release-targets/resource-preview", {"name": "n"}, want=400)


async def test_only_a_deployment_that_takes_every_version_says_so(one: House) -> None:
    made = (await one.call("POST", "/deployments", {"name": "api", "slug": "api", "supersession": "every"}, want=202))["id"]

    async def supersession() -> Any:
        return (await one.call("GET", f"/deployments/{made}", want=200))["deployment"].get("supersession")

    assert await supersession() == "every"
    await one.call("PUT", f"/deployments/{made}", {"name": "api", "slug": "api"}, want=202)
    assert await supersession() == "every"
    await one.call("PUT", f"/deployments/{made}", {"name": "api", "slug": "api", "supersession": "latest"}, want=202)
    assert await supersession() is None
    await one.call("PUT", f"/deployments/{made}", {"name": "api", "slug": "api", "supersession": "none"}, want=400)


async def test_a_provider_is_renamed_by_its_id_and_found_by_its_name(one: House) -> None:
    made = await one.call("PUT", "/resource-providers", {"id": "", "name": "a"}, want=202)
    renamed = await one.call("PUT", "/resource-providers", {"id": made["id"], "name": "b"}, want=202)
    assert (renamed["id"], renamed["name"]) == (made["id"], "b")
    await one.call("GET", "/resource-providers/name/a", want=404)
    for id_ in ("", str(uuid4()), "none"):
        assert (await one.call("PUT", "/resource-providers", {"id": id_, "name": "b"}, want=202))["id"] == made["id"]


async def test_all_resources_of_a_provider_are_listed_whatever_the_batches(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = (await one.call("PUT", "/resource-providers", {"id": "", "name": "sync"}, want=202))["id"]
    path = "/resource-providers/name/sync/resources"
    assert await one.call("GET", path, want=200) == {"items": [], "total": 0, "limit": 1, "offset": 0}
    more = {"name": "n", "kind": "k", "version": "v", "config": {}, "metadata": {}, "createdAt": "0001-01-01T00:00:00Z"}
    resources = [{**more, "identifier": identifier} for identifier in ("z", "a", "m")]
    await one.call("PUT", f"/resource-providers/{provider}/set", {"resources": resources}, want=202)
    for size in (1, 2, 3, 100):
        monkeypatch.setattr("services.gateway.http.providers._BATCH", size)
        page = await one.call("GET", path, want=200)
        assert [entry["identifier"] for entry in page["items"]] == ["z", "a", "m"]
        assert (page["total"], page["limit"], page["offset"]) == (3, 3, 0)
