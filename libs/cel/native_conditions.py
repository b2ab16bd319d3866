"""An expression as the text of one Python condition, which generated code is made of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Any, Final

from libs.cel.conditions import prefix_of_regex
from libs.cel.functions import FUNCTIONS
from libs.cel.limits import GENERATED_NODES, STEPS
from libs.cel.native_values import ARITHMETIC, among, bounded
from libs.cel.regex import searcher
from libs.cel.rfc3339 import looks_like_time
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
    Node,
    Select,
    Unary,
    path_of,
    walk,
)
from libs.cel.values import COMPARISONS, NUMBERS, TRUE_TEXTS, UInt

_TEXT_TESTS: Final = frozenset({"startsWith", "endsWith", "contains", "matches"})
_PLAIN_REGEX: Final = re.compile(
    r"(?P<start>\^?)(?P<text>(?:[\w \-/:@,%&=~]|\\[.\-/+*?()\[\]{}^$|\\])*)(?P<end>(?:\.\*)?\$?)", re.ASCII
)


class Unfit(Exception):
    """This expression is for the exact back end."""


def local_name(name: str) -> str:
    # A prefix keeps variables such as `from` away from Python's keywords and from our own names.
    return f"v_{name}"


def _constant_result(function: str, args: tuple[Node, ...]) -> Any:
    """Return the time or length that a call with a constant text always gives, so that it is not read again for every document."""
    match function, args:
        case "timestamp" | "duration", (Literal(value=str() as text),):
            return FUNCTIONS[function].apply(text)
    return None


class Writer:
    """Writes one condition, to be placed where its constants have their names and its variables their `local_name`.

    Attributes:
        constants: values by the names they have in the text.
        used: the declared variables that it reads.
        regexes: of a condition that is asked many times, the name of the searcher of each regular expression by a name of its own: the
            text asks `m_<name>` while `r_<name>` is true and `l_<name>` otherwise.

    Args:
        variables: all declared names.
        many: the condition will be asked of many documents in one loop.
    """

    def __init__(self, variables: Collection[str], *, many: bool = False) -> None:
        self.constants: dict[str, Any] = {}
        self.used: set[str] = set()
        self.regexes: dict[str, str] = {}
        self._many = many
        self._declared = frozenset(variables)
        self._bound: dict[str, str] = {}
        self._temporaries = 0
        self._emitted = 0

    def answer(self, node: Node) -> str:
        """Write the condition of the whole expression, whose value may also be the text of a boolean."""
        if isinstance(node, Conditional):
            then, otherwise = self.answer(node.then), self.answer(node.otherwise)
            return f"(({self.when(node.condition, True)} and {then}) or ({self.when(node.condition, False)} and {otherwise}))"
        path = self._path(node)
        if path is not None:
            kept = self._temporary()
            return f"(({kept} := {path}) is True or {kept} in TRUE_TEXTS)"
        if isinstance(node, Literal) and node.value.__class__ is str:
            return str(node.value in TRUE_TEXTS)
        makes_text = isinstance(node, Call) and node.function not in _TEXT_TESTS
        if makes_text or (isinstance(node, Binary) and node.operator == "+"):
            raise Unfit
        return self.when(node, True)

    def when(self, node: Node, wanted: bool) -> str:
        """Write the condition that the node is `wanted`."""
        self._emitted += 1
        if self._emitted > GENERATED_NODES:
            # The condition of ?: is written twice, so that nested ones double at every level.
            raise Unfit
        match node:
            case Unary(operator="!", operand=operand):
                return self.when(operand, not wanted)
            case Logic(operator=operator, operands=operands):
                joint = " and " if (operator == "&&") is wanted else " or "
                return f"({joint.join([self.when(operand, wanted) for operand in operands])})"
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                yes, no = self.when(condition, True), self.when(condition, False)
                return f"(({yes} and {self.when(then, wanted)}) or ({no} and {self.when(otherwise, wanted)}))"
            case Literal(value=value):
                return str(value is wanted)
            case Has(operand=operand, field=field):
                return self._has(operand, field, wanted)
            case Binary(operator="==" | "!=" as operator, left=left, right=right):
                return self._equality(left, right, (operator == "==") is wanted)
            case Binary(operator="in", left=left, right=right):
                return self._membership(left, right, wanted)
            case Binary(operator="<" | "<=" | ">" | ">=" as operator, left=left, right=right):
                return self._order(operator, left, right, wanted)
            case Call(function=function, args=args) if function in _TEXT_TESTS:
                return self._text_test(function, args[0], args[1], wanted)
            case Comprehension(macro="all" | "exists"):
                return self._quantifier(node, wanted)
            case _:
                return f"({self._path(node) or self._value(node)} is {wanted})"

    def _has(self, operand: Node, field: str, wanted: bool) -> str:
        path = self._path(operand)
        if path is None:
            raise Unfit
        kept = self._temporary()
        return f"(({kept} := {path}).__class__ is dict and {field!r} {'in' if wanted else 'not in'} {kept})"

    def _equality(self, left: Node, right: Node, wanted: bool) -> str:
        if isinstance(left, Literal):
            left, right = right, left
        path = self._path(left)
        if path is None:
            return f"(same({self._value(left)}, {self._value(right)}) is {wanted})"
        if isinstance(right, Literal):
            return self._equals_constant(path, right.value, wanted)
        other = self._path(right)
        kept = self._temporary()
        if other is None:
            return f"(({kept} := {path}) is not MISSING and same({kept}, {self._value(right)}) is {wanted})"
        second = self._temporary()
        return (
            f"(({kept} := {path}) is not MISSING and ({second} := {other}) is not MISSING and same({kept}, {second}) is {wanted})"
        )

    def _equals_constant(self, path: str, value: object, wanted: bool) -> str:
        kind = value.__class__
        constant = self._constant(value)
        if kind is bytes or (kind is str and not looks_like_time(str(value))):
            test = f"{path} == {constant}"
        elif value is None or kind is bool:
            test = f"{path} is {constant}"
        else:
            kept = self._temporary()
            if wanted and kind is not str and kind in NUMBERS:
                return f"(({kept} := {path}).__class__ in NUMBERS and same({kept}, {constant}))"
            if wanted:
                return f"(({kept} := {path}) is not MISSING and same({kept}, {constant}))"
            return f"(({kept} := {path}) is not MISSING and not same({kept}, {constant}))"
        if wanted:
            return f"({test})"
        kept = self._temporary()
        operator = "!=" if kind is str or kind is bytes else "is not"
        return f"(({kept} := {path}) is not MISSING and {kept} {operator} {constant})"

    def _membership(self, left: Node, right: Node, wanted: bool) -> str:
        path = self._path(left)
        if path is not None and isinstance(right, ListLiteral):
            values = [item.value for item in right.items if isinstance(item, Literal)]
            if len(values) != len(right.items):
                raise Unfit
            kept = self._temporary()
            if all(value.__class__ is str and not looks_like_time(str(value)) for value in values):
                name = self._keep(frozenset(values))
                if wanted:
                    return f"({path} in {name})"
                return f"(({kept} := {path}) is not MISSING and {kept} not in {name})"
            return f"(({kept} := {path}) is not MISSING and {self._keep(among(values))}({kept}) is {wanted})"
        container = self._path(right)
        if container is not None and isinstance(left, Literal) and left.value.__class__ is str:
            # A key of a map or an element of a list of texts; a string as container would search inside it.
            kept = self._temporary()
            kinds = self._keep(frozenset({dict, list}))
            return f"(({kept} := {container}).__class__ in {kinds} and {left.value!r} {'in' if wanted else 'not in'} {kept})"
        raise Unfit

    def _order(self, operator: str, left: Node, right: Node, wanted: bool) -> str:
        path = self._path(left)
        if path is None or not isinstance(right, Literal):
            return f"({self._keep(COMPARISONS[operator])}({self._value(left)}, {self._value(right)}) is {wanted})"
        value: Any = right.value
        kept, constant, kind = self._temporary(), self._constant(value), value.__class__
        test = f"{'' if wanted else 'not '}{kept} {operator} {constant}"
        if kind is str and looks_like_time(value):
            return f"(({kept} := {path}) is not MISSING and {self._keep(COMPARISONS[operator])}({kept}, {constant}) is {wanted})"
        if kind is str:
            return f"(({kept} := {path}).__class__ is str and {test})"
        if kind is int or kind is float:
            if not abs(value) <= 2**53:
                # Python compares int and float exactly, CEL as doubles; they differ from here on.
                raise Unfit
            return f"((({kept} := {path}).__class__ is int or {kept}.__class__ is float) and {test})"
        raise Unfit

    def _text_test(self, function: str, target: Node, argument: Node, wanted: bool) -> str:
        path = self._path(target)
        if path is None or not isinstance(argument, Literal) or argument.value.__class__ is not str:
            return f"({self._value(Call(target.at, function, (target, argument), method=True))} is {wanted})"
        self._refuse_repeats(target)
        kept, part = self._temporary(), str(argument.value)
        if function == "matches":
            test = self._regex_test(part, kept)
        elif function == "contains":
            test = f"{part!r} in {kept}"
        else:
            test = f"{kept}.{'startswith' if function == 'startsWith' else 'endswith'}({part!r})"
        return f"(({kept} := {path}).__class__ is str and {'' if wanted else 'not '}({test}))"

    def _refuse_repeats(self, target: Node) -> None:
        """Leave it to the exact back end to read one long text again for every element of a list, since that counts."""
        path = path_of(target)
        if self._bound and (path is None or path[0] not in self._bound):
            raise Unfit

    def _regex_test(self, pattern: str, text: str) -> str:
        """Write a literal pattern as a string test if it is no more than that: twenty times faster than RE2."""
        sought = searcher(pattern)
        plain = _PLAIN_REGEX.fullmatch(pattern)
        if plain is not None:
            part = repr(re.sub(r"\\(.)", r"\1", plain["text"]))
            anchored = bool(plain["start"])
            match plain["end"]:
                case "$":
                    return f"{text} == {part}" if anchored else f"{text}.endswith({part})"
                case "" | ".*":
                    return f"{text}.startswith({part})" if anchored else f"{part} in {text}"
        found = self._keep(sought)
        if self._many:
            # Written out, since a call of a Python function takes half as long as the search itself. A text that is not Unicode, which
            # encode() refuses, goes to the exact back end.
            name = f"x{len(self.regexes)}"
            self.regexes[name] = found
            self.constants |= {f"ask_{name}": sought.ask, f"search_{name}": sought.search}
            direct = f"0 in (l_{name}({text}.encode()) or search_{name}({text}))"
            asked = f"(m_{name}[{text}] if r_{name} else {direct})"
        else:
            asked = f"{found}({text})"
        prefix = prefix_of_regex(pattern)
        return f"({text}.startswith({prefix!r}) and {asked})" if prefix else asked

    def _quantifier(self, node: Comprehension, wanted: bool) -> str:
        if self._bound:
            # Nested macros multiply, and only the exact back end counts their steps.
            raise Unfit
        path = self._path(node.range)
        if path is None:
            raise Unfit
        kept, local = self._temporary(), f"b{self._temporaries}"
        items = self._keep(bounded(STEPS // (8 * sum(1 for _ in walk(node.body)))))
        self._bound = {node.variable: local}
        body = self.when(node.body, wanted)
        self._bound = {}
        every = "all" if (node.macro == "all") is wanted else "any"
        return f"(({kept} := {path}) is not MISSING and {every}({body} for {local} in {items}({kept})))"

    def _path(self, node: Node) -> str | None:
        """Write a chain of `.get()`; a value that is no map raises AttributeError, which sends the document to the exact back end."""
        match node:
            case Ident(name=name):
                if name in self._bound:
                    return self._bound[name]
                if name not in self._declared:
                    return None
                self.used.add(name)
                return local_name(name)
            case Select(operand=operand, field=key) | Index(operand=operand, key=Literal(value=str() as key)):
                inner = self._path(operand)
                return None if inner is None else f"{inner}.get({key!r}, MISSING)"
            case _:
                return None

    def _value(self, node: Node) -> str:
        """Write the value itself; any error raises and sends the document to the exact back end."""
        self._emitted += 1
        if self._emitted > GENERATED_NODES:
            raise Unfit
        match node:
            case Literal(value=value):
                return self._constant(value)
            case Ident():
                path = self._path(node)
                if path is not None:
                    return path
            case Select(operand=operand, field=key) | Index(operand=operand, key=Literal(value=str() as key)):
                return f"{self._value(operand)}[{key!r}]"
            case Call(function=function, args=args) if (known := _constant_result(function, args)) is not None:
                return self._keep(known)
            case Call(function=function, args=args) if not FUNCTIONS[function].budgeted and not self._bound:
                return f"{self._keep(FUNCTIONS[function].apply)}({', '.join([self._value(arg) for arg in args])})"
            case Binary(operator=operator, left=left, right=right) if operator in ARITHMETIC:
                return f"{self._keep(ARITHMETIC[operator])}({self._value(left)}, {self._value(right)})"
            case _:
                pass
        raise Unfit

    def _constant(self, value: Any) -> str:
        if value is None or value.__class__ in (str, bytes, int, bool):
            return repr(value)
        assert value.__class__ in (float, UInt, dt.datetime, dt.timedelta), f"no such literal: {value.__class__}"
        return self._keep(value)

    def _keep(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"
