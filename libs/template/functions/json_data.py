"""Values as JSON and back, written as Go writes it: keys in order, `<`, `>` and `&` escaped."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from libs.template.bounds import Budget, Pieces, check_depth
from libs.template.error import Fault
from libs.template.functions.signature import ANY, TEXT, Function, with_must
from libs.template.printing import decimal_digits, positional, scalar, scientific
from libs.template.values import of_json

_ALWAYS: Final = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\x7f"}
_FOR_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


class _Writer:
    def __init__(self, budget: Budget, indent: str, escapes: dict[str, str]) -> None:
        self.pieces = Pieces(budget)
        self.indent = indent
        self.escapes = str.maketrans(escapes)

    def write(self, value: Any, depth: int = 0) -> None:
        check_depth(depth)
        match value:
            case None:
                self.pieces.add("null")
            case dict() if value:
                for number, key in enumerate(sorted(value)):
                    self._separate("{", number, depth + 1)
                    self.pieces.add(f"{self._quoted(key)}:{' ' if self.indent else ''}")
                    self.write(value[key], depth + 1)
                self._line(depth)
                self.pieces.add("}")
            case list() if value:
                for number, one in enumerate(value):
                    self._separate("[", number, depth + 1)
                    self.write(one, depth + 1)
                self._line(depth)
                self.pieces.add("]")
            case dict() | list():
                self.pieces.add("{}" if isinstance(value, dict) else "[]")
            case float():
                self.pieces.add(json_float(value))
            case bool() | int():
                self.pieces.add(scalar(value))
            case _:
                self.pieces.add(self._quoted(scalar(value)))

    def _separate(self, opens: str, number: int, depth: int) -> None:
        self.pieces.add("," if number else opens)
        self._line(depth)

    def _line(self, depth: int) -> None:
        if self.indent:
            self.pieces.add("\n" + self.indent * depth)

    def _quoted(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False).translate(self.escapes)


def json_float(value: float) -> str:
    """A float as Go's JSON writes it: with an exponent below 1e-6 and from 1e21 on. Raises: Fault: it is not finite."""
    if not math.isfinite(value):
        raise Fault("JSON has no infinite numbers")
    sign, digits, exponent = decimal_digits(value)
    if -6 <= exponent < 21:
        return sign + positional(digits, exponent)
    return sign + scientific(digits, exponent).replace("e-0", "e-")


def _to_json(budget: Budget, value: Any) -> str:
    return _written(budget, value, "", _ALWAYS | _FOR_HTML)


def _to_pretty_json(budget: Budget, value: Any) -> str:
    return _written(budget, value, "  ", _ALWAYS | _FOR_HTML)


def _to_raw_json(budget: Budget, value: Any) -> str:
    return _written(budget, value, "", _ALWAYS)


def _written(budget: Budget, value: Any, indent: str, escapes: dict[str, str]) -> str:
    writer = _Writer(budget, indent, escapes)
    writer.write(value)
    return writer.pieces.text()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is out of range")
    return value


def _whole(text: str) -> int | float:
    """The number of digits alone; only a float can be a negative zero."""
    return -0.0 if text == "-0" else int(text)


def _must_from_json(budget: Budget, text: str) -> Any:
    budget.charge(len(text) >> 4)
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as bad:
        raise Fault(f"the text is no JSON: {str(bad)[:200]}") from None
    return of_json(value)


def _from_json(budget: Budget, text: str) -> Any:
    """The value; nil for what is no JSON, as in Sprig."""
    try:
        return _must_from_json(budget, text)
    except Fault:
        if budget.left < 0:
            raise
        return None


TABLE: Final[dict[str, Function]] = {
    "fromJson": Function(_from_json, (TEXT,), costs=True),
    "mustFromJson": Function(_must_from_json, (TEXT,), costs=True),
    **with_must(
        {
            "toJson": Function(_to_json, (ANY,), costs=True),
            "toPrettyJson": Function(_to_pretty_json, (ANY,), costs=True),
            "toRawJson": Function(_to_raw_json, (ANY,), costs=True),
        }
    ),
}
