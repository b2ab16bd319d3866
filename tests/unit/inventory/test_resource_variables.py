"""Variables of resources: given a resource, when they are set, then all of them are these, wrapped as the API shows them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.inventory import DeleteResource, SaveResource, SetResourceVariables
from contracts.facts.inventory import ResourceSaved, ResourceVariablesSaved
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.inventory.app import service
from services.inventory.state import InventoryState
from tests.unit.inventory.inventory_scenes import Scene, item
from tests.unit.inventory.relation_scenes import refused


def saved(scene: Scene) -> list[dict[str, Any]]:
    """What was recorded, oldest first."""
    return [fact.variables for fact in scene.world.facts(ResourceVariablesSaved)]


def test_setting_variables_replaces_all_of_them() -> None:
    scene = Scene()
    a = scene.save("a")
    assert scene.world.ask(SetResourceVariables(identifier="a", variables={"x": 1, "y": "2"})) == {"id": a}
    scene.world.ask(SetResourceVariables(identifier="a", variables={"y": True}))
    assert [fact.resource_id for fact in scene.world.facts(ResourceVariablesSaved)] == [a, a]
    assert saved(scene) == [{"x": 1, "y": "2"}, {"y": True}]


def test_no_variables_clear_them() -> None:
    scene = Scene()
    scene.save("a")
    scene.world.ask(SetResourceVariables(identifier="a", variables={"x": 1}))
    scene.world.ask(SetResourceVariables(identifier="a", variables={}))
    assert saved(scene) == [{"x": 1}, {}]
    assert not scene.world.room("inventory").state.variables


@pytest.mark.parametrize(
    "given, kept",
    [
        ("5432", "5432"),
        (5.5, 5.5),
        (False, False),
        ({"a": {"b": 1}}, {"object": {"a": {"b": 1}}}),
        ({}, {"object": {}}),
        ([1, None], {"object": [1, None]}),
        ({"object": {"a": 1}}, {"object": {"a": 1}}),
        ({"object": [1]}, {"object": [1]}),
        ({"object": 1}, {"object": {"object": 1}}),
        ({"object": {}, "more": 1}, {"object": {"object": {}, "more": 1}}),
        ({"reference": "vpc", "path": ["name"]}, {"reference": "vpc", "path": ["name"]}),
        ({"reference": "", "path": ["name"]}, {"object": {"reference": "", "path": ["name"]}}),
        ({"reference": "vpc"}, {"object": {"reference": "vpc"}}),
        ({"valueHash": "abc"}, {"valueHash": "abc"}),
    ],
)
def test_objects_and_lists_are_wrapped_once(given: Any, kept: Any) -> None:
    scene = Scene()
    scene.save("a")
    scene.world.ask(SetResourceVariables(identifier="a", variables={"x": given}))
    assert saved(scene) == [{"x": kept}]
    scene.world.ask(SetResourceVariables(identifier="a", variables={"x": kept}))
    assert len(saved(scene)) == 1, "what is read back can be sent again"


def test_the_same_variables_append_nothing() -> None:
    scene = Scene()
    scene.save("a")
    scene.world.ask(SetResourceVariables(identifier="a", variables={}))
    assert saved(scene) == []
    scene.world.ask(SetResourceVariables(identifier="a", variables={"x": {"a": 1, "b": 2}, "y": "z"}))
    scene.world.ask(SetResourceVariables(identifier="a", variables={"y": "z", "x": {"b": 2, "a": 1}}))
    assert len(saved(scene)) == 1


def test_true_is_another_value_than_one() -> None:
    scene = Scene()
    scene.save("a")
    for value in (1, True, 1.0):
        scene.world.ask(SetResourceVariables(identifier="a", variables={"x": value}))
    assert len(saved(scene)) == 3


def test_null_is_refused_with_its_place() -> None:
    scene = Scene()
    scene.save("a")
    refusal = refused(scene, SetResourceVariables(identifier="a", variables={"x": 1, "a/b": None, "c": None})).refusal
    assert refusal.kind == "invalid"
    assert [one["path"] for one in refusal.details] == ["/body/a~1b", "/body/c"]
    assert refusal.message == "/body/a~1b must not be null; leave the variable out instead"
    refusal = refused(scene, SaveResource(resource=item("a", name="new"), variables={"x": None})).refusal
    assert [one["path"] for one in refusal.details] == ["/body/variables/x"]


def test_variables_of_an_unknown_resource_are_not_found() -> None:
    refusal = refused(Scene(), SetResourceVariables(identifier="nowhere", variables={})).refusal
    assert (refusal.kind, refusal.message) == ("not_found", "Resource 'nowhere' not found")


def test_variables_too_large_for_the_log_are_refused() -> None:
    scene = Scene()
    scene.save("a")
    refusal = refused(scene, SetResourceVariables(identifier="a", variables={"x": "y" * 300_000})).refusal
    assert refusal.kind == "invalid"
    assert refusal.message.startswith("The set of variables of resource 'a' is too large")


def test_an_integer_beyond_64_bits_is_refused() -> None:
    scene = Scene()
    scene.save("a")
    refusal = refused(scene, SetResourceVariables(identifier="a", variables={"x": {"deep": 2**64}})).refusal
    assert [one["path"] for one in refusal.details] == ["/body/x"]


def test_a_resource_is_saved_with_its_variables_in_one_decision() -> None:
    scene = Scene()
    resource_id = scene.world.ask(SaveResource(resource=item("a"), variables={"x": [1]}))["id"]
    assert len(scene.world.rounds) == 1
    assert scene.world.room("inventory").state.variables[resource_id] == {"x": {"object": [1]}}


def test_variables_left_out_stay_and_given_ones_replace() -> None:
    scene = Scene()
    scene.world.ask(SaveResource(resource=item("a"), variables={"x": 1}))
    scene.world.ask(SaveResource(resource=item("a", name="new")))
    assert saved(scene) == [{"x": 1}]
    scene.world.ask(SaveResource(resource=item("a", name="new"), variables={"y": 2}))
    assert (saved(scene), len(scene.world.facts(ResourceSaved))) == ([{"x": 1}, {"y": 2}], 2)
    scene.world.ask(SaveResource(resource=item("a", name="new"), variables={}))
    assert saved(scene)[-1] == {}


def test_a_set_of_a_provider_leaves_variables_alone() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a"))
    scene.world.ask(SetResourceVariables(identifier="a", variables={"x": 1}))
    scene.sync(provider, item("a", name="new"))
    assert list(scene.world.room("inventory").state.variables.values()) == [{"x": 1}]


def test_variables_end_with_their_resource() -> None:
    scene = Scene()
    scene.world.ask(SaveResource(resource=item("a"), variables={"x": 1}))
    scene.world.ask(DeleteResource(identifier="a"))
    assert not scene.world.room("inventory").state.variables
    scene.save("a")
    assert not scene.world.room("inventory").state.variables, "one that returns is another one"


def test_variables_survive_a_snapshot() -> None:
    scene = Scene()
    scene.world.ask(SaveResource(resource=item("a"), variables={"x": 1, "y": {"z": [1.5]}}))
    state = scene.world.room("inventory").state
    assert refold(service, scene.world.log) == state
    assert decode(InventoryState, encode(InventoryState, state)) == state
