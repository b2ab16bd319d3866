"""Whether a text can be one statement that gives rows, without asking a database; pure."""

from __future__ import annotations

import re
import string
from typing import Final

KINDS: Final = ("SELECT", "WITH", "VALUES", "TABLE")
"""How statements begin that give rows and may be asked from."""

_QUOTED: Final = re.compile(
    r"""
      --[^\n]*                                              # a comment to the end of the line
    | (?<![\w$]) [eE] ' (?: [^'\\] | \\. | '' )* '          # a text with escapes
    | ' (?: [^'] | '' )* '
    | " (?: [^"] | "" )* "                                  # a name
    | (?<![\w$]) \$ (?P<tag> (?: [^\W\d]\w* )? ) \$ .*? \$ (?P=tag) \$
    """,
    re.VERBOSE | re.DOTALL,
)
_UNCLOSED: Final = re.compile(r"(?:(?<![\w$])[eE])?'|\"|(?<![\w$])\$(?:[^\W\d]\w*)?\$")
_RUN: Final = re.compile(r"(?:[^-/'\"$eE]|[eE](?!'))+")
"""What begins none of these."""
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_WORD: Final = re.compile(r"\w+")
ENDING: Final = ";" + string.whitespace
"""What may follow a statement."""


def problem_of(query: str) -> str | None:
    """Why a query can not be one statement that gives rows; None where it may be. What it says beyond that only a database knows."""
    plain = _plain(query)
    if plain is None:
        return "a quote or a comment of the query is not closed"
    first = _WORD.match(plain.lstrip(string.whitespace + "("))
    if first is None or first[0].upper() not in KINDS:
        return f"the query must give rows: one statement that begins with {', '.join(KINDS[:-1])} or {KINDS[-1]}"
    statement, semicolon, rest = plain.partition(";")
    if semicolon and query[len(statement) :].strip(ENDING):
        what = "another statement" if rest.strip(ENDING) else "a comment"
        return f"one statement is asked, and here {what} follows its semicolon; take it away"
    return _brackets(statement)


def _plain(query: str) -> str | None:
    """The query with blanks in place of comments and of whatever is quoted, as long as before; None where one of these has no end."""
    parts: list[str] = []
    at = 0
    while at < len(query):
        if run := _RUN.match(query, at):
            parts.append(run[0])
            at = run.end()
            continue
        if query.startswith("/*", at):
            end = _comment_end(query, at)
            if end is None:
                return None
        elif quoted := _QUOTED.match(query, at):
            end = quoted.end()
        elif _UNCLOSED.match(query, at):
            return None
        else:
            parts.append(query[at])
            at += 1
            continue
        # A name in quotes is a word, but none of those that a statement begins with.
        parts.append((" " if query[at] in "-/" else "_") + " " * (end - at - 1))
        at = end
    return "".join(parts)


def _comment_end(query: str, at: int) -> int | None:
    """Where a comment ends, which may hold others."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(query, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return None


def _brackets(statement: str) -> str | None:
    depth = 0
    for sign in statement:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return "a bracket of the query is closed that was never opened"
    return "a bracket of the query is not closed" if depth else None
