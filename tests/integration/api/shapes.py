"""The forms that JSON values have in the API: what is wrong with a value, and which values would be wrong.

Answers are held against forms (`problems`); bodies of requests are made from them (`example`, `wrong`), so that one description of a
property serves both ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")

SOME_UUID = "11111111-2222-4333-8444-555555555555"


class Shape(Protocol):
    """A form of JSON values."""

    def problems(self, value: Any, at: str) -> Iterator[str]:
        """What is wrong with a value that should have this form, each with its place."""

    def example(self) -> Any:
        """A value of this form, as small as can be."""

    def wrong(self) -> Sequence[Any]:
        """Values that do not have this form; null is never among them."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string; of a pattern, when there is one."""

    what: str = "a string"
    pattern: re.Pattern[str] | None = None
    like: str = "x"

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str) or (self.pattern is not None and not self.pattern.fullmatch(value)):
            yield f"{at} is not {self.what}: {value!r}"

    def example(self) -> Any:
        return self.like

    def wrong(self) -> Sequence[Any]:
        return (5, ["x"])


@dataclass(frozen=True, slots=True)
class One:
    """One of some strings."""

    of: tuple[str, ...]

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if value not in self.of or not isinstance(value, str):
            yield f"{at} is none of {', '.join(self.of)}: {value!r}"

    def example(self) -> Any:
        return self.of[0]

    def wrong(self) -> Sequence[Any]:
        return ("nonsense", 5)


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer."""

    minimum: int | None = None
    maximum: int | None = None

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{at} is not an integer: {value!r}"
        elif (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            yield f"{at} is out of bounds: {value}"

    def example(self) -> Any:
        return self.minimum or 0

    def wrong(self) -> Sequence[Any]:
        beyond = [one for one, bound in ((-1, self.minimum), (0, self.minimum)) if bound is not None and one < bound]
        beyond += [self.maximum + 1] if self.maximum is not None else []
        return ("5", 1.5, *beyond)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or not."""

    minimum: float | None = None
    maximum: float | None = None

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield f"{at} is not a number: {value!r}"
        elif (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            yield f"{at} is out of bounds: {value}"

    def example(self) -> Any:
        return self.maximum if self.maximum is not None else self.minimum or 0

    def wrong(self) -> Sequence[Any]:
        below = [self.minimum - 0.5] if self.minimum is not None else []
        above = [self.maximum + 0.5] if self.maximum is not None else []
        return ("5", True, *below, *above)


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{at} is not a boolean: {value!r}"

    def example(self) -> Any:
        return True

    def wrong(self) -> Sequence[Any]:
        return ("true", 1)


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose names are data; its values have one form, or any when `of` is None."""

    of: Shape | None = None

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is not an object: {value!r}"
        elif self.of is not None:
            for name, inner in value.items():
                yield from self.of.problems(inner, f"{at}/{name}")

    def example(self) -> Any:
        return {}

    def wrong(self) -> Sequence[Any]:
        inner = [{"k": one} for one in (self.of.wrong()[0], None)] if self.of is not None else []
        return ("x", [], *inner)


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value but null."""

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if value is None:
            yield f"{at} is null"

    def example(self) -> Any:
        return "x"

    def wrong(self) -> Sequence[Any]:
        return ()


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values of one form."""

    of: Shape

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{at} is not a list: {value!r}"
            return
        for number, inner in enumerate(value):
            yield from self.of.problems(inner, f"{at}/{number}")

    def example(self) -> Any:
        return []

    def wrong(self) -> Sequence[Any]:
        return ("x", {}, *([one] for one in self.of.wrong()), [None])


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable: a scalar, an object in its wrapping, a reference or the hash of a secret.

    Args:
        literal: whether only scalars and objects will do, as in a release.
    """

    literal: bool = False

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if isinstance(value, str | int | float) or self._wrapped(value):
            return
        yield f"{at} is no value of a variable: {value!r}"

    def _wrapped(self, value: Any) -> bool:
        match value:
            case {"object": dict() | list()}:
                return True
            case {"reference": str(), "path": list(path)} if not self.literal:
                return all(isinstance(one, str) for one in path)
            case {"valueHash": str()} if not self.literal:
                return True
            case _:
                return False

    def example(self) -> Any:
        return "x"

    def wrong(self) -> Sequence[Any]:
        # Neither bare objects and lists, nor half a reference.
        return ({}, [1], {"a": 1}, {"object": 5}, {"reference": "r"}, {"valueHash": 5})


@dataclass(frozen=True, slots=True)
class OrNull:
    """A property that clients in use send as null, though it must be there."""

    of: Shape

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if value is not None:
            yield from self.of.problems(value, at)

    def example(self) -> Any:
        return None

    def wrong(self) -> Sequence[Any]:
        return self.of.wrong()


@dataclass(frozen=True, slots=True)
class Maybe:
    """A property that may be left out, but is not null."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Obj:
    """An object with declared properties; others may be there too, but are not null, and are instants when they are named like one."""

    props: dict[str, Shape | Maybe]

    def plus(self, **props: Shape | Maybe) -> Obj:
        """The same with more properties, or some of them of another form."""
        return replace(self, props={**self.props, **props})

    def optional(self) -> Obj:
        """The same with nothing required: what is sent to change some of it."""
        return replace(self, props={name: prop if isinstance(prop, Maybe) else Maybe(prop) for name, prop in self.props.items()})

    def problems(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is not an object: {value!r}"
            return
        for name, prop in self.props.items():
            if name not in value and not isinstance(prop, Maybe):
                yield f"{at}/{name} is missing"
        for name, inner in value.items():
            here, known = f"{at}/{name}", self.props.get(name)
            if inner is None and not isinstance(known, OrNull):
                yield f"{here} is null; what is absent is left out"
            elif known is not None:
                yield from (known.of if isinstance(known, Maybe) else known).problems(inner, here)
            elif name.endswith("At"):
                yield from INSTANT.problems(inner, here)

    def example(self) -> Any:
        return {name: prop.example() for name, prop in self.props.items() if not isinstance(prop, Maybe)}

    def wrong(self) -> Sequence[Any]:
        return ("x", [], *self.refused())

    def refused(self) -> Iterator[dict[str, Any]]:
        """Objects in which one property is missing, null or of a wrong form."""
        whole = self.example()
        for name, prop in self.props.items():
            shape = prop.of if isinstance(prop, Maybe) else prop
            if not isinstance(prop, Maybe):
                yield {other: value for other, value in whole.items() if other != name}
            if not isinstance(shape, OrNull):
                yield {**whole, name: None}
            for value in shape.wrong():
                yield {**whole, name: value}


TEXT = Text()
ID = Text("a uuid in lower case", _UUID, SOME_UUID)
INSTANT = Text("an instant in UTC with milliseconds and Z", _INSTANT, "2026-01-02T03:04:05.678Z")
ANY_INSTANT = Text("an instant", None, "2026-01-02T03:04:05.678Z")
WHOLE = Whole()
FLAG = Flag()
METADATA = Map(TEXT)
CONFIG = Map()
VALUE = Value()


def obj(**props: Shape | Maybe) -> Obj:
    """An object with these properties; those in `Maybe` may be left out."""
    return Obj(props)


def page(of: Shape) -> Obj:
    """A part of a list; `total` counts all of it."""
    return obj(items=Many(of), total=WHOLE, limit=WHOLE, offset=WHOLE)
