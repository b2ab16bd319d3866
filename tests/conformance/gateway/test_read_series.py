"""Measurements as series: one suite for the read tables in memory and in Postgres."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.rows import Change, Put
from services.gateway.store import ReadStore, Series, Sink
from tests.conformance.gateway.both_sides import ELSEWHERE, HERE, Both


@pytest.fixture
async def store(both: Both) -> ReadStore:
    """Ten measurements of `a`, one each second; three of `b` between them; one of `a` in another workspace."""
    await _fill(both.sink)
    return both.store


async def _fill(sink: Sink) -> None:
    def put(series: str, number: int, at: str) -> Put:
        doc = {"n": f"{series}{number}", "$series": series, "measuredAt": at, "data": {"x": 1}, "asked": None}
        return Put("measurement", f"{series}/{number}", doc)

    patches = [put("a", number, f"2026-01-01T00:00:{number:02d}.000Z") for number in range(10)]
    patches += [put("b", number, f"2026-01-01T00:00:{number:02d}.500Z") for number in range(3)]
    changes = [Change(number, patch) for number, patch in enumerate(reversed(patches), 1)]
    assert await sink.apply(HERE, 0, len(changes), changes)
    assert await sink.apply(ELSEWHERE, 0, 1, [Change(1, put("a", 77, "2026-01-01T00:00:00.000Z"))])


async def names(store: ReadStore, *of: str, limit: int = 100, offset: int = 0, **more: Any) -> Any:
    page = await store.measured(HERE, Series(of, **more), limit=limit, offset=offset)
    return " ".join(one["n"] for one in page.items), page.total


async def test_they_come_in_the_order_in_which_they_were_taken(store: ReadStore) -> None:
    assert await names(store, "b") == ("b0 b1 b2", 3)
    assert await names(store, "a", "b") == ("a0 b0 a1 b1 a2 b2 a3 a4 a5 a6 a7 a8 a9", 13)
    assert await names(store, "b", "b", "c") == ("b0 b1 b2", 3)
    assert await names(store) == await names(store, "c") == ("", 0)


async def test_a_page_tells_how_many_there_are(store: ReadStore) -> None:
    assert await names(store, "a", limit=3) == ("a0 a1 a2", 10)
    assert await names(store, "a", limit=3, offset=8) == ("a8 a9", 10)
    assert await names(store, "a", limit=3, offset=10) == ("", 10)
    assert await names(store, "a", "b", limit=2, offset=3) == ("b1 a2", 13)


async def test_the_newest_of_several_series(store: ReadStore) -> None:
    async def newest(*of: str, limit: int) -> str:
        return " ".join(one["n"] for one in await store.last_measured(HERE, of, limit=limit))

    assert await newest("a", limit=3) == "a7 a8 a9"
    assert await newest("a", "b", limit=9) == "a2 b2 a3 a4 a5 a6 a7 a8 a9"
    assert (await newest("b", "b", limit=9), await newest("c", limit=9), await newest(limit=9)) == ("b0 b1 b2", "", "")
    assert (await store.last_measured(HERE, ("b",), limit=1))[0]["data"] == {"x": 1}


async def test_bounds_of_time_hold_the_first_and_not_the_last(store: ReadStore) -> None:
    begin, end = "2026-01-01T00:00:02.000Z", "2026-01-01T00:00:05.000Z"
    assert await names(store, "a", begin=begin, end=end) == ("a2 a3 a4", 3)
    assert await names(store, "a", "b", begin=begin) == ("a2 b2 a3 a4 a5 a6 a7 a8 a9", 9)
    assert await names(store, "a", end=begin) == ("a0 a1", 2)
    assert await names(store, "a", begin=end, end=begin) == ("", 0)


async def test_points_are_spread_evenly_and_the_newest_is_among_them(store: ReadStore) -> None:
    assert await names(store, "a", points=1) == ("a9", 1)
    assert await names(store, "a", points=2) == ("a4 a9", 2)
    assert await names(store, "a", points=3) == ("a3 a6 a9", 3)
    assert await names(store, "a", points=9) == ("a1 a2 a3 a4 a5 a6 a7 a8 a9", 9)
    for enough in (10, 11, 1000):
        assert (await names(store, "a", points=enough))[1] == 10
    # Of each series so many; paged and bounded as others.
    assert await names(store, "a", "b", points=2) == ("b1 b2 a4 a9", 4)
    assert await names(store, "a", "b", points=2, limit=2, offset=1) == ("b2 a4", 4)
    assert await names(store, "a", points=2, end="2026-01-01T00:00:04.000Z") == ("a1 a3", 2)


async def test_what_is_not_wanted_is_left_out(store: ReadStore) -> None:
    whole = (await store.measured(HERE, Series(("b",)), limit=1)).items[0]
    assert whole == {"n": "b0", "$series": "b", "measuredAt": "2026-01-01T00:00:00.500Z", "data": {"x": 1}, "asked": None}
    (less,) = (await store.measured(HERE, Series(("b",), without=("data", "asked", "other")), limit=1)).items
    assert less == {key: value for key, value in whole.items() if key not in ("data", "asked")}
