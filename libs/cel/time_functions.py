"""Timestamps and durations: reading, writing, and their parts. Precision is a microsecond."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from libs.cel.function import method
from libs.cel.problems import CelError
from libs.cel.rfc3339 import read_time
from libs.cel.values import MAX_DURATION_S, as_time, overload

_DURATION_PART: Final = re.compile(r"(\d+)(?:\.(\d*))?(h|ms|us|µs|ns|m|s)|\.(\d+)(h|ms|us|µs|ns|m|s)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_NANOSECONDS: Final = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_LONGEST_DURATION: Final = 64
"""Characters of a duration: its numbers are exact, so that their length must have an end."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def to_timestamp(value: Any) -> dt.datetime:
    """Convert an RFC 3339 string or seconds since 1970 to a timestamp in UTC.

    Raises:
        CelError: kind `range`, no such time; `overload`, another type.
    """
    moment: dt.datetime | None
    if value.__class__ is dt.datetime:
        return dt.datetime.astimezone(value, dt.UTC)
    if value.__class__ is int:
        try:
            moment = _EPOCH + dt.timedelta(seconds=value)
        except OverflowError:
            moment = None
    elif value.__class__ is str:
        moment = read_time(value)
    else:
        raise overload("timestamp", value)
    if moment is None:
        raise CelError("range", "the value is no RFC 3339 timestamp of the years 1 to 9999")
    return moment


def to_duration(value: Any) -> dt.timedelta:
    """Convert text such as `1h30m` or `-1.5s` to a duration.

    Raises:
        CelError: kind `range`, no duration or longer than 10,000 years; `overload`, another type.
    """
    if value.__class__ is dt.timedelta:
        given: dt.timedelta = value
        return given
    if value.__class__ is not str:
        raise overload("duration", value)
    body = value[1:] if value[:1] in ("-", "+") else value
    nanoseconds = end = 0
    if body != "0":
        for found in _DURATION_PART.finditer(body[:_LONGEST_DURATION]):
            if found.start() != end:
                break
            end = found.end()
            unit = _NANOSECONDS[found[3] or found[5]]
            fraction = found[2] or found[4] or ""
            nanoseconds += int(found[1] or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        if not body or end != len(body):
            raise CelError("range", "the string is no duration such as 1h30m or 1.5s")
    if nanoseconds > MAX_DURATION_S * 10**9:
        raise CelError("range", "duration out of range")
    length = dt.timedelta(microseconds=nanoseconds // 1000)
    return -length if value[0] == "-" else length


def written_timestamp(moment: dt.datetime) -> str:
    """Write a timestamp as RFC 3339 in UTC, fractions only where there are any."""
    moment = moment.astimezone(dt.UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}Z"


def written_duration(length: dt.timedelta) -> str:
    """Write a duration in seconds, as `90s` or `-1.5s`."""
    microseconds = length // dt.timedelta(microseconds=1)
    whole, rest = divmod(abs(microseconds), 10**6)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if microseconds < 0 else ''}{whole}{fraction}s"


def _in_zone(moment: dt.datetime, zone: Any) -> dt.datetime:
    # Late, since few expressions name a zone and the import takes its time.
    from zoneinfo import ZoneInfo

    if zone.__class__ is not str:
        raise overload("time zone", zone)
    try:
        if found := _OFFSET.fullmatch(zone):
            shift = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
            return moment.astimezone(dt.timezone(-shift if found[1] == "-" else shift))
        return moment.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError, OverflowError):
        raise CelError("range", "unknown time zone") from None


def _part(name: str, of_time: Callable[[dt.datetime], int], of_length: Callable[[int], int] | None = None) -> Callable[..., int]:
    def apply(value: Any, *zone: Any) -> int:
        if value.__class__ is str:
            value = as_time(value)
        if value.__class__ is dt.datetime:
            return of_time(_in_zone(value, zone[0]) if zone else value.astimezone(dt.UTC))
        if value.__class__ is dt.timedelta and of_length is not None and not zone:
            microseconds = value // dt.timedelta(microseconds=1)
            part = of_length(abs(microseconds))
            return -part if microseconds < 0 else part
        raise overload(name, value, *zone)

    return apply


FUNCTIONS: Final = {
    name: method(apply, 1, 2)
    for name, apply in {
        "getFullYear": _part("getFullYear", lambda t: t.year),
        "getMonth": _part("getMonth", lambda t: t.month - 1),
        "getDate": _part("getDate", lambda t: t.day),
        "getDayOfMonth": _part("getDayOfMonth", lambda t: t.day - 1),
        "getDayOfWeek": _part("getDayOfWeek", lambda t: t.isoweekday() % 7),
        "getDayOfYear": _part("getDayOfYear", lambda t: t.timetuple().tm_yday - 1),
        "getHours": _part("getHours", lambda t: t.hour, lambda us: us // 3_600_000_000),
        "getMinutes": _part("getMinutes", lambda t: t.minute, lambda us: us // 60_000_000),
        "getSeconds": _part("getSeconds", lambda t: t.second, lambda us: us // 1_000_000),
        "getMilliseconds": _part("getMilliseconds", lambda t: t.microsecond // 1000, lambda us: us % 1_000_000 // 1000),
    }.items()
}
