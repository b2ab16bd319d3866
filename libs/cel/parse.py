"""From text to tree: cel-python's grammar behind our scanner, its parse tree normalised and dropped.

celpy takes a quarter of a second to import, so the parser is made when the first expression needs it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from libs.cel.functions import METHODS, NAMESPACES
from libs.cel.limits import DEPTH
from libs.cel.problems import CelProblems, refuse
from libs.cel.scan import Scanned, scan
from libs.cel.syntax import (
    Binary,
    BinaryOperator,
    Call,
    Comprehension,
    Conditional,
    Has,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MacroName,
    MapLiteral,
    Node,
    Select,
    Unary,
)
from libs.cel.values import UInt

if TYPE_CHECKING:
    from celpy.celparser import CELParser
    from lark import Token, Tree

_MACROS: Final[dict[str, tuple[MacroName, tuple[int, ...]]]] = {
    "all": ("all", (2,)),
    "exists": ("exists", (2,)),
    "exists_one": ("exists_one", (2,)),
    "existsOne": ("exists_one", (2,)),
    "filter": ("filter", (2,)),
    "map": ("map", (2, 3)),
    "sortBy": ("sortBy", (2,)),
}
_OPERATORS: Final[dict[str, BinaryOperator]] = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
}
_CHAIN: Final = frozenset(
    [
        "expr",
        "conditionalor",
        "conditionaland",
        "relation",
        "addition",
        "multiplication",
        "unary",
        "member",
        "primary",
        "paren_expr",
    ]
)
_NAMES: Final = {
    "RPAR": "')'",
    "RSQB": "']'",
    "RBRACE": "'}'",
    "COMMA": "','",
    "COLON": "':'",
    "IDENT": "a name",
}
_FRACTION: Final = re.compile(r"[.eE]")

_lock: Final = threading.Lock()
_parsers: Final[list[CELParser]] = []


def parse(source: str) -> Node:
    """Return the tree of an expression.

    Raises:
        CelProblems: the text is no expression, or is past a limit; one error with its place.
    """
    word = source.strip()
    if word in ("true", "false"):
        # The two commonest selectors must not pay for the parser.
        return Literal(source.index(word), word == "true")
    scanned = scan(source)
    return _Normaliser(source, scanned).node(_tree(source, scanned), 0)


def _tree(source: str, scanned: Scanned) -> Tree[Token]:
    from celpy.celparser import CELParseError, CELParser

    # The parser object remembers the text it parses, so that two threads must not share a call.
    with _lock:
        if not _parsers:
            _parsers.append(CELParser())
        try:
            return _parsers[0].parse(scanned.text)
        except CELParseError as error:
            cause = error.__context__
    raise _syntax_error(source, scanned, cause)


def _syntax_error(source: str, scanned: Scanned, cause: BaseException | None) -> CelProblems:
    """Say in one sentence what the parser did not expect, and what it did if that is short."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if isinstance(cause, UnexpectedToken) and cause.token.type != "$END":
        offset = cause.token.start_pos or 0
        found = repr(source[offset : offset + len(cause.token)])
    elif isinstance(cause, UnexpectedCharacters):
        stopped: Any = cause.pos_in_stream  # typed as None in lark, an int on the object
        offset = int(stopped)
        found = repr(source[offset])
    else:
        offset, found = scanned.ends, "end of the expression"
    accepted: Iterable[str] = ()
    if isinstance(cause, UnexpectedToken):
        accepted = cause.accepts or ()
    names = sorted(_NAMES.get(name, "") for name in accepted)
    expected = f", expected {' or '.join(names)}" if 0 < len(names) <= 2 and all(names) else ""
    hint = "compare with ==" if source[offset : offset + 1] == "=" else None
    return refuse(source, offset, "syntax", f"unexpected {found}{expected}", hint)


