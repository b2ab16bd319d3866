"""What every fact is: a frozen record of one thing that happened, with a wire name that never changes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self, TypeVar

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

    @classmethod
    def of_valid(cls, **values: Any) -> Self:
        """A fact of values that are valid already and that nobody will change: they are neither checked nor copied.

        For those of which a decision makes a hundred thousand.

        Args:
            values: of every field, in the order in which they are declared.
        """
        new = cls.__new__(cls)
        # One set of names for all of them: each of its own would be as large as many a fact.
        names = _NAMES.get(cls)
        if names is None:
            names = _NAMES[cls] = set(cls.model_fields)
        assert values.keys() == names, f"{cls.__name__} has the fields {', '.join(cls.model_fields)}"
        for name, value in (
            ("__dict__", values),
            ("__pydantic_fields_set__", names),
            ("__pydantic_extra__", None),
            ("__pydantic_private__", None),
        ):
            object.__setattr__(new, name, value)
        return new

    def to_json(self) -> bytes:
        """The payload as it is stored and sent."""
        return self.__pydantic_serializer__.to_json(self)


_NAMES: dict[type[Fact], set[str]] = {}

F = TypeVar("F", bound=type[Fact])
FACTS: dict[str, type[Fact]] = {}
"""Every fact this code can read, by wire name."""


def fact(cls: F) -> F:
    """Register a fact class under its wire name."""
    assert cls.TYPE not in FACTS, f"two facts are named {cls.TYPE}"
    FACTS[cls.TYPE] = cls
    return cls
