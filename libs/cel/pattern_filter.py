"""Which of thousands of regular expressions may be found in one text.

RE2's filter looks for the literal pieces that each pattern can not do without, all of them in one pass. Unlike one automaton of all
patterns, which a few dozen hostile ones make a thousand times slower, this stays linear whatever the patterns are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from libs.cel.limits import REGEX_MEMORY_BYTES

_SIGNAL: Final = b"\x00signal\x00"
"""Ends every text and is a pattern of its own: when it is not found, the filter has failed and rules nothing out."""

_LOOSE: Final = 16
"""Changes, besides a quarter of the patterns, that are put up with before the filter is made again."""


class PatternFilter:
    """A changing set of patterns, all valid. What it names as candidates has to be searched for; what it leaves out is not there."""

    __slots__ = ("_filter", "_filtered", "_loose", "_removed")

    def __init__(self) -> None:
        self._filter: Any = None
        self._filtered: list[str] = []
        self._loose: dict[str, None] = {}
        self._removed: set[str] = set()

    def add(self, pattern: str) -> None:
        """Add a pattern that is not there."""
        if pattern in self._removed:
            self._removed.discard(pattern)
        else:
            self._loose[pattern] = None

    def remove(self, pattern: str) -> None:
        """Take a pattern away that is there."""
        if pattern in self._loose:
            del self._loose[pattern]
        else:
            self._removed.add(pattern)

    def candidates(self, text: str) -> Iterator[str]:
        """Yield the patterns that the text may contain."""
        if len(self._loose) + len(self._removed) > _LOOSE + len(self._filtered) // 4:
            self._make()
        yield from self._loose
        if self._filter is None:
            return
        found = self._filter.Match(text.encode("utf-8", "replace") + _SIGNAL, potential=True)
        # The signal was added last.
        if not found or len(self._filtered) not in found:
            found = range(len(self._filtered))
        for number in found:
            if number < len(self._filtered) and self._filtered[number] not in self._removed:
                yield self._filtered[number]

    def _make(self) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = REGEX_MEMORY_BYTES
        self._filtered = [*(pattern for pattern in self._filtered if pattern not in self._removed), *self._loose]
        self._loose, self._removed = {}, set()
        self._filter = re2.Filter()
        for pattern in self._filtered:
            self._filter.Add(pattern.encode("utf-8", "replace"), options)
        self._filter.Add(_SIGNAL, options)
        self._filter.Compile()
