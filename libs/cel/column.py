"""One column of a document index: which documents have which value at one path."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Any

from libs.cel.documents import SCALARS, reader, value_at
from libs.cel.postings import Postings


class Column:
    """Numbers of documents by their value at a path; strings also in order, for prefixes.

    Values other than strings, numbers and booleans are left out, since no condition looks them up.
    """

    __slots__ = ("_below", "_ordered", "_postings")

    def __init__(self, below: tuple[str, ...], documents: Iterable[tuple[int, Any]]) -> None:
        """Build it from documents in ascending order of their numbers; `below` are the keys of the path after the variable."""
        self._below = below
        self._ordered: list[str] | None = None
        self._postings: Postings[int] = Postings()
        read = reader(below)
        self._postings.fill((number, value) for number, document in documents if _can_be_found(value := read(document)))

    @property
    def size_bytes(self) -> int:
        """Roughly the memory it takes."""
        return self._postings.size_bytes

    def expected(self) -> float:
        """Return how many documents share the value of a random one: the lower, the more the column tells."""
        return sum(count**2 for count in self._postings.counts()) / max(self._postings.entries, 1)

    def equal_to(self, value: str | float | bool) -> list[int]:
        """Return the numbers of documents with the value, ascending; not to be changed."""
        return self._postings.of(value)

    def starting_with(self, prefix: str, most: int) -> list[list[int]] | None:
        """Return the numbers of documents with a string that starts with the prefix, value by value; None if more than `most`."""
        ordered = self._ordered
        if ordered is None:
            ordered = self._ordered = sorted(mark for mark in self._postings.marks() if isinstance(mark, str))
        start = bisect_left(ordered, prefix)
        if bisect_left(ordered, prefix + "\U0010ffff") - start > most:
            return None
        found: list[list[int]] = []
        count = 0
        for place in range(start, len(ordered)):
            if not ordered[place].startswith(prefix):
                break
            numbers = self._postings.of(ordered[place])
            found.append(numbers)
            count += len(numbers)
            if count > most:
                return None
        return found

    def move(self, number: int, before: Any, after: Any) -> None:
        """Take note that another document has a number; `ABSENT` stands for none before or after."""
        old, new = value_at(before, self._below), value_at(after, self._below)
        if old.__class__ is new.__class__ and (old is new or (old.__class__ in SCALARS and old == new)):
            return
        if _can_be_found(old) and self._postings.remove(old, number) and self._ordered is not None and isinstance(old, str):
            del self._ordered[bisect_left(self._ordered, old)]
        if _can_be_found(new) and self._postings.add(new, number) and self._ordered is not None and isinstance(new, str):
            insort(self._ordered, new)


def _can_be_found(value: Any) -> bool:
    # Not-a-number equals nothing, itself included, so that a table would never find it again.
    return value.__class__ in SCALARS and value == value
