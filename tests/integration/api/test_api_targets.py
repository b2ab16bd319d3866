"""Release targets, releases and choices by hand: what the clients in use rely on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import NONE, Api
from tests.integration.api.scenes import CLUSTER, Shop, id_of, new_id

pytestmark = pytest.mark.integration


def target(api: Api) -> Shop:
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    return at


def tags(page: dict[str, Any]) -> list[str]:
    return [one["tag"] for one in page["items"]]


# --- keys -------------------------------------------------------------------------------------------------------------------------


def test_u47_a_key_is_resource_environment_and_deployment(api: Api) -> None:
    at = scenes.shop(api)
    release = scenes.deployed(api, at, scenes.version(api, at.deployment))
    assert (
        api.call("target.state", releaseTargetKey=f"{at.resource}-{at.environment}-{at.deployment}")["currentRelease"]["id"]
        == release
    )
    # In another order it is the key of something else, that is not there.
    assert api.call("target.state", releaseTargetKey=f"{at.deployment}-{at.environment}-{at.resource}") == {}


@pytest.mark.parametrize(
    "op", ["target.state", "target.desired", "target.jobs", "target.explain", "target.eligible", "target.pin.get"]
)
def test_what_is_no_key_is_400(quiet: Api, op: str) -> None:
    one = new_id()
    body: Any = {} if op == "target.eligible" else NONE
    for key in ("nonsense", one, f"{one}:{one}:{one}", f"{one}-{one}", f"{one}-{one}-{one}-{one}", f"{one}-{one}-{one[:-1]}x"):
        assert "key" in quiet.refused(400, op, body, releaseTargetKey=key)["message"]


def test_what_is_no_target_has_an_empty_state_and_no_jobs(api: Api) -> None:
    key = f"{new_id()}-{new_id()}-{new_id()}"
    assert api.call("target.state", releaseTargetKey=key) == {}
    assert api.call("target.state", query={"bypassCache": "false"}, releaseTargetKey=key) == {}
    assert api.call("target.jobs", releaseTargetKey=key)["total"] == 0
    assert api.call("target.states", {"deploymentId": new_id(), "environmentId": "nonsense"})["total"] == 0
    api.refused(400, "target.state", query={"bypassCache": "maybe"}, releaseTargetKey=key)


def test_evaluations_are_of_a_version_of_the_deployment(api: Api) -> None:
    at = target(api)
    place = {"releaseTargetKey": at.key}
    assert "no version" in api.refused(404, "target.evaluations", **place)["message"]
    for query in ({"versionId": "nonsense"}, {"versionId": ""}):
        assert api.refused(400, "target.evaluations", query=query, **place)["details"][0]["path"] == "/query/versionId"
    theirs = scenes.version(api, scenes.deployment(api, "web"))
    for version in (theirs, new_id()):
        assert version in api.refused(404, "target.evaluations", query={"versionId": version}, **place)["message"]
    scenes.version(api, at.deployment, "v1")
    newest = scenes.version(api, at.deployment, "v2")
    assert api.call("target.evaluations", **place)["versionId"] == newest


@pytest.mark.parametrize("key", ["nonsense", "a-b-c"])
def test_evaluations_of_what_is_no_key_are_400(quiet: Api, key: str) -> None:
    assert "key" in quiet.refused(400, "target.evaluations", query={"versionId": new_id()}, releaseTargetKey=key)["message"]


def test_a_target_of_an_unlinked_deployment_says_what_happened(api: Api) -> None:
    at = target(api)
    api.call("target.explain", releaseTargetKey=at.key)
    api.call("system.deployment.unlink", systemId=at.system, deploymentId=at.deployment)
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: bool(fact["removed"]))
    told = api.refused(404, "target.explain", releaseTargetKey=at.key)["message"]
    assert "no system holds both" in told
    assert "links both to one system" in told


def test_a_selector_with_an_unknown_field_is_warned_of_where_it_is_saved_and_where_it_matters(api: Api) -> None:
    at = target(api)
    body = {"name": "p", "selector": "resource.nmae == 'r'", "rules": [{"anyApproval": {"minApprovals": 1}}]}
    made = api.call("policy.create", body)
    (warning,) = made["warnings"]
    assert warning["path"] == "/body/selector"
    assert "did you mean name?" in warning["message"]
    assert "warnings" not in api.call("policy.get", policyId=made["id"])
    (told,) = api.call("target.explain", releaseTargetKey=at.key)["warnings"]
    assert told.startswith("Policy 'p': the policy selector names something unknown: resource has no field 'nmae'")
    mended = {**body, "selector": "resource.name == 'r'", "priority": 0, "enabled": True, "metadata": {}}
    assert "warnings" not in api.call("policy.put", mended, policyId=made["id"])
    assert api.call("target.explain", releaseTargetKey=at.key)["warnings"] == []


# --- what a target is -------------------------------------------------------------------------------------------------------------


def test_a_target_needs_both_selectors_and_a_shared_system(api: Api) -> None:
    of = scenes.system(api)
    deployment = scenes.deployment(api, resourceSelector='resource.kind == "Cluster"')
    environment = scenes.environment(api, resourceSelector='resource.metadata["env"] == "prod"')
    scenes.resource(api, "both", metadata={"env": "prod"})
    scenes.resource(api, "one", metadata={"env": "stage"})
    scenes.resource(api, "other", kind="Node", metadata={"env": "prod"})
    for name in ("both", "one", "other"):
        api.refused(404, "resource.target", resourceIdentifier=name, deploymentId=deployment)
    scenes.link(api, of, deployments=(deployment,), environments=(environment,))
    scenes.recorded(api, "planner.targets_changed.v1")
    found = api.call("resource.target", resourceIdentifier="both", deploymentId=deployment)
    assert (found["environmentId"], found["deploymentId"]) == (environment, deployment)
    for name in ("one", "other"):
        api.refused(404, "resource.target", resourceIdentifier=name, deploymentId=deployment)
    api.call("system.deployment.unlink", systemId=of, deploymentId=deployment)
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: bool(fact["removed"]))
    api.refused(404, "resource.target", resourceIdentifier="both", deploymentId=deployment)


def test_the_resource_of_a_target_may_be_called_anything(api: Api) -> None:
    at = scenes.shop(api)
    made = scenes.resource(api, "arn:a/b?c")
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: made in fact["added"])
    found = api.call("resource.target", resourceIdentifier="arn:a/b?c", deploymentId=at.deployment)
    assert found["resourceId"] == made


def test_states_are_listed_by_identifier_of_the_resource(api: Api) -> None:
    at = scenes.shop(api)
    ids = {name: scenes.resource(api, name) for name in ("z", "a")}
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: ids["a"] in fact["added"])
    listed = api.pages("target.states", at.pair)
    assert [one["releaseTarget"]["resourceId"] for one in listed] == [ids["a"], at.resource, ids["z"]]
    api.call("resource.delete", identifier="a")
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: ids["a"] in fact["removed"])
    assert [one["releaseTarget"]["resourceId"] for one in api.pages("target.states", at.pair)] == [at.resource, ids["z"]]


def test_without_a_cleared_version_nothing_is_desired(api: Api) -> None:
    at = target(api)
    scenes.version(api, at.deployment, status="building")
    api.refused(404, "target.desired", releaseTargetKey=at.key)
    assert api.call("target.state", releaseTargetKey=at.key) == {}


def test_a_release_is_of_its_workspace_alone_and_goes_with_what_it_is_of(api: Api) -> None:
    at = scenes.shop(api)
    release = scenes.deployed(api, at, scenes.version(api, at.deployment))
    api.new().refused(404, "release.get", releaseId=release)
    api.call("resource.delete", identifier="r")
    api.refused(404, "release.get", releaseId=release)


def test_a_release_holds_its_variables_exactly(api: Api) -> None:
    at = scenes.shop(api)
    values = {"TEXT": "5432", "WHOLE": 5432, "FLAG": True, "PART": 1.5, "DEEP": {"object": {"a": [1, None]}}}
    for key, given in values.items():
        scenes.value(api, scenes.variable(api, at.deployment, key), given)
    scenes.variable(api, at.deployment, "UNSET")
    release = api.call("release.get", releaseId=scenes.deployed(api, at, scenes.version(api, at.deployment)))
    assert release["variables"] == values
    assert {key: type(one) for key, one in release["variables"].items()} == {key: type(one) for key, one in values.items()}
    assert release["encryptedVariables"] == []


def test_c4_jobs_are_listed_beside_what_they_are_of(api: Api) -> None:
    """One client takes the first eight letters of `job.id` of each item, and ends where there is none."""
    at = scenes.shop(api)
    release = scenes.deployed(api, at, scenes.version(api, at.deployment))
    (item,) = api.pages("job.list")
    assert len(item["job"]["id"][:8]) == 8
    assert (item["job"]["releaseId"], item["release"]["version"]["tag"]) == (release, "v1")
    assert [item[what]["id"] for what in ("deployment", "environment", "resource")] == [
        at.deployment,
        at.environment,
        at.resource,
    ]


def test_u41_a_job_has_its_dispatch_context(api: Api) -> None:
    at = scenes.shop(api, "http-pull")
    version = scenes.version(api, at.deployment)
    job = scenes.recorded(api, "dispatcher.job_created.v1", lambda fact: bool(fact["version_id"] == version))["job_id"]
    context = api.call("job.get", jobId=job)["dispatchContext"]
    assert (context["version"]["id"], context["resource"]["id"], context["jobAgent"]["id"]) == (version, at.resource, at.agent)
    assert (context["environment"]["id"], context["deployment"]["id"], context["variables"]) == (
        at.environment,
        at.deployment,
        {},
    )


# --- preview ----------------------------------------------------------------------------------------------------------------------


def test_a_preview_is_ordered_by_the_names_of_system_deployment_and_environment(api: Api) -> None:
    deployments = [scenes.deployment(api, name, resourceSelector="true") for name in ("b", "a")]
    environments = [scenes.environment(api, name, resourceSelector="true") for name in ("stage", "prod")]
    for name in ("two", "one"):
        scenes.link(api, scenes.system(api, name), deployments=tuple(deployments), environments=tuple(environments))
    body = {**CLUSTER, "identifier": "new", "config": {}, "metadata": {}}
    page = api.call("target.preview", body)
    seen = [tuple(one[what]["name"] for what in ("system", "deployment", "environment")) for one in page["items"]]
    assert seen == sorted(seen)
    assert (len(seen), page["total"]) == (8, 8)
    assert api.call("target.preview", {**body, "identifier": ""})["total"] == 8


# --- candidates -------------------------------------------------------------------------------------------------------------------


def test_eligible_versions_are_filtered_before_rules_are_asked(api: Api) -> None:
    at = target(api)
    for number in range(1, 4):
        scenes.version(api, at.deployment, f"v{number}", config={"n": number}, metadata={"odd": str(number % 2)})
    place = {"releaseTargetKey": at.key}
    assert tags(api.call("target.eligible", {}, **place)) == ["v3", "v2", "v1"]
    assert tags(api.call("target.eligible", {"filter": 'version.metadata["odd"] == "1"'}, **place)) == ["v3", "v1"]
    assert tags(api.call("target.eligible", {"filter": "version.config.n < 3"}, **place)) == ["v2", "v1"]
    assert tags(api.call("target.eligible", {"filter": 'version.metadata["none"] != "x"'}, **place)) == []
    for bad in ("version.", "resource.name == 'x'"):
        assert api.refused(400, "target.eligible", {"filter": bad}, **place)["code"] == "INVALID_CEL"
    api.refused(400, "target.eligible", {"excludeRuleIds": ["nonsense"]}, **place)


def test_eligible_versions_pass_every_rule_save_those_that_are_left_out(api: Api) -> None:
    at = target(api)
    policy = {"name": "p", "rules": [{"anyApproval": {"minApprovals": 1}}]}
    rule = id_of(api.send("POST", "/policies", policy).json()["rules"][0])
    scenes.version(api, at.deployment)
    place = {"releaseTargetKey": at.key}
    assert tags(api.call("target.eligible", {}, **place)) == []
    assert tags(api.call("target.eligible", {"excludeRuleIds": [rule]}, **place)) == ["v1"]
    assert tags(api.call("target.eligible", {"excludeRuleIds": [new_id()]}, **place)) == []


# --- choices ----------------------------------------------------------------------------------------------------------------------


def test_a_pin_shows_in_the_state_until_it_is_released(api: Api) -> None:
    at = scenes.shop(api)
    first = scenes.version(api, at.deployment, "v1")
    scenes.deployed(api, at, first)
    place = {"releaseTargetKey": at.key}
    api.call("target.pin.put", {"versionId": first, "reason": "until monday"}, **place)
    assert api.call("target.state", **place)["pin"]["versionId"] == first
    second = scenes.version(api, at.deployment, "v2")
    # What a pin holds back would otherwise be desired by now: the pin is in the way of every later version.
    api.call("target.pin.delete", **place)
    scenes.deployed(api, at, second)
    assert "pin" not in api.call("target.state", **place)


@pytest.mark.parametrize("what", ["target", "pair"])
def test_a_pin_is_to_a_version_of_the_deployment(api: Api, what: str) -> None:
    at = target(api)
    place = {"releaseTargetKey": at.key} if what == "target" else at.pair
    theirs = scenes.version(api, scenes.deployment(api, "web"))
    api.refused(400, f"{what}.pin.put", {"versionId": theirs}, **place)
    api.refused(404, f"{what}.pin.put", {"versionId": new_id()}, **place)
    api.refused(404, f"{what}.pin.get", **place)
    api.refused(400, f"{what}.pin.put", {"versionId": scenes.version(api, at.deployment), "reason": "x" * 2001}, **place)


def test_a_target_is_rolled_back_to_a_named_version(api: Api) -> None:
    at = scenes.shop(api)
    versions = [scenes.version(api, at.deployment, "v1")]
    first = scenes.deployed(api, at, versions[0])
    for tag in ("v2", "v3"):
        versions.append(scenes.version(api, at.deployment, tag))
        scenes.deployed(api, at, versions[-1])
    place = {"releaseTargetKey": at.key}
    api.refused(404, "target.rollback", {"versionId": new_id()}, **place)
    answer = api.call("target.rollback", {"versionId": versions[0], "reason": "slow"}, **place)
    assert answer["targets"] == 1
    assert api.call("target.desired", **place)["desiredRelease"]["id"] == first
    assert tags(api.call("target.eligible", {}, **place)) == ["v1"]
