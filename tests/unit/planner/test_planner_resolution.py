"""The variables of a release: which source wins, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.planner import (
    DeleteDeploymentVariable,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from contracts.facts.planner import DeploymentVariableValueSaved, ReleasesCreated
from contracts.shapes import Json
from services.planner.desired import BYTES_PER_FACT
from services.planner.resolution import MAX_VARIABLES_BYTES
from tests.unit.planner.planner_scenes import R1, R2, uid
from tests.unit.planner.variable_scenes import VariableScene

HERE = f"resource.id == '{R1}'"
LOW, HIGH = sorted((uid("one value"), uid("another value")))


# --- which source wins -------------------------------------------------------------------------------------------------------------


def test_without_deployment_variables_there_are_none() -> None:
    scene = VariableScene(R1)
    scene.set_variables(R1, {"x": 1})
    scene.save_set("s", "true", {"x": 2})
    assert scene.variables(R1) == {}
    assert len(scene.releases()) == 1, "and nothing is released again"


def test_only_declared_keys_are_resolved() -> None:
    scene = VariableScene(R1)
    scene.set_variables(R1, {"x": 1, "y": 1})
    scene.save_set("s", "true", {"z": 2})
    scene.declare("x")
    assert scene.variables(R1) == {"x": 1}


def test_resource_variable_then_deployment_value_then_set_then_absent() -> None:
    scene = VariableScene(R1)
    scene.declare("x", "deployment")
    scene.save_set("s", "true", {"x": "set"}, priority=100)
    scene.set_variables(R1, {"x": "resource"})
    assert scene.variables(R1) == {"x": "resource"}
    scene.set_variables(R1, {})
    assert scene.variables(R1) == {"x": "deployment"}
    scene.world.do(DeleteDeploymentVariable(variable_id=uid("variable x")))
    scene.declare("x")
    assert scene.variables(R1) == {"x": "set"}
    scene.save_set("s", "false", {"x": "set"})
    assert scene.variables(R1) == {}


def test_among_deployment_values_the_greatest_priority_wins_however_special_another_is() -> None:
    scene = VariableScene(R1, R2)
    scene.declare("x")
    scene.value("x", "for all", priority=1)
    scene.value("x", "for one", priority=0, selector=HERE)
    assert scene.variables(R1) == {"x": "for all"}
    scene.value("x", "for one, first", priority=2, selector=HERE)
    assert (scene.variables(R1), scene.variables(R2)) == ({"x": "for one, first"}, {"x": "for all"})


@pytest.mark.parametrize("order", [(LOW, HIGH), (HIGH, LOW)])
def test_equal_priorities_of_values_are_broken_by_the_lowest_id(order: tuple[str, str]) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    for one in order:
        scene.value("x", one, priority=0, selector=f"resource.id != '{one}'", id=one)
    assert scene.variables(R1) == {"x": LOW}


@pytest.mark.parametrize("selector", [None, ""])
def test_a_value_without_a_selector_matches(selector: str | None) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.value("x", 1, priority=0, selector=selector)
    assert scene.variables(R1) == {"x": 1}


@pytest.mark.parametrize(
    "selector",
    [
        "resource.metadata['missing'] == 'a'",
        "resource.metadata['missing'] != 'a'",
        "resource.config > 1",
        "deployment.name == 'api'",
        "environment.name == 'production'",
    ],
)
def test_a_value_whose_selector_does_not_hold_or_errs_is_passed_over(selector: str) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.value("x", "special", priority=1, selector=selector)
    scene.value("x", "general", priority=0)
    assert scene.variables(R1) == {"x": "general"}


def test_a_selector_that_can_not_be_compiled_is_passed_over() -> None:
    scene = VariableScene(R1)
    variable_id = scene.declare("x", "general")
    bad = DeploymentVariableValueSaved(
        deployment_id=scene.deployment,
        value_id=uid("bad"),
        variable_id=variable_id,
        value="special",
        resource_selector="resource.",
        priority=9,
        created_at=scene.world.now,
    )
    scene.world.record(bad)
    scene.save_set("s", "nobody.knows", {"x": "set"})
    assert scene.variables(R1) == {"x": "general"}


def test_variable_sets_go_by_priority_then_name_then_id() -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("b", "true", {"x": "b"}, priority=1)
    assert scene.variables(R1) == {"x": "b"}
    scene.save_set("a", "true", {"x": "a, higher id"}, priority=1, id=HIGH)
    assert scene.variables(R1) == {"x": "a, higher id"}
    scene.save_set("a", "true", {"x": "a, lower id"}, priority=1, id=LOW)
    assert scene.variables(R1) == {"x": "a, lower id"}
    scene.save_set("z", "true", {"x": "z"}, priority=2)
    assert scene.variables(R1) == {"x": "z"}


@pytest.mark.parametrize(
    "selector, holds",
    [
        ("resource.kind == 'Cluster'", True),
        ("deployment.name == 'api' && environment.name == 'production'", True),
        ("resource.kind == 'Cluster' && environment.name == 'production'", True),
        ("resource.kind == 'Cluster' && environment.name == 'staging'", False),
        ("deployment.name == 'web'", False),
        ("resource.metadata['missing'] == 'a'", False),
        ("version.tag == 'v1'", False),
        ("", False),
    ],
)
def test_a_set_is_chosen_by_resource_deployment_and_environment(selector: str, holds: bool) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("s", selector, {"x": 1})
    assert scene.variables(R1) == ({"x": 1} if holds else {})


def test_a_set_without_the_key_leaves_it_to_the_next_one() -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("a", "true", {"y": 1}, priority=2)
    scene.save_set("b", "true", {"x": 2}, priority=1)
    assert scene.variables(R1) == {"x": 2}


@pytest.mark.parametrize(
    "unresolvable", [{"valueHash": "h"}, {"reference": "nobody", "path": ["name"]}, {"reference": "r", "path": []}], ids=str
)
def test_what_can_not_be_resolved_is_passed_over_in_every_source(unresolvable: Json) -> None:
    scene = VariableScene(R1)
    scene.declare("x", unresolvable)
    assert scene.variables(R1) == {}
    scene.set_variables(R1, {"x": unresolvable})
    scene.save_set("a", "true", {"x": unresolvable}, priority=1)
    assert scene.variables(R1) == {}
    scene.save_set("b", "true", {"x": "found"})
    assert scene.variables(R1) == {"x": "found"}


@pytest.mark.parametrize(
    "value",
    ["5432", "true", 1, 0, 1.0, 2.5, True, False, {"object": {"a": [1, 1.0, True, None, {"b": "c"}]}}, {"object": [1, 2]}],
    ids=str,
)
def test_values_keep_their_exact_json(value: Any) -> None:
    scene = VariableScene(R1)
    scene.declare("x", value)
    assert repr(scene.variables(R1)) == repr({"x": value})


# --- bounds ------------------------------------------------------------------------------------------------------------------------


def test_releases_of_one_decision_are_split_by_size() -> None:
    resources = tuple(sorted(uid(f"r{n}") for n in range(12)))
    scene = VariableScene(*resources)
    before = len(scene.world.facts(ReleasesCreated))
    scene.declare("x", "y" * 40_000)
    facts = scene.world.facts(ReleasesCreated)[before:]
    assert [item.resource_id for fact in facts for item in fact.items] == list(resources)
    assert [len(fact.items) for fact in facts] == [4, 4, 4]
    assert all(len(fact.to_json()) <= BYTES_PER_FACT + 1_000 for fact in facts)


def test_a_value_that_does_not_fit_into_a_release_is_passed_over() -> None:
    scene = VariableScene(R1)
    half = "z" * (MAX_VARIABLES_BYTES // 2 - 100)
    for key in ("a", "b", "c"):
        scene.declare(key, half, "small")
    assert scene.variables(R1) == {"a": half, "b": half, "c": "small"}
    assert len(scene.world.facts(ReleasesCreated)[-1].to_json()) < BYTES_PER_FACT


def test_a_release_names_the_variables_of_which_no_value_fitted() -> None:
    scene = VariableScene(R1)
    half = "z" * (MAX_VARIABLES_BYTES // 2 - 100)
    for key in ("a", "b", "c"):
        scene.declare(key, half)
    scene.declare("d", "small")
    assert scene.variables(R1) == {"a": half, "b": half, "d": "small"}
    (item,) = scene.world.facts(ReleasesCreated)[-1].items
    assert item.omitted == ("c",)


def test_an_integer_beyond_64_bits_is_unresolvable() -> None:
    scene = VariableScene(R1)
    scene.declare("x", "small")
    scene.set_variables(R1, {"x": 2**70})
    assert scene.variables(R1) == {"x": "small"}


def test_a_value_of_another_deployment_changes_nothing_here() -> None:
    scene = VariableScene(R1)
    scene.declare("x", 1)
    web = scene.world.ask(SaveDeployment(name="web"))["id"]
    scene.world.do(SaveDeploymentVariable(variable_id=uid("web x"), deployment_id=web, key="x"))
    scene.world.do(SaveDeploymentVariableValue(value_id=uid("web value"), variable_id=uid("web x"), value=2, priority=0))
    assert scene.variables(R1) == {"x": 1}
