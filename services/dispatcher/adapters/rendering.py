"""Templates of agents' configurations, rendered over what a job was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.template import MAX_TEXT, TemplateError, parse


class Unrenderable(Exception):
    """A template that can not be rendered; the message says which, where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def rendered(field: str, text: str, context: Mapping[str, Any], *, longest: int = MAX_TEXT) -> str:
    """Render the template of a configuration's field.

    Args:
        field: its name, for messages.
        context: the root of the template.
        longest: characters that the text may have.

    Raises: Unrenderable.
    """
    try:
        return parse(text).render(context, longest=longest)
    except TemplateError as error:
        raise Unrenderable(
            f"The template in `{field}` can not be rendered: {error.message} (line {error.line}, column {error.column})."
        ) from None
