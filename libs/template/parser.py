"""Makes a syntax tree of a template's text, and refuses at once what could never be rendered."""

from __future__ import annotations

from libs.template.lexer import BRACES, Marks, tokens_of
from libs.template.literals import string
from libs.template.nodes import Body, Branch, Definition, Include, Leave, Loop, Node, Pipeline, Print, Text, Tree
from libs.template.pipelines import PipelineParser
from libs.template.tokens import Kind, Token


def tree_of(text: str, marks: Marks = BRACES) -> Tree:
    """Parse a template whose actions stand between these marks.

    Raises:
        TemplateError: it is not well-formed, or names a function or a variable that is not there.
    """
    return _Parser(text, marks).tree()


class _Parser(PipelineParser):
    """Recursive descent over the tokens, as Go's own parser does it."""

    def __init__(self, text: str, marks: Marks) -> None:
        super().__init__(text, list(tokens_of(text, marks)))
        self.named: dict[str, Definition] = {}
        self.loops = 0

    def tree(self) -> Tree:
        body, end = self.body(defines=True)
        if end is not None:
            self.fail(end, f"{{{{{end.text}}}}} without anything that it ends")
        return Tree(Definition(body, self.most_slots), self.named, None if self.reads_root else frozenset(self.roots))

    def body(self, *, defines: bool = False) -> tuple[Body, Token | None]:
        """Nodes up to an `end` or `else`, whose word is also given and passed; None at the end of the text."""
        nodes: list[Node] = []
        while True:
            token = self.next()
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.text, token.at))
                continue
            if token.kind is Kind.END:
                return tuple(nodes), None
            # All that is left is an action.
            self.skip_space()
            word = self.peek()
            if word.kind is Kind.WORD and word.text in ("end", "else"):
                return tuple(nodes), self.next()
            if word.kind is Kind.WORD and word.text == "define":
                if not defines:
                    self.fail(word, "{{define}} must stand outside of every other block")
                self.next()
                self.definition(word)
            else:
                nodes.append(self.action(token))

    def body_of_another_dot(self) -> tuple[Body, Token | None]:
        """A body in which `.` is not what it is around it."""
        outer, self.dot_is_root = self.dot_is_root, False
        result = self.body()
        self.dot_is_root = outer
        return result

    def action(self, opened: Token) -> Node:
        word = self.peek()
        if word.kind is Kind.WORD:
            match word.text:
                case "if" | "with":
                    return self.nested(self.next(), self.branch)
                case "range":
                    return self.nested(self.next(), self.loop)
                case "break" | "continue":
                    return self.leave(self.next())
                case "template":
                    return self.include(self.next())
                case "block":
                    return self.nested(self.next(), self.block)
        pipeline = self.pipeline(Kind.RIGHT, opened)
        return Print(pipeline, opened.at)

    def branch(self, word: Token) -> Branch:
        kept = len(self.variables)
        sets_dot = word.text == "with"
        clauses: list[tuple[Pipeline, Body]] = []
        otherwise: Body = ()
        while True:
            condition = self.pipeline(Kind.RIGHT, word)
            body, token = self.body_of_another_dot() if sets_dot else self.body()
            clauses.append((condition, body))
            end = self.ended(word, token)
            if end.text == "end":
                break
            self.skip_space()
            if self.peek().kind is Kind.WORD and self.peek().text == word.text:
                self.next()
                continue
            otherwise = self.last_part(word)
            break
        del self.variables[kept:]
        return Branch(tuple(clauses), otherwise, sets_dot, word.at)

    def last_part(self, word: Token) -> Body:
        """What stands between a plain `{{else}}` and its `{{end}}`."""
        self.expect(Kind.RIGHT, "after 'else'")
        body, token = self.body()
        end = self.ended(word, token)
        if end.text == "else":
            self.fail(end, f"a second {{{{else}}}} for the {{{{{word.text}}}}}")
        return body

    def ended(self, word: Token, end: Token | None) -> Token:
        """The `end` or `else` that a body stopped at; what closes an `end` is passed."""
        if end is None:
            self.fail(word, f"{{{{{word.text}}}}} is not closed by {{{{end}}}}")
        if end.text == "end":
            self.skip_space()
            self.expect(Kind.RIGHT, "after 'end'")
        return end

    def loop(self, word: Token) -> Loop:
        kept = len(self.variables)
        over = self.pipeline(Kind.RIGHT, word, most_variables=2)
        self.loops += 1
        body, token = self.body_of_another_dot()
        self.loops -= 1
        end = self.ended(word, token)
        otherwise: Body = ()
        if end.text == "else":
            self.skip_space()
            otherwise = self.last_part(word)
        del self.variables[kept:]
        return Loop(over, body, otherwise, word.at)

    def leave(self, word: Token) -> Leave:
        if not self.loops:
            self.fail(word, f"{{{{{word.text}}}}} must stand inside of {{{{range}}}}")
        self.skip_space()
        self.expect(Kind.RIGHT, f"after '{word.text}'")
        return Leave(word.text == "continue", word.at)

    def include(self, word: Token) -> Include:
        name = self.template_name(word)
        self.skip_space()
        if self.peek().kind is Kind.RIGHT:
            self.next()
            return Include(name, None, word.at)
        return Include(name, self.pipeline(Kind.RIGHT, word), word.at)

    def definition(self, word: Token) -> None:
        name = self.template_name(word)
        self.skip_space()
        self.expect(Kind.RIGHT, "after the name of the template")
        self.define(name, word)

    def block(self, word: Token) -> Include:
        name = self.template_name(word)
        argument = self.pipeline(Kind.RIGHT, word)
        self.define(name, word)
        return Include(name, argument, word.at)

    def define(self, name: str, word: Token) -> None:
        """Read a definition's body, which sees no variable but its own `$`."""
        outer = self.variables, self.most_slots, self.loops, self.dollar_is_root
        self.variables, self.most_slots, self.loops, self.dollar_is_root = ["$"], 1, 0, False
        body, token = self.body_of_another_dot()
        end = self.ended(word, token)
        if end.text == "else":
            self.fail(end, f"{{{{else}}}} does not belong into {{{{{word.text}}}}}")
        known = self.named.get(name)
        if known is None or _is_blank(known.body):
            self.named[name] = Definition(body, self.most_slots)
        elif not _is_blank(body):
            self.fail(word, f"the template {name!r} is defined twice")
        self.variables, self.most_slots, self.loops, self.dollar_is_root = outer

    def template_name(self, word: Token) -> str:
        self.skip_space()
        token = self.next()
        if token.kind is not Kind.STRING:
            self.fail(token, f"{{{{{word.text}}}}} needs a name in quotes, not {token}")
        return self.literal(token, string)


def _is_blank(body: Body) -> bool:
    return all(isinstance(node, Text) and not node.text.strip() for node in body)