class _Normaliser:
    """Turns the parser's tree, a dozen levels per pair of brackets, into ours."""

    def __init__(self, source: str, scanned: Scanned) -> None:
        self._source = source
        self._literals = scanned.literals

    def node(self, tree: Tree[Token], depth: int) -> Node:
        while len(tree.children) == 1 and tree.data in _CHAIN:
            tree = self._child(tree, 0)
        at: int = tree.meta.start_pos
        if depth > DEPTH:
            raise refuse(self._source, at, "too_deep", f"nested deeper than the limit of {DEPTH}")
        depth += 1
        match str(tree.data):
            case "conditionalor" | "conditionaland":
                return self._logic(tree, at, depth)
            case "relation" | "addition" | "multiplication":
                head = self._child(tree, 0)
                left = self.node(self._child(head, 0), depth)
                return Binary(at, _OPERATORS[str(head.data)], left, self.node(self._child(tree, 1), depth))
            case "expr":
                condition, then, otherwise = (self.node(self._child(tree, i), depth) for i in range(3))
                return Conditional(at, condition, then, otherwise)
            case "unary":
                operand = self.node(self._child(tree, 1), depth)
                return Unary(at, "!" if self._child(tree, 0).data == "unary_not" else "-", operand)
            case "literal":
                return self._literal(self._token(tree, 0))
            case "ident" | "dot_ident":
                token = self._token(tree, 0)
                return Ident(token.start_pos or 0, str(token))
            case "member_dot":
                token = self._token(tree, 1)
                return Select(token.start_pos or 0, self.node(self._child(tree, 0), depth), str(token))
            case "member_index":
                operand = self.node(self._child(tree, 0), depth)
                return Index(at, operand, self.node(self._child(tree, 1), depth))
            case "list_lit":
                return ListLiteral(at, self._arguments(tree, depth))
            case "map_lit":
                parts = self._arguments(tree, depth)
                return MapLiteral(at, tuple(zip(parts[::2], parts[1::2], strict=True)))
            case "ident_arg" | "dot_ident_arg":
                token = self._token(tree, 0)
                return self._function(token.start_pos or 0, str(token), self._arguments(tree, depth))
            case "member_dot_arg":
                return self._method(tree, depth)
            case _:
                raise refuse(self._source, at, "syntax", "message literals are not part of this language")

    def _logic(self, tree: Tree[Token], at: int, depth: int) -> Logic:
        operands: list[Tree[Token]] = []
        data = tree.data
        # A chain a && b && c leans to the left; each level holds the operand on its right. Brackets do not matter.
        todo = [tree]
        while todo:
            part = todo.pop()
            while len(part.children) == 1 and part.data in _CHAIN:
                part = self._child(part, 0)
            if part.data == data:
                todo += (self._child(part, 1), self._child(part, 0))
            else:
                operands.append(part)
        return Logic(at, "||" if data == "conditionalor" else "&&", tuple(self.node(part, depth) for part in operands))

    def _function(self, at: int, name: str, args: tuple[Node, ...]) -> Node:
        if name != "has":
            return Call(at, name, args, method=False)
        if len(args) == 1:
            match args[0]:
                case Select(at=place, operand=operand, field=field):
                    return Has(place, operand, field)
                case Index(operand=operand, key=key):
                    # Not standard, but what the documentation of selectors shows: has(m["k"]) means "k" in m.
                    return Binary(at, "in", key, operand)
        raise refuse(self._source, at, "bad_macro", "has() takes one field selection", "write has(resource.metadata.env)")

    def _method(self, tree: Tree[Token], depth: int) -> Node:
        token = self._token(tree, 1)
        at, name = token.start_pos or 0, str(token)
        target = self.node(self._child(tree, 0), depth)
        args = self._arguments(tree, depth)
        if isinstance(target, Ident) and target.name in NAMESPACES:
            return Call(target.at, f"{target.name}.{name}", args, method=False)
        macro, sizes = _MACROS.get(name, (None, ()))
        if macro is None or (len(args) not in sizes and name in METHODS):
            return Call(at, name, (target, *args), method=True)
        if len(args) not in sizes:
            raise refuse(self._source, at, "bad_macro", f"{name}() takes a variable name and an expression")
        variable = args[0]
        if not isinstance(variable, Ident):
            raise refuse(self._source, variable.at, "bad_macro", f"{name}() needs a variable name as its first argument")
        return Comprehension(at, macro, target, variable.name, args[-1], args[1] if len(args) == 3 else None)

    def _arguments(self, tree: Tree[Token], depth: int) -> tuple[Node, ...]:
        last = tree.children[-1] if tree.children else None
        if last is None or getattr(last, "data", None) not in ("exprlist", "mapinits"):
            return ()
        held: Any = last
        return tuple(self.node(child, depth) for child in held.children)

    def _literal(self, token: Token) -> Literal:
        at, text = token.start_pos or 0, str(token)
        if token.type == "FLOAT_LIT":
            return Literal(at, float(text))
        if token.type not in ("INT_LIT", "UINT_LIT"):
            return Literal(at, self._literals[at])
        digits = text.rstrip("uU")
        number = int(digits, 16 if "x" in digits.lower() else 10) if len(digits) <= 40 else 2**64
        if token.type == "UINT_LIT":
            if not 0 <= number < 2**64:
                raise refuse(self._source, at, "out_of_range", "the number does not fit into 64 bits without a sign")
            return Literal(at, UInt(number))
        if not -(2**63) <= number < 2**63:
            raise refuse(self._source, at, "out_of_range", "the number does not fit into 64 bits")
        return Literal(at, number)

    @staticmethod
    def _child(tree: Tree[Token], position: int) -> Tree[Token]:
        return cast("Tree[Token]", tree.children[position])

    @staticmethod
    def _token(tree: Tree[Token], position: int) -> Token:
        return cast("Token", tree.children[position])
