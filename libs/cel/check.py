"""The check at save time: what is wrong with an expression before any document is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from libs.cel.functions import FUNCTIONS, NAMESPACES
from libs.cel.problems import CelError, Problem, Severity, place
from libs.cel.regex import searcher
from libs.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Has,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    Node,
    Select,
    Unary,
    children,
    path_of,
    walk,
)
from libs.cel.time_functions import to_duration, to_timestamp
from libs.cel.values import FALSE_TEXTS, TRUE_TEXTS, TYPES

_MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map", "sortBy"})
_TEXT_TESTS: Final = frozenset({"startsWith", "endsWith", "contains", "matches"})
_NEVER_BOOLEAN: Final = frozenset({"size", "int", "uint", "double", "bytes", "timestamp", "duration", "type"})
_NO_NAMES: Final[frozenset[str]] = frozenset()


def find_problems(
    tree: Node,
    source: str,
    variables: Mapping[str, frozenset[str] | None],
    optional: Mapping[str, frozenset[str]],
) -> list[Problem]:
    """Return all problems of a parsed expression, in the order of their places.

    Args:
        tree: the expression.
        source: its text, for lines and columns.
        variables: declared names with their known fields, None for an open map.
        optional: known fields that may be absent.
    """
    check = _Check(source, variables, optional, guarded=frozenset(_guards(tree)))
    check.visit(tree, _NO_NAMES, negated=False)
    check.result(tree)
    return sorted(check.problems, key=lambda problem: (problem.line, problem.column))


def _guards(tree: Node) -> Iterator[tuple[str, ...]]:
    """Yield the paths whose presence the expression asks for, by has() or `"k" in m`."""
    for node in walk(tree):
        match node:
            case Has(operand=operand, field=key) | Binary(operator="in", left=Literal(value=str() as key), right=operand):
                path = path_of(operand)
                if path is not None:
                    yield (*path, key)


class _Check:
    def __init__(
        self,
        source: str,
        variables: Mapping[str, frozenset[str] | None],
        optional: Mapping[str, frozenset[str]],
        guarded: frozenset[tuple[str, ...]],
    ) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._variables = variables
        self._optional = optional
        self._guarded = guarded

    def visit(self, node: Node, bound: frozenset[str], *, negated: bool) -> None:
        """Check a node and all below it; `bound` are the macro variables in scope, `negated` says it stands under an odd number of !."""
        match node:
            case Ident(name=name):
                self._variable(node.at, name, bound)
            case Select(operand=operand, field=key) | Has(operand=operand, field=key):
                self._field(node.at, operand, key, bound)
            case Index(operand=operand, key=Literal(at=at, value=str() as key)):
                self._field(at, operand, key, bound)
            case Binary(operator="in", left=Literal(at=at, value=str() as key), right=operand):
                self._field(at, operand, key, bound)
            case Call():
                self._call(node)
            case MapLiteral():
                self._keys(node)
            case _:
                pass
        if isinstance(node, Unary) and node.operator == "!":
            self.visit(node.operand, bound, negated=not negated)
            return
        self._absence(node, bound, negated=negated)
        if isinstance(node, Comprehension):
            self.visit(node.range, bound, negated=False)
            inner = bound | {node.variable}
            if node.filter_by is not None:
                self.visit(node.filter_by, inner, negated=False)
            self.visit(node.body, inner, negated=negated)
            return
        keeps = isinstance(node, Logic | Conditional)
        for child in children(node):
            below = keeps and not (isinstance(node, Conditional) and child is node.condition)
            self.visit(child, bound, negated=negated and below)

    def result(self, tree: Node) -> None:
        """Warn when the whole expression can not be a boolean."""
        match tree:
            case Literal(value=value):
                never = value.__class__ is not bool and value not in TRUE_TEXTS | FALSE_TEXTS
            case ListLiteral() | MapLiteral() | Unary(operator="-") | Comprehension(macro="map" | "filter" | "sortBy"):
                never = True
            case Binary(operator="+" | "-" | "*" | "/" | "%"):
                never = True
            case Call(function=function):
                never = function in _NEVER_BOOLEAN
            case _:
                never = False
        if never:
            self._add(tree.at, "warning", "not_boolean", "the expression is neither true nor false, so that it never matches")

    def _variable(self, at: int, name: str, bound: frozenset[str]) -> None:
        if name in self._variables or name in bound or name in TYPES:
            return
        if name in NAMESPACES:
            self._add(at, "error", "unknown_variable", f"{name} is a pack of functions, not a value")
            return
        known = [*self._variables, *sorted(bound)]
        listed = f"here an expression can name {', '.join(sorted(self._variables))}"
        self._add(at, "error", "unknown_variable", f"unknown variable {name!r}", _nearest(name, known) or listed)

    def _field(self, at: int, operand: Node, key: str, bound: frozenset[str]) -> None:
        if not isinstance(operand, Ident) or operand.name in bound:
            return
        known = self._variables.get(operand.name)
        if known is not None and key not in known:
            hint = _nearest(key, known) or f"its fields are {', '.join(sorted(known))}"
            # As with every other key that is missing, it is no match rather than a mistake: documents may get more fields.
            self._add(at, "warning", "unknown_field", f"{operand.name} has no field {key!r}", hint)

    def _call(self, node: Call) -> None:
        name, function = node.function, FUNCTIONS.get(node.function)
        if function is None:
            message = f"{name}() is a macro of lists and maps" if name in _MACROS else f"unknown function {name!r}"
            hint = f"write list.{name}(x, ...)" if name in _MACROS else _nearest(name, FUNCTIONS)
            self._add(node.at, "error", "unknown_function", message, hint)
            return
        if function.form != "both" and (function.form == "method") is not node.method:
            hint = f"write value.{name}(...)" if function.form == "method" else f"write {name}(...)"
            self._add(node.at, "error", "unknown_function", f"{name}() is not called this way", hint)
            return
        if not function.takes(len(node.args)):
            self._add(node.at, "error", "wrong_arity", _arity(name, function.least, function.most, node))
            return
        self._literal_argument(node)

    def _literal_argument(self, node: Call) -> None:
        last = node.args[-1]
        if not isinstance(last, Literal) or last.value.__class__ is not str:
            return
        text = str(last.value)
        try:
            match node.function:
                case "matches":
                    searcher(text)
                case "timestamp":
                    to_timestamp(text)
                case "duration":
                    to_duration(text)
        except CelError as bad:
            code = "bad_regex" if bad.kind == "regex" else f"bad_{node.function}"
            self._add(last.at, "error", code, bad.message)

    def _keys(self, node: MapLiteral) -> None:
        seen: set[tuple[type, object]] = set()
        for key, _ in node.entries:
            if isinstance(key, Literal):
                if (key.value.__class__, key.value) in seen:
                    self._add(key.at, "error", "duplicate_key", "the map has the same key twice")
                seen.add((key.value.__class__, key.value))

    def _absence(self, node: Node, bound: frozenset[str], *, negated: bool) -> None:
        """Warn of a test that reads like "anything but", yet is not true of a document without the key."""
        match node:
            case Binary(operator="==" | "!=" as operator, left=left, right=right) if (operator == "!=") is not negated:
                sides: tuple[Node, ...] = (left, right)
            case Binary(operator="in", left=left) if negated:
                sides = (left,)
            case Call(function=function, args=args) if negated and function in _TEXT_TESTS and args:
                sides = (args[0],)
            case _:
                return
        for side in sides:
            path = path_of(side)
            if path is not None and path[0] not in bound and self._may_be_absent(path):
                shown = _written(path)
                self._add(
                    node.at,
                    "warning",
                    "optional_key",
                    f"a missing key means no match: without {shown} this is not true",
                    f"to match without it too, write !has({shown}) || ...",
                )

    def _may_be_absent(self, path: tuple[str, ...]) -> bool:
        root = path[0]
        if len(path) < 2 or root not in self._variables or any(guard[: len(path)] == path for guard in self._guarded):
            return False
        return len(path) > 2 or self._variables[root] is None or path[1] in self._optional.get(root, _NO_NAMES)

    def _add(self, at: int, severity: Severity, code: str, message: str, hint: str | None = None) -> None:
        line, column = place(self._source, at)
        self.problems.append(Problem(severity, code, message, line, column, hint))


def _nearest(name: str, known: Collection[str]) -> str | None:
    # difflib takes a while to import and is only wanted once somebody has made a mistake.
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else None


def _arity(name: str, least: int, most: int | None, node: Call) -> str:
    target = int(node.method)
    given = len(node.args) - target
    if most is None:
        wanted = f"at least {least - target}"
    elif least == most:
        wanted = str(least - target)
    else:
        wanted = f"{least - target} to {most - target}"
    return f"{name}() takes {wanted} argument{'' if wanted == '1' else 's'}, not {given}"


def _written(path: tuple[str, ...]) -> str:
    """Write a path the way it stands in an expression."""
    plain = all(step.isidentifier() for step in path)
    return ".".join(path) if plain else f"{'.'.join(path[:-1])}[{path[-1]!r}]".replace("'", '"')
