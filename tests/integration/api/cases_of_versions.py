"""Versions and their dependencies, deployment variables and their values."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, read, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import id_of, new_id

V1: dict[str, Any] = {"tag": "v1", "name": "", "status": "ready"}


# --- versions ---------------------------------------------------------------------------------------------------------------------


@listed("version.list")
def listed_versions(api: Api) -> Listed:
    of = scenes.deployment(api)
    made = [scenes.version(api, of, tag) for tag in ("b", "c", "a")]
    return Listed(made[::-1], id_of, Sent({"deploymentId": of}))


@success("version.list")
def list_versions(api: Api) -> Success:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    made = scenes.version(api, of, dependencies={other: {"versionSelector": "true"}})
    answer = yield Sent({"deploymentId": of})
    assert [(one["id"], one["dependencies"]) for one in answer["items"]] == [(made, {other: {"versionSelector": "true"}})]


@success("version.create")
def create_version(api: Api) -> Success:
    of = scenes.deployment(api)
    body = {**V1, "config": {"a": 1}, "jobAgentConfig": {"b": [True]}, "metadata": {"c": "d"}, "name": "one"}
    made = yield Sent({"deploymentId": of}, body)
    assert {name: made[name] for name in body} == body
    assert made["deploymentId"] == of
    assert api.pages("version.list", deploymentId=of) == [{**made, "dependencies": {}}]


@success("version.get")
def get_version(api: Api) -> Success:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    made = scenes.version(api, of, config={"a": 1}, dependencies={other: {"versionSelector": "true"}})
    answer = yield Sent({"deploymentVersionId": made})
    assert (answer["id"], answer["config"], answer["dependencies"]) == (made, {"a": 1}, {other: {"versionSelector": "true"}})


@success("version.status")
def pause_version(api: Api) -> Success:
    made = scenes.version(api, scenes.deployment(api), name="one", config={"a": 1})
    changed = yield Sent({"deploymentVersionId": made}, {"status": "paused", "message": "slow"})
    assert (changed["status"], changed["message"], changed["name"], changed["config"]) == ("paused", "slow", "one", {"a": 1})
    assert api.call("version.get", deploymentVersionId=made)["status"] == "paused"


@conflict("version.create")
def create_version_twice(api: Api) -> Sent:
    of = scenes.deployment(api)
    scenes.version(api, of)
    return Sent({"deploymentId": of}, V1)


def _patch_cases(op: str) -> None:
    @success(op)
    def patch_version(api: Api) -> Success:
        of = scenes.deployment(api)
        made = scenes.version(api, of, name="one", config={"a": 1})
        changed = yield Sent({"deploymentVersionId": made}, {"status": "rejected", "metadata": {"a": "b"}})
        assert (changed["id"], changed["status"], changed["metadata"]) == (made, "rejected", {"a": "b"})
        # What is left out stays.
        assert (changed["name"], changed["tag"], changed["config"]) == ("one", "v1", {"a": 1})
        assert api.pages("version.list", deploymentId=of) == [{**changed, "dependencies": {}}]

    @conflict(op)
    def retag_to_a_taken_tag(api: Api) -> Sent:
        of = scenes.deployment(api)
        scenes.version(api, of, "v1")
        return Sent({"deploymentVersionId": scenes.version(api, of, "v2")}, {"tag": "v1"})


_patch_cases("version.patch")
_patch_cases("version.patch_hyphen")


# --- dependencies -----------------------------------------------------------------------------------------------------------------


def _edges(api: Api) -> tuple[str, list[str]]:
    """A version and the deployments it depends on, by id."""
    others = sorted(scenes.deployment(api, name) for name in ("db", "cache"))
    edges = {one: {"versionSelector": "true"} for one in reversed(others)}
    return scenes.version(api, scenes.deployment(api), dependencies=edges), others


@success("dependency.list")
def list_dependencies(api: Api) -> Success:
    made, others = _edges(api)
    answer = yield Sent({"deploymentVersionId": made})
    expected = {"deploymentVersionId": made, "versionSelector": "true"}
    assert answer == [{**expected, "dependencyDeploymentId": one} for one in others]


@success("dependency.put")
def put_dependency(api: Api) -> Success:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    made = scenes.version(api, of)
    edge = {"deploymentVersionId": made, "dependencyDeploymentId": other}
    answer = yield Sent(edge, {"versionSelector": 'version.tag == "v1"'})
    assert answer["id"] == made
    assert api.call("dependency.list", deploymentVersionId=made) == [{**edge, "versionSelector": 'version.tag == "v1"'}]
    api.call("dependency.put", {"versionSelector": "true"}, **edge)
    assert api.call("dependency.list", deploymentVersionId=made) == [{**edge, "versionSelector": "true"}]
    assert api.pages("version.list", deploymentId=of)[0]["dependencies"] == {other: {"versionSelector": "true"}}


@success("dependency.delete")
def delete_dependency(api: Api) -> Success:
    made, others = _edges(api)
    answer = yield Sent({"deploymentVersionId": made, "dependencyDeploymentId": others[0]})
    assert answer["id"] == made
    left = api.call("dependency.list", deploymentVersionId=made)
    assert [one["dependencyDeploymentId"] for one in left] == others[1:]
    api.refused(404, "dependency.delete", deploymentVersionId=made, dependencyDeploymentId=others[0])


# --- variables --------------------------------------------------------------------------------------------------------------------


def _valued(api: Api) -> tuple[str, str, str]:
    of = scenes.deployment(api)
    variable = scenes.variable(api, of)
    return of, variable, scenes.value(api, variable, "eu", 1, resourceSelector='resource.kind == "Cluster"')


def _whole(of: str, variable: str, value: str) -> dict[str, Any]:
    return {"variable": {"id": variable, "deploymentId": of, "key": "REGION"}, "values": [_value(variable, value)]}


def _value(variable: str, value: str) -> dict[str, Any]:
    selector = 'resource.kind == "Cluster"'
    return {"id": value, "deploymentVariableId": variable, "value": "eu", "resourceSelector": selector, "priority": 1}


@listed("variable.list")
def listed_variables(api: Api) -> Listed:
    of = scenes.deployment(api)
    made = [scenes.variable(api, of, key) for key in ("A", "B", "C")]
    return Listed(made[::-1], lambda one: one["variable"]["id"], Sent({"deploymentId": of}))


@success("variable.list")
def list_variables(api: Api) -> Success:
    made = _valued(api)
    answer = yield Sent({"deploymentId": made[0]})
    assert answer["items"] == [_whole(*made)]


def _variable_with_values(api: Api) -> tuple[dict[str, str], object]:
    made = _valued(api)
    return {"variableId": made[1]}, _whole(*made)


def _single_value(api: Api) -> tuple[dict[str, str], object]:
    _, variable, value = _valued(api)
    return {"valueId": value}, _value(variable, value)


read("variable.get", _variable_with_values)
read("value.get", _single_value)


@success("variable.put")
def put_variable(api: Api) -> Success:
    of, made = scenes.deployment(api), new_id()
    answer = yield Sent({"variableId": made}, {"deploymentId": of, "key": "REGION", "description": "where"})
    assert answer["id"] == made
    got = api.call("variable.get", variableId=made)
    assert got == {"variable": {"id": made, "deploymentId": of, "key": "REGION", "description": "where"}, "values": []}
    assert api.call("deployment.get", deploymentId=of)["variables"] == [got]


@conflict("variable.put")
def put_variable_under_a_taken_key(api: Api) -> Sent:
    of = scenes.deployment(api)
    scenes.variable(api, of, "REGION")
    return Sent({"variableId": new_id()}, {"deploymentId": of, "key": "REGION"})


@success("variable.delete")
def delete_variable(api: Api) -> Success:
    of, made, value = _valued(api)
    answer = yield Sent({"variableId": made})
    assert answer["id"] == made
    api.refused(404, "variable.get", variableId=made)
    api.refused(404, "value.get", valueId=value)
    assert api.pages("variable.list", deploymentId=of) == []


@success("value.put")
def put_value(api: Api) -> Success:
    variable, made = scenes.variable(api, scenes.deployment(api)), new_id()
    body = {"deploymentVariableId": variable, "value": {"object": {"a": [1, None]}}, "priority": -10}
    answer = yield Sent({"valueId": made}, body)
    assert answer["id"] == made
    assert api.call("value.get", valueId=made) == {"id": made, **body}
    changed = {**body, "value": 5, "resourceSelector": "true"}
    api.call("value.put", changed, valueId=made)
    assert api.call("value.get", valueId=made) == {"id": made, **changed}
    assert api.call("variable.get", variableId=variable)["values"] == [{"id": made, **changed}]


@conflict("value.put")
def put_value_of_another_variable(api: Api) -> Sent:
    of, _, value = _valued(api)
    other = scenes.variable(api, of, "ZONE")
    return Sent({"valueId": value}, {"deploymentVariableId": other, "value": "eu", "priority": 0})


@success("value.delete")
def delete_value(api: Api) -> Success:
    _, variable, made = _valued(api)
    answer = yield Sent({"valueId": made})
    assert answer["id"] == made
    api.refused(404, "value.get", valueId=made)
    assert api.call("variable.get", variableId=variable)["values"] == []
