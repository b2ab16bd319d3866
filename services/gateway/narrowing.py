"""What the rows of a table must look like for an expression to be true of them, as far as the tables can tell. Pure."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from libs.cel import Condition, Program

MOST_NEEDS = 8
"""So many are looked at in the tables; more would cost more than they save."""


class Need(NamedTuple):
    """One thing that must hold of a document: the text at the path is or begins with `text`, or the path is there (`text` is empty)."""

    kind: Literal["eq", "prefix", "has"]
    path: tuple[str, ...]
    text: str = ""


Needs = tuple[tuple[Need, ...], ...]
"""Every one of these must hold, each by one of its alternatives."""


def needs_of(program: Program, variable: str, computed: frozenset[str] = frozenset()) -> Needs:
    """What rows must fulfil, so that those that do not need not be looked at. Those that do are still to be evaluated.

    Args:
        variable: the one that stands for the row.
        computed: keys of the document that are no keys of the row.
    """
    found: list[tuple[Need, ...]] = []
    for alternatives in program.conditions.every:
        needs = [_need(one, variable, computed) for one in alternatives]
        kept = tuple(one for one in needs if one is not None)
        # An alternative that the tables can not tell may hold for any row.
        if kept and len(kept) == len(needs):
            found.append(kept)
    return tuple(found[:MOST_NEEDS])


def _need(condition: Condition, variable: str, computed: frozenset[str]) -> Need | None:
    root, *path = condition.path
    if root != variable or not path or path[0] in computed or not all(_can_be_stored(one) for one in path):
        return None
    match condition.kind, condition.value:
        case "has", _ if len(path) > 1:
            return Need("has", tuple(path))
        case "eq", bool() as value:
            return Need("eq", tuple(path), "true" if value else "false")
        case ("eq" | "prefix") as kind, str() as value if _can_be_stored(value):
            return Need(kind, tuple(path), value)
        case _:
            # Numbers have several texts, patterns are matched by our own engine alone, and nearly every document has what it may have.
            return None


def _can_be_stored(text: Any) -> bool:
    try:
        return "\x00" not in text and bool(text.encode()) is bool(text)
    except UnicodeEncodeError:
        return False
