"""Go's layouts of times, in which the pieces of `Mon Jan 2 15:04:05 MST 2006` stand for those of another time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from libs.template.error import Fault

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PIECE: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|_2(?=006)|__2|_2|002|0[1-6]|15|Z070000|Z07:00:00|Z0700|Z07:00|Z07"
    r"|-070000|-07:00:00|-0700|-07:00|-07|PM|pm|[.,]0+(?![0-9])|[.,]9+(?![0-9])|[1-5]"
)
_FRACTION: Final = re.compile(r"[.,][0-9]+")


def formatted(moment: datetime, layout: str) -> str:
    """A time, which knows its zone, by a layout."""
    return _PIECE.sub(lambda found: _piece(found[0], moment), layout)


def _piece(piece: str, moment: datetime) -> str:
    if piece in _WRITTEN:
        return _WRITTEN[piece](moment)
    if piece[0] in ".,":
        digits = f"{moment.microsecond:06d}000"[: len(piece) - 1].ljust(len(piece) - 1, "0")
        if piece[1] == "9":
            digits = digits.rstrip("0")
        return piece[0] + digits if digits else ""
    if piece[0] in "Z-":
        return offset_text(moment, piece)
    return piece


def zone_name(moment: datetime) -> str:
    """The abbreviation of a time's zone, or its offset where it has none."""
    name = moment.tzname() or "UTC"
    return offset_text(moment, "-0700") if name.startswith("UTC") and name != "UTC" else name


