"""Sprig's functions of times. There is no clock: every time is given, as a time, as seconds since 1970 or as RFC 3339 text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from libs.template.bounds import check_length
from libs.template.error import Fault
from libs.template.functions.durations import SECOND, coarse, duration_text, nanoseconds
from libs.template.functions.layouts import formatted, parsed, zone_name
from libs.template.functions.signature import ANY, TEXT, Function
from libs.template.values import Opaque, Whole64, is_number, type_name

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339: Final = "2006-01-02T15:04:05Z07:00"
_ZERO: Final = datetime(1, 1, 1, tzinfo=UTC)


class Moment(Opaque):
    """A time.

    Attributes:
        at: with its zone.
    """

    __slots__ = ("at",)
    type: ClassVar[str] = "time.Time"

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __str__(self) -> str:
        return f"{formatted(self.at, '2006-01-02 15:04:05.999999 -0700')} {zone_name(self.at)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.at == other.at

    def __hash__(self) -> int:
        return hash(self.at)

    def field(self, name: str) -> Any:
        """The parts that need no argument."""
        match name:
            case "Year" | "Day" | "Hour" | "Minute" | "Second":
                return int(getattr(self.at, name.lower()))
            case "Month":
                return formatted(self.at, "January")
            case "Weekday":
                return formatted(self.at, "Monday")
            case "YearDay":
                return self.at.timetuple().tm_yday
            case "Unix":
                return _unix(self)
        raise Fault(f"a time has no field {name!r}; use date with a layout")


def _moment(value: Any) -> datetime:
    """The time that a value says. Raises: Fault: it says none."""
    if isinstance(value, Moment):
        return value.at
    if is_number(value):
        try:
            return _EPOCH + timedelta(seconds=int(value))
        except (OverflowError, ValueError):
            raise Fault("the seconds since 1970 are out of range") from None
    if isinstance(value, str):
        return parsed(value, _RFC3339)
    raise Fault(f"a time, seconds since 1970 or RFC 3339 text is needed, not {type_name(value)}; there is no clock to ask")


def _shown(layout: str, value: Any, zone: str = "UTC") -> str:
    check_length(4 * len(layout))
    try:
        return formatted(_moment(value).astimezone(_zone(zone)), layout)
    except (OverflowError, ValueError):
        raise Fault("the time is out of range in its zone") from None


def _zone(name: str) -> tzinfo:
    """A zone by name; an unknown one counts as UTC, as in Sprig."""
    if name in ("", "UTC", "Local") or len(name) > 60:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _to_date(layout: str, text: str) -> Moment:
    try:
        return Moment(parsed(text, layout))
    except Fault:
        # Sprig's own answer to what is no time; mustToDate says what is wrong.
        return Moment(_ZERO)


def _modified(change: str, value: Any) -> Moment:
    moment = _moment(value)
    length = nanoseconds(change)
    try:
        return Moment(moment + timedelta(microseconds=length // 1000))
    except OverflowError:
        raise Fault("the time is out of range") from None


def _unix(value: Any) -> Whole64:
    return Whole64((_moment(value) - _EPOCH) // timedelta(seconds=1))


def _length(value: Any) -> int:
    """Nanoseconds of a number of seconds, also as text."""
    if is_number(value):
        try:
            return int(value * SECOND)
        except (OverflowError, ValueError):
            raise Fault("the number of seconds is out of range") from None
    return int(value) * SECOND if isinstance(value, str) and len(value) < 18 and value.lstrip("-").isdecimal() else 0


def _duration(value: Any) -> str:
    length = _length(value)
    if abs(length) >= 1 << 63:
        raise Fault("the number of seconds is too large for a duration")
    return duration_text(length)


def _rounded(value: Any) -> str:
    """The coarse length of a duration text, or of nanoseconds."""
    if isinstance(value, str):
        try:
            return coarse(nanoseconds(value))
        except Fault:
            return "0s"
    return coarse(int(value)) if isinstance(value, int) else "0s"


_IN_ZONE: Final = Function(_shown, (TEXT, ANY, TEXT))
_TO_DATE: Final = Function(_to_date, (TEXT, TEXT))
_MODIFY: Final = Function(_modified, (TEXT, ANY))

TABLE: Final[dict[str, Function]] = {
    "date": Function(_shown, (TEXT, ANY)),
    "dateInZone": _IN_ZONE,
    "date_in_zone": _IN_ZONE,
    "htmlDate": Function(lambda value: _shown("2006-01-02", value), (ANY,)),
    "htmlDateInZone": Function(lambda value, zone: _shown("2006-01-02", value, zone), (ANY, TEXT)),
    "toDate": _TO_DATE,
    "mustToDate": Function(lambda layout, text: Moment(parsed(text, layout)), (TEXT, TEXT)),
    "dateModify": _MODIFY,
    "date_modify": _MODIFY,
    "mustDateModify": _MODIFY,
    "must_date_modify": _MODIFY,
    "unixEpoch": Function(lambda value: str(_unix(value)), (ANY,)),
    "duration": Function(_duration, (ANY,)),
    "durationRound": Function(_rounded, (ANY,)),
}
