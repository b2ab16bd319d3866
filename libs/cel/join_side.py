"""Documents in the role of one of the two variables of a relation: which may play it, and by what they are looked up in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from libs.cel.budget import Budget
from libs.cel.charged import Charged
from libs.cel.documents import ABSENT, marks, marks_inside, reader
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
        self._read_value = reader(path[1:]) if path is not None else None
        self._value = Charged(joined.value, pool)
        self._is_inside = joined.is_inside
        self._pool = pool
        self.postings: Postings[str] = Postings()

    def fill(self, keys: Sequence[str], documents: Sequence[Any], variable: str) -> None:
        """Enter documents at once, by ascending keys, the first mark of each being paid; ends early when the pool does not cover more."""
        self.postings.fill(self._entries(keys, documents, variable))

    def _entries(self, keys: Sequence[str], documents: Sequence[Any], variable: str) -> Iterator[tuple[str, Hashable]]:
        pool, read = self._pool, self._read_value
        if read is None or self._is_inside:
            for key, document in zip(keys, documents, strict=True):
                for mark in self._marks(document, variable):
                    yield key, mark
                if pool.left < 0:
                    return
            return
        for key, document in zip(keys, documents, strict=True):
            # Nearly every join is of a plain field, mostly text, so this is what filling an index takes.
            value = read(document)
            if value.__class__ is str and (len(value) < _SHORTEST_TIME or value[10] != "T"):
                yield key, value
            else:
                for mark in self._marks(document, variable):
                    yield key, mark
                if pool.left < 0:
                    return

    def marks(self, document: Any, variable: str) -> tuple[Hashable, ...]:
        """Return the marks of a document, each once; none where the value is an error, since then the join can not hold."""
        self._pool.left -= 1
        return self._marks(document, variable)

    def _marks(self, document: Any, variable: str) -> tuple[Hashable, ...]:
        value = self._read_value(document) if self._read_value is not None else ABSENT
        if value is ABSENT:
            try:
                value = self._value.value({variable: document})
            except CelError:
                return ()
        found = tuple(dict.fromkeys(marks_inside(value) if self._is_inside else marks(value)))
        self._pool.left -= max(len(found) - 1, 0)
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

    @property
    def has_conditions(self) -> bool:
        """Whether a document may be kept from this role by what it is."""
        return bool(self._even or self._uneven)

    def admit(self, documents: Sequence[Any]) -> list[int]:
        """Return the places of the documents that may play this role, ascending, and pay for entering them, as far as is known before."""
        pool = self._pool
        pool.left -= len(documents)
        found = list(range(len(documents)))
        for even in self._even:
            found = even.filter(documents, self.variable, {})
        if self._uneven:
            # Nothing is evaluated any more once the pool is empty.
            found = [place for place in found if pool.left >= 0 and self._holds(documents[place])]
        pool.left -= len(found) * sum(map(len, self.tables))
        return found

    def fill(self, keys: Sequence[str], documents: Sequence[Any]) -> None:
        """Enter documents that were admitted into a side that is empty, by ascending keys; ends early when the pool does not cover it."""
        if not self.tables:
            self.all = list(keys)
        for tables in self.tables:
            for table in tables:
                if self._pool.left >= 0:
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
        return all(uneven.may_hold({self.variable: document}, _STEPS_ALONE) for uneven in self._uneven)

    def entries(self, marked: Marks) -> Iterator[tuple[Postings[str], Hashable]]:
        """Yield where a document with these marks is to be found."""
        for tables, of_group in zip(self.tables, marked, strict=True):
            for table, of_table in zip(tables, of_group, strict=True):
                for mark in of_table:
                    yield table.postings, mark
