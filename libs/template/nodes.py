"""The syntax tree of a template: what the parser makes and the evaluation walks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from libs.template.functions.signature import Function


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal.

    Attributes:
        value: str, bool, int or float; None for `nil`.
        at: offset in the template, here as in every node.
    """

    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`, the current value."""

    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x`.

    Attributes:
        name: with the dollar sign.
        slot: its place in the frame of its template; 0 is `$`.
    """

    name: str
    slot: int
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function by name; its arguments are in the command around it.

    Attributes:
        name: as it was written.
        function: what it calls; None for `and` and `or`, which the evaluation knows.
    """

    name: str
    function: Function | None
    at: int


@dataclass(frozen=True, slots=True)
class Fields:
    """`.a.b` of a value: `of.a.b`."""

    of: Operand
    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Command:
    """An operand alone, or a function with its arguments."""

    operands: tuple[Operand, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which gets the value of the one before as its last argument.

    Attributes:
        commands: at least one.
        slots: of the variables that get the value; a `range` may have two.
    """

    commands: tuple[Command, ...]
    slots: tuple[int, ...]
    at: int


Operand: TypeAlias = Constant | Dot | Variable | Call | Fields | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Print:
    """`{{pipeline}}`; what declares or assigns a variable prints nothing."""

    pipeline: Pipeline
    at: int


@dataclass(frozen=True, slots=True)
class Branch:
    """`{{if}}` or `{{with}}` with what follows them.

    Attributes:
        clauses: conditions and their bodies, the first true one is taken.
        otherwise: the body of the last `{{else}}`.
        sets_dot: whether it is a `with`.
    """

    clauses: tuple[tuple[Pipeline, Body], ...]
    otherwise: Body
    sets_dot: bool
    at: int


@dataclass(frozen=True, slots=True)
class Loop:
    """`{{range}}`."""

    over: Pipeline
    body: Body
    otherwise: Body
    at: int


@dataclass(frozen=True, slots=True)
class Leave:
    """`{{break}}`, or `{{continue}}` if it goes on."""

    goes_on: bool
    at: int


@dataclass(frozen=True, slots=True)
class Include:
    """`{{template "name" pipeline}}`."""

    name: str
    argument: Pipeline | None
    at: int


Node: TypeAlias = Text | Print | Branch | Loop | Leave | Include
Body: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """One template: the main one, or one between `{{define}}` and `{{end}}`.

    Attributes:
        body: its nodes.
        slots: how many variables its frame holds, `$` among them.
    """

    body: Body
    slots: int


@dataclass(frozen=True, slots=True)
class Tree:
    """All that a template's text says.

    Attributes:
        main: the text outside of definitions.
        named: definitions by name.
        roots: keys of the root that are read; None if the root itself is, and with it any key.
    """

    main: Definition
    named: Mapping[str, Definition]
    roots: frozenset[str] | None
