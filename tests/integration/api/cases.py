"""How each operation is made to succeed, to conflict and to list: registries that the folder's `cases_of_…` modules fill."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.integration.api.checker import NONE, Api
from tests.integration.api.scenes import id_of


@dataclass(frozen=True)
class Sent:
    """A request: path parameters, body, query."""

    params: dict[str, str] = field(default_factory=dict)
    body: Any = NONE
    query: dict[str, Any] | None = None


@dataclass(frozen=True)
class Listed:
    """A list of three items.

    Attributes:
        names: what the items should be, in order.
        name_of: what an item is, to be compared with `names`.
        paged_by_body: limit and offset are properties of the body.
    """

    names: list[Any]
    name_of: Callable[[Any], Any]
    sent: Sent = field(default_factory=Sent)
    paged_by_body: bool = False


Success = Generator[Sent, Any, None]
"""Makes the world, yields the request, is given the answer, and looks at once whether it can be read."""

SUCCESS: Final[dict[str, Callable[[Api], Success]]] = {}
CONFLICT: Final[dict[str, Callable[[Api], Sent]]] = {}
LISTS: Final[dict[str, Callable[[Api], Listed]]] = {}


def success(op: str) -> Callable[[Callable[[Api], Success]], Callable[[Api], Success]]:
    """Register how an operation succeeds."""

    def register(make: Callable[[Api], Success]) -> Callable[[Api], Success]:
        assert SUCCESS.setdefault(op, make) is make, f"{op} has two"
        return make

    return register


def conflict(op: str) -> Callable[[Callable[[Api], Sent]], Callable[[Api], Sent]]:
    """Register a request that conflicts with what is there."""

    def register(make: Callable[[Api], Sent]) -> Callable[[Api], Sent]:
        assert CONFLICT.setdefault(op, make) is make, f"{op} has two"
        return make

    return register


def listed(op: str) -> Callable[[Callable[[Api], Listed]], Callable[[Api], Listed]]:
    """Register a list."""

    def register(make: Callable[[Api], Listed]) -> Callable[[Api], Listed]:
        assert LISTS.setdefault(op, make) is make, f"{op} has two"
        return make

    return register


def newest_first(op: str, make: Callable[[Api, str], str], name_of: Callable[[Any], Any] = id_of) -> None:
    """Register a list by how one of its kind is made of a name, which answers its id: of three the newest comes first."""

    def world(api: Api) -> Listed:
        return Listed([make(api, name) for name in ("c", "a", "b")][::-1], name_of)

    listed(op)(world)


def read(op: str, world: Callable[[Api], tuple[dict[str, str], Any]]) -> None:
    """Register a reading operation by its world: the path parameters, and what of the answer must be as given."""

    def make(api: Api) -> Success:
        params, expected = world(api)
        answer = yield Sent(params)
        assert part_of(expected, answer), f"{expected} is not in {answer}"

    success(op)(make)


def part_of(expected: Any, answer: Any) -> bool:
    """Whether an answer has all that is expected; of objects it may have more."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        return all(name in answer and part_of(inner, answer[name]) for name, inner in expected.items())
    if isinstance(expected, list) and isinstance(answer, list):
        return len(expected) == len(answer) and all(part_of(*pair) for pair in zip(expected, answer, strict=True))
    return bool(type(expected) is type(answer) and expected == answer)
