"""Go's `printf`: verbs, flags, width and precision, and what Go prints when they do not fit."""

from __future__ import annotations

import re
from typing import Any, Final

from libs.template.bounds import FORMAT_WIDTH, Budget, Pieces
from libs.template.printf_verbs import Flags, Verbs
from libs.template.printing import shown
from libs.template.values import type_name

_DIRECTIVE: Final = re.compile(
    r"%([-+# 0]*)(\[[^\]%]*\])?(\*|[0-9]+)?(?:(\.)(\[[^\]%]*\])?(\*|[0-9]+)?)?(\[[^\]%]*\])?(.?)", re.DOTALL
)


class _Arguments:
    """Which argument the next verb takes."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.next = 0
        self.reordered = False
        self.bad_index = False

    def select(self, index: str | None) -> None:
        """Go on with the argument that `[n]` names."""
        if index is None:
            return
        self.reordered = True
        inner = index[1:-1]
        number = int(inner) if inner.isdecimal() and len(inner) < 6 else 0
        if 1 <= number <= len(self.values):
            self.next = number - 1
        else:
            self.bad_index = True

    def take(self) -> Any:
        self.next += 1
        return self.values[self.next - 1]

    @property
    def has_more(self) -> bool:
        return self.next < len(self.values)


def printf(budget: Budget, layout: str, *values: Any) -> str:
    """The text of a format with its values.

    Mistakes are printed as Go does: `%!d(string=a)`, `%!d(MISSING)`, `%!(EXTRA int=2)`.

    Raises:
        Fault: the text is too long.
    """
    pieces = Pieces(budget)
    arguments = _Arguments(values)
    at = 0
    for found in _DIRECTIVE.finditer(layout):
        pieces.add(layout[at : found.start()])
        at = found.end()
        _directive(found, arguments, pieces, budget)
    pieces.add(layout[at:])
    if not arguments.reordered and arguments.has_more:
        extra = ", ".join(_described(value, budget) for value in values[arguments.next :])
        pieces.add(f"%!(EXTRA {extra})")
    return pieces.text()


def _directive(found: re.Match[str], arguments: _Arguments, pieces: Pieces, budget: Budget) -> None:
    marks, width_index, width_text, point, precision_index, precision_text, verb_index, verb = found.groups()
    flags = Flags(plus="+" in marks, minus="-" in marks, sharp="#" in marks, space=" " in marks, zero="0" in marks)
    arguments.bad_index = False
    if width_text == "*" or width_index is None or verb_index is not None or point:
        arguments.select(width_index)
    else:
        verb_index = width_index
    width, trouble = _size(width_text, arguments, "%!(BADWIDTH)")
    pieces.add(trouble)
    if width is not None and width < 0:
        flags, width = flags._replace(minus=True, zero=False), -width
    arguments.select(precision_index)
    precision, trouble = _size(precision_text, arguments, "%!(BADPREC)")
    pieces.add(trouble)
    if point:
        precision = 0 if precision is None and not trouble else (precision if precision is None or precision >= 0 else None)
    arguments.select(verb_index)
    if not verb:
        pieces.add("%!(NOVERB)")
    elif verb == "%":
        pieces.add("%")
    elif arguments.bad_index:
        pieces.add(f"%!{verb}(BADINDEX)")
    elif not arguments.has_more:
        pieces.add(f"%!{verb}(MISSING)")
    else:
        pieces.add(Verbs(flags._replace(width=width, precision=precision), budget).text(verb, arguments.take()))


def _size(text: str | None, arguments: _Arguments, complaint: str) -> tuple[int | None, str]:
    """A width or precision, and what is printed if it is none."""
    if text is None:
        return None, ""
    if text == "*":
        value = arguments.take() if arguments.has_more else None
        good = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= FORMAT_WIDTH
        return (int(value), "") if good and value is not None else (None, complaint)
    return (int(text), "") if len(text) < 6 and int(text) <= FORMAT_WIDTH else (None, complaint)


def _described(value: Any, budget: Budget) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={shown(value, budget)}"
