"""Conversions between types, size() and dyn()."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any, Final

from libs.cel.function import Function, free
from libs.cel.problems import CelError
from libs.cel.time_functions import to_duration, to_timestamp, written_duration, written_timestamp
from libs.cel.values import FALSE_TEXTS, NUMBERS, TRUE_TEXTS, UInt, checked_int, checked_uint, overload, type_of

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}")
_UNSIGNED: Final = re.compile(r"[0-9]{1,40}")
_DOUBLE: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[iI]nf(?:inity)?|[nN]a[nN])"
)


def size(value: Any) -> int:
    """Return the number of characters, bytes, elements or keys."""
    kind = value.__class__
    if kind is str or kind is bytes or kind is list or kind is dict:
        return len(value)
    raise overload("size", value)


def to_int(value: Any) -> int:
    """Convert to int; doubles are cut, times become seconds since 1970."""
    kind = value.__class__
    if kind is str:
        if _INTEGER.fullmatch(value):
            return checked_int(int(value))
        raise CelError("range", "the string is no integer")
    if kind is float:
        if not abs(value) < 2**63:
            raise CelError("range", "integer overflow")
        return checked_int(int(value))
    if kind is dt.datetime:
        moment: dt.datetime = value
        return math.floor(moment.timestamp())
    if kind in NUMBERS:
        return checked_int(int(value))
    raise overload("int", value)


def to_uint(value: Any) -> UInt:
    """Convert to uint; doubles are cut."""
    kind = value.__class__
    if kind is str:
        if _UNSIGNED.fullmatch(value):
            return checked_uint(int(value))
        raise CelError("range", "the string is no unsigned integer")
    if kind is float:
        if not -1 < value < 2**64:
            raise CelError("range", "unsigned integer overflow")
        return checked_uint(int(value))
    if kind in NUMBERS:
        return checked_uint(int(value))
    raise overload("uint", value)


def to_double(value: Any) -> float:
    """Convert to double."""
    if value.__class__ is str:
        if _DOUBLE.fullmatch(value):
            return float(value)
        raise CelError("range", "the string is no number")
    if (kind := value.__class__) is float or kind is int or kind is UInt:
        return float(value)
    raise overload("double", value)


def to_string(value: Any) -> str:
    """Convert to string; of numbers the shortest text that reads back the same."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is UInt:
        return int.__repr__(value)
    if kind is float:
        return written_double(value)
    if kind is bytes:
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise CelError("range", "the bytes are not UTF-8") from None
    if kind is dt.datetime:
        return written_timestamp(value)
    if kind is dt.timedelta:
        return written_duration(value)
    raise overload("string", value)


def written_double(value: float) -> str:
    """Write the fewest digits that read back the same, with an exponent from a million on and below a ten-thousandth."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    # Late, since few expressions write such numbers and the import takes its time.
    from decimal import Decimal

    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
    text = repr(value)
    return text.removesuffix(".0")


def to_bytes(value: Any) -> bytes:
    """Convert a string to its UTF-8 bytes."""
    if value.__class__ is bytes:
        return bytes(value)
    if value.__class__ is str:
        return str(value).encode("utf-8", "replace")
    raise overload("bytes", value)


def to_bool(value: Any) -> bool:
    """Convert the texts of booleans to bool."""
    if value is True or value is False:
        return value
    if value.__class__ is str:
        if value in TRUE_TEXTS:
            return True
        if value in FALSE_TEXTS:
            return False
        raise CelError("range", "the string is no boolean")
    raise overload("bool", value)


def _same(value: Any) -> Any:
    return value


FUNCTIONS: Final = {
    "size": Function(size, 1, 1, "both"),
    "type": free(type_of, 1),
    "dyn": free(_same, 1),
    "int": free(to_int, 1),
    "uint": free(to_uint, 1),
    "double": free(to_double, 1),
    "string": free(to_string, 1),
    "bytes": free(to_bytes, 1),
    "bool": free(to_bool, 1),
    "timestamp": free(to_timestamp, 1),
    "duration": free(to_duration, 1),
}
