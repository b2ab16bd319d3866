"""Regular expressions by RE2 alone, whose time is linear; Python's `re` backtracks and never sees a user's pattern."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from libs.cel.limits import REGEX_CHARS, REGEX_MEMORY_BYTES
from libs.cel.problems import CelError


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[bytes], Any]:
    """Return a function that searches UTF-8 text for the pattern, characters counted as such; None means not found.

    Raises:
        CelError: kind `regex`, the pattern is bad, too long or needs too much memory.
    """
    import re2

    if len(pattern) > REGEX_CHARS:
        raise CelError("regex", f"the regular expression is longer than {REGEX_CHARS} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_MEMORY_BYTES
    try:
        search: Callable[[bytes], Any] = re2.compile(pattern.encode("utf-8", "replace"), options).search
    except re2.error as bad:
        reason = bad.args[0] if bad.args else "not accepted"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise CelError("regex", f"bad regular expression: {text}") from None
    return search


def found_in(text: str, pattern: str) -> bool:
    """Return whether the pattern matches anywhere in the text.

    Raises:
        CelError: kind `regex`, as in `searcher`.
    """
    return searcher(pattern)(text.encode("utf-8", "replace")) is not None
