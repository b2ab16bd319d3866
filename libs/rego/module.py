"""What can be told of a module from its text alone: its package, whether it is Rego v1, and names in it that mean nothing.

The compiler takes the older syntax as well, and a name that nothing gives a value to is for it a condition that never holds. Both would
make a rule that finds nothing, whatever the plan is; so they are refused here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from libs.rego.problems import invalid
from libs.rego.scan import HOLE, Token, tokens_of

MAX_SOURCE_BYTES: Final = 64 * 1024
"""Of one module, in UTF-8."""

NOT_HERE: Final = {
    "http.send": "asks the network",
    "net.lookup_ip_addr": "asks the network",
    "opa.runtime": "tells of the machine that it runs on",
}
"""Functions of Rego that a rule can not have, and what they do."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEYWORDS: Final = _words("as contains default else every false if import in not null package some true with data input")
_SYNTAX: Final = _words("set print")
"""These look like functions, and are part of the language."""
_BEFORE_VALUE: Final = _words(":= = == != < <= > >= + - * / % & | , ; : ( [ { in as contains not some default") | {HOLE}
"""After these a brace begins a value, and not the body of a rule."""
_JOINS: Final = _words(":= = == != < <= > >= + - * / % & | , . else if contains as in with")
"""A line that begins with one of these, or follows one that ends so, goes on with a statement."""
_READS: Final = _words(":= == != < <= > >= + - * / % & contains not as in") | {HOLE}
_COMPARES: Final = _words("== != < <= > >= + - * / % &")
_V1: Final = "Rego v1 is required, and this is the older syntax"


class Call(NamedTuple):
    """A function that the module does not define itself: `json.unmarshal`."""

    name: str
    at: int


class Module(NamedTuple):
    """A module as its text shows it.

    Attributes:
        query: what gives its violations: `data["shop"]["plans"].deny`.
        calls: functions that have to be built in.
    """

    source: str
    query: str
    calls: tuple[Call, ...]


