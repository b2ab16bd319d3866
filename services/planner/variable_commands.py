"""Saves and deletes the variables of deployments, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.planner import (
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from contracts.facts.planner import (
    DeploymentVariableDeleted,
    DeploymentVariableSaved,
    DeploymentVariableValueDeleted,
    DeploymentVariableValueSaved,
)
from contracts.shapes import Json
from contracts.values import problem_of
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.runtime.service import Command, Decided, Draft
from services.planner.documents import require, saved
from services.planner.inputs import NO_IDS, NO_VALUES
from services.planner.reading import Unresolvable, size_of
from services.planner.resolution import MAX_VARIABLES_BYTES
from services.planner.state import PlannerState

_LARGEST_PRIORITY: Final = 2**63 - 1


def save_variable(wish: SaveDeploymentVariable, state: PlannerState, asked: Asked) -> Decided:
    """Declare a variable of a deployment, or change its key and description; its values stay.

    Raises:
        Refused: the deployment is unknown, the id is of another deployment's variable, the key is taken there, or it is too large.
    """
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    before = state.inputs.variables.get(wish.variable_id)
    if before is not None and before.deployment_id != wish.deployment_id:
        raise Refused("conflict", f"Deployment variable {wish.variable_id} belongs to another deployment; use another id")
    taken_by = state.inputs.variable_ids.get(wish.deployment_id, NO_IDS).get(wish.key)
    if taken_by is not None and taken_by != wish.variable_id:
        raise Refused(
            "conflict", f"The deployment has a variable '{wish.key}' already, {taken_by}; change that one, or choose another key"
        )
    variable = DeploymentVariableSaved(
        deployment_id=wish.deployment_id,
        variable_id=wish.variable_id,
        key=wish.key,
        description=wish.description,
        created_at=before.created_at if before else asked.now,
    )
    return Decided(saved(variable, before, "Deployment variable"), {"id": wish.variable_id})


def delete_variable(wish: DeleteDeploymentVariable, state: PlannerState, asked: Asked) -> Decided:
    """Delete a variable; its values go with it. Raises: Refused: unknown."""
    variable = require(state.inputs.variables, wish.variable_id, "Deployment variable")
    deleted = DeploymentVariableDeleted(deployment_id=variable.deployment_id, variable_id=wish.variable_id)
    return Decided((Draft(deleted),), {"id": wish.variable_id})


def save_value(wish: SaveDeploymentVariableValue, state: PlannerState, asked: Asked) -> Decided:
    """Create or replace a value of a variable.

    Raises:
        Refused: the variable is unknown, the id is of another variable's value, there is a value with this selector and priority
            already, the value is of no known form or too large, or `INVALID_CEL`.
    """
    variable = require(state.inputs.variables, wish.variable_id, "Deployment variable")
    if state.inputs.variable_of.get(wish.value_id, wish.variable_id) != wish.variable_id:
        raise Refused("conflict", f"Deployment variable value {wish.value_id} belongs to another variable; use another id")
    if wish.resource_selector:
        check_selector(contexts.TARGET, wish.resource_selector, path="/body/resourceSelector", what="resource selector")
    _check_value(wish.value)
    if abs(wish.priority) > _LARGEST_PRIORITY:
        raise _invalid("priority", f"must be an integer from -{_LARGEST_PRIORITY} to {_LARGEST_PRIORITY}")
    values = state.inputs.values.get(wish.variable_id, NO_VALUES)
    for one in values.values():
        alike = (one.resource_selector or "") == (wish.resource_selector or "") and one.priority == wish.priority
        if alike and one.value_id != wish.value_id:
            raise Refused(
                "conflict",
                f"Variable '{variable.key}' has a value with this resource selector and priority {wish.priority} already, "
                f"{one.value_id}; change that one, or choose another priority",
            )
    before = values.get(wish.value_id)
    value = DeploymentVariableValueSaved(
        deployment_id=variable.deployment_id,
        value_id=wish.value_id,
        variable_id=wish.variable_id,
        value=wish.value,
        resource_selector=wish.resource_selector,
        priority=wish.priority,
        created_at=before.created_at if before else asked.now,
    )
    return Decided(saved(value, before, "Deployment variable value"), {"id": wish.value_id})


def delete_value(wish: DeleteDeploymentVariableValue, state: PlannerState, asked: Asked) -> Decided:
    """Delete a value. Raises: Refused: unknown."""
    variable_id = state.inputs.variable_of.get(wish.value_id)
    if variable_id is None:
        raise Refused("not_found", f"Deployment variable value {wish.value_id} not found")
    deleted = DeploymentVariableValueDeleted(
        deployment_id=state.inputs.variables[variable_id].deployment_id, value_id=wish.value_id, variable_id=variable_id
    )
    return Decided((Draft(deleted),), {"id": wish.value_id})


def _check_value(value: Any) -> None:
    if (problem := problem_of(value)) is not None:
        raise _invalid("value", problem)
    try:
        size = size_of(value)
    except Unresolvable:
        raise _invalid("value", "must be JSON with integers of at most 64 bits, nested less than 200 levels deep") from None
    if size > MAX_VARIABLES_BYTES // 2:
        raise _invalid("value", f"is {size} bytes of JSON, at most {MAX_VARIABLES_BYTES // 2}; shorten it")


def _invalid(field: str, problem: str) -> Refused:
    details: list[Json] = [{"path": f"/body/{field}", "message": problem, "errorCode": "invalid_value"}]
    return Refused("invalid", f"The {field} {problem}", details=details)


VARIABLES: Final[Mapping[str, Command[PlannerState, Any]]] = {
    SaveDeploymentVariable.NAME: Command(SaveDeploymentVariable, save_variable),
    DeleteDeploymentVariable.NAME: Command(DeleteDeploymentVariable, delete_variable),
    SaveDeploymentVariableValue.NAME: Command(SaveDeploymentVariableValue, save_value),
    DeleteDeploymentVariableValue.NAME: Command(DeleteDeploymentVariableValue, delete_value),
}
