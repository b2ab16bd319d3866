"""What every fact is: a frozen record of one thing that happened, with a wire name that never changes."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """One fact, in the past tense.

    A subclass sets `TYPE` (the wire name, `<owner>.<what_happened>.v<n>`) and says which stream it belongs to. Writers are strict
    (the model is validated when built), readers ignore fields they do not know.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]

    @property
    @abstractmethod
    def stream(self) -> str:
        """The stream of the thing this fact is about, `<kind>/<id>`."""

    def to_json(self) -> bytes:
        """The payload as it is stored and sent."""
        return self.__pydantic_serializer__.to_json(self)


F = TypeVar("F", bound=type[Fact])
FACTS: dict[str, type[Fact]] = {}
"""Every fact this code can read, by wire name."""


def fact(cls: F) -> F:
    """Register a fact class under its wire name."""
    assert cls.TYPE not in FACTS, f"two facts are named {cls.TYPE}"
    FACTS[cls.TYPE] = cls
    return cls
