"""Saves and deletes variable sets: values that several targets share, chosen by a selector over resource, deployment and environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.inventory import DeleteVariableSet, SaveVariableSet, VariableInput
from contracts.facts.inventory import VariableSetDeleted, VariableSetItem, VariableSetSaved
from contracts.shapes import INT32
from contracts.values import problem_of
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.runtime.ids import derived
from libs.runtime.service import Command, Decided, Draft
from services.inventory.documents import NOT_STORABLE, bounded, problem, same, shown, storable
from services.inventory.state import InventoryState


def save_variable_set(wish: SaveVariableSet, state: InventoryState, asked: Asked) -> Decided:
    """Create a variable set, or change the fields of one that are given; what does not change anything appends nothing.

    A variable whose key stays keeps its id. An empty selector is allowed and matches nothing.

    Raises:
        Refused: `INVALID_CEL`, `BAD_REQUEST` (a key twice), `NOT_FOUND`, a field that is missing, a bad value, or too large.
    """
    before = state.variable_sets.get(wish.set_id) if wish.set_id is not None else None
    if wish.set_id is not None and before is None:
        raise _unknown(wish.set_id)
    _check(wish)
    saved = _created(wish, asked) if before is None else _changed(wish, before, asked)
    if before is not None and same(_content(saved), _content(before)):
        return Decided(answer={"id": before.set_id})
    return Decided((Draft(bounded(saved, f"Variable set '{shown(saved.name)}'")),), {"id": saved.set_id})


def delete_variable_set(wish: DeleteVariableSet, state: InventoryState, asked: Asked) -> Decided:
    """Delete a variable set. Raises: Refused: unknown."""
    if wish.set_id not in state.variable_sets:
        raise _unknown(wish.set_id)
    return Decided((Draft(VariableSetDeleted(set_id=wish.set_id)),), {"id": wish.set_id})


def _created(wish: SaveVariableSet, asked: Asked) -> VariableSetSaved:
    if wish.name is None or wish.selector is None:
        missing = "name" if wish.name is None else "selector"
        raise Refused(
            "invalid",
            f"A new variable set needs a {missing}",
            details=[problem(f"/body/{missing}", "is required for a new variable set", "required")],
        )
    return VariableSetSaved(
        set_id=derived(asked.id, "variable-set"),
        name=wish.name,
        description=wish.description or "",
        selector=wish.selector,
        priority=wish.priority or 0,
        metadata=wish.metadata or {},
        variables=_items(wish.variables or (), (), asked),
        created_at=asked.now,
        updated_at=asked.now,
    )


def _changed(wish: SaveVariableSet, before: VariableSetSaved, asked: Asked) -> VariableSetSaved:
    return VariableSetSaved(
        set_id=before.set_id,
        name=before.name if wish.name is None else wish.name,
        description=before.description if wish.description is None else wish.description,
        selector=before.selector if wish.selector is None else wish.selector,
        priority=before.priority if wish.priority is None else wish.priority,
        metadata=before.metadata if wish.metadata is None else wish.metadata,
        variables=before.variables if wish.variables is None else _items(wish.variables, before.variables, asked),
        created_at=before.created_at,
        updated_at=asked.now,
    )


def _items(given: Sequence[VariableInput], before: Sequence[VariableSetItem], asked: Asked) -> tuple[VariableSetItem, ...]:
    ids = {one.key: one.id for one in before}
    return tuple(
        VariableSetItem(id=ids.get(one.key) or derived(asked.id, f"variable/{one.key}"), key=one.key, value=one.value)
        for one in given
    )


def _content(one: VariableSetSaved) -> Any:
    return one.model_dump(mode="json", exclude={"updated_at"})


def _check(wish: SaveVariableSet) -> None:
    if wish.selector:
        check_selector(contexts.TARGET, wish.selector, path="/body/selector", what="variable set selector")
    if wish.priority is not None and not -INT32 - 1 <= wish.priority <= INT32:
        said = f"must be an integer from {-INT32 - 1} to {INT32}"
        raise Refused("invalid", f"/body/priority {said}", details=[problem("/body/priority", said, "priority")])
    variables = wish.variables or ()
    _check_keys([one.key for one in variables])
    problems = [
        problem(f"/body/variables/{index}/value", wrong, "variable.value")
        for index, one in enumerate(variables)
        if (wrong := _wrong(one.value)) is not None
    ]
    if problems:
        raise Refused("invalid", f"{problems[0]['path']} {problems[0]['message']}", details=problems)


def _check_keys(keys: Sequence[str]) -> None:
    """Raises: Refused: `BAD_REQUEST`, a key is there twice."""
    first: dict[str, int] = {}
    twice = {index: key for index, key in enumerate(keys) if first.setdefault(key, index) != index}
    if twice:
        details = [
            problem(
                f"/body/variables/{index}/key", f"is '{shown(key)}', as that of variable {first[key]} is already", "duplicate"
            )
            for index, key in twice.items()
        ]
        message = f"Duplicate variable key '{shown(next(iter(twice.values())))}'; keep one of them"
        raise Refused("invalid", message, code="BAD_REQUEST", details=details)


def _wrong(value: Any) -> str | None:
    wrong = problem_of(value)
    return NOT_STORABLE if wrong is None and not storable(value) else wrong


def _unknown(set_id: str) -> Refused:
    return Refused("not_found", f"Variable set {shown(set_id)} not found", code="NOT_FOUND")


COMMANDS: Final[Mapping[str, Command[InventoryState, Any]]] = {
    SaveVariableSet.NAME: Command(SaveVariableSet, save_variable_set),
    DeleteVariableSet.NAME: Command(DeleteVariableSet, delete_variable_set),
}