def read_module(source: str) -> Module:
    """Look at the text of a module.

    Raises:
        RegoInvalid: it is too long, is not closed somewhere, names no package, is not Rego v1, or uses a name that has no value.
    """
    # What is no character of Unicode can not be counted in bytes, nor compiled.
    if (size := len(source.encode("utf-8", "replace"))) > MAX_SOURCE_BYTES:
        raise invalid(source, 0, f"The module is too long: {size} bytes, at most {MAX_SOURCE_BYTES}.")
    for at, char in enumerate(source):
        if (char < " " and char not in "\t\r\n") or "\ud800" <= char <= "\udfff":
            raise invalid(source, at, f"The character U+{ord(char):04X} can not be part of a module.")
    statements = list(_statements(tokens_of(source)))
    query = _query(source, statements)
    known = {"data", "input"}
    for one in statements:
        known.update(_declared(one))
    calls: list[Call] = []
    for one in statements:
        if one[0].text in ("package", "import"):
            continue
        _check_bodies(source, one)
        _check_deny(source, one)
        _check_names(source, one, known)
        calls += _calls(one, known)
    for call in calls:
        if (does := NOT_HERE.get(call.name)) is not None:
            raise invalid(source, call.at, f"`{call.name}` can not be used: it {does}, and a rule sees its input alone.")
    return Module(source, query, tuple(calls))


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each statement of a module, in order; none is empty."""
    current: list[Token] = []
    for token in tokens:
        if current and token.depth == 0 and _begins(current[-1], token):
            yield current
            current = []
        if token.text != ";" or token.depth:
            current.append(token)
    if current:
        yield current


def _begins(last: Token, token: Token) -> bool:
    if token.text == ";":
        return True
    if token.kind != "name" or token.text in _JOINS or last.text in _JOINS:
        return False
    return token.line > last.line or last.text == "}"


def _query(source: str, statements: Sequence[Sequence[Token]]) -> str:
    """Where the violations of a module are, by its package."""
    if not statements or statements[0][0].text != "package":
        at = statements[0][0].at if statements else 0
        raise invalid(source, at, "A module begins with its package, as in `package plans`.")
    query = "data"
    path = statements[0][1:]
    after = ""
    for token in path:
        if token.kind == "name" and after in ("", "."):
            query += f"[{json.dumps(token.text)}]"
        elif token.kind == "text" and token.text.startswith('"') and after == "[":
            query += f"[{token.text}]"
        elif not (token.text in (".", "[") and after not in ("", ".", "[")) and not (token.text == "]" and after[:1] == '"'):
            raise invalid(source, token.at, f"`{token.text}` can not be part of a package's name.")
        after = token.text
    if after in ("", ".", "["):
        raise invalid(source, statements[0][0].at, "The package has no name; write `package plans`, for example.")
    return f"{query}.deny"


def _declared(statement: Sequence[Token]) -> Iterator[str]:
    """The name that an import or a rule brings into the module."""
    names = [one for one in statement if one.kind == "name" and one.text != "default"]
    if statement[0].text == "import":
        if names:
            yield names[-1].text
        # The last part of what is imported may be written as a text: `import data["lib"]`.
        yield from (one.text[1:-1] for one in statement if one.kind == "text")
    elif statement[0].text != "package" and names:
        yield names[0].text


def _check_bodies(source: str, statement: Sequence[Token]) -> None:
    """Every body of a rule follows `if`."""
    every = False
    for last, token in pairwise(statement):
        if token.depth:
            continue
        if token.text == "every":
            every = True
        elif token.text == "{" and last.text not in _BEFORE_VALUE:
            if last.text == "if" or (every and last.text != "else"):
                every = False
                continue
            raise invalid(source, token.at, f"A body needs `if` before it, as in `deny contains msg if {{ … }}`: {_V1}.")


def _check_deny(source: str, statement: Sequence[Token]) -> None:
    """`deny` is a set, or else it would be a rule that names no violation."""
    head = statement[1:] if statement[0].text == "default" else statement
    if head[0].text != "deny":
        return
    after = head[1].text if len(head) > 1 else ""
    if after in ("[", "."):
        raise invalid(source, head[0].at, f"`deny` has to be a set: write `deny contains msg if {{ … }}`. {_V1}.")
    if after in ("", "if", "("):
        raise invalid(source, head[0].at, "`deny` has to be a set: write `deny contains msg if { … }`.")


def _check_names(source: str, statement: Sequence[Token], known: set[str]) -> None:
    """Refuse a name that nothing in its statement can give a value to."""
    uses = [(index, one) for index, one in enumerate(statement) if _is_variable(statement, index) and one.text not in known]
    often = Counter(one.text for _, one in uses)
    roots = Counter(one.text for index, one in uses if _is_root(statement, index))
    for index, one in uses:
        if roots[one.text] == often[one.text] or (often[one.text] == 1 and _is_read(statement, index)):
            raise invalid(
                source, one.at, f"`{one.text}` has no value here: it is no input, rule, import or variable of this module."
            )


def _is_variable(statement: Sequence[Token], index: int) -> bool:
    token = statement[index]
    if token.kind != "name" or token.text in _KEYWORDS or token.text == "_":
        return False
    if index and statement[index - 1].text in (".", "with"):
        return False  # a key of what stands before it, or what is replaced
    return not _is_call(statement, index)


def _is_root(statement: Sequence[Token], index: int) -> bool:
    """Something is looked up in it, which gives it no value."""
    return index + 1 < len(statement) and statement[index + 1].text in (".", "[") and _adjoin(statement, index + 1)


def _is_read(statement: Sequence[Token], index: int) -> bool:
    """It is compared, counted with or handed on, which gives it no value."""
    before = statement[index - 1].text if index else ""
    after = statement[index + 1].text if index + 1 < len(statement) else ""
    return before in _READS or after in _COMPARES


def _adjoin(statement: Sequence[Token], index: int) -> bool:
    """Nothing stands between a token and the one before it."""
    return statement[index - 1].at + len(statement[index - 1].text) == statement[index].at


def _is_call(statement: Sequence[Token], index: int) -> bool:
    return bool(_called(statement, index))


def _called(statement: Sequence[Token], index: int) -> str:
    """The name of the function that is called from a token on, or nothing."""
    name = statement[index].text
    at = index + 1
    while at + 1 < len(statement) and statement[at].text == "." and statement[at + 1].kind == "name":
        name += "." + statement[at + 1].text
        at += 2
    return name if at < len(statement) and statement[at].text == "(" and _adjoin(statement, at) else ""


def _calls(statement: Sequence[Token], known: set[str]) -> Iterator[Call]:
    """The functions that a statement calls and the module does not define."""
    for index, token in enumerate(statement):
        if token.kind != "name" or token.text in known | _KEYWORDS | _SYNTAX or (index and statement[index - 1].text == "."):
            continue
        if name := _called(statement, index):
            yield Call(name, token.at)
