"""Recurring spans of time: an RFC 5545 rule says when they begin, a duration how long they last. Windows and freezes are made of them.

The rule runs on the wall clock of its zone, so that 09:00 stays 09:00 when daylight saving begins or ends. A time that the clock jumps
over happens as much later as the clock jumped; one that comes twice happens once, the first time.

No rule can keep us busy. The search begins close to where it is asked about instead of at DTSTART. The library searches until it finds
something, though, so that rules which never happen, or hardly ever in small steps, are refused: see `_check`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import rrule as rfc5545

END: Final = datetime.max.replace(tzinfo=UTC)
"""The last instant that can be written. What would end later ends then, which is never."""
LONGEST_RULE: Final = 2_000
"""Characters."""
MOST_COUNT: Final = 10_000
MOST_INTERVAL: Final = 1_000_000
MOST_TIMES_A_DAY: Final = 1_440
LONGEST_MINUTES: Final = 366 * 24 * 60
"""How long one span may last."""

_FREQUENCIES: Final = {
    "YEARLY": rfc5545.YEARLY,
    "MONTHLY": rfc5545.MONTHLY,
    "WEEKLY": rfc5545.WEEKLY,
    "DAILY": rfc5545.DAILY,
    "HOURLY": rfc5545.HOURLY,
    "MINUTELY": rfc5545.MINUTELY,
}
_STEPS: Final = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
}
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBERS: Final = {
    "BYMONTH": ("bymonth", 1, 12),
    "BYMONTHDAY": ("bymonthday", -31, 31),
    "BYYEARDAY": ("byyearday", -366, 366),
    "BYWEEKNO": ("byweekno", -53, 53),
    "BYHOUR": ("byhour", 0, 23),
    "BYMINUTE": ("byminute", 0, 59),
    "BYSECOND": ("bysecond", 0, 59),
    "BYSETPOS": ("bysetpos", -366, 366),
}
_MARGIN: Final = timedelta(hours=3)
"""No clock is set by more: around a jump the order of wall-clock times is not that of instants."""
_LAPS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=400))
_LONGEST_MONTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ONLY_IN: Final = {
    "bymonth": ("YEARLY", "MONTHLY", "WEEKLY", "DAILY"),
    "bymonthday": ("YEARLY", "MONTHLY", "DAILY"),
    "byyearday": ("YEARLY",),
    "byweekno": ("YEARLY",),
    "bysetpos": ("YEARLY", "MONTHLY"),
}
_FAR: Final = timedelta(days=12 * 366)
"""How far ahead the next beginning is looked for, at least: leap days are at most eight years apart."""
_MOST_JOINED: Final = 4
_MINUTES_A_DAY: Final = 24 * 60

Keywords = dict[str, Any]


def later(instant: datetime, duration: timedelta) -> datetime:
    """An instant after another one; `END` when rules with huge numbers lead past what can be written."""
    try:
        return instant + duration
    except OverflowError:
        return END


class MalformedRule(ValueError):
    """What can not be read as a recurrence. `field`: rrule, timezone or durationMinutes."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Span(NamedTuple):
    """From `start` (inclusive) until `end` (exclusive)."""

    start: datetime
    end: datetime


