"""Reads what `at` says: a position, or an RFC 3339 time. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_POSITION: Final = re.compile(r"[0-9]{1,18}")
_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>[Zz]|[+ -]\d\d:\d\d)", re.ASCII
)
_WRITTEN_IN_FULL: Final = timedelta(microseconds=999)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(microsecond=999_000, tzinfo=UTC)

FORMS: Final = "a position (digits, as in Signalbox-Position) or an RFC 3339 time with its zone, such as 2026-01-31T12:00:00Z"
"""What `at` may be, for people."""


class BadMoment(ValueError):
    """The text is neither a position nor a time; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A time that was asked for.

    Attributes:
        told: the time as it was written, in UTC.
        through: up to when facts count. The API writes times with milliseconds, and one that is asked for with no more means all of the
            last one, so that what was recorded at a time that it wrote is seen at that time.
    """

    told: datetime
    through: datetime


def moment_of(text: str) -> int | Instant:
    """The position or the time of an `at`. Raises: BadMoment."""
    if _POSITION.fullmatch(text):
        return int(text)
    if re.fullmatch(r"-[0-9]+", text):
        raise BadMoment("must not be negative: positions begin at 1, and 0 is before the first fact")
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadMoment(f"must be {FORMS}")
    fraction = match["fraction"] or ""
    # A plus that was not encoded in the query has become a space.
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"].replace(" ", "+")
    try:
        told = _in_utc(datetime.fromisoformat(f"{match['date']}T{match['clock']}.{fraction[:6]:0<6}{zone}"))
        return Instant(told, told if len(fraction) > 3 else told + _WRITTEN_IN_FULL)
    except (ValueError, OverflowError) as error:
        raise BadMoment(f"must be a time that there is: {error}") from error


def _in_utc(told: datetime) -> datetime:
    """The same instant in UTC. What lies outside of the years 1 to 9999 there is taken for their first or last instant: no fact is near."""
    try:
        return told.astimezone(UTC)
    except OverflowError:
        return _FIRST if told.year == 1 else _LAST
