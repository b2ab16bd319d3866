"""Which keys have which mark: the table at the bottom of every index."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

Key = TypeVar("Key", str, int)

_POSTING_BYTES: Final = 8
_MARK_BYTES: Final = 130


class Postings(Generic[Key]):
    """Ascending keys by mark. A mark of one key holds that key itself, since most fields that are worth an index are nearly unique."""

    __slots__ = ("_held", "entries")

    def __init__(self) -> None:
        self._held: dict[Hashable, Key | list[Key]] = {}
        self.entries = 0

    @property
    def size_bytes(self) -> int:
        """Roughly the memory it takes, without keys and marks themselves."""
        return self.entries * _POSTING_BYTES + len(self._held) * _MARK_BYTES

    def fill(self, marked: Iterable[tuple[Key, Hashable]]) -> None:
        """Add keys with their marks, keys ascending and above all that are there: the quick way to build a table."""
        held = self._held
        first = held.setdefault
        count = 0
        for key, mark in marked:
            count += 1
            there: Any = first(mark, key)
            if there.__class__ is list:
                there.append(key)
            elif there is not key:
                held[mark] = [there, key]
        self.entries += count

    def add(self, mark: Hashable, key: Key) -> bool:
        """Add a key that the mark does not have; return whether the mark is new."""
        self.entries += 1
        held = self._held.get(mark)
        if held is None:
            self._held[mark] = key
            return True
        if isinstance(held, list):
            insort(held, key)
        else:
            self._held[mark] = [held, key] if held < key else [key, held]
        return False

    def remove(self, mark: Hashable, key: Key) -> bool:
        """Take away a key that the mark has; return whether it was the last one."""
        self.entries -= 1
        held = self._held[mark]
        if isinstance(held, list) and len(held) > 1:
            place = bisect_left(held, key)
            assert held[place] == key, f"{key} is not there"
            del held[place]
            return False
        del self._held[mark]
        return True

    def of(self, mark: Hashable) -> list[Key]:
        """Return the keys of a mark, ascending; not to be changed."""
        held = self._held.get(mark)
        return [] if held is None else held if isinstance(held, list) else [held]

    def marks(self) -> Iterator[Hashable]:
        """Yield all marks, in no particular order."""
        return iter(self._held)

    def counts(self) -> Iterator[int]:
        """Yield how many keys each mark has."""
        return (len(held) if isinstance(held, list) else 1 for held in self._held.values())
