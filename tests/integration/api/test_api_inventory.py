"""Resources and their search: what the clients in use rely on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api, new_workspace
from tests.integration.api.scenes import CLUSTER, new_id, provided

pytestmark = pytest.mark.integration

CHANGED = {"name": "two", "kind": "Node", "version": "v2"}


def identifiers(page: list[Any]) -> list[str]:
    return [one["identifier"] for one in page]


# --- resources --------------------------------------------------------------------------------------------------------------------


def test_u14_a_resource_is_deleted_with_200(api: Api) -> None:
    """C1: of clients that want 200 and clients that want 202, those that want 200 are served."""
    made = scenes.resource(api)
    answer = api.ask("resource.delete", identifier="r")
    assert (answer.status_code, answer.json()) == (200, {"id": made, "message": "Resource deleted"})
    for op in ("resource.get", "resource.delete", "resource.variables", "resource.deployments"):
        api.refused(404, op, identifier="r")
    # One that is made again is another one.
    assert scenes.resource(api) != made


def test_u20_what_is_not_there_is_404_where_only_200_is_published(api: Api) -> None:
    for op, params in (
        ("resource.get", {"identifier": "x"}),
        ("provider.get", {"name": "x"}),
        ("provider.resources", {"name": "x"}),
    ):
        assert api.refused(404, op, **params)["error"]


def test_saving_a_resource_replaces_config_and_metadata(api: Api) -> None:
    made = scenes.resource(api, config={"a": 1, "b": 2}, metadata={"x": "1", "y": "2"})
    assert scenes.resource(api, config={"b": 3}, metadata={"y": "3"}) == made
    got = api.call("resource.get", identifier="r")
    assert (got["config"], got["metadata"]) == ({"b": 3}, {"y": "3"})
    api.call("resource.put", CHANGED, identifier="r")
    got = api.call("resource.get", identifier="r")
    assert (got["config"], got["metadata"], got["name"], got["kind"], got["version"]) == ({}, {}, "two", "Node", "v2")


def test_metadata_holds_nothing_but_text(quiet: Api) -> None:
    values: list[Any] = [1, True, None, {}, [], 1.5]
    for value in values:
        error = quiet.refused(400, "resource.put", {**CLUSTER, "metadata": {"k": value}}, identifier="r")
        assert error["details"][0]["path"].startswith("/body/metadata/k")


def test_u34_variables_are_replaced_when_they_are_sent_and_stay_when_they_are_not(api: Api) -> None:
    scenes.resource(api, variables={"A": 1, "B": "x"})

    def variables() -> dict[str, Any]:
        return {one["key"]: one["value"] for one in api.pages("resource.variables", identifier="r")}

    assert variables() == {"A": 1, "B": "x"}
    scenes.resource(api, kind="Node")
    assert variables() == {"A": 1, "B": "x"}
    scenes.resource(api, variables={"C": True})
    assert variables() == {"C": True}
    api.call("resource.variables.patch", {"D": 1.5}, identifier="r")
    assert variables() == {"D": 1.5}
    api.call("resource.variables.patch", {}, identifier="r")
    assert variables() == {}
    scenes.resource(api, variables={"A": 1})
    scenes.resource(api, variables={})
    assert variables() == {}


def test_objects_and_lists_of_a_resource_are_wrapped_once(api: Api) -> None:
    scenes.resource(api)
    sent = {
        "object": {"a": {"b": 1}},
        "list": [1, "x"],
        "wrapped": {"object": {"a": 1}},
        "reference": {"reference": "network", "path": ["metadata", "id"]},
        "text": "5432",
        "whole": 5432,
        "flag": True,
        "empty": {},
    }
    api.call("resource.variables.patch", sent, identifier="r")
    got = {one["key"]: one["value"] for one in api.pages("resource.variables", identifier="r")}
    wrapped = {"object": {"object": {"a": {"b": 1}}}, "list": {"object": [1, "x"]}, "empty": {"object": {}}}
    assert got == {**sent, **wrapped}


def test_null_is_no_variable(api: Api) -> None:
    scenes.resource(api, variables={"A": 1})
    for op, body in (("resource.variables.patch", {"B": None}), ("resource.put", {**CLUSTER, "variables": {"B": None}})):
        assert "B" in str(api.refused(400, op, body, identifier="r"))
    assert [one["key"] for one in api.pages("resource.variables", identifier="r")] == ["A"]


def test_an_empty_identifier_names_nothing(api: Api) -> None:
    made = scenes.provider(api)
    api.refused(400, "provider.set", {"resources": [provided("")]}, providerId=made)
    assert api.send("PUT", "/resources/identifier/", CLUSTER).status_code == 404


def test_too_large_a_resource_is_refused_with_its_size(api: Api) -> None:
    large = {"text": "x" * 300_000}
    made = scenes.provider(api)
    for op, body, params in (
        ("resource.put", {**CLUSTER, "config": large}, {"identifier": "r"}),
        ("provider.set", {"resources": [provided("a"), provided("r", config=large)]}, {"providerId": made}),
    ):
        error = api.refused(400, op, body, **params)
        assert "'r'" in error["message"]
        assert "too large" in error["message"]
    # A set is taken as a whole or not at all.
    assert api.pages("resource.list") == []


# --- the list ---------------------------------------------------------------------------------------------------------------------


def test_resources_are_filtered_by_an_expression(api: Api) -> None:
    scenes.resource(api, "a", metadata={"env": "prod", "x&y": "1", "p+q": "50%"}, config={"port": 8080, "deep": {"on": True}})
    scenes.resource(api, "b", metadata={"env": "stage"}, kind="Node")
    scenes.resource(api, "c")

    def found(cel: str) -> list[str]:
        return identifiers(api.pages("resource.list", query={"cel": cel}))

    assert found('resource.kind == "Cluster"') == ["c", "a"]
    assert found('resource.kind == "Cluster" && resource.identifier != "a"') == ["c"]
    assert found('resource.metadata["x&y"] == "1"') == ["a"]
    assert found("resource.metadata['p+q'] == '50%'") == ["a"]
    assert found('resource.metadata.env == "prod"') == ["a"]
    assert found("resource.config.port == 8080 && resource.config.deep.on") == ["a"]
    assert found('resource.name.startsWith("b") || resource.name.endsWith("c")') == ["c", "b"]
    assert found('"env" in resource.metadata') == ["b", "a"]
    assert found('has(resource.metadata["env"])') == ["b", "a"]
    assert found('resource.kind.toLowerCase() == "node"') == ["b"]
    assert found("true") == ["c", "b", "a"]
    assert found("false") == []


def test_u44_a_missing_key_is_no_match_and_no_error(api: Api) -> None:
    scenes.resource(api, "a", metadata={"env": "prod"})
    scenes.resource(api, "b")
    for cel in ('resource.metadata["env"] != "stage"', '!(resource.metadata.env == "stage")', 'resource.metadata["env"] < "q"'):
        assert identifiers(api.pages("resource.list", query={"cel": cel})) == ["a"], cel
    assert identifiers(api.pages("resource.list", query={"cel": 'resource.metadata["env"] == "prod" || true'})) == ["b", "a"]
    # A resource on which it fails otherwise is passed over as well.
    scenes.resource(api, "c", config={"n": "text"})
    scenes.resource(api, "d", config={"n": 2})
    assert identifiers(api.pages("resource.list", query={"cel": "resource.config.n > 1"})) == ["d"]


def test_a_filtered_list_is_paged_after_it_was_filtered(api: Api) -> None:
    for name in "abcdef":
        scenes.resource(api, name, kind="Node" if name in "bdf" else "Cluster")
    page = api.call("resource.list", query={"cel": 'resource.kind == "Node"', "limit": 2, "offset": 1})
    assert (identifiers(page["items"]), page["total"], page["limit"], page["offset"]) == (["d", "b"], 3, 2, 1)


# --- search -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def searched(client: httpx.Client) -> Api:
    """Five resources, two of them a provider's, which nobody changes."""
    api = new_workspace(client)
    made = scenes.provider(api)
    items = [provided("p/1", name="Alpha", metadata={"env": "prod"}), provided("p/2", name="beta", version="v2")]
    api.call("provider.set", {"resources": items}, providerId=made)
    scenes.resource(api, "q%1", name="100%", kind="Node", metadata={"env": "prod", "team": "a"})
    scenes.resource(api, "q_2", name="x_y", kind="Node")
    scenes.resource(api, "z\\3", name="back\\slash", kind="Pod", metadata={"env": "stage"})
    return api


