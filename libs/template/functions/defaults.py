"""Sprig's functions for values that may not be there."""

from __future__ import annotations

from typing import Any, Final

from libs.template.error import Fault
from libs.template.functions.signature import ANY, TEXT, TRUTH, Function
from libs.template.values import is_true

_MESSAGE_CHARS: Final = 2000


def _default(fallback: Any, *given: Any) -> Any:
    return given[0] if given and is_true(given[0]) else fallback


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if is_true(value)), None)


def _ternary(yes: Any, no: Any, condition: bool) -> Any:
    return yes if condition else no


def _fail(message: str) -> Any:
    raise Fault(message[:_MESSAGE_CHARS] or "the template ends itself by fail, without a message")


def _required(message: str, value: Any) -> Any:
    if value is None or value == "":
        raise Fault(message[:_MESSAGE_CHARS] or "a required value is not there")
    return value


TABLE: Final[dict[str, Function]] = {
    "default": Function(_default, (ANY,), rest=ANY),
    "empty": Function(lambda value: not is_true(value), (ANY,)),
    "coalesce": Function(_coalesce, rest=ANY),
    "all": Function(lambda *values: all(map(is_true, values)), rest=ANY),
    "any": Function(lambda *values: any(map(is_true, values)), rest=ANY),
    "ternary": Function(_ternary, (ANY, ANY, TRUTH)),
    "fail": Function(_fail, (TEXT,)),
    "required": Function(_required, (TEXT, ANY)),
    "hello": Function(lambda: "Hello!"),
}
