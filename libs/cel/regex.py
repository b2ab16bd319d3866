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


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text contains the pattern, characters counted as such.

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
        return _plain(encoded)
    # The wrapper around this method takes as long as a short search.
    match = getattr(both, "_set", _Unwrapped(both)).Match
    searches: list[Callable[[str], bool]] = []

    def found(text: str) -> bool:
        answer = match(text.encode("utf-8", "replace"))
        if answer == _FOUND:
            return True
        if answer == _NOT_FOUND:
            return False
        if not searches:
            searches.append(_plain(encoded))
        return searches[0](text)

    return found


def found_in(text: str, pattern: str) -> bool:
    """Return whether the pattern matches anywhere in the text.

    Raises:
        CelError: kind `regex`, as in `searcher`.
    """
    return searcher(pattern)(text)


class Remembered(dict[str, bool]):
    """The answers of one pattern in one run over many texts, of which many are equal; `remembered[text]` asks."""

    __slots__ = ("_found",)

    MOST: Final = 4096
    """Texts kept: a field with more values than that is taken to have a different one in every document."""

    def __init__(self, found: Callable[[str], bool]) -> None:
        super().__init__()
        self._found = found

    def __missing__(self, text: str) -> bool:
        answer = self._found(text)
        if len(self) < self.MOST:
            self[text] = answer
        return answer


class _Unwrapped:
    """A set that does not show what it wraps."""

    def __init__(self, both: Any) -> None:
        self._both = both

    def Match(self, text: bytes) -> list[int]:  # noqa: N802 - the name of the method it stands for
        return self._both.Match(text) or []


def _plain(encoded: bytes) -> Callable[[str], bool]:
    import re2

    search = re2.compile(encoded, _options()).search
    return lambda text: search(text.encode("utf-8", "replace")) is not None


def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_MEMORY_BYTES
    return options
