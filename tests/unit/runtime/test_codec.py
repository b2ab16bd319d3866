"""States survive the way to bytes and back, by their type hints alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from contracts.facts.inventory import ProviderDeleted, ProviderSaved
from contracts.shapes import Target
from libs.runtime import codec

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leaf:
    count: int
    at: datetime | None
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    leaves: Map[str, Leaf]
    targets: Map[Target, tuple[str, ...]]
    pair: tuple[int, str]
    document: ProviderSaved | None
    either: Map[str, ProviderSaved | ProviderDeleted]


def saved(name: str) -> ProviderSaved:
    return ProviderSaved(provider_id="p", name=name, metadata={"a": "b"}, created_at=AT)


leaves = st.builds(
    Leaf,
    count=st.integers(-(2**53), 2**53),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    tags=st.frozensets(st.text(max_size=4), max_size=3),
)


@given(st.dictionaries(st.text(max_size=5), leaves, max_size=4))
def test_any_state_comes_back_equal(some: dict[str, Leaf]) -> None:
    state = State(
        leaves=Map(some),
        targets=Map({Target("r", "e", "d"): ("x", "y")}),
        pair=(1, "one"),
        document=saved("n"),
        either=Map({"s": saved("m"), "d": ProviderDeleted(provider_id="p", name="m")}),
    )
    assert codec.decode(State, codec.encode(State, state)) == state


def test_a_document_is_one_object_in_the_process() -> None:
    empty: Map[str, Leaf] = Map()
    state = State(empty, Map(), (0, ""), saved("n"), Map())
    first, second = (codec.decode(State, codec.encode(State, state)) for _ in range(2))
    assert first.document is second.document


def test_a_hint_that_can_not_be_read_back_is_refused() -> None:
    @dataclass(frozen=True)
    class Vague:
        what: complex

    with pytest.raises(TypeError, match="complex"):
        codec.encode(Vague, Vague(1j))