class Moment(NamedTuple):
    """How a recurrence stands at an instant: the span that holds, if any, and when the next one begins that is not part of it.

    `coming` is None when there is none, or none in the next twelve years at least.
    """

    holds: Span | None
    coming: datetime | None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A readable rule.

    Attributes:
        start: wall-clock time of DTSTART, or of what stands for it.
        rule: the arguments of the library's rule, apart from start, count and end.
        until: wall-clock time of its last possible occurrence.
        counted: the occurrences themselves, ascending, of a rule that says how many there are.
    """

    zone: ZoneInfo
    length: timedelta
    frequency: str
    start: datetime
    rule: Keywords
    until: datetime
    counted: tuple[datetime, ...] | None = None

    def at(self, now: datetime) -> Moment:
        """How it stands at an instant."""
        began = self._last(now)
        if began is None or now >= later(began, self.length):
            return Moment(None, self._next(now))
        end = later(began, self.length)
        for _ in range(_MOST_JOINED):
            joined = self._last(end)
            if joined is None or joined <= began:
                break
            began, end = joined, later(joined, self.length)
        began = self._last(now)
        assert began is not None
        return Moment(Span(began, end), self._next(end))

    def _last(self, instant: datetime) -> datetime | None:
        """The last beginning at or before an instant, as far back as one may still hold."""
        wall = _wall(instant, self.zone)
        for lap in (*_LAPS, self.length):
            lap = min(lap, self.length)
            found = [one for one in self._between(_back(wall, lap + _MARGIN), _ahead(wall, _MARGIN)) if one <= instant]
            if found:
                return max(found)
            if lap == self.length:
                break
        return None

    def _next(self, instant: datetime) -> datetime | None:
        """The first beginning after an instant."""
        wall = _wall(instant, self.zone)
        far = max(_FAR, _interval_span(self.frequency, int(self.rule["interval"])) * 2)
        for one in self._walls(_back(wall, _MARGIN), _ahead(wall, far)):
            if (first := _instant(one, self.zone)) > instant:
                return min(
                    other for other in self._between(_back(one, _MARGIN), _ahead(one, _MARGIN)) if instant < other <= first
                )
        return None

    def _between(self, first: datetime, last: datetime) -> list[datetime]:
        """The instants of the occurrences between two wall-clock times."""
        return [_instant(one, self.zone) for one in self._walls(first, last)]

    def _walls(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The occurrences between two wall-clock times, ascending, one after the other as they are found."""
        if self.counted is not None:
            yield from (one for one in self.counted if first <= one <= last)
            return
        last = min(last, self.until)
        begin = max(first, self.start)
        if begin <= last:
            start = _near(self.frequency, int(self.rule["interval"]), self.start, begin)
            yield from _occurrences(self.frequency, start, begin, last, self.rule)


@lru_cache(maxsize=1_024)
def read_recurrence(text: str, timezone: str | None, minutes: int, anchor: datetime) -> Recurrence:
    """Read a rule.

    Args:
        text: `FREQ=…;…`, with or without `RRULE:` before it, and a line `DTSTART…:…` above it if it has one.
        timezone: an IANA name; None or empty for that of DTSTART, else UTC.
        minutes: how long each span lasts.
        anchor: stands for a missing DTSTART: midnight of its day in the zone.

    Raises:
        MalformedRule: says what is wrong, and with which field.
    """
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise MalformedRule("durationMinutes", f"A window lasts from 1 to {LONGEST_MINUTES} minutes, not {minutes}.")
    if len(text) > LONGEST_RULE:
        raise MalformedRule("rrule", f"The rule has {len(text)} characters, at most {LONGEST_RULE} are allowed.")
    started, parts = _lines(text)
    zone = _zone(timezone) if timezone else _zone_of(started)
    start = _start(started, zone)
    if start is None:
        start = datetime.combine(_wall(anchor, zone).date(), time())
    frequency, rule = _keywords(parts, start)
    until = _until(parts.get("UNTIL"), zone)
    count = _count(parts)
    if count is not None and until is not None:
        raise MalformedRule("rrule", "COUNT and UNTIL exclude each other: leave one of them out.")
    read = Recurrence(zone, timedelta(minutes=minutes), frequency, start, rule, until or _LAST_WALL)
    try:
        if count is not None:
            horizon = _ahead(start, max(_FAR * 8, _interval_span(frequency, int(rule["interval"])) * count))
            counted = tuple(islice(_occurrences(frequency, start, start, horizon, rule), count))
            read = Recurrence(zone, read.length, frequency, start, rule, read.until, counted)
        first = read._next(_instant(_back(start, timedelta(seconds=1)), zone))
    except ValueError as error:
        raise MalformedRule("rrule", f"The parts of the rule contradict each other: {error}.") from error
    if first is None:
        raise MalformedRule("rrule", "The rule never happens: no time fits all of its parts.")
    return read


# --- reading -------------------------------------------------------------------------------------------------------------------

