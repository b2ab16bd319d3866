"""Look-ups at the same time: what shares a statement, and that nobody is told what was true before it asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from libs.eventlog import together
from libs.eventlog.port import LogUnavailable
from libs.eventlog.together import Together


@dataclass
class Table:
    """Rows that are found when they are let."""

    rows: dict[str, int]
    asked: list[list[str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def look_up(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        self.entered.set()
        await self.open.wait()
        if self.broken:
            raise LogUnavailable("connection lost")
        return found


async def _under_way(table: Table, *keys: str) -> list[asyncio.Task[int | None]]:
    """A look-up of `first` that has begun, and those of other keys behind it."""
    looked_up = Together(table.look_up)
    first = asyncio.create_task(looked_up.get("first"))
    await table.entered.wait()
    others = [asyncio.create_task(looked_up.get(key)) for key in keys]
    await asyncio.sleep(0)
    return [first, *others]


async def test_what_is_asked_meanwhile_is_looked_up_as_one() -> None:
    table = Table({"first": 1, "a": 2, "b": 3})
    tasks = await _under_way(table, "a", "b", "a", "none")
    table.open.set()
    assert await asyncio.gather(*tasks) == [1, 2, 3, 2, None]
    assert table.asked == [["first"], ["a", "b", "none"]]


async def test_nobody_joins_a_look_up_that_has_begun() -> None:
    table = Table({"first": 1})
    before, after = await _under_way(table, "first")
    table.rows["first"] = 2
    table.open.set()
    assert (await before, await after) == (1, 2)


async def test_many_are_found_out_of_one_look_up() -> None:
    table = Table({"a": 1, "b": 2})
    table.open.set()
    assert await Together(table.look_up).many(["b", "none", "a", "b"]) == [2, None, 1, 2]
    assert table.asked == [["b", "none", "a"]]


async def test_a_statement_has_no_more_than_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    table = Table({key: ord(key) for key in "abcde"})
    table.open.set()
    assert await Together(table.look_up).many(list("abcde")) == list(map(ord, "abcde"))
    assert [len(keys) for keys in table.asked] == [2, 2, 1]


async def test_an_outage_is_told_to_all_who_wait_for_it_and_to_nobody_after() -> None:
    table = Table({"first": 1, "a": 2}, broken=True)
    looked_up = Together(table.look_up)
    table.open.set()
    told = await asyncio.gather(looked_up.get("first"), looked_up.get("a"), return_exceptions=True)
    assert [type(one) for one in told] == [LogUnavailable, LogUnavailable]
    table.broken = False
    assert await looked_up.get("a") == 2


async def test_who_goes_away_takes_nobody_along() -> None:
    table = Table({"first": 1, "a": 2})
    first, gone, stays = await _under_way(table, "a", "a")
    gone.cancel()
    first.cancel()
    table.open.set()
    assert await stays == 2


async def test_what_nobody_waits_for_any_more_is_not_looked_up() -> None:
    table = Table({"first": 1, "a": 2})
    first, gone = await _under_way(table, "a")
    gone.cancel()
    await asyncio.wait({gone})
    table.open.set()
    assert await first == 1
    assert table.asked == [["first"]]
