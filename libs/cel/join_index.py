"""One relation between documents: who is related to whom."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from libs.cel.budget import Budget
from libs.cel.documents import ABSENT, marks, marks_inside, value_at
from libs.cel.functions import FUNCTIONS
from libs.cel.joins import Join, take_apart
from libs.cel.postings import Postings
from libs.cel.problems import CelError
from libs.cel.program import Program
from libs.cel.syntax import Binary, Call, Comprehension, ListLiteral, Literal, Node, path_of, walk


class _Table(NamedTuple):
    """One side of one join: which documents have which mark, and how a document is marked for it.

    Attributes:
        path: keys from the document to the value, where it is a field of the document.
    """

    value: Program
    path: tuple[str, ...] | None
    read: Callable[[Any], Iterator[Hashable]]
    postings: Postings[str]


class _Side(NamedTuple):
    """All that is kept of documents in the role of one variable.

    Attributes:
        variable: its name.
        alone: what must be true of the document by itself, and takes about as long for every document.
        alone_uneven: the rest of it.
        tables: per group of joins, one table per join.
        all: keys of the documents that pass `alone`, ascending; kept only where there is no table to look them up in.
    """

    variable: str
    alone: tuple[Program, ...]
    alone_uneven: tuple[Program, ...]
    tables: tuple[tuple[_Table, ...], ...]
    all: list[str]


_Marks = tuple[tuple[tuple[Hashable, ...], ...], ...]
"""The marks of one document on one side: per group, per join."""


class JoinIndex:
    """Documents by key under one relation with two variables, such as `from` and `to`; `related` finds both directions.

    Every document is looked at in both roles. Where the relation asks for an equality between values of the two documents, or for one
    to contain the other, only documents that share such a value are compared; otherwise all that pass what the relation asks of one
    document alone. A document must not be changed once it is put; put another one. Not made for several threads.

    Args:
        program: the relation; its environment has exactly two variables.
    """

    def __init__(self, program: Program) -> None:
        assert len(program.environment.variables) == 2, f"{program!r} relates two variables"
        relation = take_apart(program)
        first, second = program.environment.variables
        self.program = program
        self._documents: dict[str, Any] = {}
        self._is_uneven = _takes_uneven(program)
        self._compared = tuple(dict.fromkeys(path for node in walk(program.tree) for path in _compared(node)))
        self._looked: tuple[str, tuple[list[list[str]], list[list[str]]]] | None = None
        self._sides = (
            _Side(first, *_by_cost(relation.first), tuple(tuple(map(_first_table, group)) for group in relation.joins), []),
            _Side(second, *_by_cost(relation.second), tuple(tuple(map(_second_table, group)) for group in relation.joins), []),
        )

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    @property
    def is_joined(self) -> bool:
        """Whether documents are looked up by shared values; if not, each is compared with every other that may take part."""
        return bool(self._sides[0].tables)

    def put(self, key: str, document: Any) -> None:
        """Add a document or replace it."""
        self.remove(key)
        self._looked = None
        self._documents[key] = document
        for side in self._sides:
            marked = _marks_on(side, document)
            if marked is None:
                continue
            if not side.tables:
                insort(side.all, key)
            for table, mark in _entries(side, marked):
                table.postings.add(mark, key)

    def remove(self, key: str) -> None:
        """Forget a document, if it is there."""
        if key not in self._documents:
            return
        self._looked = None
        document = self._documents.pop(key)
        for side in self._sides:
            marked = _marks_on(side, document)
            if marked is None:
                continue
            if not side.tables:
                del side.all[bisect_left(side.all, key)]
            for table, mark in _entries(side, marked):
                table.postings.remove(mark, key)

    def comparisons(self, key: str) -> int:
        """Return how many pairs `related` would compare at most, both directions together; 0 for an unknown key."""
        return sum(sum(map(len, lists)) for lists in self._look(key))

    def related(self, key: str, budget: Budget | None = None) -> tuple[list[str], list[str]]:
        """Return whom a document is related to and who is related to it, each ascending, itself never among them.

        An error on a pair is no relation. Work is proportional to `comparisons(key)` for relations that do about the same for every
        pair; others, such as those with macros, can be given a budget. Once nothing of it is left, the answer says nothing.

        Returns:
            The keys Y for which the relation is true with the document as the first variable and Y as the second, and those for
            which it is true the other way round. Both empty for an unknown key.
        """
        return self._matching(key, 0, budget), self._matching(key, 1, budget)

    def _look(self, key: str) -> tuple[list[list[str]], list[list[str]]]:
        """Look up the candidates in both roles, once for a caller who asks how many they are and then for those related."""
        if self._looked is None or self._looked[0] != key:
            self._looked = key, (self._candidates(key, 0), self._candidates(key, 1))
        return self._looked[1]

    def _matching(self, key: str, role: int, budget: Budget | None) -> list[str]:
        lists = self._look(key)[role]
        if not lists:
            return []
        keys: Sequence[str] = lists[0] if len(lists) == 1 else sorted(set().union(*lists))
        documents = self._documents
        others = [other for other in keys if other != key]
        if not others:
            return []
        here, there = self._sides[role].variable, self._sides[1 - role].variable
        mine = documents[key]
        if budget is not None and (self._is_uneven or self._compares_whole(here, mine)):
            return [other for other in others if self.program.within(budget, {here: mine, there: documents[other]})]
        found = self.program.filter([documents[other] for other in others], there, **{here: mine})
        return [others[position] for position in found]

    def _compares_whole(self, variable: str, document: Any) -> bool:
        """Whether a list or a map of the document is compared with a value of the other one."""
        return any(value_at(document, path[1:]).__class__ in _WHOLE for path in self._compared if path[0] == variable)

    def _candidates(self, key: str, role: int) -> list[list[str]]:
        """Return lists of keys that hold everyone who may be related to a document in this role."""
        if key not in self._documents:
            return []
        marked = _marks_on(self._sides[role], self._documents[key])
        if marked is None:
            return []
        other = self._sides[1 - role]
        if not other.tables:
            return [other.all]
        found = [
            [
                keys
                for table, of_table in zip(tables, of_group, strict=True)
                for mark in of_table
                if (keys := table.postings.of(mark))
            ]
            for tables, of_group in zip(other.tables, marked, strict=True)
        ]
        return min(found, key=lambda lists: sum(map(len, lists)))


def _by_cost(programs: Sequence[Program]) -> tuple[tuple[Program, ...], tuple[Program, ...]]:
    """Part programs into those that take about as long for every document, and the others."""
    uneven = {id(program) for program in programs if _takes_uneven(program)}
    even = tuple(program for program in programs if id(program) not in uneven)
    return even, tuple(program for program in programs if id(program) in uneven)


def _takes_uneven(program: Program) -> bool:
    return any(map(_is_uneven, walk(program.tree)))


def _is_uneven(node: Node) -> bool:
    """Whether what a node costs depends on how large the values are that it meets."""
    match node:
        case Comprehension():
            return True
        case Call(function=function, args=args):
            return FUNCTIONS[function].budgeted or not all(isinstance(arg, Literal) for arg in args[1:])
        case Binary(operator="in", right=right):
            return not isinstance(right, ListLiteral)
        case Binary(operator="+"):
            return True
        case Binary(operator="==" | "!=", left=left, right=right):
            return not all(isinstance(side, Literal) or path_of(side) is not None for side in (left, right))
    return False


def _compared(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield the paths of values that a node compares with each other."""
    if isinstance(node, Binary) and node.operator in ("==", "!="):
        paths = path_of(node.left), path_of(node.right)
        if paths[0] is not None and paths[1] is not None:
            yield from (path for path in paths if path is not None)


