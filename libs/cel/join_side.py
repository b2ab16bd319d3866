"""Documents in the role of one of the two variables of a relation: which may play it, and by what they are looked up in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from libs.cel.budget import Budget
from libs.cel.charged import Charged
from libs.cel.documents import ABSENT, marks, marks_inside, value_at
from libs.cel.postings import Postings
from libs.cel.problems import CelError
from libs.cel.program import Program
from libs.cel.syntax import Logic, path_of

Marks = tuple[tuple[tuple[Hashable, ...], ...], ...]
"""The marks of one document on one side: per group of joins, per join."""

_STEPS_ALONE: Final = 200
"""What finding out something about one document by itself may take."""
_SHORTEST_TIME: Final = len("2026-01-02T03:04:05Z")


class Joined(NamedTuple):
    """One side of a join.

    Attributes:
        value: what is shared.
        is_inside: whether the other side is to be an element or key of it, not equal to it.
    """

    value: Program
    is_inside: bool


class Table:
    """One side of one join: which documents have which mark, and how a document is marked for it."""

    def __init__(self, joined: Joined, pool: Budget) -> None:
        path = path_of(joined.value.tree)
        self._path = path[1:] if path is not None else None
        self._value = Charged(joined.value, pool)
        self._read: Callable[[Any], Iterator[Hashable]] = marks_inside if joined.is_inside else marks
        self._reads_whole = not joined.is_inside
        self._pool = pool
        self.postings: Postings[str] = Postings()

    def fill(self, keys: Sequence[str], documents: Sequence[Any], variable: str) -> None:
        """Enter documents at once, by ascending keys; ends early when the pool does not cover it."""
        self.postings.fill(self._entries(keys, documents, variable))

    def _entries(self, keys: Sequence[str], documents: Sequence[Any], variable: str) -> Iterator[tuple[str, Hashable]]:
        pool = self._pool
        for key, document in zip(keys, documents, strict=True):
            for mark in self.marks(document, variable):
                yield key, mark
            if pool.left < 0:
                return

    def marks(self, document: Any, variable: str) -> tuple[Hashable, ...]:
        """Return the marks of a document, each once; none where the value is an error, since then the join can not hold."""
        # Nearly every join is of a plain field, mostly text, and this is done for every document.
        value = value_at(document, self._path) if self._path is not None else ABSENT
        if value.__class__ is str and self._reads_whole and (len(value) < _SHORTEST_TIME or value[10] != "T"):
            self._pool.left -= 1
            return (value,)
        if value is ABSENT:
            try:
                value = self._value.value({variable: document})
            except CelError:
                return ()
        found = tuple(dict.fromkeys(self._read(value)))
        self._pool.left -= 1 + len(found)
        return found


class Side:
    """All that is kept of documents in the role of one variable.

    Args:
        variable: its name.
        alone: what must be true of the document by itself.
        groups: per group of joins, this side of each.
        pool: what all of this is taken from.
    """

    def __init__(self, variable: str, alone: Sequence[Program], groups: Sequence[Sequence[Joined]], pool: Budget) -> None:
        self.variable = variable
        self.tables = tuple(tuple(Table(joined, pool) for joined in group) for group in groups)
        self.all: list[str] = []
        """Keys of the documents that may play this role, ascending; kept only where there is no table to look them up in."""
        self._pool = pool
        # Asked as one, those that take about as long for every document take a fraction of the time.
        even = tuple(program for program in alone if not Charged(program, pool).is_uneven)
        together = even if len(even) < 2 else (even[0].part(Logic(0, "&&", tuple(program.tree for program in even))),)
        self._even = tuple(Charged(program, pool) for program in together)
        self._uneven = tuple(charged for program in alone if (charged := Charged(program, pool)).is_uneven)

    def fill(self, keys: Sequence[str], documents: Sequence[Any]) -> None:
        """Enter documents at once into a side that is empty, by ascending keys; ends early when the pool does not cover it."""
        pool = self._pool
        pool.left -= len(keys)
        for even in self._even:
            if pool.left >= 0:
                found = even.filter(documents, self.variable, {})
                keys, documents = [keys[place] for place in found], [documents[place] for place in found]
        if self._uneven:
            found = []
            for place, document in enumerate(documents):
                if pool.left < 0:
                    return
                if self._holds(document):
                    found.append(place)
            keys, documents = [keys[place] for place in found], [documents[place] for place in found]
        if not self.tables:
            self.all = list(keys)
        for tables in self.tables:
            for table in tables:
                if pool.left >= 0:
                    table.fill(keys, documents, self.variable)

    def marks(self, document: Any) -> Marks | None:
        """Return the marks of a document in this role, None if it can not play it. They follow from the document, so none are kept."""
        self._pool.left -= 1
        for even in self._even:
            if not even.test({self.variable: document}):
                return None
        if not self._holds(document):
            return None
        return tuple([tuple([table.marks(document, self.variable) for table in tables]) for tables in self.tables])

    def _holds(self, document: Any) -> bool:
        """Whether the uneven conditions hold; one that takes long counts as held: then the pairs decide, and those are counted."""
        variables = {self.variable: document}
        for uneven in self._uneven:
            before = self._pool.left
            if not uneven.holds(variables, _STEPS_ALONE) and not uneven.was_cut_off(before, _STEPS_ALONE):
                return False
        return True

    def entries(self, marked: Marks) -> Iterator[tuple[Postings[str], Hashable]]:
        """Yield where a document with these marks is to be found."""
        for tables, of_group in zip(self.tables, marked, strict=True):
            for table, of_table in zip(tables, of_group, strict=True):
                for mark in of_table:
                    yield table.postings, mark
