"""Instants as text: how documents write them, and how they are read from rules that were saved as documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from libs.recurrence import END, later

__all__ = ["END", "lasting", "later", "read", "spoken"]


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


def lasting(duration: timedelta) -> str:
    """A duration for people: `45s`, `12m`, `3h`, `3h 5m`, `2d 3h`; what is smaller than its second unit is left out."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86_400
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m"
