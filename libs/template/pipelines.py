"""Parses what stands inside of actions: pipelines, commands and operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from libs.template.bounds import NESTING
from libs.template.error import Fault, error_at
from libs.template.functions import function_named
from libs.template.literals import character, number, string
from libs.template.nodes import Call, Command, Constant, Dot, Fields, Operand, Pipeline, Variable
from libs.template.tokens import Kind, Token

_T = TypeVar("_T")
_WORDS: Final = frozenset({"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"})


class PipelineParser:
    """A reader of tokens.

    Attributes:
        variables: names that are known here; the place of a name is its slot.
        most_slots: how many slots the template at hand needs so far.
        dot_is_root: whether `.` is the root of the context here, not something that a block or a call made it.
        dollar_is_root: the same of `$`.
        roots: keys of the root that were read so far.
        reads_root: whether the root was read as a whole.
    """

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.variables = ["$"]
        self.most_slots = 1
        self.dot_is_root = True
        self.dollar_is_root = True
        self.roots: set[str] = set()
        self.reads_root = False

    def peek(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def skip_space(self) -> bool:
        found = self.peek().kind is Kind.SPACE
        if found:
            self.next()
        return found

    def expect(self, kind: Kind, where: str) -> Token:
        token = self.next()
        if token.kind is not kind:
            self.fail(token, f"unexpected {token} {where}")
        return token

    def fail(self, token: Token, message: str) -> NoReturn:
        raise error_at(self.text, token.at, message)

    def literal(self, token: Token, read: Callable[[str], _T]) -> _T:
        """The value of a token that is written in Go's way."""
        try:
            return read(token.text)
        except Fault as fault:
            self.fail(token, str(fault))

    def nested(self, token: Token, read: Callable[[Token], _T]) -> _T:
        """Read something that may hold something of its own kind."""
        self.depth += 1
        if self.depth > NESTING:
            self.fail(token, f"blocks and parentheses are nested deeper than {NESTING} levels")
        result = read(token)
        self.depth -= 1
        return result

    def pipeline(self, closed_by: Kind, opened: Token, *, most_variables: int = 1) -> Pipeline:
        """A pipeline and the token that closes it."""
        self.skip_space()
        names, declares = self.targets(opened, most_variables)
        commands: list[Command] = []
        while True:
            self.skip_space()
            token = self.peek()
            if token.kind is Kind.PIPE and commands:
                self.next()
                self.skip_space()
            elif token.kind is closed_by and commands:
                self.next()
                break
            elif commands:
                self.fail(token, f"unexpected {token} after an argument")
            if self.peek().kind in (Kind.PIPE, closed_by):
                self.fail(self.peek(), "a value is missing" if commands or names else "the action is empty: a value is missing")
            commands.append(self.command(first=not commands))
        slots = tuple(self.declared(name) for name in names) if declares else tuple(self.slot(name) for name in names)
        return Pipeline(tuple(commands), slots, commands[0].at)

    def targets(self, opened: Token, most: int) -> tuple[list[Token], bool]:
        """The variables that a pipeline sets, and whether it makes them; none if it is only a value."""
        start = self.at
        names: list[Token] = []
        while self.peek().kind is Kind.VARIABLE:
            names.append(self.next())
            self.skip_space()
            token = self.peek()
            if token.kind in (Kind.DECLARE, Kind.ASSIGN):
                if len(names) > most:
                    self.fail(token, "too many variables: a range sets at most two, anything else one")
                self.next()
                return names, token.kind is Kind.DECLARE
            if token.kind is not Kind.COMMA:
                break
            self.next()
            self.skip_space()
        if len(names) > 1 or (names and self.tokens[self.at - 1].kind is Kind.COMMA):
            self.fail(names[0], "variables with commas between them must be followed by ':=' and what to range over")
        self.at = start
        return [], False

    def declared(self, token: Token) -> int:
        if token.text == "$":
            self.fail(token, "'$' can not be declared; give the variable a name")
        self.variables.append(token.text)
        self.most_slots = max(self.most_slots, len(self.variables))
        return len(self.variables) - 1

    def slot(self, token: Token) -> int:
        for slot in range(len(self.variables) - 1, -1, -1):
            if self.variables[slot] == token.text:
                return slot
        return self.fail(token, f"the variable {token.text} is not known here; declare it with {{{{{token.text} := …}}}}")

    def command(self, *, first: bool) -> Command:
        start = self.peek()
        operands = [self.operand()]
        while self.skip_space() and self.peek().kind not in (Kind.PIPE, Kind.CLOSE, Kind.RIGHT):
            operands.append(self.operand())
        head = operands[0]
        if len(operands) > 1 and not isinstance(head, Call):
            self.fail(start, f"{start} is no function and can not take arguments")
        if not first and isinstance(head, Constant | Dot | Variable | Fields):
            self.fail(start, f"{start} can not take what comes through the pipe: only functions can")
        return Command(tuple(operands), start.at)

    def operand(self) -> Operand:
        token = self.next()
        operand = self.term(token)
        if self.peek().kind is Kind.FIELD:
            names: list[str] = []
            field = self.peek()
            if isinstance(operand, Constant | Dot):
                self.fail(field, f"unexpected {field} after {token}")
            while self.peek().kind is Kind.FIELD:
                names.append(self.next().text[1:])
            operand = Fields(operand, tuple(names), token.at)
        if self.peek().kind not in (Kind.SPACE, Kind.PIPE, Kind.CLOSE, Kind.RIGHT):
            self.fail(self.peek(), f"unexpected {self.peek()} after {token}: a space is missing")
        return operand

    def term(self, token: Token) -> Operand:
        match token.kind:
            case Kind.WORD:
                return self.word(token)
            case Kind.DOT:
                self.reads_root |= self.dot_is_root
                return Dot(token.at)
            case Kind.VARIABLE:
                if token.text == "$" and self.dollar_is_root:
                    self.read_dollar()
                return Variable(token.text, self.slot(token), token.at)
            case Kind.FIELD:
                names = [token.text[1:]]
                while self.peek().kind is Kind.FIELD:
                    names.append(self.next().text[1:])
                if self.dot_is_root:
                    self.roots.add(names[0])
                return Fields(Dot(token.at), tuple(names), token.at)
            case Kind.STRING:
                return Constant(self.literal(token, string), token.at)
            case Kind.CHARACTER:
                return Constant(self.literal(token, character), token.at)
            case Kind.NUMBER:
                return Constant(self.literal(token, number), token.at)
            case Kind.OPEN:
                return self.nested(token, lambda opened: self.pipeline(Kind.CLOSE, opened))
        return self.fail(token, f"unexpected {token}: a value is missing")

    def read_dollar(self) -> None:
        """Remember what is read of the root by `$`."""
        field = self.peek()
        if field.kind is Kind.FIELD:
            self.roots.add(field.text[1:])
        else:
            self.reads_root = True

    def word(self, token: Token) -> Operand:
        match token.text:
            case "true" | "false":
                return Constant(token.text == "true", token.at)
            case "nil":
                return Constant(None, token.at)
            case "and" | "or":
                return Call(token.text, None, token.at)
            case word if word in _WORDS:
                self.fail(token, f"unexpected {{{{{word}}}}} here")
        try:
            return Call(token.text, function_named(token.text), token.at)
        except Fault as fault:
            self.fail(token, str(fault))
