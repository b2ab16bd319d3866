"""Systems, deployments and environments: what the clients in use rely on."""

from __future__ import annotations

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import id_of, new_id

pytestmark = pytest.mark.integration

BAD_SELECTORS = ["resource.name ==", "environment.name == 'x'", "resource.name = 'x'", "", "  ", "nobody", "resource.name.foo()"]


# --- systems ----------------------------------------------------------------------------------------------------------------------


def test_a_system_shows_its_name_as_slug_and_ignores_the_one_that_is_sent(api: Api) -> None:
    made = scenes.system(api, "shop", slug="something-else")
    assert api.call("system.get", systemId=made)["slug"] == "shop"
    assert api.pages("system.list")[0]["slug"] == "shop"


def test_names_of_systems_need_not_be_unique(api: Api) -> None:
    assert scenes.system(api, "shop") != scenes.system(api, "shop")


def test_u15_a_deleted_system_leaves_what_was_linked_to_it(api: Api) -> None:
    of, deployment, environment = scenes.system(api), scenes.deployment(api), scenes.environment(api)
    scenes.link(api, of, deployments=(deployment,), environments=(environment,))
    assert api.ask("system.delete", systemId=of).status_code == 202
    assert api.call("deployment.get", deploymentId=deployment)["systems"] == []
    assert api.call("environment.get", environmentId=environment)["systems"] == []
    api.refused(404, "system.deployment.get", systemId=of, deploymentId=deployment)


def test_deployments_and_environments_may_be_in_several_systems(api: Api) -> None:
    first, second, deployment = scenes.system(api, "a"), scenes.system(api, "b"), scenes.deployment(api)
    for of in (first, second):
        scenes.link(api, of, deployments=(deployment,))
    assert [id_of(one) for one in api.call("deployment.get", deploymentId=deployment)["systems"]] == [first, second]
    # Whole systems, here as in the list.
    (listed,) = api.pages("deployment.list")
    assert listed["systems"] == api.call("deployment.get", deploymentId=deployment)["systems"]


def test_linking_what_does_not_exist_is_404(api: Api) -> None:
    of, deployment = scenes.system(api), scenes.deployment(api)
    api.refused(404, "system.deployment.link", systemId=of, deploymentId=new_id())
    api.refused(404, "system.deployment.link", systemId=new_id(), deploymentId=deployment)
    # A deployment is no environment.
    api.refused(404, "system.environment.link", systemId=of, environmentId=deployment)


# --- selectors and descriptions ---------------------------------------------------------------------------------------------------


def test_u31_a_deployment_without_a_selector_reads_back_as_false(api: Api) -> None:
    """C2: one client wants the text `"false"`, whether it was sent or not."""
    for made in (scenes.deployment(api, "without"), scenes.deployment(api, "with", resourceSelector="false")):
        got = api.call("deployment.get", deploymentId=made)["deployment"]
        assert (got["resourceSelector"], got["jobAgentSelector"], got["jobAgentConfig"]) == ("false", "false", {})
    assert [one["deployment"]["resourceSelector"] for one in api.pages("deployment.list")] == ["false", "false"]


def test_u31_an_environment_without_a_selector_shows_none(api: Api) -> None:
    for made in (scenes.environment(api, "without"), scenes.environment(api, "with", resourceSelector="false")):
        assert "resourceSelector" not in api.call("environment.get", environmentId=made)
    assert all("resourceSelector" not in one for one in api.pages("environment.list"))


def test_selectors_come_back_as_written(api: Api) -> None:
    for number, source in enumerate(
        ['resource.kind == "Cluster"', "resource.kind=='x'&&true", " true ", "true || // why\n false"]
    ):
        made = scenes.deployment(api, f"d{number}", resourceSelector=source, jobAgentSelector="jobAgent.name=='x'")
        got = api.call("deployment.get", deploymentId=made)["deployment"]
        assert (got["resourceSelector"], got["jobAgentSelector"]) == (source, "jobAgent.name=='x'")


