"""A linear look at the text before any parser sees it.

The grammar of cel-python backtracks exponentially on unterminated strings and recurses on brackets, drops newlines in long
strings and loses the places of true and false. So the scanner refuses what is too long, too deep or unterminated, unescapes the
literals itself, and hands the parser a text of the same length in which each of them is a harmless placeholder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from libs.cel.limits import BRACKETS, SOURCE_CHARS, TOKENS
from libs.cel.problems import refuse
from libs.cel.unescape import BadEscape, unescape

_TOKEN: Final = re.compile(
    r"""(?P<blank>[\t\n\f\r ]+|//[^\n]*)
    |(?P<text>[bB]?[rR](?:\"\"\"(?:[^"]|"(?!""))*\"\"\"|'''(?:[^']|'(?!''))*'''|"[^"\n\r]*"|'[^'\n\r]*')
        |[bB]?(?:\"\"\"(?:[^\\"]|\\.|"(?!""))*\"\"\"|'''(?:[^\\']|\\.|'(?!''))*'''|"(?:[^\\"\n\r]|\\.)*"|'(?:[^\\'\n\r]|\\.)*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<word>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<operator>&&|\|\||==|!=|<=|>=|[<>!?:.,+\-*/%])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_VALUES: Final = frozenset({"word", "text", "number", "close"})
"""Kinds of tokens that end a value."""
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text that is safe to parse.

    Attributes:
        text: the source with every string, bytes, boolean and null literal replaced by a string of the same length.
        literals: the value of each replaced literal by its character offset.
        ends: offset of the first character after the last token.
    """

    text: str
    literals: dict[int, object]
    ends: int


def scan(source: str) -> Scanned:
    """Check the length, nesting and literals of an expression, in time linear in its length.

    Raises:
        CelProblems: `empty`, `too_long`, `too_deep`, `unterminated_string`, `bad_escape`, `reserved_word` or `syntax`.
    """
    if len(source) > SOURCE_CHARS:
        raise refuse(source, 0, "too_long", f"the expression has {len(source)} characters, more than the limit of {SOURCE_CHARS}")
    parts: list[str] = []
    literals: dict[int, object] = {}
    literals_open: list[bool] = []
    offset = depth = tokens = ends = prefixes = comma = 0
    last, items = "", False
    after_dot = False
    before: str | None = None
    while offset < len(source):
        found = _TOKEN.match(source, offset)
        if found is None:
            if source[offset] in "\"'":
                raise refuse(source, offset, "unterminated_string", "unterminated string literal")
            hint = "compare with ==" if source[offset] == "=" else None
            raise refuse(source, offset, "syntax", f"unexpected character {source[offset]!r}", hint)
        kind, text = found.lastgroup, found[0]
        if kind == "blank":
            # The parser's own patterns for line ends and comments are ambiguous; spaces keep the offsets and mean the same.
            parts.append(" " * len(text))
            offset = found.end()
            continue
        tokens += 1
        if kind == "open":
            depth += 1
            # A bracket after a value is an index or a call; any other is a list or map literal, which may end in a comma.
            literals_open.append(text != "(" and (before not in _VALUES or last == "in"))
        elif kind == "close":
            depth -= 1
            if literals_open and literals_open.pop() and last == "," and items:
                parts[comma] = " "
        elif kind == "number" and source[found.end() : found.end() + 1] == ".":
            raise refuse(source, found.end(), "syntax", "unexpected '.' after a number")
        if text == ",":
            comma, items = len(parts), last not in ("[", "{", ",")
        last = text
        prefixes = prefixes + 1 if text in ("!", "-") else 0
        if depth > BRACKETS or prefixes > BRACKETS:
            raise refuse(source, offset, "too_deep", f"nested deeper than the limit of {BRACKETS}")
        if tokens > TOKENS:
            raise refuse(source, offset, "too_long", f"the expression has more than {TOKENS} tokens")
        shown = text
        if kind == "text":
            if before == "text":
                # Side by side they could look like one long string to the parser.
                raise refuse(source, offset, "syntax", "unexpected string literal after another one")
            try:
                value = unescape(text)
            except BadEscape as bad:
                hint = 'write \\\\ for a backslash, or r"..." for raw text'
                raise refuse(source, offset + bad.offset, "bad_escape", str(bad), hint) from None
            literals[offset] = value
            shown = _placeholder(len(text), is_bytes=value.__class__ is bytes)
        elif kind == "word" and not after_dot:
            if text in _CONSTANTS:
                literals[offset] = _CONSTANTS[text]
                shown = _placeholder(len(text), is_bytes=False)
            elif text in _RESERVED:
                raise refuse(source, offset, "reserved_word", f"{text!r} is a reserved word")
        after_dot, before = text == ".", kind
        parts.append(shown)
        offset = ends = found.end()
    if not tokens:
        raise refuse(source, 0, "empty", "the expression is empty", 'write "true" to match everything')
    return Scanned("".join(parts), literals, ends)


def _placeholder(length: int, *, is_bytes: bool) -> str:
    return f'b"{"x" * (length - 3)}"' if is_bytes else f'"{"x" * (length - 2)}"'
