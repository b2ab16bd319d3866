"""One expression over many documents."""

from __future__ import annotations

from bisect import bisect_left
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

MOST_SHARE: Final = 0.3
"""Candidates, as a share of all documents, above which a scan is quicker than looking each of them up."""

GOOD_SHARE: Final = 0.02
"""Candidates, as a share of all documents, that are few enough not to build another column."""

_FEW_CHANGES: Final = 256
_MOST_REMEMBERED: Final = 1024

Candidates: TypeAlias = tuple[Alternatives, int, list[list[str]]]
"""What was looked up, how many candidates there are at most, and their keys, each list ascending."""


class DocumentIndex:
    """Documents by key; `select` finds those an expression is true of.

    Every field that expressions ask for gets a column on first use, unless it tells too little. Changes are noted and worked in
    before the next `select`. A document must not be changed once it is put; put another one. Not made for several threads.

    Args:
        variable: what expressions call a document.
    """

    def __init__(self, variable: str = "resource") -> None:
        self._variable = variable
        self._documents: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._keys: list[str] = []
        self._rows: list[Any] = []
        self._columns: dict[Path, Column] = {}
        self._useless: dict[Path, int] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    def __iter__(self) -> Iterator[str]:
        """Yield all keys, ascending."""
        self._settle()
        return iter(tuple(self._keys))

    def get(self, key: str) -> Any | None:
        """Return a document, None if there is none."""
        return self._documents.get(key)

    def put(self, key: str, document: Any) -> None:
        """Add a document or replace it."""
        self._before.setdefault(key, self._documents.get(key, ABSENT))
        self._documents[key] = document

    def remove(self, key: str) -> None:
        """Forget a document, if it is there."""
        if key in self._documents:
            self._before.setdefault(key, self._documents[key])
            del self._documents[key]

    def select(self, program: Program) -> list[str]:
        """Return the keys of all documents that the expression is true of, ascending; an error is no match."""
        assert self._variable in program.environment.variables, f"{program!r} does not know {self._variable}"
        self._settle()
        if isinstance(program.tree, Literal):
            return list(self._keys) if program.test({}) else []
        conditions = program.conditions
        found = self._candidates(conditions.every)
        if found is None:
            positions = program.filter(self._rows, self._variable)
            keys = self._keys
            return [keys[position] for position in positions]
        looked_up, _, lists = found
        candidates = lists[0] if len(lists) == 1 else sorted(set().union(*lists))
        if conditions.whole and conditions.every == (looked_up,):
            return list(candidates)
        documents = self._documents
        positions = program.filter([documents[key] for key in candidates], self._variable)
        return [candidates[position] for position in positions]

    @property
    def columns(self) -> dict[Path, int]:
        """The fields that have a column, with its size in bytes."""
        return {path: column.size_bytes for path, column in self._columns.items()}

    def _candidates(self, every: Sequence[Alternatives]) -> Candidates | None:
        """Look up the condition that leaves the fewest candidates; None when a scan is quicker."""
        if len(self._keys) < FEWEST_DOCUMENTS:
            return None
        most = int(len(self._keys) * MOST_SHARE)
        best: Candidates | None = None
        without: list[Alternatives] = []
        for alternatives in sorted(every, key=rank):
            if not all(one.kind != "has" and one.path[0] == self._variable for one in alternatives):
                continue
            if all(one.path in self._columns for one in alternatives):
                best = self._look_up(alternatives, best, most)
            else:
                without.append(alternatives)
        if best is not None and best[1] <= len(self._keys) * GOOD_SHARE:
            return best
        for alternatives in without:
            # One at a time: building a column takes as long as a scan.
            if self._build({one.path for one in alternatives}):
                return self._look_up(alternatives, best, most)
        return best

    def _look_up(self, alternatives: Alternatives, best: Candidates | None, most: int) -> Candidates | None:
        limit = most if best is None else min(most, best[1])
        lists: list[list[str]] = []
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
        return alternatives, count, lists or [[]]

    def _build(self, paths: set[Path]) -> bool:
        """Make the columns that are missing; return whether all are there now."""
        total = len(self._keys)
        missing = sorted(paths - self._columns.keys())
        if len(missing) > 2 or any(total < 2 * self._useless.get(path, 0) for path in missing):
            return False
        for path in missing:
            column = Column(path[1:], zip(self._keys, self._rows, strict=True))
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

    def _settle(self) -> None:
        """Work in the changes noted since the last time."""
        if not self._before:
            return
        changes, self._before = self._before, {}
        if len(changes) > max(_FEW_CHANGES, len(self._keys) // 8):
            self._columns.clear()
        for key, before in changes.items():
            after = self._documents.get(key, ABSENT)
            for column in self._columns.values():
                column.move(key, before, after)
        if len(changes) > _FEW_CHANGES:
            self._keys = [key for key in self._keys if key in self._documents]
            self._keys += sorted(key for key, before in changes.items() if before is ABSENT and key in self._documents)
            # Two ascending runs, which sorting merges in one pass.
            self._keys.sort()
            self._rows = [self._documents[key] for key in self._keys]
            return
        for key, before in changes.items():
            after = self._documents.get(key, ABSENT)
            place = bisect_left(self._keys, key)
            if before is ABSENT and after is not ABSENT:
                self._keys.insert(place, key)
                self._rows.insert(place, after)
            elif before is not ABSENT and after is ABSENT:
                del self._keys[place]
                del self._rows[place]
            elif after is not ABSENT:
                self._rows[place] = after
