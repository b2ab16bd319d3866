"""Systems and links, deployments, environments."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.api import scenes
from tests.integration.api.cases import Sent, Success, conflict, newest_first, read, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import id_of, new_id

MORE = {"description": "why", "metadata": {"team": "a"}}

# --- systems ----------------------------------------------------------------------------------------------------------------------

newest_first("system.list", scenes.system)


@success("system.list")
def list_systems(api: Api) -> Success:
    made = scenes.system(api, metadata={"a": "b"})
    answer = yield Sent()
    assert [(one["id"], one["metadata"]) for one in answer["items"]] == [(made, {"a": "b"})]


@success("system.create")
def create_system(api: Api) -> Success:
    made = yield Sent(body={"name": "shop", **MORE})
    got = api.call("system.get", systemId=made["id"])
    assert (got["name"], got["slug"], got["description"], got["metadata"]) == ("shop", "shop", "why", {"team": "a"})


@success("system.put")
def put_system(api: Api) -> Success:
    made = new_id()
    answer = yield Sent({"systemId": made}, {"name": "shop", **MORE})
    assert (answer["id"], api.call("system.get", systemId=made)["description"]) == (made, "why")
    api.call("system.put", {"name": "store"}, systemId=made)
    got = api.call("system.get", systemId=made)
    assert (got["name"], "description" in got, got["metadata"]) == ("store", False, {})


@conflict("system.put")
def put_a_system_of_another_workspace(api: Api) -> Sent:
    return Sent({"systemId": scenes.system(api.new())}, {"name": "x"})


@success("system.delete")
def delete_system(api: Api) -> Success:
    made = scenes.system(api)
    answer = yield Sent({"systemId": made})
    assert answer["id"] == made
    api.refused(404, "system.get", systemId=made)
    assert api.pages("system.list") == []


def _linked(api: Api) -> tuple[str, str, str]:
    made = scenes.system(api), scenes.deployment(api), scenes.environment(api)
    scenes.link(api, made[0], deployments=(made[1],), environments=(made[2],))
    return made


def _system_with_linked(api: Api) -> tuple[dict[str, str], object]:
    of, one, other = _linked(api)
    return {"systemId": of}, {"id": of, "deployments": [{"id": one}], "environments": [{"id": other}]}


read("system.get", _system_with_linked)


def _link_cases(kind: str, param: str, number: int) -> None:
    def existing(api: Api) -> tuple[dict[str, str], object]:
        made = _linked(api)
        ends = {"systemId": made[0], param: made[number]}
        return ends, ends

    read(f"system.{kind}.get", existing)

    @success(f"system.{kind}.link")
    def make_link(api: Api) -> Success:
        made = scenes.system(api), scenes.deployment(api), scenes.environment(api)
        ends = {"systemId": made[0], param: made[number]}
        api.refused(404, f"system.{kind}.get", **ends)
        answer = yield Sent(ends)
        assert answer["id"] == made[0]
        assert api.call(f"system.{kind}.get", **ends) == ends
        assert [id_of(one) for one in api.call("system.get", systemId=made[0])[f"{kind}s"]] == [made[number]]
        assert [id_of(one) for one in api.call(f"{kind}.get", **{param: made[number]})["systems"]] == [made[0]]
        # Again changes nothing.
        assert id_of(api.call(f"system.{kind}.link", **ends)) == made[0]
        assert len(api.call("system.get", systemId=made[0])[f"{kind}s"]) == 1

    @success(f"system.{kind}.unlink")
    def unlink(api: Api) -> Success:
        made = _linked(api)
        ends = {"systemId": made[0], param: made[number]}
        answer = yield Sent(ends)
        assert answer["id"] == made[0]
        api.refused(404, f"system.{kind}.get", **ends)
        api.refused(404, f"system.{kind}.unlink", **ends)
        assert api.call("system.get", systemId=made[0])[f"{kind}s"] == []
        assert api.call(f"{kind}.get", **{param: made[number]})["systems"] == []


_link_cases("deployment", "deploymentId", 1)
_link_cases("environment", "environmentId", 2)


# --- deployments ------------------------------------------------------------------------------------------------------------------

newest_first("deployment.list", scenes.deployment, lambda one: one["deployment"]["id"])
_SELECTED = {"resourceSelector": "true", "jobAgentSelector": 'jobAgent.name == "x"', "jobAgentConfig": {"a": {"b": [1]}}}


@success("deployment.list")
def list_deployments(api: Api) -> Success:
    of, made, _ = _linked(api)
    answer = yield Sent()
    assert [(one["deployment"]["id"], [id_of(one) for one in one["systems"]]) for one in answer["items"]] == [(made, [of])]


@success("deployment.create")
def create_deployment(api: Api) -> Success:
    body = {"name": "api", "slug": "other", **MORE, **_SELECTED}
    made = yield Sent(body=body)
    got = api.call("deployment.get", deploymentId=made["id"])
    assert got["deployment"] == {"id": made["id"], **body, "slug": "api"}
    assert (got["systems"], got["variables"]) == ([], [])


@conflict("deployment.create")
def create_deployment_twice(api: Api) -> Sent:
    scenes.deployment(api, "api")
    return Sent(body={"name": "api", "slug": "another"})


def _deployment_by(param: str) -> Callable[[Api], tuple[dict[str, str], object]]:
    def world(api: Api) -> tuple[dict[str, str], object]:
        of, made, _ = _linked(api)
        variable = scenes.variable(api, made)
        value = scenes.value(api, variable, "eu", 3)
        variables = [
            {
                "variable": {"id": variable, "key": "REGION", "deploymentId": made},
                "values": [{"id": value, "deploymentVariableId": variable, "value": "eu", "priority": 3}],
            }
        ]
        expected = {"deployment": {"id": made, "name": "api"}, "systems": [{"id": of}], "variables": variables}
        return {param: made if param == "deploymentId" else "api"}, expected

    return world


read("deployment.get", _deployment_by("deploymentId"))
read("deployment.by_name", _deployment_by("name"))


@success("deployment.put")
def put_deployment(api: Api) -> Success:
    made = new_id()
    answer = yield Sent({"deploymentId": made}, {"name": "api", "slug": "x", **MORE, **_SELECTED})
    assert answer["id"] == made
    got = api.call("deployment.get", deploymentId=made)["deployment"]
    assert (got["resourceSelector"], got["jobAgentConfig"]) == ("true", _SELECTED["jobAgentConfig"])
    # What is left out is reset, save the selector of agents and the configuration that goes with it.
    api.call("deployment.put", {"name": "web", "slug": "x", "jobAgentConfig": {}}, deploymentId=made)
    got = api.call("deployment.get", deploymentId=made)["deployment"]
    assert (got["name"], got["slug"], got["resourceSelector"], got["metadata"]) == ("web", "web", "false", {})
    assert ("description" in got, got["jobAgentConfig"]) == (False, _SELECTED["jobAgentConfig"])
    assert got["jobAgentSelector"] == _SELECTED["jobAgentSelector"]


@conflict("deployment.put")
def put_deployment_under_a_taken_name(api: Api) -> Sent:
    scenes.deployment(api, "api")
    return Sent({"deploymentId": scenes.deployment(api, "web")}, {"name": "api", "slug": "web"})


@success("deployment.delete")
def delete_deployment(api: Api) -> Success:
    of, made, _ = _linked(api)
    answer = yield Sent({"deploymentId": made})
    assert answer["id"] == made
    api.refused(404, "deployment.get", deploymentId=made)
    api.refused(404, "deployment.by_name", name="api")
    assert api.call("system.get", systemId=of)["deployments"] == []


# --- environments -----------------------------------------------------------------------------------------------------------------

newest_first("environment.list", scenes.environment)


@success("environment.list")
def list_environments(api: Api) -> Success:
    made = scenes.environment(api, resourceSelector="true")
    answer = yield Sent()
    assert [(one["id"], one["resourceSelector"]) for one in answer["items"]] == [(made, "true")]


@success("environment.create")
def create_environment(api: Api) -> Success:
    made = yield Sent(body={"name": "prod", "resourceSelector": "true", **MORE})
    got = api.call("environment.get", environmentId=made["id"])
    assert (got["name"], got["resourceSelector"], got["description"]) == ("prod", "true", "why")
    assert (got["metadata"], got["systems"]) == ({"team": "a"}, [])


@conflict("environment.create")
def create_environment_twice(api: Api) -> Sent:
    scenes.environment(api, "prod")
    return Sent(body={"name": "prod"})


def _environment_by(param: str) -> Callable[[Api], tuple[dict[str, str], object]]:
    def world(api: Api) -> tuple[dict[str, str], object]:
        of, _, made = _linked(api)
        return {param: made if param == "environmentId" else "prod"}, {"id": made, "name": "prod", "systems": [{"id": of}]}

    return world


read("environment.get", _environment_by("environmentId"))
read("environment.by_name", _environment_by("name"))


@success("environment.put")
def put_environment(api: Api) -> Success:
    made = new_id()
    answer = yield Sent({"environmentId": made}, {"name": "prod", "resourceSelector": "true", **MORE})
    assert answer["id"] == made
    before = api.call("environment.get", environmentId=made)
    api.call("environment.put", {"name": "live"}, environmentId=made)
    got = api.call("environment.get", environmentId=made)
    assert got == {"id": made, "name": "live", "metadata": {}, "systems": [], "createdAt": before["createdAt"]}


@conflict("environment.put")
def put_environment_under_a_taken_name(api: Api) -> Sent:
    scenes.environment(api, "prod")
    return Sent({"environmentId": scenes.environment(api, "live")}, {"name": "prod"})


@success("environment.delete")
def delete_environment(api: Api) -> Success:
    of, _, made = _linked(api)
    answer = yield Sent({"environmentId": made})
    assert answer["id"] == made
    api.refused(404, "environment.get", environmentId=made)
    assert api.call("system.get", systemId=of)["environments"] == []
