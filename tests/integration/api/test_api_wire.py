"""What holds for every request, as the clients in use send them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import CLUSTER, RULE, id_of, new_id
from tests.integration.api.table import ROWS

pytestmark = pytest.mark.integration

IDENTIFIERS = [
    "plain",
    "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
    "https://kubernetes.default.svc/apis?x=1&y=2#z",
    "a/b/c",
    "a b+c%2Fd",
    "100%",
    "a&b=c;d,e",
    "ünïcode/日本語",
    "x" * 300,
]


def test_u1_everything_is_under_api(quiet: Api) -> None:
    for path in ("/v1/workspaces", f"/v1/workspaces/{quiet.workspace_id}/systems", f"/api/v2/workspaces/{quiet.workspace_id}"):
        answer = quiet.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "Not Found")
    assert quiet.client.get("/api/v1/workspaces").status_code == 200


@pytest.mark.parametrize(
    "method,path,body",
    [
        ("POST", "/systems", {"name": "chunked"}),
        ("PUT", "/resources/identifier/chunked", CLUSTER),
        ("POST", "/resources/search", {}),
        ("PUT", "/resource-providers", {"id": "", "name": "chunked"}),
    ],
)
def test_u2_a_body_may_come_in_chunks_without_its_length(api: Api, method: str, path: str, body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(text), 5):
            yield text[start : start + 5]

    answer = api.send(method, path, content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.is_success
    assert "content-length" not in answer.request.headers
    assert answer.request.headers["transfer-encoding"] == "chunked"


def test_u3_an_identifier_is_one_segment_whatever_is_in_it(api: Api) -> None:
    made = {identifier: scenes.resource(api, identifier) for identifier in IDENTIFIERS}
    assert len(set(made.values())) == len(IDENTIFIERS)
    for identifier, resource_id in made.items():
        got = api.call("resource.get", identifier=identifier)
        assert (got["id"], got["identifier"]) == (resource_id, identifier)
        assert api.call("resource.deployments", identifier=identifier)["total"] == 0
        api.call("resource.variables.patch", {"K": identifier}, identifier=identifier)
        assert api.pages("resource.variables", identifier=identifier)[0]["value"] == identifier
        api.call("resource.delete", identifier=identifier)
        api.refused(404, "resource.get", identifier=identifier)
    assert api.pages("resource.list") == []


def test_u3_a_name_in_a_path_is_one_segment_too(api: Api) -> None:
    for name in ("a/b", "100%", "ü c", "name"):
        scenes.provider(api, name)
        made = scenes.deployment(api, name), scenes.environment(api, name)
        assert api.call("provider.get", name=name)["name"] == name
        assert api.call("deployment.by_name", name=name)["deployment"]["id"] == made[0]
        assert api.call("environment.by_name", name=name)["id"] == made[1]


def test_u4_a_query_is_decoded_exactly_once(api: Api) -> None:
    pairs = {"plain": "x", "a&b": "c=d", "p+q": "1+1", "50%": "100%", "percent": "%2B", "quote": "it's", "ü": "é &=+%"}
    scenes.resource(api, "r", metadata=pairs)
    scenes.resource(api, "s", metadata=dict.fromkeys(pairs, "other"))
    for key, value in pairs.items():
        found = api.pages("resource.list", query={"cel": f'resource.metadata["{key}"] == "{value}"'})
        assert [one["identifier"] for one in found] == ["r"], key


@pytest.mark.parametrize("plus", [True, False])
def test_c3_an_expression_that_was_encoded_twice_is_decoded_once_more(api: Api, plus: bool) -> None:
    scenes.resource(api, "r", kind="Cluster")
    scenes.resource(api, "s", kind="Node")
    scenes.deployment(api, "web")
    scenes.deployment(api, "db")

    def twice(cel: str) -> dict[str, str]:
        once = quote(cel, safe="")
        return {"cel": once.replace("%20", "+") if plus else once}

    found = api.pages("resource.list", query=twice('resource.kind == "Cluster" && resource.identifier == "r"'))
    assert [one["identifier"] for one in found] == ["r"]
    found = api.pages("deployment.list", query=twice('deployment.name == "web"'))
    assert [one["deployment"]["name"] for one in found] == ["web"]


@pytest.mark.parametrize(
    "cel", ["resource.", "resource.name ==", "resource.name == 'x", "nobody.name", "resource.name.foo()", ")("]
)
def test_u21_an_expression_that_is_none_is_told_with_line_and_column(quiet: Api, cel: str) -> None:
    error = quiet.refused(400, "resource.list", query={"cel": cel})
    assert error["code"] == "INVALID_CEL"
    first = error["details"][0]
    assert (first["path"], first["line"], first["column"] >= 1) == ("/query/cel", 1, True)


def test_u8_a_link_needs_neither_body_nor_content_type(api: Api) -> None:
    ends = {"systemId": scenes.system(api), "deploymentId": scenes.deployment(api)}
    answer = api.ask("system.deployment.link", **ends)
    assert (answer.status_code, "content-type" in answer.request.headers) == (202, False)
    # One that is sent is passed over, whatever it is.
    bodies: list[Any] = [{}, None, "x", [1]]
    for body in bodies:
        assert api.ask("system.deployment.link", body, **ends).status_code == 202


def test_u9_when_a_thing_was_created_stays_the_same_text(api: Api) -> None:
    environment = scenes.environment(api)
    scenes.resource(api)
    made = (api.call("environment.get", environmentId=environment), api.call("resource.get", identifier="r"))
    api.call("environment.put", {"name": "other"}, environmentId=environment)
    scenes.resource(api, kind="Node")
    now = (api.call("environment.get", environmentId=environment), api.call("resource.get", identifier="r"))
    assert [one["createdAt"] for one in now] == [one["createdAt"] for one in made]
    assert now[1]["updatedAt"] >= made[1]["updatedAt"]


@pytest.mark.parametrize(
    "op", sorted(op for op, row in ROWS.items() if row.method == "GET" and not row.absent and "{" not in row.path)
)
def test_u11_the_nil_workspace_holds_nothing(quiet: Api, op: str) -> None:
    answer = quiet.send("GET", ROWS[op].path, workspace_id="00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.json()["message"]) == (404, "Workspace not found")


@pytest.mark.parametrize(
    "op,body",
    [
        ("system.create", {"name": "x"}),
        ("deployment.create", {"name": "x", "slug": "x"}),
        ("environment.create", {"name": "x"}),
        ("provider.put", {"id": "", "name": "x"}),
        ("rule.create", RULE),
        ("set.create", scenes.VARIABLE_SET),
        ("resource.search", {}),
    ],
)
def test_u12_properties_that_nobody_declared_are_passed_over(api: Api, op: str, body: dict[str, Any]) -> None:
    api.call(op, {**body, "what": None, "workspaceId": 5, "ID": [], "resource_selector": {"a": 1}})


def test_numbers_keep_what_they_are(api: Api) -> None:
    config = {
        "whole": 1,
        "float": 1.5,
        "large": 2**62,
        "negative": -3,
        "zero": 0,
        "nothing": None,
        "flag": True,
        "deep": [{"a": [1]}],
    }
    scenes.resource(api, config=config)
    got = api.call("resource.get", identifier="r")["config"]
    assert json.dumps(got, sort_keys=True) == json.dumps(config, sort_keys=True)


def test_names_that_look_like_something_else_are_names(api: Api) -> None:
    for name in ("0", "null", "'; DROP TABLE x; --", "{{ name }}", "a\nb", " "):
        made = scenes.deployment(api, name)
        assert api.call("deployment.get", deploymentId=made)["deployment"]["name"] == name


def test_u10_what_was_written_can_be_read_at_once_every_time(api: Api) -> None:
    for number in range(10):
        scenes.resource(api, "r", metadata={"n": str(number)})
        assert api.call("resource.get", identifier="r")["metadata"] == {"n": str(number)}
        assert [one["metadata"]["n"] for one in api.pages("resource.list")] == [str(number)]


def test_u40_what_was_just_made_is_on_the_first_page(api: Api) -> None:
    of = scenes.deployment(api)
    scenes.system(api)
    scenes.environment(api)
    scenes.resource(api)
    scenes.version(api, of)
    scenes.rule(api)
    scenes.variable_set(api)
    scenes.variable(api, of)
    for op in ("system.list", "deployment.list", "environment.list", "resource.list", "rule.list", "set.list"):
        assert api.call(op)["total"] == 1, op
    for op in ("version.list", "variable.list"):
        assert api.call(op, deploymentId=of)["total"] == 1, op


def test_what_is_too_large_to_be_recorded_is_refused_with_its_size(api: Api) -> None:
    large = "x" * 300_000
    of = scenes.deployment(api)
    variable = scenes.variable(api, of)
    made, other = scenes.version(api, of), scenes.deployment(api, "other")
    scenes.resource(api)
    place = scenes.environment(api)
    held = id_of(api.call("policy.create", {"name": "p", "rules": [{"anyApproval": {"minApprovals": 1}}]})["rules"][0])
    frozen = id_of(api.call("freeze.create", {"reason": "r"}))
    attempts: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        ("system.create", {}, {"name": "x", "description": large}),
        ("deployment.create", {}, {"name": "x", "slug": "x", "jobAgentSelector": "true", "jobAgentConfig": {"a": large}}),
        ("environment.create", {}, {"name": "x", "metadata": {"a": large}}),
        ("variable.put", {"variableId": variable}, {"deploymentId": of, "key": "K", "description": large}),
        ("value.put", {"valueId": new_id()}, {"deploymentVariableId": variable, "priority": 0, "value": large}),
        ("version.create", {"deploymentId": of}, {"tag": "v2", "name": "", "status": "ready", "config": {"a": large}}),
        ("version.patch", {"deploymentVersionId": made}, {"metadata": {"a": large}}),
        (
            "dependency.put",
            {"deploymentVersionId": made, "dependencyDeploymentId": other},
            {"versionSelector": f"version.tag == '{large}'"},
        ),
        ("resource.put", {"identifier": "r"}, {**CLUSTER, "variables": {"K": large}}),
        ("resource.variables.patch", {"identifier": "r"}, {"K": {"a": large}}),
        ("provider.put", {}, {"id": "", "name": "x", "metadata": {"a": large}}),
        ("set.create", {}, {**scenes.VARIABLE_SET, "variables": [{"key": "K", "value": large}]}),
        ("rule.create", {}, {**RULE, "description": large}),
        ("rule.put", {"relationshipRuleId": new_id()}, {**RULE, "metadata": {"a": large}}),
        ("policy.create", {}, {"name": "x", "description": large}),
        ("freeze.create", {}, {"reason": large}),
        ("skip.create", {}, {"versionId": made, "ruleId": held, "reason": large}),
        ("freeze.override", {"freezeId": frozen}, {"versionId": made, "reason": large, "expiresAt": "2100-01-01T00:00:00Z"}),
        ("approval.put", {"deploymentVersionId": made}, {"status": "approved", "environmentIds": [place], "reason": large}),
    ]
    agent = {"name": "x", "type": "test-runner", "config": {"a": large}}
    told = [("agent", api.send("PUT", f"/job-agents/{new_id()}", agent))]
    told += [(op, api.ask(op, body, **params)) for op, params, body in attempts]
    for op, answer in told:
        message = answer.json()["message"]
        assert answer.status_code == 400, op
        assert re.search(r"(at most|limit of) \d+", message), f"{op}: {message[:300]}"
        # The names of facts are nobody's business.
        assert ".v1" not in message, message[:300]
        assert len(message) < 1_000, op


def test_an_id_that_is_none_names_nothing_and_is_not_taken_for_a_new_one(api: Api) -> None:
    of = scenes.deployment(api)
    variable = scenes.variable(api, of)
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("system.put", "systemId", {"name": "x"}),
        ("deployment.put", "deploymentId", {"name": "x", "slug": "x"}),
        ("environment.put", "environmentId", {"name": "x"}),
        ("variable.put", "variableId", {"deploymentId": of, "key": "K"}),
        ("value.put", "valueId", {"deploymentVariableId": variable, "priority": 0, "value": 1}),
        ("rule.put", "relationshipRuleId", RULE),
    ]
    for op, param, body in attempts:
        for text in ("nonsense", "1", f"{new_id()}x", f"{{{new_id()}}}"):
            api.refused(404, op, body, **{param: text})


def test_upper_case_ids_are_the_same_ids(api: Api) -> None:
    made = {"systemId": scenes.system(api), "deploymentId": scenes.deployment(api)}
    loud = {name: value.upper() for name, value in made.items()}
    api.call("system.deployment.link", **loud)
    assert api.call("system.deployment.get", **loud) == made
    assert id_of(api.call("system.put", {"name": "x"}, systemId=loud["systemId"])) == made["systemId"]


def test_an_idempotency_key_is_of_one_body(api: Api) -> None:
    def create(name: str) -> httpx.Response:
        path, headers = f"/api/v1/workspaces/{api.workspace_id}/systems", {"Idempotency-Key": "one and the same"}
        return api.client.post(path, json={"name": name}, headers=headers)

    first, other, again = create("x"), create("y"), create("x")
    assert (first.status_code, other.status_code, again.status_code) == (202, 422, 202)
    assert (other.json()["code"], other.json()["error"]) == ("IDEMPOTENCY_KEY_REUSED", other.json()["message"])
    assert again.json() == first.json()
    assert [one["name"] for one in api.pages("system.list")] == ["x"]


def _world(api: Api) -> dict[str, str]:
    """What must be there for things of all kinds to be made."""
    of = scenes.deployment(api, "of")
    return {"deployment": of, "variable": scenes.variable(api, of)}


PUTS: dict[str, Callable[[str, dict[str, str]], tuple[str, dict[str, Any]]]] = {
    "system": lambda id_, at: (f"/systems/{id_}", {"name": "x"}),
    "deployment": lambda id_, at: (f"/deployments/{id_}", {"name": "x", "slug": "x"}),
    "environment": lambda id_, at: (f"/environments/{id_}", {"name": "x"}),
    "variable": lambda id_, at: (f"/deployment-variables/{id_}", {"deploymentId": at["deployment"], "key": "K"}),
    "value": lambda id_, at: (
        f"/deployment-variable-values/{id_}",
        {"deploymentVariableId": at["variable"], "priority": 0, "value": 1},
    ),
    "relationship rule": lambda id_, at: (f"/relationship-rules/{id_}", RULE),
    "policy": lambda id_, at: (
        f"/policies/{id_}",
        {"name": "x", "selector": "true", "rules": [], "priority": 0, "enabled": True, "metadata": {}},
    ),
    "job agent": lambda id_, at: (f"/job-agents/{id_}", {"name": "x", "type": "test-runner", "config": {}}),
}
"""How things are made under an id that the client chooses. A provider is not: it gets an id of ours, whatever is sent."""


@pytest.mark.parametrize("kind", PUTS)
def test_an_id_is_of_one_workspace(api: Api, kind: str) -> None:
    """What has the id may be changed where it is, and nothing takes it elsewhere, until it is deleted."""
    other, shared = api.new(), new_id()
    path, body = PUTS[kind](shared, _world(api))
    assert api.send("PUT", path, body).status_code in (200, 202)
    there, theirs = PUTS[kind](shared, _world(other))
    refused = other.send("PUT", there, theirs)
    assert (refused.status_code, refused.json()["code"], shared in refused.json()["message"]) == (409, "ID_TAKEN", True)
    assert api.send("PUT", path, body).status_code in (200, 202)
    assert api.send("DELETE", path).status_code == 202
    assert other.send("PUT", there, theirs).status_code in (200, 202)