_LAST_WALL: Final = datetime(9999, 12, 30)  # noqa: DTZ001 - a wall clock, as everything that a rule says
_FIRST_WALL: Final = datetime(1, 1, 2)  # noqa: DTZ001


def _lines(text: str) -> tuple[tuple[str, str] | None, dict[str, str]]:
    """The (parameters, value) of DTSTART and the parts of the rule."""
    started: tuple[str, str] | None = None
    parts: dict[str, str] | None = None
    for line in text.split():
        if line.upper().startswith("DTSTART"):
            head, colon, value = line.partition(":")
            if not colon or started is not None:
                raise MalformedRule("rrule", "Write DTSTART once, on a line of its own, as DTSTART:20260131T090000.")
            started = (head[len("DTSTART") :].lstrip(";"), value.upper())
        elif parts is not None:
            raise MalformedRule("rrule", f"There is more than one rule, or a line that is not known: {line[:40]!r}.")
        else:
            parts = _parts(line)
    if parts is None:
        raise MalformedRule("rrule", "There is no rule; write for example FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9.")
    return started, parts


def _parts(line: str) -> dict[str, str]:
    body = line.upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for part in body.rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise MalformedRule("rrule", f"{part[:40]!r} is no part of a rule; parts read NAME=VALUE, such as FREQ=DAILY.")
        if name in parts:
            raise MalformedRule("rrule", f"{name} is there twice.")
        if name not in ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS):
            raise MalformedRule("rrule", f"{name[:40]!r} is no part that a rule may have.")
        parts[name] = value
    return parts


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MalformedRule("timezone", f"{name[:80]!r} is no time zone; write an IANA name such as Europe/Berlin.") from error


def _zone_of(started: tuple[str, str] | None) -> ZoneInfo:
    named = re.search(r"TZID=([^;:]+)", started[0], re.IGNORECASE) if started is not None else None
    if named is None:
        return ZoneInfo("UTC")
    try:
        return _zone(named[1])
    except MalformedRule as error:
        raise MalformedRule("rrule", error.message) from error


def _start(started: tuple[str, str] | None, zone: ZoneInfo) -> datetime | None:
    """DTSTART on the wall clock of the rule's zone."""
    if started is None:
        return None
    wall, is_utc = _written("DTSTART", started[1])
    if is_utc:
        return _wall(wall.replace(tzinfo=UTC), zone)
    if "TZID=" in started[0].upper():
        return _wall(_instant(wall, _zone_of(started)), zone)
    return wall


def _until(value: str | None, zone: ZoneInfo) -> datetime | None:
    if value is None:
        return None
    wall, is_utc = _written("UNTIL", value)
    if len(value) == 8:
        return datetime.combine(wall.date(), time(23, 59, 59))
    return _wall(wall.replace(tzinfo=UTC), zone) if is_utc else wall


def _written(name: str, value: str) -> tuple[datetime, bool]:
    """A time as RFC 5545 writes it, and whether it is in UTC."""
    for form in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            wall = datetime.strptime(value, form)  # noqa: DTZ007 - the zone is told apart
        except ValueError:
            continue
        if 1900 <= wall.year <= 2200:
            return wall, form.endswith("Z")
    raise MalformedRule("rrule", f"{name} is {value[:40]!r}; write a time between 1900 and 2200 as 20260131T090000Z.")


def _count(parts: dict[str, str]) -> int | None:
    if "COUNT" not in parts:
        return None
    return _number("COUNT", parts["COUNT"], 1, MOST_COUNT)


def _number(name: str, text: str, least: int, most: int) -> int:
    if re.fullmatch(r"[+-]?\d{1,9}", text) is None or not least <= int(text) <= most:
        raise MalformedRule("rrule", f"{name} is {text[:40]!r}; it must be a whole number from {least} to {most}.")
    return int(text)


