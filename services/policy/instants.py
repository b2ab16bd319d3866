"""Instants as text: how documents write them, and how they are read from rules that were saved as documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

END: Final = datetime.max.replace(tzinfo=UTC)
"""The last instant that can be written. What would end later ends then, which is never."""


def later(instant: datetime, duration: timedelta) -> datetime:
    """An instant after another one; `END` when rules with huge numbers lead past what can be written."""
    try:
        return instant + duration
    except OverflowError:
        return END


def read(text: str) -> datetime | None:
    """The instant of a text in RFC 3339, with any fraction, with or without zone (then UTC); None for anything else, and for ''."""
    try:
        instant = datetime.fromisoformat(_microseconds(text))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def spoken(instant: datetime) -> str:
    """For sentences: seconds are enough for people."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _microseconds(text: str) -> str:
    """Cut a longer fraction, such as nanoseconds, to what our times hold."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]}{tail[digits:]}"
