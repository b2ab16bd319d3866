"""Templates of agents' configurations, rendered over what a job was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from libs.template import MAX_TEXT, Marks, TemplateError, parse

BRACKETS: Final = Marks("{[", "]}")
"""Other marks for actions, of texts that people read: what a text says of templates with braces stays in it."""


class Unrenderable(Exception):
    """A template that can not be rendered; the message says which, where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def rendered(field: str, text: str, context: Mapping[str, Any], *, longest: int = MAX_TEXT, brackets: bool = False) -> str:
    """Render the template of a configuration's field.

    Args:
        field: its name, for messages.
        context: the root of the template.
        longest: characters that the text may have.
        brackets: a template with a `{[` has its actions between `{[` and `]}`; one without between `{{` and `}}`, like all others.

    Raises: Unrenderable.
    """
    try:
        template = parse(text, BRACKETS) if brackets and BRACKETS.left in text else parse(text)
        return template.render(context, longest=longest)
    except TemplateError as error:
        raise Unrenderable(
            f"The template in `{field}` can not be rendered: {error.message} (line {error.line}, column {error.column})."
        ) from None
