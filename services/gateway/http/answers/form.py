"""What answers have in common: names, pages, errors, and the word that a change was made."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Timestamp = str
"""RFC 3339 in UTC with milliseconds and `Z`."""

T = TypeVar("T")


def by_wire_names(extra: Literal["forbid", "allow"]) -> ConfigDict:
    """How the models of answers are read."""
    return ConfigDict(extra=extra, strict=True, alias_generator=to_camel)


class AnswerModel(BaseModel):
    """A JSON object with camelCase names; a property that is not required is absent rather than null."""

    model_config = by_wire_names("forbid")


class ErrorAnswer(AnswerModel):
    """Why it could not be done."""

    message: str
    error: str
    code: str = ""
    details: Any = None


class Accepted(AnswerModel):
    """The change was made; the thing can be read at once."""

    id: str
    message: str


class Page(AnswerModel, Generic[T]):
    """A part of a list; `total` counts all of it."""

    items: list[T]
    total: int
    limit: int
    offset: int
