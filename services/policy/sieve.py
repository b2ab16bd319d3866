"""Which selectors need to be asked about a resource: a thousand policies must not cost every target a thousand questions.

A selector that compares a field of the resource with fixed texts is filed under these. Where a resource has another value there, the
selector is false whatever the rest of it says, and is not asked. Nothing is left out that might be true, or have no answer: a selector
without an answer blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from libs.cel import Program, contexts
from libs.cel.conditions import Path, conditions_of
from libs.cel.syntax import Binary, Call, Ident, ListLiteral, Logic, Node, Unary, path_of, walk
from libs.cel.syntax import Literal as Constant

RESOURCE: Final = "resource"
_TEXTS: Final = frozenset({"id", "identifier", "kind", "name", "version", "workspaceId"})
"""Fields that are a text in every document that has them."""
_ROOTS: Final = frozenset({RESOURCE, "deployment", "environment"})
_SCALARS: Final = (str, int, float, bool, type(None))


class Guard(NamedTuple):
    """A part of a selector that must hold: the value at the path is one of these texts, or starts with one of them."""

    kind: Literal["eq", "prefix"]
    path: Path
    values: tuple[Any, ...]


class Sieve(NamedTuple):
    """What can be told of a selector without asking it.

    Attributes:
        guards: it is false where the field of one of these is there and has another value.
        never: true where a part that does not read the resource is false, so that no resource is picked.
        denied: true where it is false; where neither is true, it has no answer.
        sure: it is true or false of every document, or a key is missing: it never fails otherwise.
    """

    guards: tuple[Guard, ...]
    never: tuple[Program, ...]
    denied: Program
    sure: bool


class Sieves:
    """The selectors of one pair, filed.

    Args:
        selectors: they come before those that follow them; asked by their numbers.
    """

    def __init__(self, selectors: Sequence[tuple[int, Sieve]]) -> None:
        values: dict[tuple[str, Path], set[Any]] = {}
        for _, sieve in selectors:
            for one in sieve.guards:
                values.setdefault((one.kind, one.path), set()).update(one.values)
        self._loose: list[int] = []
        self._by_path: dict[Path, _Filed] = {}
        for number, sieve in selectors:
            # A field that is compared with many different values tells more than one that is compared with two.
            guards = sorted(sieve.guards, key=lambda one: len(one.values) / len(values[one.kind, one.path]))
            if guards:
                self._by_path.setdefault(guards[0].path, _Filed()).add(number, guards[0], sure=sieve.sure)
            else:
                self._loose.append(number)

    def of(self, document: dict[str, Any]) -> list[int]:
        """Numbers of the selectors that may be true of a resource, or have no answer; ascending."""
        found = list(self._loose)
        for path, filed in self._by_path.items():
            found += filed.of(document, path)
        found.sort()
        return found


class _Filed:
    """Selectors that are filed under one field."""

    __slots__ = ("_equal", "_every", "_lengths", "_prefixes", "_unsure")

    def __init__(self) -> None:
        self._equal: dict[Any, list[int]] = {}
        self._prefixes: dict[str, list[int]] = {}
        self._lengths: set[int] = set()
        self._every: list[int] = []
        self._unsure: list[int] = []

    def add(self, number: int, guard: Guard, *, sure: bool) -> None:
        filed: dict[Any, list[int]] = self._equal if guard.kind == "eq" else self._prefixes
        for value in guard.values:
            filed.setdefault(value, []).append(number)
        if guard.kind == "prefix":
            self._lengths.update(map(len, guard.values))
        self._every.append(number)
        if not sure:
            self._unsure.append(number)

    def of(self, document: dict[str, Any], path: Path) -> list[int]:
        value: Any = document
        for step in path[1:]:
            if value.__class__ is not dict:
                return self._every
            if step not in value:
                return self._unsure  # a missing key is no match, but something else may go wrong as well
            value = value[step]
        found = self._equal.get(value, []) if isinstance(value, _SCALARS) else self._every
        if not self._prefixes:
            return found
        if not isinstance(value, str):
            return self._every
        begun = [number for length in sorted(self._lengths) for number in self._prefixes.get(value[:length], ())]
        return list(dict.fromkeys((*found, *begun)))


@lru_cache(maxsize=20_000)
def sieve_of(source: str) -> Sieve:
    """What can be told of a selector that compiles."""
    program = contexts.TARGET.compile(source)
    tree = program.tree
    parts = tree.operands if isinstance(tree, Logic) and tree.operator == "&&" else (tree,)
    guards: list[Guard] = []
    never: list[Program] = []
    sure = True
    for part in parts:
        if not _is_plain(part):
            # What comes after it may never be looked at: it may be too much work.
            sure = False
            break
        if RESOURCE not in {one.name for one in walk(part) if isinstance(one, Ident)}:
            never.append(program.part(Unary(part.at, "!", part)))
        elif (guard := _guard(part)) is not None:
            guards.append(guard)
    return Sieve(tuple(guards), tuple(never), program.part(Unary(tree.at, "!", tree)), sure)


def _guard(part: Node) -> Guard | None:
    """A comparison of one field with fixed values, where it is nothing else."""
    every = conditions_of(part).every
    if len(every) != 1:
        return None
    kinds, paths = {one.kind for one in every[0]}, {one.path for one in every[0]}
    if len(paths) != 1 or len(kinds) != 1 or next(iter(paths))[0] != RESOURCE:
        return None
    first = every[0][0]
    if first.kind not in ("eq", "prefix") or any(first.path[: len(path)] != path for path in map(path_of, walk(part)) if path):
        return None  # where another field is missing the part has no answer
    return Guard("eq" if first.kind == "eq" else "prefix", first.path, tuple(one.value for one in every[0]))


def _is_plain(part: Node) -> bool:
    """Whether a part of a selector is little work, and true, false, or a missing key of any document."""
    match part:
        case Logic(operands=operands):
            return all(map(_is_plain, operands))
        case Unary(operator="!", operand=operand):
            return _is_plain(operand)
        case Binary(operator="==" | "!=", left=left, right=right):
            return any(_is_there(one) and isinstance(other, Constant) for one, other in ((left, right), (right, left)))
        case Binary(operator="in", left=left, right=ListLiteral(items=items)):
            return _is_there(left) and all(isinstance(item, Constant) for item in items)
        case Call(function="startsWith" | "endsWith", args=(target, Constant(value=str()))):
            return _is_text(target)
        case _:
            return False


def _is_there(node: Node) -> bool:
    """Whether a node is a field that is there, or whose key is missing: never something that no key can be asked of."""
    path = path_of(node)
    return path is not None and path[0] in _ROOTS and (len(path) == 2 or (len(path) == 3 and path[1] == "metadata"))


def _is_text(node: Node) -> bool:
    path = path_of(node)
    return path is not None and _is_there(node) and (len(path) == 3 or path[1] in _TEXTS)