def _keywords(parts: dict[str, str], start: datetime) -> tuple[str, Keywords]:
    """The frequency and the library's arguments, with what DTSTART implies written out, so that another start changes nothing."""
    frequency = parts.get("FREQ", "")
    if frequency == "SECONDLY":
        raise MalformedRule(
            "rrule", "FREQ=SECONDLY leaves no gap between windows, which last a minute or more; use MINUTELY or longer."
        )
    if frequency not in _FREQUENCIES:
        raise MalformedRule("rrule", f"FREQ is {frequency[:40]!r}; it must be one of {', '.join(_FREQUENCIES)}.")
    rule: Keywords = {"interval": _number("INTERVAL", parts.get("INTERVAL", "1"), 1, MOST_INTERVAL)}
    week_start = parts.get("WKST", "MO")
    if week_start not in _DAYS:
        raise MalformedRule("rrule", f"WKST is {week_start[:40]!r}; it must be one of {', '.join(_DAYS)}.")
    rule["wkst"] = _DAYS.index(week_start)
    for name, (keyword, least, most) in _NUMBERS.items():
        if name in parts:
            numbers = tuple(_number(name, text, least, most) for text in parts[name].split(","))
            if 0 in numbers and least < 0:
                raise MalformedRule("rrule", f"{name} counts from 1, or from -1 backwards: 0 is not allowed.")
            rule[keyword] = tuple(dict.fromkeys(numbers))
    if "BYDAY" in parts:
        rule["byweekday"] = tuple(_weekday(text, frequency) for text in parts["BYDAY"].split(","))
    _check(frequency, rule, start)
    _imply(frequency, rule, start)
    times = 1
    for keyword in ("byhour", "byminute", "bysecond"):
        times *= len(rule.get(keyword, (0,)))
    if times > MOST_TIMES_A_DAY:
        raise MalformedRule("rrule", f"The rule begins {times} times a day, at most {MOST_TIMES_A_DAY} are allowed.")
    return frequency, rule


def _check(frequency: str, rule: Keywords, start: datetime) -> None:
    """Refuse what the library would look for in vain, day by day, until the end of the calendar."""
    for keyword, allowed in _ONLY_IN.items():
        if keyword in rule and frequency not in allowed:
            raise MalformedRule(
                "rrule", f"A {frequency} rule can not have {keyword.upper()}: only {' and '.join(allowed)} ones can."
            )
    interval, weekdays = rule["interval"], rule.get("byweekday", ())
    if frequency in ("HOURLY", "MINUTELY"):
        whole = 24 if frequency == "HOURLY" else _MINUTES_A_DAY
        picks = weekdays or "byhour" in rule or "byminute" in rule
        if picks and whole % interval:
            raise MalformedRule(
                "rrule", f"INTERVAL is {interval}; beside BY parts it must divide the day evenly, or the times drift."
            )
    if frequency == "DAILY" and weekdays and interval % 7 == 0 and start.weekday() not in [day.weekday for day in weekdays]:
        raise MalformedRule("rrule", f"The rule never happens: every {interval} days is never one of its days of the week.")
    months, days = rule.get("bymonth", range(1, 13)), rule.get("bymonthday", (1,))
    if all(abs(day) > _LONGEST_MONTHS[month - 1] for month in months for day in days):
        raise MalformedRule("rrule", "The rule never happens: its months have no such days.")


def _weekday(text: str, frequency: str) -> Any:
    read = _DAY.fullmatch(text)
    if read is None or read[1] in ("0", "+0", "-0", "00"):
        raise MalformedRule(
            "rrule", f"BYDAY has {text[:40]!r}; days are {', '.join(_DAYS)}, with a number before them as in -1FR."
        )
    if read[1] is not None and frequency not in ("MONTHLY", "YEARLY"):
        raise MalformedRule("rrule", f"BYDAY has {text[:40]!r}: only MONTHLY and YEARLY rules count their days.")
    day = rfc5545.weekday(_DAYS.index(read[2]))
    return day(int(read[1])) if read[1] is not None else day


