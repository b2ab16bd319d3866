"""Reading documents the way indexes do: a value by its path, or the marker that there is none."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from libs.cel.rfc3339 import read_time
from libs.cel.values import NUMBERS

ABSENT: Final = object()
"""What a path ends in that a document does not have."""

SCALARS: Final = frozenset({str, int, float, bool})
"""Classes of values that an `eq` condition may be about; anything else meets `has` alone."""


def value_at(document: Any, keys: Sequence[str]) -> Any:
    """Return the value below a document, or `ABSENT`."""
    for key in keys:
        if document.__class__ is not dict or key not in document:
            return ABSENT
        document = document[key]
    return document


def reader(keys: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return `value_at` for one path; a third faster for the short paths that nearly all are."""
    if len(keys) == 1:
        (key,) = keys
        return lambda document: document.get(key, ABSENT) if document.__class__ is dict else ABSENT
    if len(keys) == 2:
        outer, inner = keys

        def read(document: Any) -> Any:
            if document.__class__ is dict:
                document = document.get(outer)
                if document.__class__ is dict:
                    return document.get(inner, ABSENT)
            return ABSENT

        return read
    return lambda document: value_at(document, keys)


def marks(value: Any) -> Iterator[Any]:
    """Yield hashable marks of a value such that two values that are equal in CEL have at least one in common.

    Numbers are marked as doubles, times also by the instant, lists and maps only by their size.
    """
    kind = value.__class__
    if kind is str:
        yield value
        moment = read_time(value)
        if moment is not None:
            yield moment
    elif kind in NUMBERS:
        try:
            number = float(value)
        except OverflowError:
            # Comparing it with a double is an error; it can only equal itself.
            yield value
            return
        if not math.isnan(number):
            yield number
    elif kind is list or kind is dict:
        yield (kind, len(value))
    elif kind is bytes or kind is dt.datetime or kind is dt.timedelta:
        yield value
    else:
        yield (kind, value if kind is bool else None)


def marks_inside(container: Any) -> Iterator[Any]:
    """Yield the marks of all elements of a list or keys of a map: what `in` may find there."""
    if container.__class__ is list or container.__class__ is dict:
        for item in container:
            yield from marks(item)
