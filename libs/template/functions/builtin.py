"""The functions of Go's `text/template` itself; `and` and `or` are part of the evaluation, because they may stop early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

from libs.template.bounds import Budget, Pieces
from libs.template.error import Fault
from libs.template.functions.signature import ANY, TEXT, Function
from libs.template.literals import utf8
from libs.template.printf import printf
from libs.template.printing import shown
from libs.template.values import Opaque, is_number, is_true, type_name

_HTML: Final = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SCRIPT: Final = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
}  # fmt: skip


def spaced(budget: Budget, *values: Any) -> str:
    """The values as `print` joins them: a space between two of which neither is a string."""
    pieces = Pieces(budget)
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            pieces.add(" ")
        pieces.add(shown(value, budget))
    return pieces.text()


def _println(budget: Budget, *values: Any) -> str:
    pieces = Pieces(budget)
    for index, value in enumerate(values):
        pieces.add(f"{' ' if index else ''}{shown(value, budget)}")
    pieces.add("\n")
    return pieces.text()


def _html(budget: Budget, *values: Any) -> str:
    return spaced(budget, *values).translate(_HTML)


def _script(budget: Budget, *values: Any) -> str:
    return "".join(_SCRIPT.get(one) or _script_character(one) for one in spaced(budget, *values))


def _script_character(one: str) -> str:
    return one if one.isprintable() else f"\\u{ord(one):04X}"


def _query(budget: Budget, *values: Any) -> str:
    return quote_plus(utf8(spaced(budget, *values)))


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(utf8(value))
    if isinstance(value, list | dict):
        return len(value)
    if value is None:
        raise Fault("len of nil: the value is not there, or null")
    raise Fault(f"len of type {type_name(value)}")


def position(key: Any, length: int, *, end: bool = False) -> int:
    """A number as a place in something of a length. Raises: Fault: it is none, or outside."""
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if not isinstance(key, int) or isinstance(key, bool):
        raise Fault(f"the place in a list must be a whole number, not {type_name(key)}")
    if not 0 <= key < length + end:
        raise Fault(f"the place {int(key)} is out of range: there are {length} items")
    return int(key)


def _index(value: Any, *keys: Any) -> Any:
    for number, key in enumerate(keys):
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise Fault(f"the key of a map must be a string, not {type_name(key)}")
            value = value.get(key)
        elif isinstance(value, list):
            value = value[position(key, len(value))]
        elif isinstance(value, str):
            encoded = utf8(value)
            value = encoded[position(key, len(encoded))]
        elif value is None:
            what = "the value" if number == 0 else f"what is there for {keys[number - 1]!r}"
            raise Fault(f"index of nil: {what} is not there, or null")
        else:
            raise Fault(f"can't index a value of type {type_name(value)}")
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    if len(bounds) > 2:
        raise Fault("slice takes at most a start and an end")
    if value is None or value == []:
        return None
    if not isinstance(value, list | str):
        raise Fault(f"slice takes a list or a string, not {type_name(value)}")
    items: Any = utf8(value) if isinstance(value, str) else value
    end = position(bounds[1], len(items), end=True) if len(bounds) == 2 else len(items)
    start = position(bounds[0], len(items), end=True) if bounds else 0
    if start > end:
        raise Fault(f"slice can not start at {start} and end at {end}")
    taken = items[start:end]
    return taken.decode("utf-8", "ignore") if isinstance(taken, bytes) else taken


def _comparable(one: Any, other: Any) -> None:
    """Raises: Fault: two values can not be compared by `eq`."""
    for value in (one, other):
        if isinstance(value, list | dict):
            raise Fault(f"eq can not compare values of type {type_name(value)}; use deepEqual")
    if (
        one is None
        or other is None
        or (is_number(one) and is_number(other))
        or isinstance(one, Opaque)
        or isinstance(other, Opaque)
    ):
        return
    if isinstance(one, bool) != isinstance(other, bool) or isinstance(one, str) != isinstance(other, str):
        raise Fault(f"incompatible types for comparison: {type_name(one)} and {type_name(other)}")


def _equal(one: Any, *others: Any) -> bool:
    if not others:
        raise Fault("eq takes at least 2 arguments, 1 given")
    for other in others:
        # Nil is equal to nil only, and may be compared with anything.
        if one is None or other is None:
            if one is other:
                return True
            continue
        _comparable(one, other)
        if one == other:
            return True
    return False


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        if (is_number(one) and is_number(other)) or (isinstance(one, str) and isinstance(other, str)):
            return holds(one, other)
        for value in (one, other):
            if not is_number(value) and not isinstance(value, str):
                raise Fault(f"values of type {type_name(value)} have no order; compare numbers or strings")
        raise Fault(f"incompatible types for comparison: {type_name(one)} and {type_name(other)}")

    return compare


TABLE: Final[dict[str, Function]] = {
    "print": Function(spaced, rest=ANY, costs=True),
    "println": Function(_println, rest=ANY, costs=True),
    "printf": Function(printf, (TEXT,), rest=ANY, costs=True),
    "html": Function(_html, rest=ANY, costs=True),
    "js": Function(_script, rest=ANY, costs=True),
    "urlquery": Function(_query, rest=ANY, costs=True),
    "len": Function(_len, (ANY,)),
    "index": Function(_index, (ANY,), rest=ANY),
    "slice": Function(_slice, (ANY,), rest=ANY),
    "not": Function(lambda value: not is_true(value), (ANY,)),
    "eq": Function(_equal, (ANY,), rest=ANY),
    "ne": Function(lambda one, other: not _equal(one, other), (ANY, ANY)),
    "lt": Function(_ordered(lambda one, other: bool(one < other)), (ANY, ANY)),
    "le": Function(_ordered(lambda one, other: bool(one <= other)), (ANY, ANY)),
    "gt": Function(_ordered(lambda one, other: bool(one > other)), (ANY, ANY)),
    "ge": Function(_ordered(lambda one, other: bool(one >= other)), (ANY, ANY)),
}