def _imply(frequency: str, rule: Keywords, start: datetime) -> None:
    days = ("byweekno", "byyearday", "bymonthday", "byweekday")
    if not any(keyword in rule for keyword in days):
        if frequency == "YEARLY":
            rule.setdefault("bymonth", (start.month,))
            rule["bymonthday"] = (start.day,)
        elif frequency == "MONTHLY":
            rule["bymonthday"] = (start.day,)
        elif frequency == "WEEKLY":
            rule["byweekday"] = (rfc5545.weekday(start.weekday()),)
    if frequency not in ("HOURLY", "MINUTELY"):
        rule.setdefault("byhour", (start.hour,))
    if frequency != "MINUTELY":
        rule.setdefault("byminute", (start.minute,))
    rule.setdefault("bysecond", (start.second,))


# --- searching -----------------------------------------------------------------------------------------------------------------


def _occurrences(frequency: str, start: datetime, begin: datetime, last: datetime, rule: Keywords) -> Iterator[datetime]:
    """What a rule that is counted from a start makes from one time until another.

    The library looks for what never happens until the end of the calendar. The calendar repeats itself every 400 years, so the search is
    made as near to that end as it can be.
    """
    years = (MAXYEAR - 1 - last.year) // 400 * 400
    start, begin, last = (one.replace(year=one.year + years) for one in (start, begin, last))
    if frequency in ("HOURLY", "MINUTELY") or "bysetpos" in rule:
        made = _made(frequency, start, last, rule)
    else:
        made = _days_with_times(frequency, start, begin, last, rule)
    for one in made:
        if one > last:
            return
        if one >= begin:
            yield one.replace(year=one.year - years)


def _made(frequency: str, start: datetime, last: datetime, rule: Keywords) -> Iterator[datetime]:
    yield from iter(rfc5545.rrule(_FREQUENCIES[frequency], dtstart=start, until=last, **rule))


def _days_with_times(frequency: str, start: datetime, begin: datetime, last: datetime, rule: Keywords) -> Iterator[datetime]:
    """The days that the library finds, with the times of day put to them: it would list those of a whole year before the first one."""
    days = {**rule, "byhour": 0, "byminute": 0, "bysecond": 0}
    times = [
        timedelta(hours=hour, minutes=minute, seconds=second)
        for hour in sorted(rule["byhour"])
        for minute in sorted(rule["byminute"])
        for second in sorted(rule["bysecond"])
    ]
    for day in _made(frequency, datetime.combine(start.date(), time()), last, days):
        if day.date() >= begin.date():
            yield from (day + of_day for of_day in times)


def _near(frequency: str, interval: int, start: datetime, wall: datetime) -> datetime:
    """A start in the same rhythm, one or two intervals before a wall-clock time: what comes after it is the same."""
    if (step := _STEPS.get(frequency)) is not None:
        passed = (wall - start) // (step * interval) - 1
        return start + passed * (step * interval) if passed > 0 else start
    months = 12 * interval if frequency == "YEARLY" else interval
    passed = ((wall.year - start.year) * 12 + wall.month - start.month) // months - 1
    if passed <= 0:
        return start
    month = start.year * 12 + start.month - 1 + passed * months
    if frequency == "YEARLY":
        return datetime(month // 12, 1, 1)  # noqa: DTZ001
    return datetime(month // 12, month % 12 + 1, 1)  # noqa: DTZ001


def _interval_span(frequency: str, interval: int) -> timedelta:
    """About how long an interval is, at least; no longer than our calendar."""
    step = _STEPS.get(frequency) or timedelta(days=366 if frequency == "YEARLY" else 31)
    return step * min(interval, 3_000_000 // max(step.days, 1))


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """The wall clock of a zone at an instant."""
    try:
        return instant.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        return _LAST_WALL if instant.year > 5_000 else _FIRST_WALL


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a wall clock shows a time; the first time, where it does so twice."""
    try:
        return wall.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return END


def _ahead(wall: datetime, duration: timedelta) -> datetime:
    return _moved(lambda: wall + duration, _LAST_WALL)


def _back(wall: datetime, duration: timedelta) -> datetime:
    return _moved(lambda: wall - duration, _FIRST_WALL)


def _moved(move: Callable[[], datetime], end: datetime) -> datetime:
    try:
        return move()
    except OverflowError:
        return end
