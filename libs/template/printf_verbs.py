"""One verb of a format, and one value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from libs.template.bounds import Budget, Pieces, check_depth
from libs.template.literals import utf8
from libs.template.printing import plain_float, scalar, shortest_float, shown
from libs.template.quoting import character_of, quoted, quoted_character
from libs.template.values import Opaque, type_name

_INTEGER_VERBS: Final = "bcdoOqxXU"
_FLOAT_VERBS: Final = "eEfFgG"
_BASES: Final[dict[str, tuple[str, str]]] = {
    "b": ("b", "0b"),
    "o": ("o", "0"),
    "O": ("o", ""),
    "d": ("d", ""),
    "x": ("x", "0x"),
    "X": ("X", "0X"),
}


class Flags(NamedTuple):
    """What stands between `%` and the verb; a size that is not there is None."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int | None = None
    precision: int | None = None


class Verbs:
    """Writes values by the same flags."""

    def __init__(self, flags: Flags, budget: Budget) -> None:
        self.flags = flags
        self.budget = budget

    def text(self, verb: str, value: Any) -> str:
        """A value by a verb; `%!verb(type=value)` if it does not fit."""
        if verb == "T":
            return self._padded(type_name(value))
        if verb == "p":
            return self._unfit(verb, value)
        return self._value(verb, value, 0)

    def _value(self, verb: str, value: Any, depth: int) -> str:
        check_depth(depth)
        self.budget.charge(1)
        if verb == "v" and self.flags.sharp:
            return self._go_syntax(value, depth)
        match value:
            case None:
                return self._padded("<nil>") if verb == "v" or depth else f"%!{verb}(<nil>)"
            case bool():
                return self._padded(scalar(value)) if verb in "tv" else self._unfit(verb, value)
            case str():
                return self._string(verb, value)
            case int():
                return self._number(verb, value)
            case float():
                return self._number(verb, value)
            case list():
                return self._many("[", "]", value, lambda one: self._value(verb, one, depth + 1))
            case dict():
                return self._many(
                    "map[",
                    "]",
                    sorted(value),
                    lambda key: f"{self._value(verb, key, depth + 1)}:{self._value(verb, value[key], depth + 1)}",
                )
        return self._string(verb, scalar(value)) if verb in "vsq" else self._unfit(verb, value)

    def _many(self, opens: str, closes: str, items: list[Any], text: Callable[[Any], str], separator: str = " ") -> str:
        pieces = Pieces(self.budget)
        pieces.add(opens)
        for index, one in enumerate(items):
            pieces.add(separator if index else "")
            pieces.add(text(one))
        pieces.add(closes)
        return pieces.text()

    def _unfit(self, verb: str, value: Any) -> str:
        return f"%!{verb}({type_name(value)}={shown(value, self.budget)})"

    def _padded(self, text: str, zero: bool = False) -> str:
        """The text at its width, in characters; zeros go between sign and digits."""
        flags = self.flags
        missing = (flags.width or 0) - len(text)
        if missing <= 0:
            return text
        if flags.minus:
            return text + " " * missing
        if not (flags.zero and zero):
            return " " * missing + text
        sign = text[0] if text[:1] in ("+", "-", " ") and text else ""
        return sign + "0" * missing + text[len(sign) :]

    def _string(self, verb: str, value: str) -> str:
        flags = self.flags
        shortened = value if flags.precision is None else value[: flags.precision]
        match verb:
            case "v" | "s":
                return self._padded(shortened, zero=True)
            case "q":
                if flags.sharp and "`" not in shortened and all(one.isprintable() or one == "\t" for one in shortened):
                    return self._padded(f"`{shortened}`", zero=True)
                return self._padded(quoted(shortened, flags.plus), zero=True)
            case "x" | "X":
                pairs = [f"{byte:02{verb}}" for byte in utf8(value)[: flags.precision]]
                prefix = f"0{verb}" if flags.sharp and pairs else ""
                separator = f" {prefix}" if flags.space else ""
                return self._padded(prefix + separator.join(pairs), zero=True)
        return self._unfit(verb, value)

    def _number(self, verb: str, value: int | float) -> str:
        """Whole and other numbers alike: JSON does not tell them apart, so every verb takes what has the right value."""
        if verb == "v":
            if isinstance(value, float) and self.flags.precision is not None:
                return self._float("g", value)
            # A plus sign asks `%v` for more detail, not for signs, and numbers have no more.
            return self._padded(scalar(value), zero=math.isfinite(value))
        if verb in _FLOAT_VERBS:
            try:
                return self._float(verb, float(value))
            except OverflowError:
                return self._unfit(verb, value)
        if verb in _INTEGER_VERBS and (isinstance(value, int) or value.is_integer()):
            return self._integer(verb, int(value))
        return self._unfit(verb, value)

    def _signed(self, number: str) -> str:
        if number[:1] in ("-", "+"):
            return number
        return f"{'+' if self.flags.plus else ' ' if self.flags.space else ''}{number}"

    def _integer(self, verb: str, value: int) -> str:
        flags = self.flags
        match verb:
            case "c":
                return self._padded(character_of(value))
            case "q":
                return self._padded(quoted_character(value, flags.plus))
            case "U":
                known = f"U+{value:04X}" if value >= 0 else f"U+{value + (1 << 64):04X}"
                return self._padded(f"{known} '{character_of(value)}'" if flags.sharp else known)
        base, prefix = _BASES[verb]
        digits = format(abs(value), base)
        if flags.precision is not None:
            digits = "" if flags.precision == 0 and value == 0 else digits.rjust(flags.precision, "0")
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
        prefix = "0o" if verb == "O" else prefix if flags.sharp else ""
        if flags.precision is None and flags.zero and not flags.minus and flags.width is not None:
            # Go counts sign and digits, not the prefix, when it fills with zeros.
            digits = digits.rjust(flags.width - len(sign), "0")
        return self._padded(sign + prefix + digits)

    def _float(self, verb: str, value: float) -> str:
        flags = self.flags
        if not math.isfinite(value):
            return self._padded(shortest_float(value))
        match verb:
            case "g" | "G" if flags.precision is None:
                number = f"{value:#g}" if flags.sharp else shortest_float(value)
            case "g" | "G":
                number = f"{value:.{flags.precision or 1}g}"
            case "F":
                number = f"{value:.{6 if flags.precision is None else flags.precision}f}"
            case _:
                number = f"{value:.{6 if flags.precision is None else flags.precision}{verb.lower()}}"
        if flags.sharp and "." not in number:
            number = _with_point(number)
        return self._padded(self._signed(number.upper() if verb in "EG" else number), zero=True)

    def _go_syntax(self, value: Any, depth: int) -> str:
        """`%#v`: the value as Go source."""
        check_depth(depth)
        match value:
            case None:
                return self._padded("<nil>" if depth == 0 else "interface {}(nil)")
            case str():
                return self._padded(quoted(value))
            case list():
                return self._many("[]interface {}{", "}", value, lambda one: self._go_syntax(one, depth + 1), ", ")
            case dict():
                return self._many(
                    "map[string]interface {}{",
                    "}",
                    sorted(value),
                    lambda key: f"{quoted(key)}:{self._go_syntax(value[key], depth + 1)}",
                    ", ",
                )
            case Opaque():
                return self._padded(scalar(value))
        return self._padded(plain_float(value) if isinstance(value, float) else scalar(value))


def _with_point(number: str) -> str:
    mantissa, e, exponent = number.partition("e")
    return f"{mantissa}.{e}{exponent}"
