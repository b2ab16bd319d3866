"""Renders the fields of Go templates, `{{.a.b}}` and `{{index .a "b-c"}}`, and refuses every other action."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_TEXT: Final = 64 * 1024
"""Characters that a template may have, and what it renders to may have."""

NO_VALUE: Final = "<no value>"
"""What Go prints for something that is not there."""

_MAX_DEPTH: Final = 32
"""Levels of lists and maps that are printed; deeper data is no text anybody reads."""

_PATH: Final = r"(?:\.[A-Za-z_][A-Za-z0-9_]*)+"
_STRING: Final = r'"(?:[^"\\\n]|\\.)*"'
_FIELD: Final = re.compile(rf"\s*(?P<path>{_PATH})\s*")
_INDEX: Final = re.compile(rf"\s*index\s+(?P<path>{_PATH})(?P<keys>(?:\s+{_STRING})+)\s*")
_KEY: Final = re.compile(_STRING)


class TemplateError(Exception):
    """A template that can not be rendered.

    Attributes:
        message: what is wrong and what to write instead.
        line: 1-based line of the action.
        column: 1-based column of it, in characters.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


def render(text: str, context: Mapping[str, Any]) -> str:
    """Replace every field by its value.

    Strings appear as they are, integers without a fraction (also integral floats), lists and maps as Go prints them. What is not
    there, is null, or is asked of something that has no fields, appears as `<no value>`.

    Args:
        text: the template, at most `MAX_TEXT` characters.
        context: the root of all paths, JSON-like.

    Returns:
        The text, at most `MAX_TEXT` characters.

    Raises:
        TemplateError: an action is no field, is not closed, or the text is too long.
    """
    if len(text) > MAX_TEXT:
        raise TemplateError(f"the template has {len(text)} characters, at most {MAX_TEXT} are allowed", 1, 1)
    if "{{" not in text:
        return text
    parts: list[str] = []
    length = 0
    at = 0
    while (opened := text.find("{{", at)) >= 0:
        inside, after = _action(text, opened)
        value = _printed(_look_up(context, _keys_of(inside, text, opened)))
        parts += (text[at:opened], value)
        length += opened - at + len(value)
        if length > MAX_TEXT:
            raise _error(f"the rendered text is longer than {MAX_TEXT} characters", text, opened)
        at = after
    if length + len(text) - at > MAX_TEXT:
        raise _error(f"the rendered text is longer than {MAX_TEXT} characters", text, at)
    parts.append(text[at:])
    return "".join(parts)


def _action(text: str, opened: int) -> tuple[str, int]:
    """The text between the braces that open at `opened`, and where the text goes on; braces inside a quoted key do not close."""
    at = opened + 2
    quoted = False
    while at < len(text):
        if text[at] == "\n" and quoted:
            break
        if text[at] == "\\" and quoted:
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif not quoted and text.startswith("}}", at):
            return text[opened + 2 : at], at + 2
        at += 1
    raise _error("'{{' is not closed by '}}'", text, opened)


def _keys_of(inside: str, text: str, opened: int) -> list[str]:
    if field := _FIELD.fullmatch(inside):
        return field["path"][1:].split(".")
    if index := _INDEX.fullmatch(inside):
        return [*index["path"][1:].split("."), *(_unquoted(key, text, opened) for key in _KEY.findall(index["keys"]))]
    shown = inside.strip()
    shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
    raise _error(f"'{{{{{shown}}}}}' is not supported: write a field {{{{.a.b}}}} or {{{{index .a \"b-c\"}}}}", text, opened)


def _unquoted(key: str, text: str, opened: int) -> str:
    try:
        unquoted = json.loads(key)
    except ValueError:
        raise _error(f"{key} is no quoted text: its escape or control character is not known", text, opened) from None
    assert isinstance(unquoted, str)
    return unquoted


def _look_up(context: Mapping[str, Any], keys: list[str]) -> Any:
    value: Any = context
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _printed(value: Any, depth: int = 0) -> str:
    match value:
        case None:
            return NO_VALUE
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
        case _ if depth == _MAX_DEPTH:
            return "…"
        case Mapping():
            return f"map[{' '.join(f'{key}:{_printed(value[key], depth + 1)}' for key in sorted(value))}]"
        case list() | tuple():
            return f"[{' '.join(_printed(one, depth + 1) for one in value)}]"
        case _:
            return str(value)


def _error(message: str, text: str, at: int) -> TemplateError:
    line_start = text.rfind("\n", 0, at) + 1
    return TemplateError(message, text.count("\n", 0, at) + 1, at - line_start + 1)