def test_u32_a_description_that_was_never_set_is_absent(api: Api) -> None:
    of, deployment, environment = scenes.system(api), scenes.deployment(api), scenes.environment(api)
    scenes.link(api, of, deployments=(deployment,), environments=(environment,))
    shown = [
        api.call("system.get", systemId=of),
        api.call("deployment.get", deploymentId=deployment)["deployment"],
        api.call("environment.get", environmentId=environment),
        *api.pages("system.list"),
        *api.pages("environment.list"),
        *(one["deployment"] for one in api.pages("deployment.list")),
        *api.call("system.get", systemId=of)["deployments"],
        *api.call("system.get", systemId=of)["environments"],
    ]
    assert all("description" not in one for one in shown)
    # Nor is metadata left out because it is empty.
    assert all(one["metadata"] == {} for one in shown)


@pytest.mark.parametrize("op", ["deployment.create", "environment.create", "deployment.put", "environment.put"])
@pytest.mark.parametrize("selector", BAD_SELECTORS)
def test_u21_a_selector_that_is_none_is_refused_with_its_place(quiet: Api, op: str, selector: str) -> None:
    params = {f"{op.partition('.')[0]}Id": new_id()} if op.endswith("put") else {}
    error = quiet.refused(400, op, {"name": "x", "slug": "x", "resourceSelector": selector}, **params)
    first = error["details"][0]
    assert (error["code"], first["path"]) == ("INVALID_CEL", "/body/resourceSelector")
    assert first["line"] >= 1
    assert first["column"] >= 1
    assert "esource selector" in error["message"]


# --- names ------------------------------------------------------------------------------------------------------------------------


def test_u18_a_name_of_a_deployment_is_taken_once_whatever_the_slug(api: Api) -> None:
    made = scenes.deployment(api, "api")
    error = api.refused(409, "deployment.create", {"name": "api", "slug": "quite-another"})
    assert error["code"] == "DUPLICATE_NAME"
    scenes.deployment(api, "web", slug="api")
    assert api.refused(409, "deployment.put", {"name": "api", "slug": "x"}, deploymentId=new_id())["code"] == "DUPLICATE_NAME"
    # Its own name is no conflict, and a name that was given up is free.
    api.call("deployment.put", {"name": "api", "slug": "x"}, deploymentId=made)
    api.call("deployment.put", {"name": "old-api", "slug": "x"}, deploymentId=made)
    scenes.deployment(api, "api")


def test_u18_a_name_of_an_environment_is_taken_once(api: Api) -> None:
    made = scenes.environment(api, "prod")
    assert api.refused(409, "environment.create", {"name": "prod"})["code"] == "DUPLICATE_NAME"
    api.call("environment.put", {"name": "prod", "description": "d"}, environmentId=made)
    api.call("environment.delete", environmentId=made)
    scenes.environment(api, "prod")


def test_a_name_is_free_in_another_workspace(api: Api) -> None:
    other = api.new()
    for one in (api, other):
        scenes.deployment(one, "api")
        scenes.environment(one, "prod")


def test_u28_the_slug_of_a_deployment_is_required_and_is_its_name(api: Api) -> None:
    api.refused(400, "deployment.create", {"name": "api"})
    for name in ("api", "web"):
        made = scenes.deployment(api, name, slug="same")
        assert api.call("deployment.get", deploymentId=made)["deployment"]["slug"] == name


# --- saving again -----------------------------------------------------------------------------------------------------------------


def test_u25_an_unknown_id_is_taken_for_the_new_one(api: Api) -> None:
    for kind, body in (("system", {}), ("deployment", {"slug": "x"}), ("environment", {})):
        made = new_id()
        assert id_of(api.call(f"{kind}.put", {"name": "x", **body}, **{f"{kind}Id": made})) == made
        api.call(f"{kind}.get", **{f"{kind}Id": made})


