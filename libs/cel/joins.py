"""What two documents must have in common for a relation between them to be true: the joins that an index looks up by.

A relation is taken apart into what must hold of one document alone, of the other alone, and joins: a value computed from one equals
a value computed from the other, or is contained in it. All are necessary conditions; the relation itself has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from libs.cel.program import Program
from libs.cel.syntax import Binary, Comprehension, Ident, Logic, Node, Unary, walk

Meeting: TypeAlias = Literal["equal", "first_in_second", "second_in_first"]


class Join(NamedTuple):
    """A value of either document and how they meet.

    Attributes:
        first: the value of the first document; reads the first variable only.
        second: the value of the second document; reads the second variable only.
        meeting: they are equal, or one is an element or a key of the other.
    """

    first: Program
    second: Program
    meeting: Meeting


class Relation(NamedTuple):
    """A relation, taken apart.

    Attributes:
        first: what must be true of the first document alone.
        second: what must be true of the second document alone.
        joins: at least one join of each group must hold.
    """

    first: tuple[Program, ...]
    second: tuple[Program, ...]
    joins: tuple[tuple[Join, ...], ...]


MOST_GROUPS: Final = 2
"""Groups of joins that are looked up; each costs memory for every document."""

MOST_JOINS: Final = 8
"""Alternatives in one group."""


def take_apart(program: Program) -> Relation:
    """Return the necessary conditions of a relation between the two variables of the program's environment."""
    first, second = program.environment.variables
    alone: dict[str, list[Program]] = {first: [], second: []}
    groups: list[tuple[Join, ...]] = []
    taker = _Taker(program, first, second)
    for node, wanted in _conjuncts(program.tree, wanted=True):
        roots = taker.roots(node)
        if len(roots) == 1:
            (root,) = roots
            alone[root].append(program.part(node if wanted else Unary(node.at, "!", node)))
        elif roots:
            group = taker.joins(node, wanted=wanted)
            if group:
                groups.append(group)
    groups.sort(key=len)
    return Relation(tuple(alone[first]), tuple(alone[second]), tuple(groups[:MOST_GROUPS]))


def _conjuncts(node: Node, *, wanted: bool) -> Iterator[tuple[Node, bool]]:
    """Yield the parts that must all be as wanted."""
    if isinstance(node, Unary) and node.operator == "!":
        yield from _conjuncts(node.operand, wanted=not wanted)
    elif isinstance(node, Logic) and (node.operator == "&&") is wanted:
        for operand in node.operands:
            yield from _conjuncts(operand, wanted=wanted)
    else:
        yield node, wanted


class _Taker:
    def __init__(self, program: Program, first: str, second: str) -> None:
        self._program = program
        self._first, self._second = first, second

    def roots(self, node: Node) -> frozenset[str]:
        """Return which of the two variables a node may read; a macro variable of the same name counts as one too."""
        both = (self._first, self._second)
        return frozenset(part.name for part in walk(node) if isinstance(part, Ident) and part.name in both)

    def joins(self, node: Node, *, wanted: bool) -> tuple[Join, ...]:
        """Return joins of which one must hold for the node to be as wanted; none when nothing is known."""
        match node:
            case Unary(operator="!", operand=operand):
                return self.joins(operand, wanted=not wanted)
            case Logic(operator=operator, operands=operands) if (operator == "&&") is wanted:
                groups = [group for operand in operands if (group := self.joins(operand, wanted=wanted))]
                return min(groups, key=len, default=())
            case Logic(operands=operands):
                groups = [self.joins(operand, wanted=wanted) for operand in operands]
                together = tuple(join for group in groups for join in group)
                return together if all(groups) and len(together) <= MOST_JOINS else ()
            case Binary(operator="==" | "!=" as operator, left=left, right=right) if (operator == "==") is wanted:
                return self._join(left, right, "equal")
            case Binary(operator="in", left=left, right=right) if wanted:
                return self._join(left, right, "first_in_second")
            case Comprehension(macro="exists", range=over, variable=name, body=Binary(operator="==", left=left, right=right)):
                if wanted and name not in (self._first, self._second):
                    for element, other in ((left, right), (right, left)):
                        if isinstance(element, Ident) and element.name == name and not self._reads(other, name):
                            return self._join(other, over, "first_in_second")
        return ()

    def _join(self, one: Node, other: Node, meeting: Meeting) -> tuple[Join, ...]:
        """Join two values of different documents; `meeting` is about `one` and `other`."""
        first, second = frozenset((self._first,)), frozenset((self._second,))
        match self.roots(one), self.roots(other):
            case (left, right) if left == first and right == second:
                return (Join(self._program.part(one), self._program.part(other), meeting),)
            case (left, right) if left == second and right == first:
                turned: Meeting = "second_in_first" if meeting == "first_in_second" else meeting
                return (Join(self._program.part(other), self._program.part(one), turned),)
        return ()

    @staticmethod
    def _reads(node: Node, name: str) -> bool:
        return any(isinstance(part, Ident) and part.name == name for part in walk(node))
