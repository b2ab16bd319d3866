"""What a function takes, and how a value is made to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from libs.template.bounds import Budget
from libs.template.error import Fault
from libs.template.values import type_name


class Takes(Enum):
    """The kind of one parameter."""

    ANY = "any value"
    TEXT = "a string"
    WHOLE = "a whole number"
    REAL = "a number"
    TRUTH = "true or false"
    LIST = "a list"
    MAP = "a map"


ANY: Final = Takes.ANY
TEXT: Final = Takes.TEXT
WHOLE: Final = Takes.WHOLE
REAL: Final = Takes.REAL
TRUTH: Final = Takes.TRUTH
LIST: Final = Takes.LIST
MAP: Final = Takes.MAP


class Function(NamedTuple):
    """A function of templates.

    Attributes:
        call: takes the arguments as they fit `takes` and `rest`; raises Fault.
        takes: kinds of the parameters that must be there.
        rest: kind of any further ones; None if there may be none.
        costs: whether `call` takes the budget before its first argument, because its work is not that of reading its arguments once.
    """

    call: Callable[..., Any]
    takes: tuple[Takes, ...] = ()
    rest: Takes | None = None
    costs: bool = False


def with_must(table: dict[str, Function]) -> dict[str, Function]:
    """The functions under their names and under Sprig's `must…` names.

    Sprig has the second name for what says why it fails where the first hides it. These hide nothing under either.
    """
    return table | {f"must{name[0].upper()}{name[1:]}": function for name, function in table.items()}


def called(function: Function, name: str, arguments: Sequence[Any], budget: Budget) -> Any:
    """Call a function with values.

    Raises:
        Fault: their number or kinds are wrong, or the function refuses them.
    """
    _check_number(function, name, len(arguments))
    fitted: list[Any] = [budget] if function.costs else []
    known = len(function.takes)
    budget.charge(1 + len(arguments))
    for number, value in enumerate(arguments):
        kind = function.takes[number] if number < known else function.rest
        assert kind is not None
        budget.charge_for(value)
        fitted.append(_fitted(kind, value, name, number))
    return function.call(*fitted)


def _check_number(function: Function, name: str, given: int) -> None:
    least = len(function.takes)
    if given < least or (given > least and function.rest is None):
        wanted = f"at least {least}" if function.rest is not None else str(least)
        raise Fault(f"{name} takes {wanted} argument{'' if least == 1 else 's'}, {given} given")


def _fitted(kind: Takes, value: Any, name: str, number: int) -> Any:
    match kind:
        case Takes.ANY:
            return value
        case Takes.TEXT if isinstance(value, str):
            return value
        case Takes.WHOLE if isinstance(value, int) and not isinstance(value, bool):
            return value
        case Takes.WHOLE if isinstance(value, float) and value.is_integer():
            return int(value)
        case Takes.REAL if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise Fault(f"argument {number + 1} of {name} is too large") from None
        case Takes.TRUTH if isinstance(value, bool):
            return value
        case Takes.LIST if isinstance(value, list):
            return value
        case Takes.MAP if isinstance(value, dict):
            return value
    hint = "; convert it with toString" if kind is Takes.TEXT and isinstance(value, int | float) else ""
    if value is None:
        hint = "; it is not there, or null"
    raise Fault(f"argument {number + 1} of {name} must be {kind.value}, not {type_name(value)}{hint}")
