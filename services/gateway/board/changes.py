"""The newest changes of a board, so that whoever was away a while is told what it missed without anybody reading the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

MOST: Final = 20_000
"""Changes that are kept."""
MOST_NAMES: Final = 200_000
"""Names of rows, targets and facts that all of them together hold; bulk work lets the oldest go sooner."""

RowName = tuple[str, str]
"""Topic and key."""
Heading = tuple[int, str, str, str]
"""A fact: position, type, subject, when it was recorded."""


class Change(NamedTuple):
    """What some facts changed, by name. Rows are made of what is known when they are sent: that is never older.

    Attributes:
        after, position: the facts after one position, through the other.
        rows: of the matrix and the approvals.
        targets: by cell.
        told: cells of which all targets are to be asked for again.
        touched: (topic, id) of what pages ask for again.
    """

    after: int
    position: int
    rows: frozenset[RowName]
    targets: dict[str, frozenset[str]]
    told: frozenset[str]
    touched: frozenset[tuple[str, str]]
    events: tuple[Heading, ...]

    @property
    def names(self) -> int:
        """How much memory it takes, in names."""
        return 1 + len(self.rows) + sum(map(len, self.targets.values())) + len(self.touched) + len(self.events)


class Ring:
    """The newest changes, without a gap.

    Attributes:
        base: changes after this position are all there.
        head: position of the newest.
    """

    def __init__(self, position: int) -> None:
        self.base = self.head = position
        self._changes: deque[Change] = deque()
        self._names = 0

    def add(self, change: Change) -> None:
        """Keep one that follows the newest."""
        assert change.after == self.head, "changes follow one another without a gap"
        self._changes.append(change)
        self._names += change.names
        self.head = change.position
        while len(self._changes) > MOST or (self._names > MOST_NAMES and len(self._changes) > 1):
            oldest = self._changes.popleft()
            self._names -= oldest.names
            self.base = oldest.position

    def reaches(self, since: int) -> bool:
        """Whether everything after a position is there."""
        return self.base <= since <= self.head

    def after(self, since: int) -> list[Change]:
        """Changes with anything after a position, oldest first. One that began before it comes as a whole."""
        return list(_newest(self._changes, since))[::-1]


def _newest(changes: deque[Change], since: int) -> Iterator[Change]:
    for change in reversed(changes):
        if change.position <= since:
            return
        yield change