_STEPS_ALONE: Final = 200
"""Steps that are taken to find out what is true of one document by itself."""
_WHOLE: Final = frozenset({dict, list})


def _marks_on(side: _Side, document: Any) -> _Marks | None:
    """Return the marks of a document in this role, None if it can not play it. They follow from the document, so none are kept."""
    variables = {side.variable: document}
    if not all(program.test(variables) for program in side.alone):
        return None
    for program in side.alone_uneven:
        budget = Budget(_STEPS_ALONE)
        # What takes longer counts as passed: then the pairs decide, and those are counted.
        if not program.within(budget, variables) and budget.left > 0:
            return None
    return tuple(tuple(tuple(dict.fromkeys(_marks_in(table, document, variables))) for table in tables) for tables in side.tables)


def _entries(side: _Side, marked: _Marks) -> Iterator[tuple[_Table, Hashable]]:
    for tables, of_group in zip(side.tables, marked, strict=True):
        for table, of_table in zip(tables, of_group, strict=True):
            for mark in of_table:
                yield table, mark


def _first_table(join: Join) -> _Table:
    return _Table(join.first, _steps(join.first), marks_inside if join.meeting == "second_in_first" else marks, Postings())


def _second_table(join: Join) -> _Table:
    return _Table(join.second, _steps(join.second), marks_inside if join.meeting == "first_in_second" else marks, Postings())


def _steps(value: Program) -> tuple[str, ...] | None:
    path = path_of(value.tree)
    return path[1:] if path is not None else None


def _marks_in(table: _Table, document: Any, variables: dict[str, Any]) -> Iterator[Hashable]:
    # Nearly every join is of a plain field, and this is done for every document.
    value = value_at(document, table.path) if table.path is not None else ABSENT
    if value is ABSENT:
        try:
            value = table.value.value(**variables)
        except CelError:
            # Without the value the comparison is an error, so that the relation can not be true by this join.
            return
    yield from table.read(value)
