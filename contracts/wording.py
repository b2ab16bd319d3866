"""What a model says is wrong with what was sent: where, and in the words of JSON rather than those of the language that this is written in;
pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

_OBJECT, _LIST, _TEXT, _WHOLE, _NUMBER, _TRUTH = "an object", "a list", "a text", "a whole number", "a number", "true or false"
_INSTANT: Final = "an instant, for example 2026-01-31T12:00:00Z"

_WANTED: Final[Mapping[str, str]] = {
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a number that is not infinite",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "timezone_aware": f"{_INSTANT} (with a time zone)",
}
"""What must be there, by the kind of error."""


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _not_so_many(about: Mapping[str, Any]) -> str:
    """How many there are. Of what has too many they are not always counted to the end."""
    return "" if about["actual_length"] is None else f", not {about['actual_length']}"


_BOUNDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "too_short": lambda about: f"must have at least {_entries(about['min_length'])}{_not_so_many(about)}",
    "too_long": lambda about: f"must have at most {_entries(about['max_length'])}{_not_so_many(about)}",
}
_BEGINNINGS: Final = ("Value error, ", "Assertion failed, ")
_SHOULD: Final = ("Input should ", "String should ", "Value should ")


def words_of(error: ErrorDetails) -> str:
    """What an error of a model says, for whoever wrote JSON; of what was sent only what sort of value it is.

    Args:
        error: with its input and its context.
    """
    kind = error["type"]
    if kind in _WANTED:
        wanted = f"must be {_WANTED[kind]}"
        # What was read of a text, or of what is as it should be but for something in it, is not told apart from what is wanted.
        return f"{wanted}, not {_sort_of(error['input'])}" if kind.endswith("_type") or kind == "int_from_float" else wanted
    if kind in _BOUNDS:
        return _BOUNDS[kind](error["ctx"])
    if kind == "missing":
        return "is missing"
    said = error["msg"]
    for beginning in _BEGINNINGS:
        said = said.removeprefix(beginning)
    for beginning in _SHOULD:
        if said.startswith(beginning):
            return f"must {said.removeprefix(beginning)}"
    return said


def place_of(error: ErrorDetails, value: Any) -> Iterator[int | str]:
    """Where in what was sent an error is, as keys and places in lists.

    Between them a model says which of several forms it tried, and of a key that it is one; these are no places.

    Args:
        value: what was sent.
    """
    for number, part in enumerate(error["loc"]):
        if _leads_on(value, part):
            value = value[part]
        elif number > 0 and not (isinstance(value, dict) and error["type"] == "missing" and number == len(error["loc"]) - 1):
            continue
        yield part


def _leads_on(value: Any, part: int | str) -> bool:
    return part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int) and part < len(value)


def _sort_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return _TRUTH
        case dict():
            return _OBJECT
        case list() | tuple():
            return _LIST
        case str():
            return _TEXT
        case float() if not value.is_integer():
            return "a fraction"
        case _:
            return _NUMBER