@pytest.mark.parametrize(
    "search,expected",
    [
        ({}, ["p/1", "p/2", "q%1", "q_2", "z\\3"]),
        ({"kinds": ["Node"]}, ["q%1", "q_2"]),
        ({"kinds": ["Node", "Pod"]}, ["q%1", "q_2", "z\\3"]),
        ({"kinds": ["node"]}, []),
        (
            {"kinds": [], "versions": [], "identifiers": [], "providerIds": [], "metadata": {}},
            ["p/1", "p/2", "q%1", "q_2", "z\\3"],
        ),
        ({"versions": ["v2"]}, ["p/2"]),
        ({"identifiers": ["q_2", "p/1", "nobody"]}, ["p/1", "q_2"]),
        ({"metadata": {"env": "prod"}}, ["p/1", "q%1"]),
        ({"metadata": {"env": "prod", "team": "a"}}, ["q%1"]),
        ({"metadata": {"env": ""}}, []),
        ({"query": "ALPHA"}, ["p/1"]),
        ({"query": "p/"}, ["p/1", "p/2"]),
        ({"query": "%"}, ["q%1"]),
        ({"query": "_"}, ["q_2"]),
        ({"query": "\\"}, ["z\\3"]),
        ({"query": "x_y"}, ["q_2"]),
        ({"query": "xzy"}, []),
        ({"query": "100", "kinds": ["Pod"]}, []),
        ({"sortBy": "name"}, ["q%1", "p/1", "z\\3", "p/2", "q_2"]),
        ({"sortBy": "name", "order": "desc"}, ["q_2", "p/2", "z\\3", "p/1", "q%1"]),
        ({"sortBy": "kind"}, ["p/1", "p/2", "q%1", "q_2", "z\\3"]),
        ({"sortBy": "kind", "order": "desc"}, ["z\\3", "q_2", "q%1", "p/2", "p/1"]),
        ({"sortBy": "createdAt", "order": "desc"}, ["z\\3", "q_2", "q%1", "p/2", "p/1"]),
        ({"sortBy": "createdAt", "limit": 2, "offset": 1}, ["p/2", "q%1"]),
    ],
)
def test_resources_are_searched(searched: Api, search: dict[str, Any], expected: list[str]) -> None:
    page = searched.call("resource.search", search)
    assert identifiers(page["items"]) == expected
    assert page["total"] == (5 if "limit" in search else len(expected))


