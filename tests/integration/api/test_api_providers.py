"""Resource providers and their sets: what the clients in use rely on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import id_of, new_id, provided

pytestmark = pytest.mark.integration


def identifiers(page: list[Any]) -> list[str]:
    return [one["identifier"] for one in page]


def test_u23_an_empty_id_of_a_provider_means_none(api: Api) -> None:
    first = scenes.provider(api, "a")
    assert scenes.provider(api, "b") != first
    assert scenes.provider(api, "a") == first


def test_u24_provider_put_by_known_name_keeps_the_first_id(api: Api) -> None:
    made = scenes.provider(api, "sync")
    assert id_of(api.call("provider.put", {"id": new_id(), "name": "sync"})) == made


def test_u24_provider_put_by_known_id_renames(api: Api) -> None:
    made = scenes.provider(api, "sync")
    scenes.provide(api, made, "r")
    renamed = api.call("provider.put", {"id": made, "name": "other"})
    assert (renamed["id"], renamed["name"]) == (made, "other")
    api.refused(404, "provider.get", name="sync")
    assert identifiers(api.pages("provider.resources", name="other")) == ["r"]
    assert scenes.provider(api, "sync") != made


def test_u38_metadata_of_a_provider_is_kept(api: Api) -> None:
    scenes.provider(api, metadata={"a": "b"})
    assert api.call("provider.get", name="sync")["metadata"] == {"a": "b"}
    # A syncer that tells none must not wipe what somebody else set.
    scenes.provider(api)
    assert api.call("provider.get", name="sync")["metadata"] == {"a": "b"}


def test_u19_a_provider_with_resources_can_not_be_deleted(api: Api) -> None:
    made = scenes.provider(api)
    scenes.provide(api, made, "a", "b")
    assert api.refused(400, "provider.delete", name="sync")["error"] == "Resource provider has resources: 2"
    scenes.provide(api, made)
    api.call("provider.delete", name="sync")
    api.refused(404, "provider.delete", name="sync")


def test_u13_null_config_and_metadata_in_a_set_are_empty(api: Api) -> None:
    scenes.provide(api, scenes.provider(api), "r", config=None, metadata=None)
    got = api.call("resource.get", identifier="r")
    assert (got["config"], got["metadata"]) == ({}, {})


def test_u26_the_time_in_a_set_is_taken_and_does_not_count(api: Api) -> None:
    made = scenes.provider(api)
    scenes.provide(api, made, "r", createdAt="0001-01-01T00:00:00Z", updatedAt="0001-01-01T00:00:00Z")
    got = api.call("resource.get", identifier="r")
    assert got["createdAt"] > "2020"
    assert got["updatedAt"] > "2020"
    scenes.provide(api, made, "r", createdAt="2099-01-01T00:00:00Z", kind="Node")
    assert api.call("resource.get", identifier="r")["createdAt"] == got["createdAt"]


def test_u27_a_set_replaces_everything_that_the_provider_owns(api: Api) -> None:
    made = scenes.provider(api)
    scenes.provide(api, made, "a", "b")
    before = api.call("resource.get", identifier="b")
    answer = scenes.provide(api, made, "b", "c")
    assert (answer["ok"], answer["method"]) == (True, "direct")
    api.refused(404, "resource.get", identifier="a")
    # What stays keeps its id, and what did not change is as it was.
    assert api.call("resource.get", identifier="b") == before
    scenes.provide(api, made)
    assert api.pages("resource.list") == []


def test_u27_a_set_leaves_alone_what_another_provider_owns_and_adopts_what_nobody_does(api: Api) -> None:
    first, second = scenes.provider(api, "first"), scenes.provider(api, "second")
    scenes.provide(api, first, "theirs")
    nobodys = scenes.resource(api, "nobodys", variables={"K": 1})
    scenes.provide(api, second, "theirs", "nobodys", kind="Node")
    theirs, adopted = api.call("resource.get", identifier="theirs"), api.call("resource.get", identifier="nobodys")
    assert (theirs["providerId"], theirs["kind"]) == (first, "Cluster")
    assert (adopted["id"], adopted["providerId"], adopted["kind"]) == (nobodys, second, "Node")
    assert api.call("resource.variables", identifier="nobodys")["total"] == 1
    scenes.provide(api, second)
    assert identifiers(api.pages("resource.list")) == ["theirs"]


def test_saving_a_providers_resource_by_hand_leaves_it_to_the_provider(api: Api) -> None:
    made = scenes.provider(api)
    scenes.provide(api, made, "r")
    scenes.resource(api, "r", kind="Node")
    got = api.call("resource.get", identifier="r")
    assert (got["providerId"], got["kind"]) == (made, "Node")
    scenes.provide(api, made, "r")
    assert api.call("resource.get", identifier="r")["kind"] == "Cluster"


def test_of_two_items_with_one_identifier_the_last_counts(api: Api) -> None:
    body = {"resources": [provided("r", kind="Node"), provided("r", kind="Pod")]}
    api.call("provider.set", body, providerId=scenes.provider(api))
    assert [one["kind"] for one in api.pages("resource.list")] == ["Pod"]


def test_a_set_of_an_unknown_provider_is_404_even_when_it_is_empty(api: Api) -> None:
    elsewhere = scenes.provider(api.new())
    for one in (new_id(), elsewhere):
        for resources in ([], [provided("r")]):
            api.refused(404, "provider.set", {"resources": resources}, providerId=one)
    assert api.pages("resource.list") == []


def test_u39_a_providers_resources_keep_the_order_of_the_set(api: Api) -> None:
    made = scenes.provider(api)
    scenes.provide(api, made, "m", "z", "a")
    assert identifiers(api.pages("provider.resources", name="sync")) == ["m", "z", "a"]
    # Those that were there keep their place before new ones.
    scenes.provide(api, made, "k", "a", "m", "b")
    assert identifiers(api.pages("provider.resources", name="sync")) == ["m", "a", "k", "b"]
