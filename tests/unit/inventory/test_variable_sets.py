"""Variable sets: given a set, when it is saved or deleted, then its whole document is told, or the wish is refused with the place."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.inventory import DeleteVariableSet, SaveVariableSet, VariableInput
from contracts.facts.inventory import VariableSetDeleted, VariableSetSaved
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.inventory.app import service
from services.inventory.state import InventoryState
from tests.unit.inventory.inventory_scenes import Scene, uid
from tests.unit.inventory.relation_scenes import refused


def variables(**values: Any) -> tuple[VariableInput, ...]:
    """Variables as a client describes them."""
    return tuple(VariableInput(key=key, value=value) for key, value in values.items())


def wish(**fields: Any) -> SaveVariableSet:
    """A new set, unless told otherwise."""
    return SaveVariableSet(**{"name": "shared", "selector": "true", **fields})


def newest(scene: Scene) -> VariableSetSaved:
    """The newest document."""
    return scene.world.facts(VariableSetSaved)[-1]


def test_a_new_set_gets_defaults_and_ids_of_its_command() -> None:
    def create() -> VariableSetSaved:
        scene = Scene()
        answer = scene.world.ask(wish(variables=variables(a=1, b="2")), id=uid("command"))
        assert answer == {"id": newest(scene).set_id}
        return newest(scene)

    one = create()
    assert (one.name, one.description, one.priority, one.metadata) == ("shared", "", 0, {})
    assert [(v.key, v.value) for v in one.variables] == [("a", 1), ("b", "2")]
    assert len({one.set_id, *(v.id for v in one.variables)}) == 3
    assert one == create(), "the same command makes the same ids"


def test_a_change_leaves_what_is_not_given() -> None:
    scene = Scene()
    given = wish(description="d", priority=3, metadata={"a": "b"}, variables=variables(x=1))
    set_id = scene.world.ask(given)["id"]
    first = newest(scene)
    scene.world.advance(60)
    assert scene.world.ask(SaveVariableSet(set_id=set_id, priority=0)) == {"id": set_id}
    assert newest(scene) == first.model_copy(update={"priority": 0, "updated_at": scene.world.now})


def test_replacing_variables_keeps_the_ids_of_keys_that_stay() -> None:
    scene = Scene()
    set_id = scene.world.ask(wish(variables=variables(a=1, b=2)))["id"]
    before = {one.key: one.id for one in newest(scene).variables}
    scene.world.ask(SaveVariableSet(set_id=set_id, variables=variables(c=3, b=4)))
    after = newest(scene).variables
    assert [(one.key, one.value) for one in after] == [("c", 3), ("b", 4)]
    assert after[1].id == before["b"]
    assert after[0].id not in before.values()
    scene.world.ask(SaveVariableSet(set_id=set_id, variables=()))
    assert newest(scene).variables == ()


def test_a_change_that_changes_nothing_appends_nothing() -> None:
    scene = Scene()
    set_id = scene.world.ask(wish(variables=variables(a=1)))["id"]
    head = len(scene.world.log)
    scene.world.advance(60)
    for same in (SaveVariableSet(set_id=set_id), wish(set_id=set_id, variables=variables(a=1), description="", priority=0)):
        assert scene.world.ask(same) == {"id": set_id}
    assert len(scene.world.log) == head
    scene.world.ask(SaveVariableSet(set_id=set_id, variables=variables(a=True)))
    assert len(scene.world.log) == head + 1, "true is another value than 1"


def test_names_are_not_unique() -> None:
    scene = Scene()
    assert scene.world.ask(wish())["id"] != scene.world.ask(wish())["id"]


@pytest.mark.parametrize("field", ["name", "selector"])
def test_a_new_set_needs_name_and_selector(field: str) -> None:
    refusal = refused(Scene(), wish(**{field: None})).refusal
    assert (refusal.kind, refusal.details[0]["path"]) == ("invalid", f"/body/{field}")


def test_an_unknown_set_is_not_found() -> None:
    for asked in (SaveVariableSet(set_id=uid("x"), name="new"), DeleteVariableSet(set_id=uid("x"))):
        refusal = refused(Scene(), asked).refusal
        assert (refusal.kind, refusal.code) == ("not_found", "NOT_FOUND")
        assert uid("x") in refusal.message


def test_a_key_twice_is_refused() -> None:
    twice = (*variables(a=1, b=2), *variables(a=3))
    refusal = refused(Scene(), wish(variables=twice)).refusal
    assert (refusal.kind, refusal.code, refusal.message) == (
        "invalid",
        "BAD_REQUEST",
        "Duplicate variable key 'a'; keep one of them",
    )
    assert [one["path"] for one in refusal.details] == ["/body/variables/2/key"]


def test_a_bad_selector_is_refused_with_line_and_column() -> None:
    scene = Scene()
    set_id = scene.world.ask(wish())["id"]
    for asked in (wish(selector="true &&\n  nobody.knows"), SaveVariableSet(set_id=set_id, selector="true &&\n  nobody.knows")):
        refusal = refused(scene, asked).refusal
        assert (refusal.kind, refusal.code) == ("invalid", "INVALID_CEL")
        (detail,) = refusal.details
        assert (detail["path"], detail["line"], detail["column"]) == ("/body/selector", 2, 3)


@pytest.mark.parametrize(
    "selector", ["", "true", 'resource.metadata["a"] == deployment.name && environment.name == "prod" && has(version.message)']
)
def test_a_selector_may_name_all_of_a_target(selector: str) -> None:
    scene = Scene()
    scene.world.ask(wish(selector=selector))
    assert newest(scene).selector == selector


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, {"object": 1}, {"reference": "", "path": []}, 2**64])
def test_a_value_that_is_none_of_the_forms_is_refused_with_its_place(value: Any) -> None:
    refusal = refused(Scene(), wish(variables=variables(good=1, bad=value))).refusal
    assert refusal.kind == "invalid"
    assert [one["path"] for one in refusal.details] == ["/body/variables/1/value"]


@pytest.mark.parametrize("value", ["5432", 1, 1.5, True, {"object": {"a": 1}}, {"reference": "vpc", "path": ["id"]}])
def test_a_value_is_kept_as_it_was_written(value: Any) -> None:
    scene = Scene()
    scene.world.ask(wish(variables=variables(x=value)))
    assert newest(scene).variables[0].value == value
    assert newest(scene).variables[0].value.__class__ is value.__class__


@pytest.mark.parametrize("priority", [2**31, -(2**31) - 1, 2**64])
def test_a_priority_beyond_32_bits_is_refused(priority: int) -> None:
    refusal = refused(Scene(), wish(priority=priority)).refusal
    assert refusal.details[0]["path"] == "/body/priority"


def test_a_set_too_large_for_the_log_is_refused() -> None:
    refusal = refused(Scene(), wish(variables=variables(x="y" * 300_000))).refusal
    assert refusal.message.startswith("Variable set 'shared' is too large")


def test_a_deleted_set_is_gone() -> None:
    scene = Scene()
    set_id = scene.world.ask(wish())["id"]
    assert scene.world.ask(DeleteVariableSet(set_id=set_id)) == {"id": set_id}
    assert [fact.set_id for fact in scene.world.facts(VariableSetDeleted)] == [set_id]
    assert not scene.world.room("inventory").state.variable_sets
    assert refused(scene, DeleteVariableSet(set_id=set_id)).refusal.kind == "not_found"


def test_sets_survive_a_snapshot() -> None:
    scene = Scene()
    scene.world.ask(wish(variables=variables(a=1, b={"object": {"c": [1.5]}})))
    state = scene.world.room("inventory").state
    assert refold(service, scene.world.log) == state
    assert decode(InventoryState, encode(InventoryState, state)) == state
