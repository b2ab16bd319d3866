"""Deployment variables and their values: what is saved, what is refused, and what changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Asked, Refused
from contracts.commands.planner import (
    DeleteDeployment,
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from contracts.facts.planner import (
    DeploymentVariableDeleted,
    DeploymentVariableSaved,
    DeploymentVariableValueDeleted,
    DeploymentVariableValueSaved,
)
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.planner.app import service
from services.planner.resolution import MAX_VARIABLES_BYTES
from services.planner.state import PlannerState
from services.planner.variable_commands import save_value
from tests.unit.planner.planner_scenes import R1, uid
from tests.unit.planner.variable_scenes import VariableScene

VARIABLE, OTHER_VARIABLE, VALUE, OTHER_VALUE = uid("variable x"), uid("other variable"), uid("value"), uid("other value")


def variable(scene: VariableScene, **fields: Any) -> SaveDeploymentVariable:
    given = {"variable_id": VARIABLE, "deployment_id": scene.deployment, "key": "x"}
    return SaveDeploymentVariable(**{**given, **fields})


def value(**fields: Any) -> SaveDeploymentVariableValue:
    given = {"value_id": VALUE, "variable_id": VARIABLE, "value": "a", "priority": 0}
    return SaveDeploymentVariableValue(**{**given, **fields})


def test_a_variable_is_saved_as_it_was_told() -> None:
    scene = VariableScene()
    assert scene.world.do(variable(scene, description="how many")) == {"id": VARIABLE}
    (fact,) = scene.world.facts(DeploymentVariableSaved)
    assert (fact.deployment_id, fact.key, fact.description) == (scene.deployment, "x", "how many")


def test_the_same_variable_and_value_again_append_nothing() -> None:
    scene = VariableScene()
    for _ in range(2):
        scene.world.do(variable(scene))
        scene.world.do(value(resource_selector="true"))
    assert len(scene.world.facts(DeploymentVariableSaved)) == len(scene.world.facts(DeploymentVariableValueSaved)) == 1


def test_a_variable_may_change_its_key_and_keeps_its_age_and_values() -> None:
    scene = VariableScene(R1)
    scene.world.do(variable(scene))
    scene.world.do(value())
    scene.world.advance(5)
    scene.world.do(variable(scene, key="y"))
    first, second = scene.world.facts(DeploymentVariableSaved)
    assert first.created_at == second.created_at
    assert scene.variables(R1) == {"y": "a"}
    scene.world.do(variable(scene, variable_id=OTHER_VARIABLE, key="x"))


def test_a_key_that_another_variable_of_the_deployment_has_is_a_conflict() -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    with pytest.raises(Refused, match="has a variable 'x' already") as refused:
        scene.world.ask(variable(scene, variable_id=OTHER_VARIABLE))
    assert refused.value.refusal.kind == "conflict"


def test_two_deployments_may_declare_the_same_key() -> None:
    scene = VariableScene()
    other = scene.world.ask(SaveDeployment(name="web"))["id"]
    scene.world.do(variable(scene))
    scene.world.do(variable(scene, variable_id=OTHER_VARIABLE, deployment_id=other))
    assert len(scene.world.facts(DeploymentVariableSaved)) == 2


def test_a_variable_does_not_move_to_another_deployment() -> None:
    scene = VariableScene()
    other = scene.world.ask(SaveDeployment(name="web"))["id"]
    scene.world.do(variable(scene))
    with pytest.raises(Refused, match="belongs to another deployment") as refused:
        scene.world.ask(variable(scene, deployment_id=other))
    assert refused.value.refusal.kind == "conflict"


def test_a_value_of_another_variable_is_a_conflict() -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    scene.world.do(variable(scene, variable_id=OTHER_VARIABLE, key="y"))
    scene.world.do(value())
    with pytest.raises(Refused, match="belongs to another variable") as refused:
        scene.world.ask(value(variable_id=OTHER_VARIABLE))
    assert refused.value.refusal.kind == "conflict"


@pytest.mark.parametrize("there, asked", [(None, None), (None, ""), ("", None), ("true", "true")])
def test_selector_and_priority_are_unique_in_a_variable(there: str | None, asked: str | None) -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    scene.world.do(value(resource_selector=there))
    with pytest.raises(Refused, match="with this resource selector and priority 0 already") as refused:
        scene.world.ask(value(value_id=OTHER_VALUE, resource_selector=asked))
    assert refused.value.refusal.kind == "conflict"
    scene.world.do(value(value_id=OTHER_VALUE, resource_selector=asked, priority=1))
    scene.world.do(value(value_id=uid("third"), resource_selector="false"))


@pytest.mark.parametrize(
    "wish",
    [
        variable(VariableScene(), deployment_id=uid("nowhere")),
        value(),
        DeleteDeploymentVariable(variable_id=VARIABLE),
        DeleteDeploymentVariableValue(value_id=VALUE),
    ],
    ids=lambda wish: wish.NAME,
)
def test_what_is_unknown_is_not_found(wish: Any) -> None:
    with pytest.raises(Refused) as refused:
        VariableScene().world.ask(wish)
    assert refused.value.refusal.kind == "not_found"


def test_a_bad_selector_is_refused_with_its_place() -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    with pytest.raises(Refused) as refused:
        scene.world.ask(value(resource_selector="resourec.name == 'a'"))
    refusal = refused.value.refusal
    assert (refusal.kind, refusal.code) == ("invalid", "INVALID_CEL")
    assert (refusal.details[0]["path"], refusal.details[0]["line"]) == ("/body/resourceSelector", 1)


@pytest.mark.parametrize(
    "bad", [None, [1], {"a": 1}, {"reference": "", "path": []}, {"object": 1}, 2**64, "a" * MAX_VARIABLES_BYTES], ids=str
)
def test_what_is_no_value_is_refused(bad: Any) -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    with pytest.raises(Refused, match="The value") as refused:
        scene.world.ask(value(value=bad))
    assert refused.value.refusal.details[0]["path"] == "/body/value"


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = "x"
    for _ in range(250):
        deep = {"object": deep}
    scene = VariableScene()
    scene.world.do(variable(scene))
    asked = Asked(id=uid("asked"), workspace_id=scene.world.workspace_id, auth_id="user:ana", now=scene.world.now)
    with pytest.raises(Refused, match="nested"):
        # Asked directly: the simulated world writes every wish as JSON, which fails for this one.
        save_value(value(value=deep), scene.state, asked)


def test_a_priority_beyond_64_bits_is_refused() -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    with pytest.raises(Refused, match="The priority must be an integer"):
        scene.world.ask(value(priority=2**63))


@pytest.mark.parametrize(
    "good", ["a", "", 1, 5.5, True, False, {"object": {}}, {"reference": "r", "path": ["name"]}, {"valueHash": "h"}], ids=str
)
def test_every_form_of_value_is_kept_exactly(good: Any) -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    scene.world.do(value(value=good))
    (fact,) = scene.world.facts(DeploymentVariableValueSaved)
    assert (fact.value, type(fact.value)) == (good, type(good))


def test_one_and_true_are_different_values() -> None:
    scene = VariableScene()
    scene.world.do(variable(scene))
    for one in (1, True, 1.0):
        scene.world.do(value(value=one))
    assert [type(fact.value) for fact in scene.world.facts(DeploymentVariableValueSaved)] == [int, bool, float]


def test_what_is_too_large_is_refused() -> None:
    scene = VariableScene()
    with pytest.raises(Refused, match="Deployment variable is too large"):
        scene.world.ask(variable(scene, description="x" * 300_000))


def test_deleting_a_variable_deletes_its_values() -> None:
    scene = VariableScene(R1)
    scene.world.do(variable(scene))
    scene.world.do(value())
    scene.world.do(DeleteDeploymentVariable(variable_id=VARIABLE))
    assert [fact.variable_id for fact in scene.world.facts(DeploymentVariableDeleted)] == [VARIABLE]
    assert scene.variables(R1) == {}
    with pytest.raises(Refused):
        scene.world.ask(DeleteDeploymentVariableValue(value_id=VALUE))
    scene.world.do(variable(scene, variable_id=OTHER_VARIABLE))
    scene.world.do(value(variable_id=OTHER_VARIABLE))
    assert scene.variables(R1) == {"x": "a"}


def test_deleting_a_value_leaves_the_next_one() -> None:
    scene = VariableScene(R1)
    scene.world.do(variable(scene))
    scene.world.do(value(priority=1))
    scene.world.do(value(value_id=OTHER_VALUE, value="b"))
    assert scene.variables(R1) == {"x": "a"}
    scene.world.do(DeleteDeploymentVariableValue(value_id=VALUE))
    assert [fact.value_id for fact in scene.world.facts(DeploymentVariableValueDeleted)] == [VALUE]
    assert scene.variables(R1) == {"x": "b"}


def test_variables_end_with_their_deployment() -> None:
    scene = VariableScene(R1)
    scene.world.do(variable(scene))
    scene.world.do(value())
    scene.world.do(DeleteDeployment(deployment_id=scene.deployment))
    inputs = scene.state.inputs
    left = (inputs.variables, inputs.variable_ids, inputs.values, inputs.variable_of, inputs.declaring)
    assert [len(one) for one in left] == [0] * 5
    with pytest.raises(Refused):
        scene.world.ask(DeleteDeploymentVariable(variable_id=VARIABLE))


def test_the_state_survives_a_snapshot_and_a_refold() -> None:
    scene = VariableScene(R1)
    scene.declare("x", {"object": {"a": [1, 1.0, True, None]}})
    scene.set_variables(R1, {"x": {"reference": "r", "path": ["name"]}})
    scene.save_set("s", "resource.name == 'a'", {"x": 1})
    rule = scene.save_rule("r")
    scene.relate(rule, (R1, f"environment/{scene.environment}"))
    state = scene.state
    assert decode(PlannerState, encode(PlannerState, state)) == state
    assert refold(service, scene.world.log) == state