def test_an_agents_configuration_alone_changes_nothing(api: Api) -> None:
    config = {"type": "argo-cd", "template": "a: {{ .b }}", "nested": {"list": [1, None, {"x": True}]}}
    made = scenes.deployment(api, jobAgentSelector='jobAgent.type == "x"', jobAgentConfig=config)
    api.call("deployment.put", {"name": "api", "slug": "api", "jobAgentConfig": {"other": 1}}, deploymentId=made)
    got = api.call("deployment.get", deploymentId=made)["deployment"]
    assert (got["jobAgentSelector"], got["jobAgentConfig"]) == ('jobAgent.type == "x"', config)
    api.call("deployment.put", {"name": "api", "slug": "api", "jobAgentSelector": "true"}, deploymentId=made)
    got = api.call("deployment.get", deploymentId=made)["deployment"]
    assert (got["jobAgentSelector"], got["jobAgentConfig"]) == ("true", {})


# --- the list of deployments ------------------------------------------------------------------------------------------------------


def test_deployments_are_filtered_by_what_they_are(api: Api) -> None:
    scenes.deployment(api, "web-api", metadata={"team": "a", "p+q": "50%"})
    scenes.deployment(api, "web", metadata={"team": "b"})
    scenes.deployment(api, "db")

    def names(cel: str) -> list[str]:
        return [one["deployment"]["name"] for one in api.pages("deployment.list", query={"cel": cel})]

    assert names('deployment.name.contains("web")') == ["web", "web-api"]
    assert names('deployment.metadata.team == "a"') == ["web-api"]
    assert names('deployment.metadata["p+q"] == "50%"') == ["web-api"]
    # A missing key is no match, neither way.
    assert names('deployment.metadata["team"] != "a"') == ["web"]
    assert names("deployment.slug == deployment.name") == ["db", "web", "web-api"]
    assert names("true") == ["db", "web", "web-api"]
    assert names("false") == []
    # `total` counts what the filter leaves.
    page = api.call("deployment.list", query={"cel": 'deployment.name.startsWith("web")', "limit": 1})
    assert ([one["deployment"]["name"] for one in page["items"]], page["total"]) == (["web"], 2)


def test_supersession_is_shown_only_when_every_version_is_wanted(api: Api) -> None:
    plain, every = scenes.deployment(api, "plain"), scenes.deployment(api, "every", supersession="every")
    assert "supersession" not in api.call("deployment.get", deploymentId=plain)["deployment"]
    assert api.call("deployment.get", deploymentId=every)["deployment"]["supersession"] == "every"
    # Left out, it stays; `latest` is the default again.
    api.call("deployment.put", {"name": "every", "slug": "x"}, deploymentId=every)
    assert api.call("deployment.get", deploymentId=every)["deployment"]["supersession"] == "every"
    api.call("deployment.put", {"name": "every", "slug": "x", "supersession": "latest"}, deploymentId=every)
    assert "supersession" not in api.call("deployment.get", deploymentId=every)["deployment"]
    api.refused(400, "deployment.create", {"name": "x", "slug": "x", "supersession": "sometimes"})


def test_a_deployment_takes_its_variables_with_it(api: Api) -> None:
    made = scenes.deployment(api)
    variable = scenes.variable(api, made)
    value = scenes.value(api, variable)
    api.call("deployment.delete", deploymentId=made)
    api.refused(404, "variable.get", variableId=variable)
    api.refused(404, "value.get", valueId=value)
    assert api.pages("variable.list", deploymentId=made) == []


def test_a_deleted_deployment_is_no_dependency_any_more(api: Api) -> None:
    other = scenes.deployment(api, "db")
    made = scenes.version(api, scenes.deployment(api), dependencies={other: {"versionSelector": "true"}})
    api.call("deployment.delete", deploymentId=other)
    assert api.call("dependency.list", deploymentVersionId=made) == []
