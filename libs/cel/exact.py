"""The exact back end: closures over plain dicts with every rule of the language, errors with their place.

An error is a `CelError` on its way up. && and || absorb one when another operand decides, whatever the order, and so do all()
and exists(). When nothing decides, an error of the expression outranks a missing key: a broken rule must never look like a
resource that merely lacks a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, assert_never

from libs.cel.budget import Budget, charge_text
from libs.cel.collection_functions import sort_order
from libs.cel.function import Function
from libs.cel.functions import FUNCTIONS
from libs.cel.problems import NO_PLACE, CelError
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
)
from libs.cel.values import (
    COMPARISONS,
    TYPES,
    UInt,
    add,
    contains,
    divide,
    equal,
    has_field,
    index,
    modulo,
    multiply,
    negate,
    overload,
    scalar_equal,
    select,
    subtract,
)

Scope: TypeAlias = dict[str, Any]
Evaluate: TypeAlias = Callable[[Scope, Budget], Any]
"""Gives the value for the variables in scope, spending from the budget; raises CelError."""

_ARITHMETIC = {"-": subtract, "*": multiply, "/": divide, "%": modulo}


def compile_exact(node: Node) -> Evaluate:
    """Compile a checked tree: every name in it is declared and every call has a known function."""
    match node:
        case Literal(value=value):
            return lambda scope, budget: value
        case Ident(name=name):
            return _ident(name)
        case Select(operand=operand, field=field):
            of = compile_exact(operand)
            return _placed(node.at, lambda scope, budget: select(of(scope, budget), field))
        case Has(operand=operand, field=field):
            of = compile_exact(operand)
            return _placed(node.at, lambda scope, budget: has_field(of(scope, budget), field))
        case Index(operand=operand, key=Literal(value=str() as field)):
            of = compile_exact(operand)
            return _placed(node.at, lambda scope, budget: _constant_key(of(scope, budget), field))
        case Index(operand=operand, key=key):
            of, by = compile_exact(operand), compile_exact(key)
            return _placed(node.at, lambda scope, budget: index(of(scope, budget), by(scope, budget), budget))
        case Unary(operator=operator, operand=operand):
            of = compile_exact(operand)
            if operator == "!":
                return _placed(node.at, lambda scope, budget: not _boolean("!", of(scope, budget)))
            return _placed(node.at, lambda scope, budget: negate(of(scope, budget)))
        case Binary():
            return _placed(node.at, _binary(node))
        case Logic():
            return _placed(node.at, _logic(node))
        case Conditional():
            test, then, otherwise = map(compile_exact, (node.condition, node.then, node.otherwise))
            return _placed(
                node.at,
                lambda scope, budget: (then if _boolean("?:", test(scope, budget)) else otherwise)(scope, budget),
            )
        case ListLiteral(items=items):
            parts = [compile_exact(item) for item in items]
            return lambda scope, budget: [part(scope, budget) for part in parts]
        case MapLiteral():
            return _placed(node.at, _map(node))
        case Call():
            return _placed(node.at, _call(node))
        case Comprehension():
            return _placed(node.at, _comprehension(node))
        case _:
            assert_never(node)


def _placed(at: int, evaluate: Evaluate) -> Evaluate:
    """Give an error the place of the innermost expression it passes."""

    def placed(scope: Scope, budget: Budget) -> Any:
        try:
            return evaluate(scope, budget)
        except CelError as error:
            if error.at == NO_PLACE:
                error.at = at
            raise

    return placed


def _constant_key(container: Any, key: str) -> Any:
    if container.__class__ is dict:
        return select(container, key)
    raise overload("[]", container, key)


def _ident(name: str) -> Evaluate:
    if name in TYPES:
        type_itself = TYPES[name]
        return lambda scope, budget: scope.get(name, type_itself)
    return lambda scope, budget: scope[name]


def _boolean(what: str, value: Any) -> bool:
    if value is True or value is False:
        return value
    raise overload(what, value)


def _binary(node: Binary) -> Evaluate:
    left, right = compile_exact(node.left), compile_exact(node.right)
    operator = node.operator
    if operator == "==":
        return lambda scope, budget: equal(left(scope, budget), right(scope, budget), budget)
    if operator == "!=":
        return lambda scope, budget: not equal(left(scope, budget), right(scope, budget), budget)
    if operator == "in":
        return lambda scope, budget: contains(left(scope, budget), right(scope, budget), budget)
    if operator == "+":
        return lambda scope, budget: add(left(scope, budget), right(scope, budget), budget)
    if operator in COMPARISONS:
        compare = COMPARISONS[operator]
        return lambda scope, budget: compare(left(scope, budget), right(scope, budget))
    compute = _ARITHMETIC[operator]
    return lambda scope, budget: compute(left(scope, budget), right(scope, budget))


def graver(first: CelError | None, second: CelError) -> CelError:
    """Return the error that a pair of undecided operands has: the first, but a missing key gives way to anything else."""
    if first is None or (first.kind == "missing" and second.kind != "missing"):
        return second
    return first


def _logic(node: Logic) -> Evaluate:
    operands = [compile_exact(operand) for operand in node.operands]
    decides = node.operator == "||"
    name = node.operator

    def evaluate(scope: Scope, budget: Budget) -> bool:
        error: CelError | None = None
        for operand in operands:
            try:
                if _boolean(name, operand(scope, budget)) is decides:
                    return decides
            except CelError as caught:
                if caught.kind == "cost":
                    raise
                error = graver(error, caught)
        if error is not None:
            raise error
        return not decides

    return evaluate


def _map(node: MapLiteral) -> Evaluate:
    entries = [(compile_exact(key), compile_exact(value)) for key, value in node.entries]

    def evaluate(scope: Scope, budget: Budget) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key_of, value_of in entries:
            key = key_of(scope, budget)
            if key.__class__ not in (str, int, bool, UInt):
                raise overload("map key", key)
            budget.spend((len(made) >> 4) + 1)
            if any(scalar_equal(key, other) for other in made):
                raise CelError("range", "a map literal has the same key twice")
            made[key] = value_of(scope, budget)
        return made

    return evaluate


def _call(node: Call) -> Evaluate:
    function: Function = FUNCTIONS[node.function]
    apply = function.apply
    parts = [compile_exact(arg) for arg in node.args]
    # A regular expression takes some twenty times longer to read a text than any other function.
    shift = 6 if node.function == "matches" else 10

    def arguments(scope: Scope, budget: Budget) -> tuple[Any, ...]:
        args = tuple([part(scope, budget) for part in parts])
        charge_text(args, budget, shift)
        return args

    if function.budgeted:
        return lambda scope, budget: apply(budget, *arguments(scope, budget))
    return lambda scope, budget: apply(*arguments(scope, budget))


def _comprehension(node: Comprehension) -> Evaluate:
    range_of, body = compile_exact(node.range), compile_exact(node.body)
    keep = compile_exact(node.filter_by) if node.filter_by is not None else None
    macro, variable = node.macro, node.variable

    def each(scope: Scope, budget: Budget) -> Iterator[tuple[Any, Scope]]:
        items = range_of(scope, budget)
        if items.__class__ is not list and items.__class__ is not dict:
            raise overload(macro, items)
        inner = dict(scope)
        for item in items:
            budget.spend(1)
            inner[variable] = item
            yield item, inner

    def decide(scope: Scope, budget: Budget) -> bool:
        decides = macro == "exists"
        error: CelError | None = None
        for _, inner in each(scope, budget):
            try:
                if _boolean(macro, body(inner, budget)) is decides:
                    return decides
            except CelError as caught:
                if caught.kind == "cost":
                    raise
                error = graver(error, caught)
        if error is not None:
            raise error
        return not decides

    def exists_one(scope: Scope, budget: Budget) -> bool:
        return sum(_boolean(macro, body(inner, budget)) for _, inner in each(scope, budget)) == 1

    def keep_some(scope: Scope, budget: Budget) -> list[Any]:
        return [item for item, inner in each(scope, budget) if _boolean(macro, body(inner, budget))]

    def transform(scope: Scope, budget: Budget) -> list[Any]:
        return [body(inner, budget) for _, inner in each(scope, budget) if keep is None or _boolean(macro, keep(inner, budget))]

    def sort_by(scope: Scope, budget: Budget) -> list[Any]:
        pairs = [(item, body(inner, budget)) for item, inner in each(scope, budget)]
        order = sort_order([key for _, key in pairs], macro, budget)
        return [pairs[position][0] for position in order]

    match macro:
        case "all" | "exists":
            return decide
        case "exists_one":
            return exists_one
        case "filter":
            return keep_some
        case "map":
            return transform
        case "sortBy":
            return sort_by
        case _:
            assert_never(macro)
