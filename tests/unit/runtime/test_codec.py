"""States survive the way to bytes and back, by their type hints alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Large:
    names: Map[str, str]
    ids: Map[str, Map[str, bool]]
    documents: Map[str, dict[str, Any]]
    count: int = field(default=0, metadata=codec.derived(lambda state: len(state.names)))


@pytest.mark.parametrize("count", [0, 1, 2, codec.ENTRIES_PER_PAGE, codec.ENTRIES_PER_PAGE + 1, 3 * codec.ENTRIES_PER_PAGE])
def test_maps_of_any_size_come_back(count: int) -> None:
    names = [f"k{number}" for number in range(count)]
    state = Large(
        names=Map((name, name.upper()) for name in names),
        ids=Map({"few": Map(dict.fromkeys(names[:2], True)), "many": Map(dict.fromkeys(names, True)), "no": Map({"x": False})}),
        documents=Map((name, {"id": name, "n": [1, None, 2.5, {"deep": True}]}) for name in names),
        count=count,
    )
    assert codec.decode(Large, codec.encode(Large, state)) == state


def test_documents_nested_hundreds_of_levels_come_back() -> None:
    deep = json.loads("[" * 220 + "]" * 220)
    state = Large(Map(), Map(), Map({"a": {"config": deep}}))
    assert codec.decode(Large, codec.encode(Large, state)) == state


def test_what_follows_from_the_rest_is_not_stored() -> None:
    state = Large(Map({"a": "b"}), Map(), Map(), count=77)
    assert codec.decode(Large, codec.encode(Large, state)).count == 1


def test_texts_that_are_read_back_are_one_object() -> None:
    text = "-".join(["4c1b", "9d0e"])
    state = Large(Map({text: text}), Map({"x": Map({text: True})}), Map())
    first, second = (codec.decode(Large, codec.encode(Large, state)) for _ in range(2))
    ((key, value),), (inner,) = first.names.items(), first.ids["x"]
    assert key is value
    assert key is inner
    assert key is next(iter(second.names))


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"[]", lambda data: b"", lambda data: data + b"x"])
def test_bytes_that_are_no_state_are_refused(damage: Callable[[bytes], bytes]) -> None:
    data = codec.encode(Large, Large(Map(), Map(), Map()))
    with pytest.raises(ValueError, match="state"):
        codec.decode(Large, damage(data))


def test_a_hint_that_can_not_be_read_back_is_refused() -> None:
    @dataclass(frozen=True)
    class Vague:
        what: complex

    with pytest.raises(TypeError, match="complex"):
        codec.encode(Vague, Vague(1j))
