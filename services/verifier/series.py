"""The numbers of one metric over time, kept small: what their mean was at any moment."""

from __future__ import annotations

from bisect import bisect_right
from math import isfinite
from typing import Any, Final, NamedTuple

KEPT_POINTS: Final = 200
"""Points in time that a series remembers; of a longer one evenly fewer."""
LARGEST: Final = 1e290
"""A larger number is none: so many of them as a metric may have still add up."""


class Point(NamedTuple):
    """How a series stood at a moment.

    Attributes:
        offset_s: seconds after its beginning.
        total: the sum of all numbers until then.
        numbers: how many those were.
    """

    offset_s: float
    total: float
    numbers: int


class Series(NamedTuple):
    """The numbers of a metric since its first measurement.

    Attributes:
        last: how it stands now.
        points: how it stood earlier, ascending; every `stride`-th moment, the first one among them.
    """

    last: Point = Point(0.0, 0.0, 0)
    stride: int = 1
    points: tuple[Point, ...] = ()

    def with_number(self, offset_s: float, number: float) -> Series:
        """The series after one more number, measured not before the last one."""
        last = Point(max(offset_s, self.last.offset_s), self.last.total + number, self.last.numbers + 1)
        if (last.numbers - 1) % self.stride:
            return self._replace(last=last)
        points = (*self.points, last)
        # Sums and not numbers are kept, so that means stay exact however many points are left out.
        return Series(last, self.stride, points) if len(points) <= KEPT_POINTS else Series(last, self.stride * 2, points[::2])

    def until(self, offset_s: float) -> Point | None:
        """How it stood at a moment; None before its first number."""
        if self.last.numbers == 0:
            return None
        if offset_s >= self.last.offset_s:
            return self.last
        at = bisect_right(self.points, offset_s, key=_offset)
        return self.points[at - 1] if at else None


def number_of(value: Any) -> float | None:
    """The value if it is a number that can be added up; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) and abs(number) <= LARGEST else None


def _offset(point: Point) -> float:
    return point.offset_s
