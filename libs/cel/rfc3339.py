"""Points in time as documents write them: RFC 3339 text. Where such a text meets a timestamp, it counts as one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def looks_like_time(text: str) -> bool:
    """Return whether a text has the form of RFC 3339; its numbers may still be no time."""
    return _TIME.fullmatch(text) is not None


def read_time(text: str) -> dt.datetime | None:
    """Return the time in UTC, with microseconds, of an RFC 3339 text of the years 1 to 9999; None for any other text."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        return dt.datetime.fromisoformat(f"{found[1]}.{(found[2] or '')[:6].ljust(6, '0')}{found[3]}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
