"""The tree that every back end reads: small, frozen, without any trace of the parser that made it.

`at` is the character offset of the node in the source. Macros with a variable are `Comprehension`; `has(a.b)` is `Has`; chains
of && and || are one `Logic` node, so that a long chain is wide and not deep. Nodes compare by identity: nobody needs more, and the
generated comparisons would double the time this module takes to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias, assert_never

BinaryOperator = OneOf["==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]
MacroName = OneOf["all", "exists", "exists_one", "map", "filter", "sortBy"]


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    at: int
    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Ident:
    at: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    at: int
    operand: Node
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    at: int
    operand: Node
    key: Node


@dataclass(frozen=True, slots=True, eq=False)
class Has:
    at: int
    operand: Node
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function; of a method call the target is the first argument."""

    at: int
    function: str
    args: tuple[Node, ...]
    method: bool


@dataclass(frozen=True, slots=True, eq=False)
class Comprehension:
    """A macro over a list or the keys of a map; `filter_by` is the condition of a three-argument `map`."""

    at: int
    macro: MacroName
    range: Node
    variable: str
    body: Node
    filter_by: Node | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    at: int
    operator: OneOf["!", "-"]
    operand: Node


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    at: int
    operator: BinaryOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, eq=False)
class Logic:
    """Two or more operands joined by the same operator."""

    at: int
    operator: OneOf["&&", "||"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    at: int
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, eq=False)
class ListLiteral:
    at: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MapLiteral:
    at: int
    entries: tuple[tuple[Node, Node], ...]


Node: TypeAlias = (
    Literal
    | Ident
    | Select
    | Index
    | Has
    | Call
    | Comprehension
    | Unary
    | Binary
    | Logic
    | Conditional
    | ListLiteral
    | MapLiteral
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct sub-expressions of a node, in the order they are written."""
    match node:
        case Literal() | Ident():
            return ()
        case Select() | Has() | Unary():
            return (node.operand,)
        case Index():
            return (node.operand, node.key)
        case Call():
            return node.args
        case Comprehension():
            return (node.range, node.body) if node.filter_by is None else (node.range, node.filter_by, node.body)
        case Binary():
            return (node.left, node.right)
        case Logic():
            return node.operands
        case Conditional():
            return (node.condition, node.then, node.otherwise)
        case ListLiteral():
            return node.items
        case MapLiteral():
            return tuple(part for entry in node.entries for part in entry)
        case _:
            assert_never(node)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, in the order it is written."""
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(reversed(children(current)))


def path_of(node: Node) -> tuple[str, ...] | None:
    """Return `("resource", "metadata", "env")` for a chain of selections with constant string keys, else None."""
    steps: list[str] = []
    while True:
        match node:
            case Ident():
                steps.append(node.name)
                return tuple(reversed(steps))
            case Select():
                steps.append(node.field)
                node = node.operand
            case Index(key=Literal(value=str() as key)):
                steps.append(key)
                node = node.operand
            case _:
                return None
