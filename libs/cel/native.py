"""The match back end: Python source that answers only "is it true?", at the speed of hand-written code.

Every boolean node is emitted by polarity: `when(node, True)` is a Python condition that holds exactly when the node is true in
CEL, `when(node, False)` when it is false, and neither holds on an error. So a missing key needs no exception: a chain of
`.get()` ends in a marker that no test accepts. What does not fit this, in the expression or in one document, goes to the exact
back end: whole expressions by `Unfit`, single documents by any exception at run time.

Nothing from the user's text reaches the generated code except through `repr` of a checked constant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from libs.cel.native_conditions import Unfit, Writer, local_name
from libs.cel.native_values import MISSING
from libs.cel.problems import CelError
from libs.cel.regex import Remembered
from libs.cel.syntax import Node
from libs.cel.values import NUMBERS, TRUE_TEXTS, scalar_equal

Slow = Callable[[dict[str, Any]], bool]
Matches = Callable[[dict[str, Any]], bool]
"""The answer for variables by name; the declared ones that are absent count as empty maps."""
Filter = Callable[[Sequence[Any], Slow, dict[str, Any]], list[int]]
"""The ascending positions of the matching values of one variable, given the exact answer for hard ones and the other variables."""


_EMPTY: Final[dict[str, Any]] = {}
_TO_EXACT: Final = (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError, RecursionError, CelError)
"""What generated code may raise on a document it was not made for."""
_TRIAL_ROWS: Final = 2000
"""Rows after which a filter knows whether the texts a regular expression reads repeat."""
_BUILTINS: Final[dict[str, Any]] = {
    **{function.__name__: function for function in (all, any, enumerate, len, str, int, float, dict)},
    "MISSING": MISSING,
    "EMPTY": _EMPTY,
    "TO_EXACT": _TO_EXACT,
    "NUMBERS": NUMBERS,
    "TRUE_TEXTS": TRUE_TEXTS,
    "Remembered": Remembered,
    "same": scalar_equal,
}
"""All that generated code can name besides its own constants; one dict for all programs, which keeps each of them small."""


def compile_matches(node: Node, variables: Collection[str], slow: Slow) -> Matches:
    """Return native code for a checked expression, or `slow` itself if it does not fit.

    Args:
        node: the tree.
        variables: all declared names.
        slow: the exact answer for the same variables.
    """
    writer = Writer(variables)
    try:
        condition = writer.answer(node)
    except Unfit:
        return slow
    text = (
        f"def made(variables):\n{_reads(writer.used)} try:\n  return {condition}\n except TO_EXACT:\n  return slow(variables)\n"
    )
    return _made(text, {**writer.constants, "slow": slow}) or slow


def compile_filter(node: Node, variables: Collection[str], row: str) -> Filter:
    """Return native code that runs a checked expression over many values of the variable `row`, the others staying as they are."""
    writer = Writer(variables, many=True)
    try:
        condition = writer.answer(node)
    except Unfit:
        return _slow_filter(row)
    local = local_name(row)
    before = f"def made(rows, slow, variables):\n{_reads(writer.used - frozenset((row,)))} found = []\n add = found.append\n"
    loop = (
        f" for position, {local} in enumerate(part, start):\n  try:\n   if {condition}:\n    add(position)\n"
        f"  except TO_EXACT:\n   if slow({{**variables, {row!r}: {local}}}):\n    add(position)\n"
    )
    if writer.regexes:
        text = before + _remembering(writer.regexes, loop)
    else:
        text = f"{before} part, start = rows, 0\n{loop}"
    return _made(f"{text} return found\n", writer.constants) or _slow_filter(row)


def _remembering(regexes: dict[str, str], loop: str) -> str:
    """Write the loop so that it begins by remembering answers by text, and goes on with that if texts turn out to repeat."""
    text = "".join(
        f" m_{name} = Remembered({found})\n r_{name} = True\n l_{name} = ask_{name}\n" for name, found in regexes.items()
    )
    text += f" for start, part in ((0, rows[:{_TRIAL_ROWS}]), ({_TRIAL_ROWS}, rows[{_TRIAL_ROWS}:])):\n"
    text += "".join(f" {line}\n" for line in loop.splitlines())
    return text + "".join(f"  r_{name} = len(m_{name}) <= {_TRIAL_ROWS // 2}\n" for name in regexes)


def _slow_filter(row: str) -> Filter:
    return lambda rows, slow, variables: [position for position, value in enumerate(rows) if slow({**variables, row: value})]


def _reads(used: Collection[str]) -> str:
    return "".join(f" {local_name(name)} = variables.get({name!r}, EMPTY)\n" for name in sorted(used))


def _made(text: str, constants: dict[str, Any]) -> Any:
    """Return the function of a generated text, None if Python's own parser has limits that a valid expression may pass."""
    try:
        code = compile(text, "<cel>", "exec")
    except (SyntaxError, MemoryError, RecursionError):
        return None
    scope: dict[str, Any] = {"__builtins__": _BUILTINS, **constants}
    exec(code, scope)
    return scope.pop("made")
