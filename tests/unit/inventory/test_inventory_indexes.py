"""Indexes follow the maps of a state: never wrong, and made anew only where nobody followed."""

from __future__ import annotations

import gc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from services.inventory.indexes import Followed

Plain = Map[str, int]


class Counted(Followed[int, dict[str, int]]):
    """An index that is a copy of its map, and counts how often one was made."""

    def __init__(self) -> None:
        self.made = 0
        super().__init__(self._new, self._put)

    def _new(self) -> dict[str, int]:
        self.made += 1
        return {}

    @staticmethod
    def _put(index: dict[str, int], key: str, value: int | None) -> None:
        if value is None:
            index.pop(key, None)
        else:
            index[key] = value

    def changed(self, before: Plain, key: str, value: int | None) -> Plain:
        """The map after a change, as a fold makes it."""
        if value is None and key not in before:
            return before
        after = before.delete(key) if value is None else before.set(key, value)
        self.follow(before, after, key)
        return after


def numbers(count: int = 10) -> Plain:
    return Map({f"k{number}": number for number in range(count)})


def test_an_index_follows_its_map_without_being_made_again() -> None:
    index, map_ = Counted(), numbers()
    assert index.of(map_) == dict(map_)
    map_ = index.changed(map_, "k1", 100)
    map_ = index.changed(map_, "new", 5)
    map_ = index.changed(map_, "k2", None)
    assert index.of(map_) == dict(map_)
    assert index.made == 1


def test_of_two_maps_that_come_from_one_each_has_its_own() -> None:
    index, trunk = Counted(), numbers()
    index.of(trunk)
    left, right = index.changed(trunk, "k1", 100), index.changed(trunk, "k1", 200)
    assert (index.of(left)["k1"], index.of(right)["k1"], index.of(trunk)["k1"]) == (100, 200, 1)


def test_a_map_that_nobody_followed_gets_its_own() -> None:
    index = Counted()
    first, second = numbers(), numbers().set("k1", 7)
    assert (index.of(first)["k1"], index.of(second)["k1"], index.of(first)["k1"]) == (1, 7, 1)
    assert index.made == 2


def test_an_index_that_fell_far_behind_is_made_again() -> None:
    index, map_ = Counted(), numbers()
    index.of(map_)
    for number in range(30):
        map_ = index.changed(map_, f"more{number}", number)
    assert index.of(map_) == dict(map_)
    assert index.made == 2


def test_an_index_goes_with_its_map() -> None:
    index, map_ = Counted(), numbers()
    index.of(map_)
    del map_
    gc.collect()
    assert not index._entries


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcde"), st.none() | st.integers(0, 9), st.booleans()), max_size=60)
)
def test_an_index_is_what_its_map_is_however_maps_branch(steps: list[tuple[int, str, Any, bool]]) -> None:
    index = Counted()
    maps: list[Plain] = [Map(a=1, b=2, c=3, d=4)]
    for which, key, value, asked in steps:
        parent = maps[which % len(maps)]
        maps = [*maps[-3:], index.changed(parent, key, value)]
        if asked:
            assert index.of(maps[-1]) == dict(maps[-1])
    for map_ in maps:
        assert index.of(map_) == dict(map_)
