"""Every endpoint: what it answers when all is well, when the thing is absent, and when another one is in the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, another_user, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


# --- workspaces ------------------------------------------------------------------------------------------------------------------------


async def test_workspaces_can_be_made_read_changed_and_deleted(one: House) -> None:
    made = await one.call("POST", "/api/v1/workspaces", {"name": "Acme", "slug": "acme"}, want=201)
    path = f"/api/v1/workspaces/{made['id']}"
    assert await one.call("GET", path, want=200) == made
    assert await one.call("GET", "/api/v1/workspaces/slug/acme", want=200) == made
    listed = await one.call("GET", "/api/v1/workspaces", want=200)
    assert [entry["slug"] for entry in listed["workspaces"]] == ["default", "acme"]
    assert (await one.call("PATCH", path, {"name": "Acme 2"}, want=200))["name"] == "Acme 2"
    await one.call("PATCH", path, {"slug": "default"}, want=409)
    answer = await one.send("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    await one.call("GET", path, want=404)
    await one.call("GET", "/api/v1/workspaces/slug/acme", want=404)
    await one.call("GET", f"{path}/systems", want=404)


async def test_a_slug_is_taken_once(one: House) -> None:
    answer = await one.call("POST", "/api/v1/workspaces", {"name": "Other", "slug": "default"}, want=409)
    assert answer["code"] == "DUPLICATE_SLUG"


async def test_a_workspace_without_a_role_looks_absent(one: House) -> None:
    headers = {"X-API-Key": await another_user(one)}
    await one.call("GET", f"/api/v1/workspaces/{one.workspace_id}", want=404, headers=headers)
    await one.call("GET", "/systems", want=404, headers=headers)
    assert (await one.call("GET", "/api/v1/workspaces", want=200, headers=headers))["total"] == 0
    mine = await one.call("POST", "/api/v1/workspaces", {"name": "Bo's", "slug": "bos"}, want=201, headers=headers)
    await one.call("GET", f"/api/v1/workspaces/{mine['id']}/systems", want=200, headers=headers)


async def test_the_nil_workspace_is_nobodys(one: House) -> None:
    await one.call("GET", "/api/v1/workspaces/00000000-0000-0000-0000-000000000000/systems", want=404)
    await one.call("GET", "/api/v1/workspaces/00000000-0000-0000-0000-000000000000/events", want=404)


# --- systems, links --------------------------------------------------------------------------------------------------------------------


async def test_systems_and_links(one: House) -> None:
    system = (await one.call("POST", "/systems", {"name": "shop", "metadata": {"a": "b"}}, want=202))["id"]
    deployment = (await one.call("POST", "/deployments", {"name": "api", "slug": "api"}, want=202))["id"]
    environment = (await one.call("POST", "/environments", {"name": "prod"}, want=202))["id"]
    read = await one.call("GET", f"/systems/{system}", want=200)
    assert (read["slug"], read["metadata"], read["deployments"], "description" in read) == ("shop", {"a": "b"}, [], False)
    for kind, id_ in (("deployments", deployment), ("environments", environment)):
        link = f"/systems/{system}/{kind}/{id_}"
        await one.call("GET", link, want=404)
        await one.call("DELETE", link, want=404)
        assert (await one.call("PUT", link, want=202))["id"] == system
        await one.call("PUT", link, want=202)
        assert id_ in (await one.call("GET", link, want=200)).values()
        await one.call("PUT", f"/systems/{system}/{kind}/{uuid4()}", want=404)
    read = await one.call("GET", f"/systems/{system}", want=200)
    assert [entry["id"] for entry in read["deployments"] + read["environments"]] == [deployment, environment]
    assert (await one.call("GET", f"/deployments/{deployment}", want=200))["systems"][0]["id"] == system
    assert (await one.call("GET", f"/environments/{environment}", want=200))["systems"][0]["id"] == system
    await one.call("DELETE", f"/systems/{system}/deployments/{deployment}", want=202)
    await one.call("GET", f"/systems/{system}/deployments/{deployment}", want=404)
    await one.call("PUT", f"/systems/{system}", {"name": "store", "description": "d"}, want=202)
    assert (await one.call("GET", f"/systems/{system}", want=200))["description"] == "d"
    await one.call("DELETE", f"/systems/{system}", want=202)
    await one.call("GET", f"/systems/{system}", want=404)
    await one.call("DELETE", f"/systems/{system}", want=404)
    assert (await one.call("GET", f"/environments/{environment}", want=200))["systems"] == []


async def test_lists_are_paged(one: House) -> None:
    ids = [(await one.call("POST", "/systems", {"name": f"s{number}"}, want=202))["id"] for number in range(3)]
    page = await one.call("GET", "/systems?limit=2", want=200)
    assert ([entry["id"] for entry in page["items"]], page["total"], page["limit"], page["offset"]) == ([ids[2], ids[1]], 3, 2, 0)
    page = await one.call("GET", "/systems?limit=2&offset=2", want=200)
    assert [entry["id"] for entry in page["items"]] == [ids[0]]
    page = await one.call("GET", "/systems?offset=9", want=200)
    assert (page["items"], page["total"], page["limit"]) == ([], 3, 50)


# --- deployments, environments, versions -----------------------------------------------------------------------------------------------


async def test_deployments(one: House) -> None:
    made = await one.call("POST", "/deployments", {"name": "api", "slug": "other"}, want=202)
    read = (await one.call("GET", f"/deployments/{made['id']}", want=200))["deployment"]
    assert (read["slug"], read["resourceSelector"], read["jobAgentSelector"], read["jobAgentConfig"]) == (
        "api",
        "false",
        "false",
        {},
    )
    assert (await one.call("GET", "/deployments/name/api", want=200))["deployment"] == read
    await one.call("GET", "/deployments/name/none", want=404)
    duplicate = await one.call("POST", "/deployments", {"name": "api", "slug": "third"}, want=409)
    assert duplicate["code"] == "DUPLICATE_NAME"
    body = {"name": "api", "slug": "x", "resourceSelector": "true", "jobAgentSelector": "true", "jobAgentConfig": {"k": 1}}
    await one.call("PUT", f"/deployments/{made['id']}", body, want=202)
    # Without a selector of agents, selector and config stay.
    await one.call("PUT", f"/deployments/{made['id']}", {"name": "api", "slug": "x", "jobAgentConfig": {}}, want=202)
    read = (await one.call("GET", f"/deployments/{made['id']}", want=200))["deployment"]
    assert (read["resourceSelector"], read["jobAgentSelector"], read["jobAgentConfig"]) == ("false", "true", {"k": 1})
    own = str(uuid4())
    assert (await one.call("PUT", f"/deployments/{own}", {"name": "web", "slug": "x"}, want=202))["id"] == own
    page = await one.call("GET", "/deployments", want=200)
    assert [entry["deployment"]["name"] for entry in page["items"]] == ["web", "api"]
    page = await one.call("GET", "/deployments", want=200, params={"cel": 'deployment.name.contains("we")'})
    assert [entry["deployment"]["name"] for entry in page["items"]] == ["web"]
    await one.call("DELETE", f"/deployments/{own}", want=202)
    await one.call("GET", f"/deployments/{own}", want=404)
    await one.call("DELETE", f"/deployments/{own}", want=404)


async def test_environments(one: House) -> None:
    made = await one.call("POST", "/environments", {"name": "prod"}, want=202)
    read = await one.call("GET", f"/environments/{made['id']}", want=200)
    assert "resourceSelector" not in read
    await one.call("PUT", f"/environments/{made['id']}", {"name": "prod", "resourceSelector": "true"}, want=202)
    read = await one.call("GET", "/environments/name/prod", want=200)
    assert read["resourceSelector"] == "true"
    assert (await one.call("POST", "/environments", {"name": "prod"}, want=409))["code"] == "DUPLICATE_NAME"
    await one.call("GET", "/environments/name/none", want=404)
    assert (await one.call("GET", "/environments", want=200))["total"] == 1
    await one.call("DELETE", f"/environments/{made['id']}", want=202)
    await one.call("GET", f"/environments/{made['id']}", want=404)


async def test_versions(one: House) -> None:
    deployment = (await one.call("POST", "/deployments", {"name": "api", "slug": "api"}, want=202))["id"]
    path = f"/deployments/{deployment}/versions"
    body = {"tag": "v1", "name": "", "status": "ready", "config": {"n": 1}, "createdAt": "0001-01-01T00:00:00Z"}
    first = await one.call("POST", path, body, want=200)
    assert (first["name"], first["status"], first["createdAt"] > "2020") == ("v1", "ready", True)
    await one.call("POST", path, body, want=409)
    second = await one.call("POST", path, {"tag": "v2", "name": "two", "status": "building"}, want=200)
    await one.call("POST", f"/deployments/{uuid4()}/versions", {"tag": "v", "name": "", "status": "ready"}, want=404)
    page = await one.call("GET", path, want=200)
    assert [entry["id"] for entry in page["items"]] == [second["id"], first["id"]]
    assert page["items"][0]["dependencies"] == {}
    page = await one.call("GET", f"{path}?order=asc", want=200, params={"cel": "version.config.n == 1"})
    assert [entry["id"] for entry in page["items"]] == [first["id"]]
    await one.call("GET", f"/deployments/{uuid4()}/versions", want=404)
    for spelling in ("deploymentversions", "deployment-versions"):
        changed = await one.call("PATCH", f"/{spelling}/{second['id']}", {"status": "rejected", "message": "bad"}, want=202)
        assert (changed["status"], changed["message"], changed["name"]) == ("rejected", "bad", "two")
        await one.call("PATCH", f"/{spelling}/{uuid4()}", {"status": "ready"}, want=404)


async def test_approvals(one: House) -> None:
    deployment = (await one.call("POST", "/deployments", {"name": "api", "slug": "api"}, want=202))["id"]
    environment = (await one.call("POST", "/environments", {"name": "prod"}, want=202))["id"]
    system = (await one.call("POST", "/systems", {"name": "shop"}, want=202))["id"]
    await one.call("PUT", f"/systems/{system}/deployments/{deployment}", want=202)
    await one.call("PUT", f"/systems/{system}/environments/{environment}", want=202)
    version = (
        await one.call("POST", f"/deployments/{deployment}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    )["id"]
    body = {"status": "approved", "environmentIds": [environment]}
    answer = await one.call("PUT", f"/deployment-versions/{version}/user-approval-records", body, want=202)
    assert answer["id"] == version
    await one.call("PUT", f"/deployment-versions/{uuid4()}/user-approval-records", body, want=404)
    await one.call("PUT", f"/deployment-versions/{version}/user-approval-records", {"status": "approved"}, want=400)
    recorded = await one.call("GET", "/events?types=policy.approval_recorded.v1", want=200)
    assert [entry["data"]["environment_id"] for entry in recorded["items"]] == [environment]
    assert recorded["items"][0]["authid"].startswith("user:")


# --- inventory -------------------------------------------------------------------------------------------------------------------------

CLUSTER = {"name": "c", "kind": "Cluster", "version": "v1"}


@pytest.mark.parametrize("identifier", ["plain", "arn:aws:eks:eu-1:7/x", "https://a/b?c=d&e#f", "a b+c%2F", "ü/ö"])
async def test_resources_by_any_identifier(one: House, identifier: str) -> None:
    path = one.path_of(identifier)
    await one.call("GET", path, want=404)
    await one.call("DELETE", path, want=404)
    made = await one.call("PUT", path, {**CLUSTER, "config": {"a": {"b": [1]}}, "metadata": {"k": "v"}}, want=202)
    read = await one.call("GET", path, want=200)
    assert (read["id"], read["identifier"], read["config"], "providerId" in read) == (
        made["id"],
        identifier,
        {"a": {"b": [1]}},
        False,
    )
    assert (await one.call("PUT", path, CLUSTER, want=202))["id"] == made["id"]
    assert (await one.call("GET", path, want=200))["metadata"] == {}
    assert (await one.call("DELETE", path, want=200)) == {"id": made["id"], "message": "Resource deleted"}
    await one.call("GET", path, want=404)


async def test_the_resource_list_filters_by_cel(one: House) -> None:
    for name, metadata in (("a", {"x&y": "1", "p": "q%"}), ("b", {"x&y": "2"}), ("c", {})):
        await one.call("PUT", one.path_of(name), {**CLUSTER, "name": name, "metadata": metadata}, want=202)

    async def names(cel: str) -> list[str]:
        page = await one.call("GET", "/resources", want=200, params={"cel": cel})
        return [entry["name"] for entry in page["items"]]

    assert await names('resource.metadata["x&y"] == "1"') == ["a"]
    assert await names("resource.metadata['p'] == 'q%'") == ["a"]
    assert await names('resource.kind == "Cluster" && resource.name != "b"') == ["c", "a"]
    # One client encodes the expression twice.
    assert await names("resource.name+%3D%3D+%22b%22") == ["b"]
    for bad in ("resource.", "resource.name ==", "nobody.name == 'x'"):
        refused = await one.call("GET", "/resources", want=400, params={"cel": bad})
        assert refused["code"] == "INVALID_CEL"
        assert {"line", "column"} <= set(refused["details"][0])


@pytest.mark.parametrize(
    "cel, line, column",
    [
        ("resource.name", 1, 10),
        ("1 + 1", 1, 1),
        ("\n resource", 2, 2),
        ('resource["metadata"]', 1, 1),
        ("true ? resource.name : resource.kind", 1, 17),
        ("1 / 0 == 1", 1, 1),
        ("'never'", 1, 1),
    ],
)
async def test_an_expression_that_is_no_condition_filters_nothing(one: House, cel: str, line: int, column: int) -> None:
    for path in ("/resources", "/resources/facets", "/deployments"):
        refused = await one.call("GET", path, want=400, params={"cel": cel})
        assert refused["code"] == "INVALID_CEL"
        (problem,) = refused["details"]
        assert (problem["path"], problem["line"], problem["column"]) == ("/query/cel", line, column), refused


async def test_what_is_true_or_false_of_some_rows_only_filters_those(one: House) -> None:
    for name, live in (("a", True), ("b", False), ("c", "true"), ("d", 7), ("e", [1])):
        await one.call("PUT", one.path_of(name), {**CLUSTER, "name": name, "config": {"live": live}}, want=202)
    page = await one.call("GET", "/resources", want=200, params={"cel": "resource.config.live"})
    assert [entry["name"] for entry in page["items"]] == ["c", "a"]


async def test_resources_are_searched(one: House) -> None:
    for name, kind in (("a%b", "Cluster"), ("axb", "Cluster"), ("other", "Node")):
        await one.call("PUT", one.path_of(name), {**CLUSTER, "name": name, "kind": kind, "metadata": {"n": name}}, want=202)

    async def names(**search: object) -> list[str]:
        page = await one.call("POST", "/resources/search", search, want=200)
        return [entry["name"] for entry in page["items"]]

    assert await names(query="A%B") == ["a%b"]
    assert await names(kinds=["Cluster"], sortBy="name", order="desc") == ["axb", "a%b"]
    assert await names(metadata={"n": "other"}, kinds=[]) == ["other"]
    assert await names(limit=1, offset=1, sortBy="name") == ["axb"]
    await one.call("POST", "/resources/search", {"limit": 1001}, want=400)


async def test_deployments_of_a_resource(one: House) -> None:
    await one.call("PUT", one.path_of("r"), CLUSTER, want=202)
    await one.call("POST", "/deployments", {"name": "b", "slug": "s", "resourceSelector": 'resource.kind == "Cluster"'}, want=202)
    await one.call("POST", "/deployments", {"name": "a", "slug": "s", "resourceSelector": "true"}, want=202)
    await one.call("POST", "/deployments", {"name": "c", "slug": "s"}, want=202)
    page = await one.call("GET", f"{one.path_of('r')}/deployments", want=200)
    assert [entry["name"] for entry in page["items"]] == ["a", "b"]
    await one.call("GET", f"{one.path_of('x')}/deployments", want=404)


async def test_providers_and_their_sets(one: House) -> None:
    made = await one.call("PUT", "/resource-providers", {"id": "", "name": "sync", "metadata": {"a": "b"}}, want=202)
    again = await one.call("PUT", "/resource-providers", {"id": str(uuid4()), "name": "sync"}, want=202)
    assert again["id"] == made["id"]
    assert (await one.call("GET", "/resource-providers/name/sync", want=200))["id"] == made["id"]
    await one.call("GET", "/resource-providers/name/none", want=404)
    await one.call("GET", "/resource-providers/name/none/resources", want=404)
    resources: list[dict[str, object]] = [
        {**CLUSTER, "identifier": f"r{number}", "config": None, "metadata": {}, "createdAt": "0001-01-01T00:00:00Z"}
        for number in (2, 1, 3)
    ]
    answer = await one.call("PUT", f"/resource-providers/{made['id']}/set", {"resources": resources}, want=202)
    assert (answer["ok"], answer["method"], answer["saved"]) == (True, "direct", 3)
    page = await one.call("GET", "/resource-providers/name/sync/resources", want=200)
    assert ([entry["identifier"] for entry in page["items"]], page["total"]) == (["r2", "r1", "r3"], 3)
    await one.call("DELETE", "/resource-providers/name/sync", want=400)
    await one.call("PUT", f"/resource-providers/{made['id']}/set", {"resources": []}, want=202)
    await one.call("GET", one.path_of("r1"), want=404)
    gone = await one.call("DELETE", "/resource-providers/name/sync", want=202)
    assert gone["name"] == "sync"
    await one.call("DELETE", "/resource-providers/name/sync", want=404)
    await one.call("PUT", f"/resource-providers/{uuid4()}/set", {"resources": resources}, want=404)


# --- agents, policies ------------------------------------------------------------------------------------------------------------------


async def test_job_agents(one: House) -> None:
    agent = str(uuid4())
    path = f"/job-agents/{agent}"
    await one.call("GET", path, want=404)
    await one.call("GET", f"{path}/jobs", want=404)
    body = {"name": "runner", "type": "http-pull", "config": {}, "metadata": {"a": "b"}}
    assert (await one.call("PUT", path, body, want=202))["id"] == agent
    read = await one.call("GET", path, want=200)
    assert (read["type"], read["metadata"]) == ("http-pull", {"a": "b"})
    await one.call("PUT", f"/job-agents/{uuid4()}", body, want=409)
    assert (await one.call("GET", "/job-agents", want=200))["total"] == 1
    assert (await one.call("GET", f"{path}/jobs", want=200))["total"] == 0
    await one.call("POST", f"{path}/jobs/{uuid4()}/claim", want=404)
    await one.call("GET", f"{path}/jobs?status=strange", want=400)
    await one.call("DELETE", path, want=202)
    await one.call("DELETE", path, want=404)


async def test_policies(one: House) -> None:
    metric: dict[str, Any] = {
        "name": "m",
        "intervalSeconds": 1,
        "count": 2,
        "provider": {"type": "http", "url": "http://localhost"},
        "successCondition": "result.ok",
    }
    rules: list[dict[str, Any]] = [{"anyApproval": {"minApprovals": 1}}, {"verification": {"metrics": [metric]}}]
    made = await one.call("POST", "/policies", {"name": "p", "rules": rules}, want=202)
    assert (made["selector"], made["priority"], made["enabled"], "description" in made) == ("true", 0, True, False)
    assert made["rules"][0]["anyApproval"] == {"minApprovals": 1}
    assert made["rules"][1]["verification"] == rules[1]["verification"]
    assert all(rule["policyId"] == made["id"] and rule["createdAt"] for rule in made["rules"])
    assert await one.call("GET", f"/policies/{made['id']}", want=200) == made
    body = {"name": "p2", "selector": "true", "rules": [made["rules"][0]], "priority": 1, "enabled": False, "metadata": {}}
    put = await one.call("PUT", f"/policies/{made['id']}", body, want=202)
    assert (put["createdAt"], put["rules"][0]["id"]) == (made["createdAt"], made["rules"][0]["id"])
    assert (await one.call("GET", "/policies", want=200))["items"] == [put]
    own = str(uuid4())
    # The id of a rule belongs to one policy.
    other = {**body, "rules": [{"anyApproval": {"minApprovals": 1}}]}
    assert (await one.call("PUT", f"/policies/{own}", other, want=202))["id"] == own
    await one.call("PUT", "/policies/nope", body, want=400)
    gone = await one.call("DELETE", f"/policies/{own}", want=202)
    assert (gone["id"], gone["rules"]) == (own, [])
    await one.call("GET", f"/policies/{own}", want=404)
    await one.call("DELETE", f"/policies/{own}", want=404)


@pytest.mark.parametrize(
    "rule",
    [
        {"environmentProgression": {"dependsOnEnvironmentSelector": "environment.name =="}},
        {
            "verification": {
                "metrics": [
                    {
                        "name": "m",
                        "intervalSeconds": 1,
                        "count": 1,
                        "provider": {"type": "sleep", "durationSeconds": 1},
                        "successCondition": "result. ",
                    }
                ]
            }
        },
    ],
)
async def test_an_expression_that_can_not_be_read_is_refused_with_its_place(one: House, rule: dict[str, object]) -> None:
    refused = await one.call("POST", "/policies", {"name": "p", "rules": [rule]}, want=400)
    detail = refused["details"][0]
    assert refused["code"] == "INVALID_CEL"
    assert detail["path"].startswith("/body/rules/0/")
    assert detail["line"] == 1
    assert detail["column"] > 1


@pytest.mark.parametrize("path", ["/deployments", "/environments"])
async def test_a_selector_that_can_not_be_read_is_refused_with_its_place(one: House, path: str) -> None:
    refused = await one.call("POST", path, {"name": "x", "slug": "x", "resourceSelector": "resource.name = 1"}, want=400)
    assert {"line", "column"} <= set(refused["details"][0])


# --- targets ---------------------------------------------------------------------------------------------------------------------------


async def test_a_target_that_is_none(one: House) -> None:
    key = f"{uuid4()}-{uuid4()}-{uuid4()}"
    assert await one.call("GET", f"/release-targets/{key}/state?bypassCache=true", want=200) == {}
    await one.call("GET", f"/release-targets/{key}/desired-release", want=404)
    await one.call("GET", f"/release-targets/{key}/explanation", want=404)
    assert (await one.call("GET", f"/release-targets/{key}/jobs", want=200))["total"] == 0
    for what in ("state", "desired-release", "explanation", "jobs"):
        await one.call("GET", f"/release-targets/nonsense/{what}", want=400)
    pair = {"deploymentId": str(uuid4()), "environmentId": "x"}
    assert (await one.call("POST", "/release-targets/state", pair, want=200))["items"] == []
    await one.call("POST", "/release-targets/state", {"deploymentId": "x"}, want=400)
    await one.call("GET", f"/releases/{uuid4()}", want=404)