def _seconds_off(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def offset_text(moment: datetime, piece: str) -> str:
    """The offset in the shape of `Z07:00`, `-0700` and the like."""
    seconds = _seconds_off(moment)
    if piece[0] == "Z" and seconds == 0:
        return "Z"
    hours, rest = divmod(abs(seconds), 3600)
    parts = [f"{hours:02d}", f"{rest // 60:02d}", f"{rest % 60:02d}"][: (len(piece.replace(":", "")) - 1) // 2]
    return ("-" if seconds < 0 else "+") + (":" if ":" in piece else "").join(parts)


def _hour(moment: datetime) -> int:
    return moment.hour % 12 or 12


_WRITTEN: Final[dict[str, Callable[[datetime], str]]] = {
    "January": lambda moment: _MONTHS[moment.month - 1],
    "Jan": lambda moment: _MONTHS[moment.month - 1][:3],
    "1": lambda moment: str(moment.month),
    "01": lambda moment: f"{moment.month:02d}",
    "Monday": lambda moment: _DAYS[moment.weekday()],
    "Mon": lambda moment: _DAYS[moment.weekday()][:3],
    "2": lambda moment: str(moment.day),
    "_2": lambda moment: f"{moment.day:2d}",
    "02": lambda moment: f"{moment.day:02d}",
    "__2": lambda moment: f"{moment.timetuple().tm_yday:3d}",
    "002": lambda moment: f"{moment.timetuple().tm_yday:03d}",
    "15": lambda moment: f"{moment.hour:02d}",
    "3": lambda moment: str(_hour(moment)),
    "03": lambda moment: f"{_hour(moment):02d}",
    "4": lambda moment: str(moment.minute),
    "04": lambda moment: f"{moment.minute:02d}",
    "5": lambda moment: str(moment.second),
    "05": lambda moment: f"{moment.second:02d}",
    "2006": lambda moment: f"{moment.year:04d}",
    "06": lambda moment: f"{moment.year % 100:02d}",
    "PM": lambda moment: "PM" if moment.hour >= 12 else "AM",
    "pm": lambda moment: "pm" if moment.hour >= 12 else "am",
    "MST": zone_name,
}


_READ: Final[dict[str, tuple[str, str]]] = {
    "2006": ("year", r"[0-9]{4}"),
    "06": ("short_year", r"[0-9]{2}"),
    "01": ("month", r"[0-9]{2}"),
    "1": ("month", r"[0-9]{1,2}"),
    "January": ("month_name", "|".join(_MONTHS)),
    "Jan": ("month_name", "|".join(name[:3] for name in _MONTHS)),
    "Monday": ("", "|".join(_DAYS)),
    "Mon": ("", "|".join(name[:3] for name in _DAYS)),
    "02": ("day", r"[0-9]{2}"),
    "2": ("day", r"[0-9]{1,2}"),
    "_2": ("day", r" ?[0-9]{1,2}"),
    "002": ("day_of_year", r"[0-9]{3}"),
    "__2": ("day_of_year", r" {0,2}[0-9]{1,3}"),
    "15": ("hour", r"[0-9]{2}"),
    "03": ("hour", r"[0-9]{2}"),
    "3": ("hour", r"[0-9]{1,2}"),
    "04": ("minute", r"[0-9]{2}"),
    "4": ("minute", r"[0-9]{1,2}"),
    "05": ("second", r"[0-9]{2}"),
    "5": ("second", r"[0-9]{1,2}"),
    "PM": ("half", r"AM|PM"),
    "pm": ("half", r"am|pm"),
    "MST": ("zone", r"[A-Z]{3,5}|[+-][0-9]{2}"),
}


def parsed(text: str, layout: str) -> datetime:
    """The time that a text says by a layout, in UTC where it names no zone. Raises: Fault: it does not fit."""
    values: dict[str, str] = {}
    at = place = 0
    for piece in _PIECE.finditer(layout):
        at = _skip(text, at, layout[place : piece.start()])
        place = piece.end()
        name, pattern = _reading(piece[0])
        found = re.compile(pattern).match(text, at)
        if found is None:
            raise Fault(f"the time {text[:60]!r} does not fit the layout at {piece[0]!r}")
        values[name] = found[0].strip()
        at = found.end()
        # A fraction may follow the seconds even where the layout has none.
        if name == "second" and not layout.startswith((".", ","), place) and (fraction := _FRACTION.match(text, at)):
            values["fraction"] = fraction[0]
            at = fraction.end()
    if _skip(text, at, layout[place:]) != len(text):
        raise Fault(f"the time {text[:60]!r} goes on after what the layout says")
    try:
        return _composed(values)
    except (ValueError, OverflowError):
        raise Fault(f"the time {text[:60]!r} is out of range") from None


def _skip(text: str, at: int, literal: str) -> int:
    if not text.startswith(literal, at):
        raise Fault(f"the time {text[:60]!r} does not fit the layout at {literal!r}")
    return at + len(literal)


def _reading(piece: str) -> tuple[str, str]:
    if piece in _READ:
        return _READ[piece]
    if piece[0] in ".,":
        return "fraction", (r"[.,][0-9]*" if piece[1] == "9" else rf"[.,][0-9]{{{len(piece) - 1}}}") + (
            "|" if piece[1] == "9" else ""
        )
    digits = ":".join([r"[0-9]{2}"] * (piece.count(":") + 1)) if ":" in piece else rf"[0-9]{{{len(piece) - 1}}}"
    return "offset", ("Z|" if piece[0] == "Z" else "") + rf"[+-]{digits}"


def _composed(values: dict[str, str]) -> datetime:
    year = int(values.get("year", 0))
    if "short_year" in values:
        year = int(values["short_year"])
        year += 1900 if year >= 69 else 2000
    month = int(values.get("month", 1))
    if name := values.get("month_name"):
        month = next(number for number, known in enumerate(_MONTHS, 1) if known.startswith(name))
    hour = int(values.get("hour", 0))
    if half := values.get("half", "").upper():
        hour = hour % 12 + (12 if half == "PM" else 0)
    fraction = int(values.get("fraction", ".0")[1:7].ljust(6, "0") or 0)
    made = datetime(
        year,
        month,
        int(values.get("day", 1)),
        hour,
        int(values.get("minute", 0)),
        int(values.get("second", 0)),
        fraction,
        _zone(values),
    )
    return made.replace(month=1, day=1) + timedelta(days=int(values["day_of_year"]) - 1) if "day_of_year" in values else made


def _zone(values: dict[str, str]) -> timezone:
    offset = values.get("offset", "Z")
    if offset == "Z":
        name = values.get("zone", "UTC")
        return UTC if name == "UTC" else timezone(timedelta(0), name)
    digits = offset[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return timezone(timedelta(seconds=-seconds if offset[0] == "-" else seconds)) if seconds else UTC
