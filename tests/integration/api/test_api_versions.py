"""Versions and what they depend on: what the clients in use rely on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import new_id

pytestmark = pytest.mark.integration

V1: dict[str, Any] = {"tag": "v1", "name": "", "status": "ready"}


def test_u17_a_version_is_created_with_200_where_other_things_are_with_202(api: Api) -> None:
    assert api.ask("version.create", V1, deploymentId=scenes.deployment(api)).status_code == 200


def test_u29_an_empty_name_of_a_version_means_its_tag(api: Api) -> None:
    of = scenes.deployment(api)
    assert api.call("version.create", V1, deploymentId=of)["name"] == "v1"
    assert api.call("version.create", {**V1, "tag": "v2", "name": "two"}, deploymentId=of)["name"] == "two"


def test_u30_a_tag_is_taken_once_in_a_deployment(api: Api) -> None:
    of, other = scenes.deployment(api), scenes.deployment(api, "web")
    scenes.version(api, of)
    error = api.refused(409, "version.create", {**V1, "status": "building"}, deploymentId=of)
    assert "v1" in error["message"]
    scenes.version(api, other)
    assert api.call("version.list", deploymentId=of)["total"] == 1


def test_what_was_created_when_is_told_by_the_server(api: Api) -> None:
    of = scenes.deployment(api)
    for number, told in enumerate(("0001-01-01T00:00:00Z", "2099-01-01T00:00:00+02:00")):
        made = api.call("version.create", {**V1, "tag": f"v{number}", "createdAt": told}, deploymentId=of)
        assert "2020" < made["createdAt"] < "2099"


def test_statuses_of_versions(api: Api) -> None:
    of = scenes.deployment(api)
    for status in ("ready", "building", "failed", "rejected", "unspecified"):
        made = api.call("version.create", {**V1, "tag": status, "status": status}, deploymentId=of)
        assert made["status"] == status
        assert api.call("version.patch", {"status": status}, deploymentVersionId=made["id"]) == made


@pytest.mark.parametrize("status", ["paused", "Ready", "", "deployed"])
def test_a_status_that_clients_can_not_set_is_refused(quiet: Api, status: str) -> None:
    quiet.refused(400, "version.create", {**V1, "status": status}, deploymentId=new_id())
    quiet.refused(400, "version.patch", {"status": status}, deploymentVersionId=new_id())


def test_a_patch_may_carry_an_id_and_a_time_that_count_for_nothing(api: Api) -> None:
    of = scenes.deployment(api)
    made = api.call("version.create", V1, deploymentId=of)
    body = {"id": new_id(), "createdAt": "0001-01-01T00:00:00Z", "tag": "v9"}
    assert api.call("version.patch", body, deploymentVersionId=made["id"]) == {**made, "tag": "v9", "name": made["name"]}


def test_versions_are_listed_by_age(api: Api) -> None:
    of = scenes.deployment(api)
    for tag in ("v1", "v10", "v2"):
        scenes.version(api, of, tag)
    assert [one["tag"] for one in api.pages("version.list", deploymentId=of)] == ["v2", "v10", "v1"]
    assert [one["tag"] for one in api.pages("version.list", query={"order": "desc"}, deploymentId=of)] == ["v2", "v10", "v1"]
    assert [one["tag"] for one in api.pages("version.list", query={"order": "asc"}, deploymentId=of)] == ["v1", "v10", "v2"]
    for order in ("ASC", "newest", ""):
        api.refused(400, "version.list", query={"order": order}, deploymentId=of)


def test_versions_are_filtered_by_what_they_are(api: Api) -> None:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    scenes.version(api, of, "v1", metadata={"sha": "a+b"}, config={"replicas": 3})
    scenes.version(api, of, "v2", status="building", jobAgentConfig={"x": {"y": True}})
    scenes.version(api, of, "v3", dependencies={other: {"versionSelector": "true"}})

    def tags(cel: str) -> list[str]:
        return [one["tag"] for one in api.pages("version.list", query={"cel": cel}, deploymentId=of)]

    assert tags('version.metadata["sha"] == "a+b"') == ["v1"]
    assert tags("version.config.replicas == 3") == ["v1"]
    assert tags("version.jobAgentConfig.x.y") == ["v2"]
    assert tags('version.status == "ready"') == ["v3", "v1"]
    assert tags(f'"{other}" in version.dependencies') == ["v3"]
    assert tags('version.tag.startsWith("v")') == ["v3", "v2", "v1"]
    assert api.refused(400, "version.list", query={"cel": "version."}, deploymentId=of)["code"] == "INVALID_CEL"
    assert api.refused(400, "version.list", query={"cel": "resource.name == 'x'"}, deploymentId=of)["code"] == "INVALID_CEL"


# --- dependencies -----------------------------------------------------------------------------------------------------------------


def test_items_of_the_list_carry_their_dependencies(api: Api) -> None:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    scenes.version(api, of, "v1")
    made = api.call("version.create", {**V1, "tag": "v2", "dependencies": {other: {"versionSelector": "true"}}}, deploymentId=of)
    newest, oldest = api.pages("version.list", deploymentId=of)
    assert (newest["id"], newest["dependencies"]) == (made["id"], {other: {"versionSelector": "true"}})
    assert oldest["dependencies"] == {}


def test_u46_a_version_comes_with_all_of_its_dependencies_or_not_at_all(api: Api) -> None:
    of, other = scenes.deployment(api), scenes.deployment(api, "db")
    good = {other: {"versionSelector": "true"}}
    for status, bad in (
        (400, {"nonsense": {"versionSelector": "true"}}),
        (400, {of: {"versionSelector": "true"}}),
        (400, {other: {"versionSelector": ""}}),
        (400, {other: {"versionSelector": "  "}}),
        (400, {other: {"versionSelector": "version."}}),
        (400, {other: {}}),
        (400, {other: "true"}),
        (404, {new_id(): {"versionSelector": "true"}}),
    ):
        api.refused(status, "version.create", {**V1, "dependencies": {**good, **bad}}, deploymentId=of)
    assert api.call("version.list", deploymentId=of)["total"] == 0
    # The tag is still free.
    assert api.call("version.create", {**V1, "dependencies": good}, deploymentId=of)["tag"] == "v1"


def test_vdep_rest_validation(api: Api) -> None:
    of, other, third = scenes.deployment(api), scenes.deployment(api, "db"), scenes.deployment(api, "cache")
    made, always = scenes.version(api, of), {"versionSelector": "true"}
    place = {"deploymentVersionId": made}
    api.refused(400, "dependency.put", always, **place, dependencyDeploymentId=of)
    api.refused(400, "dependency.put", {"versionSelector": "version."}, **place, dependencyDeploymentId=other)
    api.refused(404, "dependency.put", always, **place, dependencyDeploymentId=new_id())
    api.refused(404, "dependency.put", always, deploymentVersionId=new_id(), dependencyDeploymentId=other)
    unknown = {other: always, new_id(): always}
    api.refused(404, "version.create", {**V1, "tag": "v2", "dependencies": unknown}, deploymentId=of)
    assert [one["tag"] for one in api.pages("version.list", deploymentId=of)] == ["v1"], "it comes whole or not at all"
    for one in (other, third):
        api.call("dependency.put", always, **place, dependencyDeploymentId=one)
    listed = api.call("dependency.list", **place)
    assert [one["dependencyDeploymentId"] for one in listed] == sorted((other, third))
    api.call("dependency.delete", **place, dependencyDeploymentId=other)
    api.refused(404, "dependency.delete", **place, dependencyDeploymentId=other)


def test_dependencies_are_listed_by_the_deployment_they_are_on(api: Api) -> None:
    made = scenes.version(api, scenes.deployment(api))
    others = [scenes.deployment(api, f"d{number}") for number in range(4)]
    for other in others:
        api.call("dependency.put", {"versionSelector": "true"}, deploymentVersionId=made, dependencyDeploymentId=other)
    listed = api.call("dependency.list", deploymentVersionId=made)
    assert [one["dependencyDeploymentId"] for one in listed] == sorted(others)


def test_u21_a_version_selector_that_is_none_is_refused(api: Api) -> None:
    other = scenes.deployment(api, "db")
    edge = {"deploymentVersionId": scenes.version(api, scenes.deployment(api)), "dependencyDeploymentId": other}
    for selector in ("", " ", "version.", "version.tag = 'x'", "nobody.tag == 'x'"):
        error = api.refused(400, "dependency.put", {"versionSelector": selector}, **edge)
        assert error["details"][0]["path"] == "/body/versionSelector"
    assert api.call("dependency.list", deploymentVersionId=edge["deploymentVersionId"]) == []


def test_a_version_can_not_depend_on_its_own_deployment(api: Api) -> None:
    of = scenes.deployment(api)
    made = scenes.version(api, of)
    api.refused(400, "dependency.put", {"versionSelector": "true"}, deploymentVersionId=made, dependencyDeploymentId=of)
