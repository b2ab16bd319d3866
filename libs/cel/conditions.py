"""What a document must look like for an expression to be true of it: the conditions that indexes file and look up by.

A condition is necessary, not sufficient: every document that matches meets it, others may. So an index narrows the search and the
program has the last word, except where `Conditions.whole` says that meeting the conditions is all the expression asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from libs.cel.rfc3339 import looks_like_time
from libs.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Has,
    Ident,
    Index,
    ListLiteral,
    Logic,
    MapLiteral,
    Node,
    Select,
    Unary,
    children,
    path_of,
)
from libs.cel.syntax import Literal as Constant
from libs.cel.values import TRUE_TEXTS

Path: TypeAlias = tuple[str, ...]
Kind: TypeAlias = Literal["eq", "prefix", "regex", "has"]


class Condition(NamedTuple):
    """One thing that must hold.

    Attributes:
        kind: `eq`, the value at the path equals `value` (numbers and booleans as Python compares them, which is wider than CEL does);
            `prefix`, it is a string that starts with `value`; `regex`, it is a string that contains the pattern `value`; `has`, the
            path is there.
        path: the variable and the keys below it, `("resource", "metadata", "env")`.
        value: a string, number or boolean for `eq`, a non-empty string for `prefix` and `regex`, None for `has`.
    """

    kind: Kind
    path: Path
    value: Any = None


Alternatives: TypeAlias = tuple[Condition, ...]
"""At least one of these must hold."""


class Conditions(NamedTuple):
    """The necessary conditions of an expression.

    Attributes:
        every: all of these must hold, each by one of its alternatives; empty when nothing is known.
        whole: whether they are also sufficient, so that nothing is left to evaluate.
    """

    every: tuple[Alternatives, ...]
    whole: bool


MOST_ALTERNATIVES: Final = 256
"""More alternatives than this for one condition are no longer worth looking up one by one."""

EXACT_NUMBERS: Final = 2**53
"""From here on an int and a double may be equal in CEL and not in Python."""

_RANK: Final[dict[Kind, int]] = {"eq": 0, "prefix": 1, "regex": 2, "has": 3}
_PREFIX: Final = re.compile(r"\^((?:[A-Za-z0-9_ \-/:@,%&=~]|\\[.\-/+])*)")
_NOTHING: Final = Conditions((), whole=False)
_ALWAYS: Final = Conditions((), whole=True)


def conditions_of(tree: Node) -> Conditions:
    """Return what must hold for the whole expression to be true, strings that stand for true included."""
    match tree:
        case Constant(value=value) if value is True or (value.__class__ is str and value in TRUE_TEXTS):
            return _ALWAYS
        case Conditional(condition=test, then=then, otherwise=otherwise):
            # The branches are whole results themselves, so that they too may be the text of a boolean.
            return _either(
                _both(_when(test, wanted=True), conditions_of(then)),
                _both(_when(test, wanted=False), conditions_of(otherwise)),
            )
    path = _path(tree)
    if path is not None:
        return _one(*(Condition("eq", path, value) for value in (True, *sorted(TRUE_TEXTS))))
    return _when(tree, wanted=True)


def rank(alternatives: Alternatives) -> tuple[int, int]:
    """Return how little an index can expect of these alternatives: the kind of the weakest one, then their number."""
    return max(_RANK[one.kind] for one in alternatives), len(alternatives)


def prefix_of_regex(pattern: str) -> str:
    """Return the text that every match of an anchored regular expression starts with, empty if none is known."""
    found = _PREFIX.match(pattern)
    if found is None or "|" in pattern:
        return ""
    text = found[1]
    if pattern[found.end() : found.end() + 1] in ("?", "*", "{"):
        # The last character may be repeated no times at all.
        text = re.sub(r"(?:\\.|.)\Z", "", text)
    return re.sub(r"\\(.)", r"\1", text)


def _when(node: Node, *, wanted: bool) -> Conditions:
    """Return what must hold for the node to be `wanted`, where an error is neither true nor false."""
    match node:
        case Constant(value=value):
            return _ALWAYS if value is wanted else _NOTHING
        case Unary(operator="!", operand=operand):
            return _when(operand, wanted=not wanted)
        case Logic(operator=operator, operands=operands):
            parts = [_when(operand, wanted=wanted) for operand in operands]
            joined = parts[0]
            for part in parts[1:]:
                joined = _both(joined, part) if (operator == "&&") is wanted else _either(joined, part)
            return joined
        case Conditional(condition=test, then=then, otherwise=otherwise):
            return _either(
                _both(_when(test, wanted=True), _when(then, wanted=wanted)),
                _both(_when(test, wanted=False), _when(otherwise, wanted=wanted)),
            )
        case Has(operand=operand, field=field) if wanted:
            path = path_of(operand)
            return _NOTHING if path is None else _exact(Condition("has", (*path, field)))
        case Binary(operator="in", left=Constant(value=str()), right=right) if wanted and (path := path_of(right)):
            # A key of the map or an element of the list: only the container is sure to be there.
            return _one(Condition("has", path)) if len(path) > 1 else _NOTHING
        case Binary(operator="==" | "!=" as operator, left=left, right=right) if (operator == "==") is wanted:
            return _equality(left, right) or _needed(node)
        case Binary(operator="in", left=left, right=ListLiteral(items=items)) if wanted:
            return _membership(left, items) or _needed(node)
        case Call(function="startsWith" | "matches" as function, args=(target, Constant(value=str() as text))) if wanted:
            path = _path(target)
            if path is None or not text:
                return _needed(node)
            if function == "startsWith":
                return _exact(Condition("prefix", path, text))
            found = _one(Condition("regex", path, text))
            prefix = prefix_of_regex(text)
            return _both(_one(Condition("prefix", path, prefix)), found) if prefix else found
        case _:
            path = _path(node)
            return _needed(node) if path is None else _one(Condition("eq", path, wanted))


def _equality(left: Node, right: Node) -> Conditions | None:
    for side, other in ((left, right), (right, left)):
        path = _path(side)
        if path is not None and isinstance(other, Constant) and _can_look_up(other.value):
            condition = Condition("eq", path, other.value)
            return _exact(condition) if other.value.__class__ is str else _one(condition)
    return None


def _membership(left: Node, items: tuple[Node, ...]) -> Conditions | None:
    path = _path(left)
    values = [item.value for item in items if isinstance(item, Constant) and _can_look_up(item.value)]
    if path is None or not values or len(values) != len(items) or len(values) > MOST_ALTERNATIVES:
        return None
    found = _one(*(Condition("eq", path, value) for value in dict.fromkeys(values)))
    return Conditions(found.every, whole=all(value.__class__ is str for value in values))


def _can_look_up(value: object) -> bool:
    """Whether everything that equals the constant in CEL is also found under it in a dict."""
    if value.__class__ is str:
        # Such a text also equals a time, which has another hash.
        return not looks_like_time(str(value))
    if value.__class__ is bool:
        return True
    return isinstance(value, int | float) and abs(value) < EXACT_NUMBERS


def _needed(node: Node) -> Conditions:
    """Return that every path which the node reads in any case is there."""
    paths = dict.fromkeys(path for path in _read_always(node) if len(path) > 1)
    return Conditions(tuple((Condition("has", path),) for path in paths), whole=False)


def _read_always(node: Node) -> Iterator[Path]:
    """Yield the paths without which a node that has any value at all would have none."""
    match node:
        case Ident() | Select() | Index():
            path = path_of(node)
            if path is not None:
                yield path
            else:
                for child in children(node):
                    yield from _read_always(child)
        case Has(operand=operand):
            yield from _read_always(operand)
        case Comprehension(range=over):
            yield from _read_always(over)
        case Conditional(condition=test):
            yield from _read_always(test)
        case Logic():
            return
        case Binary() | Call() | ListLiteral() | MapLiteral() | Unary():
            for child in children(node):
                yield from _read_always(child)
        case Constant():
            return


def _path(node: Node) -> Path | None:
    """The path of a value inside a variable, None for anything else."""
    path = path_of(node)
    return path if path is not None and len(path) > 1 else None


def _one(*alternatives: Condition) -> Conditions:
    return Conditions((alternatives,), whole=False)


def _exact(condition: Condition) -> Conditions:
    return Conditions(((condition,),), whole=True)


def _both(left: Conditions, right: Conditions) -> Conditions:
    return Conditions((*left.every, *right.every), whole=left.whole and right.whole)


def _either(left: Conditions, right: Conditions) -> Conditions:
    if not left.every or not right.every:
        return _NOTHING
    one, other = min(left.every, key=rank), min(right.every, key=rank)
    if len(one) + len(other) > MOST_ALTERNATIVES:
        return _NOTHING
    alone = len(left.every) == 1 and len(right.every) == 1
    return Conditions((tuple(dict.fromkeys((*one, *other))),), whole=alone and left.whole and right.whole)