def test_resources_are_searched_by_provider(searched: Api) -> None:
    made = searched.call("provider.get", name="sync")["id"]
    assert identifiers(searched.pages("resource.search", {"providerIds": [made, new_id()]})) == ["p/1", "p/2"]
    assert identifiers(searched.pages("resource.search", {"providerIds": ["nonsense"]})) == []


def test_resources_are_searched_by_when_they_were_changed(api: Api) -> None:
    for name in ("a", "b", "c"):
        scenes.resource(api, name)
    scenes.resource(api, "b", kind="Node")
    found = identifiers(api.pages("resource.search", {"sortBy": "updatedAt", "order": "desc"}))
    assert found[0] == "b"
    assert sorted(found) == ["a", "b", "c"]


def test_deployments_of_a_resource_are_those_that_select_it_linked_or_not(api: Api) -> None:
    scenes.resource(api, metadata={"env": "prod"})
    scenes.deployment(api, "b", resourceSelector='resource.metadata["env"] == "prod"')
    scenes.deployment(api, "a", resourceSelector="true")
    scenes.deployment(api, "c")
    scenes.deployment(api, "d", resourceSelector='resource.metadata["team"] != "x"')
    assert [one["name"] for one in api.pages("resource.deployments", identifier="r")] == ["a", "b"]
