"""One expression over many documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from libs.cel.column import Column
from libs.cel.conditions import Alternatives, Path, rank
from libs.cel.documents import ABSENT
from libs.cel.program import Program
from libs.cel.syntax import Literal

MOST_COLUMNS: Final = 64
MOST_COLUMN_BYTES: Final = 96 << 20
"""What the columns of one index may take; those not used longest make room."""

FEWEST_DOCUMENTS: Final = 200
"""Below this a scan is as quick as any look-up."""

SHORTEST_PREFIX: Final = 3
"""Characters of a prefix below which it is taken to tell nothing that is worth a new column."""

MOST_SHARE: Final = 0.3
"""Candidates, as a share of all documents, above which a scan is quicker than looking each of them up."""

GOOD_SHARE: Final = 0.02
"""Candidates, as a share of all documents, that are few enough not to build another column."""

_MOST_REMEMBERED: Final = 1024

Candidates: TypeAlias = tuple[int, list[list[int]]]
"""How many candidates there are at most, and their numbers, each list ascending."""


class DocumentIndex:
    """Documents by key; `select` finds those an expression is true of.

    Every field that expressions ask for gets a column on first use, unless it tells too little. Changes are noted and worked into the
    columns by the next `select`. A document must not be changed once it is put; put another one. Not made for several threads.

    Args:
        variable: what expressions call a document.
    """

    def __init__(self, variable: str = "resource") -> None:
        self._variable = variable
        # Documents stand in the order they came, since that is how they lie in memory: a scan in the order of their keys would take
        # three times longer. They are numbered by their place; a hole is filled with the last one.
        self._numbers: dict[str, int] = {}
        self._places: list[int] = []
        self._keys: list[str] = []
        self._rows: list[Any] = []
        self._before: dict[int, Any] = {}
        self._ascending: list[str] | None = None
        self._columns: dict[Path, Column] = {}
        self._useless: dict[Path, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    def __iter__(self) -> Iterator[str]:
        """Yield all keys, ascending."""
        return iter(tuple(self._all()))

    def get(self, key: str) -> Any | None:
        """Return a document, None if there is none."""
        number = self._numbers.get(key)
        return None if number is None else self._rows[number]

    def put(self, key: str, document: Any) -> None:
        """Add a document or replace it."""
        number = self._numbers.get(key)
        if number is not None:
            self._note(number)
            self._rows[number] = document
            return
        if len(self._places) == len(self._rows):
            self._places.append(len(self._rows))
        # The same object for the same number everywhere: columns hold millions of them.
        number = self._numbers[key] = self._places[len(self._rows)]
        self._note(number)
        self._keys.append(key)
        self._rows.append(document)
        self._ascending = None

    def remove(self, key: str) -> None:
        """Forget a document, if it is there."""
        number = self._numbers.pop(key, None)
        if number is None:
            return
        self._note(number)
        self._note(self._places[len(self._rows) - 1])
        last_key, last_row = self._keys.pop(), self._rows.pop()
        if last_key != key:
            self._numbers[last_key] = number
            self._keys[number], self._rows[number] = last_key, last_row
        self._ascending = None

    def select(self, program: Program) -> list[str]:
        """Return the keys of all documents that the expression is true of, ascending; an error is no match."""
        assert self._variable in program.environment.variables, f"{program!r} does not know {self._variable}"
        if isinstance(program.tree, Literal):
            return list(self._all()) if program.test({}) else []
        conditions = program.conditions
        answers = conditions.whole and len(conditions.every) == 1
        found = self._candidates(conditions.every, answers=answers)
        keys, rows = self._keys, self._rows
        if found is None:
            return sorted([keys[number] for number in program.filter(rows, self._variable)])
        lists = found[1]
        candidates = lists[0] if len(lists) == 1 else sorted(set().union(*lists))
        if answers:
            return sorted([keys[number] for number in candidates])
        positions = program.filter([rows[number] for number in candidates], self._variable)
        return sorted([keys[candidates[position]] for position in positions])

    @property
    def columns(self) -> dict[Path, int]:
        """The fields that have a column, with its size in bytes."""
        return {path: column.size_bytes for path, column in self._columns.items()}

    def _candidates(self, every: Sequence[Alternatives], *, answers: bool) -> Candidates | None:
        """Look up the condition that leaves the fewest candidates; None when a scan is quicker.

        Args:
            every: the conditions.
            answers: the candidates are the answer, so that none of them will be evaluated and any number is quicker than a scan.
        """
        if len(self._rows) < FEWEST_DOCUMENTS:
            return None
        most = len(self._rows) if answers else int(len(self._rows) * MOST_SHARE)
        self._settle()
        best: Candidates | None = None
        without: list[Alternatives] = []
        for alternatives in sorted(every, key=rank):
            if not all(one.kind in ("eq", "prefix") and one.path[0] == self._variable for one in alternatives):
                continue
            if all(one.path in self._columns for one in alternatives):
                best = self._look_up(alternatives, best, most)
            else:
                without.append(alternatives)
        if best is not None and best[0] <= len(self._rows) * GOOD_SHARE:
            return best
        for alternatives in without:
            if any(one.kind == "prefix" and len(one.value) < SHORTEST_PREFIX for one in alternatives):
                continue
            # One at a time: building a column takes as long as a scan.
            if self._build({one.path for one in alternatives}):
                return self._look_up(alternatives, best, most)
        return best

    def _look_up(self, alternatives: Alternatives, best: Candidates | None, most: int) -> Candidates | None:
        limit = most if best is None else min(most, best[0])
        lists: list[list[int]] = []
        count = 0
        for kind, path, value in alternatives:
            # Taken out and put back, so that the columns stand in the order of their last use.
            column = self._columns[path] = self._columns.pop(path)
            found = [column.equal_to(value)] if kind == "eq" else column.starting_with(value, limit - count)
            if found is None:
                return best
            lists += found
            count += sum(map(len, found))
            if count > limit:
                return best
        return count, lists or [[]]

    def _build(self, paths: set[Path]) -> bool:
        """Make the columns that are missing; return whether all are there now."""
        total = len(self._rows)
        missing = sorted(paths - self._columns.keys())
        if len(missing) > 2 or any(total < 2 * self._useless.get(path, 0) for path in missing):
            return False
        for path in missing:
            column = Column(path[1:], zip(self._places, self._rows, strict=False))
            if column.expected() > total * MOST_SHARE or column.size_bytes > MOST_COLUMN_BYTES:
                if len(self._useless) >= _MOST_REMEMBERED:
                    self._useless.clear()
                self._useless[path] = total
                return False
            self._columns[path] = column
        size = sum(column.size_bytes for column in self._columns.values())
        while len(self._columns) > MOST_COLUMNS or size > MOST_COLUMN_BYTES:
            oldest = next(iter(self._columns))
            size -= self._columns.pop(oldest).size_bytes
        return paths <= self._columns.keys()

    def _all(self) -> list[str]:
        if self._ascending is None:
            self._ascending = sorted(self._keys)
        return self._ascending

    def _note(self, number: int) -> None:
        """Remember which document had a number when the columns last looked."""
        if not self._columns:
            return
        self._before.setdefault(number, self._rows[number] if number < len(self._rows) else ABSENT)
        if len(self._before) > max(FEWEST_DOCUMENTS, len(self._rows) // 8):
            # Making them again takes no longer than working so many changes in.
            self._columns.clear()
            self._before.clear()

    def _settle(self) -> None:
        """Work the changes into the columns."""
        rows = self._rows
        changes, self._before = self._before, {}
        for number, before in changes.items():
            after = rows[number] if number < len(rows) else ABSENT
            for column in self._columns.values():
                column.move(number, before, after)
