"""Regular expressions by RE2 alone, whose time is linear; Python's `re` backtracks and never sees a user's pattern.

Whether a pattern is found at all is asked of an RE2 set, which looks for no groups and no places: two to three times faster than a
search. A set that runs out of memory says "no match", so every set also holds the empty pattern, which matches any text: when it is
not among the answers, the set has failed and a plain search answers instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from libs.cel.limits import REGEX_CHARS, REGEX_MEMORY_BYTES
from libs.cel.problems import CelError

_FOUND: Final = [0, 1]
_NOT_FOUND: Final = [1]


class Searcher:
    """One pattern, asked whether texts contain it; characters are counted as such.

    Attributes:
        ask: takes UTF-8 and gives a list that holds 0 if the pattern is there, an empty one when it does not know.
    """

    __slots__ = ("_encoded", "_search", "ask")

    def __init__(self, encoded: bytes, ask: Callable[[bytes], list[int]]) -> None:
        self.ask = ask
        self._encoded = encoded
        self._search: Callable[[bytes], Any] | None = None

    def __call__(self, text: str) -> bool:
        return 0 in (self.ask(text.encode("utf-8", "replace")) or self.search(text))

    def search(self, text: str) -> list[int]:
        """Answer as `ask` should have, by a plain search."""
        if self._search is None:
            import re2

            self._search = re2.compile(self._encoded, _options()).search
        return _FOUND if self._search(text.encode("utf-8", "replace")) is not None else _NOT_FOUND


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Searcher:
    """Return what searches texts for the pattern.

    Raises:
        CelError: kind `regex`, the pattern is bad, too long or needs too much memory.
    """
    import re2

    if len(pattern) > REGEX_CHARS:
        raise CelError("regex", f"the regular expression is longer than {REGEX_CHARS} characters")
    encoded = pattern.encode("utf-8", "replace")
    try:
        # Compiled only to be checked: most patterns never need the plain search, which would double their memory.
        re2.compile(encoded, _options())
    except re2.error as bad:
        reason = bad.args[0] if bad.args else "not accepted"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise CelError("regex", f"bad regular expression: {text}") from None
    both = re2.Set.SearchSet(_options())
    try:
        both.Add(encoded)
        both.Add(b"")
        both.Compile()
    except re2.error:
        return Searcher(encoded, lambda text: [])
    # The wrapper around this method takes as long as a short search.
    unwrapped = getattr(both, "_set", None)
    return Searcher(encoded, unwrapped.Match if unwrapped is not None else lambda text: both.Match(text) or [])


def found_in(text: str, pattern: str) -> bool:
    """Return whether the pattern matches anywhere in the text.

    Raises:
        CelError: kind `regex`, as in `searcher`.
    """
    return searcher(pattern)(text)


class Remembered(dict[str, bool]):
    """The answers of one pattern in one run over many texts, many of them equal; `remembered[text]` asks."""

    __slots__ = ("_found",)

    def __init__(self, found: Callable[[str], bool]) -> None:
        super().__init__()
        self._found = found

    def __missing__(self, text: str) -> bool:
        answer = self[text] = self._found(text)
        return answer


def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_MEMORY_BYTES
    return options
