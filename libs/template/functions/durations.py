"""Go's durations, such as `1h15m30.5s`, as nanoseconds."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from libs.template.error import Fault

SECOND: Final = 1_000_000_000
_UNITS: Final = {
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
}  # fmt: skip
_DURATION: Final = re.compile(r"([+-]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)")
_PART: Final = re.compile(r"([0-9.]+)([a-zµμ]+)")
_COARSE: Final = (("y", 365 * 24 * 3600), ("mo", 30 * 24 * 3600), ("d", 24 * 3600), ("h", 3600), ("m", 60), ("s", 1))


def nanoseconds(text: str) -> int:
    """The length of a duration. Raises: Fault: the text is none, or longer than 64 bits hold."""
    found = _DURATION.fullmatch(text) if len(text) <= 100 else None
    if found is None:
        raise Fault(f"{text[:60]!r} is no duration; write for example 1h30m or -90s")
    total = sum(int(Decimal(number) * _UNITS[unit]) for number, unit in _PART.findall(found[2]))
    if total >= 1 << 63:
        raise Fault(f"{text[:60]!r} is too long for a duration")
    return -total if found[1] == "-" else total


def duration_text(length: int) -> str:
    """A duration as Go prints it, its length in nanoseconds."""
    if length == 0:
        return "0s"
    sign, length = ("-" if length < 0 else ""), abs(length)
    if length < SECOND:
        unit, size = next((unit, size) for unit, size in (("ms", 1_000_000), ("µs", 1000), ("ns", 1)) if length >= size)
        return f"{sign}{_decimal(length, size)}{unit}"
    minutes, rest = divmod(length, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, SECOND)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(length: int, size: int) -> str:
    whole, rest = divmod(length, size)
    fraction = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


def coarse(length: int) -> str:
    """The largest unit that a duration has more than one of, such as `2h`."""
    seconds = abs(length) // SECOND
    return next((f"{seconds // size}{unit}" for unit, size in _COARSE if abs(length) > size * SECOND), "0s")
