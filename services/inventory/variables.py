"""Saves the variables of resources: all of a resource's at once, each wrapped as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.inventory import SetResourceVariables
from contracts.facts.inventory import ResourceVariablesSaved
from contracts.values import is_object, problem_of
from libs.runtime.service import Command, Decided, Draft
from services.inventory.documents import NOT_STORABLE, bounded, problem, same, shown, storable
from services.inventory.state import InventoryState


def set_resource_variables(wish: SetResourceVariables, state: InventoryState, asked: Asked) -> Decided:
    """Make these the variables of a resource, all of them; the same again appends nothing.

    Raises: Refused: the resource is unknown, a value is null, or they are too large.
    """
    resource_id = state.resource_ids.get(wish.identifier)
    if resource_id is None:
        raise Refused("not_found", f"Resource '{shown(wish.identifier)}' not found")
    return Decided(variables_saved(state, resource_id, wish.identifier, wish.variables, "/body"), {"id": resource_id})


def variables_saved(
    state: InventoryState, resource_id: str, identifier: str, given: Mapping[str, Any], path: str
) -> tuple[Draft, ...]:
    """What to append so that a resource has these variables and no others; nothing when it has.

    Args:
        resource_id: may be one that is saved in the same decision.
        path: where the variables stood in the request, for example `/body`.

    Raises:
        Refused: a value is null or no JSON that we keep (with its path), or they are too large.
    """
    problems = [
        problem(f"{path}/{_pointer(key)}", wrong, "variable.value")
        for key, value in given.items()
        if (wrong := _wrong(value)) is not None
    ]
    if problems:
        raise Refused("invalid", f"{problems[0]['path']} {problems[0]['message']}", details=problems)
    variables = {key: wrapped(value) for key, value in given.items()}
    if same(variables, state.variables.get(resource_id, {})):
        return ()
    saved = ResourceVariablesSaved(resource_id=resource_id, variables=variables)
    return (Draft(bounded(saved, f"The set of variables of resource '{shown(identifier)}'")),)


def wrapped(value: Any) -> Any:
    """A value as it is kept: objects and lists as `{"object": …}`, unless they are that, a reference or a secret's hash already."""
    if is_object(value) or (isinstance(value, dict) and problem_of(value) is None):
        return value
    return {"object": value} if isinstance(value, dict | list) else value


def _wrong(value: Any) -> str | None:
    if value is None:
        return problem_of(value)
    return None if storable(value) else NOT_STORABLE


def _pointer(key: str) -> str:
    """A key as a step of a JSON pointer, so that a key with a slash still names one place."""
    return shown(key).replace("~", "~0").replace("/", "~1")


COMMANDS: Final[Mapping[str, Command[InventoryState, Any]]] = {
    SetResourceVariables.NAME: Command(SetResourceVariables, set_resource_variables),
}
