"""The feed: whatever is offered, in whatever order and however often, a reader gets the log without gaps."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderDeleted
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, NewFact
from libs.runtime import feed as module
from libs.runtime.feed import Feed
from libs.simulation.world import START, WORKSPACE


def new(number: int) -> NewFact:
    id_ = f"00000000-0000-4000-8000-{number:012d}"
    return NewFact(
        id=id_,
        fact=ProviderDeleted(provider_id="p", name=str(number)),
        time=START,
        correlation_id=id_,
        causation_id=id_,
        auth_id="user:a",
    )


async def filled(count: int) -> tuple[MemoryLog, list[Recorded]]:
    log = MemoryLog()
    await log.append(Append(WORKSPACE, facts=[new(number) for number in range(count)]))
    return log, await log.read(WORKSPACE, 0, count)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=12), st.integers(1, 7))
def test_any_subset_order_and_repetition_of_messages_reads_the_same(ranges: list[tuple[int, int]], limit: int) -> None:
    async def go() -> None:
        log, all_facts = await filled(20)
        feed = Feed(log)
        read: list[Recorded] = []
        for start, length in [*ranges, (0, 20)]:
            feed.offer(WORKSPACE, all_facts[start : start + length])
            found = await feed.read(WORKSPACE, len(read), limit)
            assert len(found) <= limit
            read.extend(found)
        while found := await feed.read(WORKSPACE, len(read), limit):
            read.extend(found)
        assert read == all_facts

    asyncio.run(go())


async def test_an_append_of_this_process_is_known_without_reading_the_log() -> None:
    log = MemoryLog()
    feed = Feed(log)
    heard: list[tuple[str, int]] = []
    feed.listen(lambda workspace_id, head: heard.append((workspace_id, head)))
    await log.append(Append(WORKSPACE, facts=[new(1), new(2)]))
    assert (feed.head(WORKSPACE), heard) == (2, [(WORKSPACE, 2)])


async def test_readers_far_behind_and_near_the_head_read_from_memory_alike() -> None:
    log, all_facts = await filled(50)
    feed = Feed(log)
    feed.offer(WORKSPACE, all_facts[10:])
    for after, limit in [(10, 7), (30, 7), (45, 7), (49, 7), (10, 100), (50, 7)]:
        assert list(await feed.read(WORKSPACE, after, limit)) == all_facts[after : after + limit]


async def test_a_waiter_is_woken_by_a_hint_alone() -> None:
    log, _ = await filled(3)
    feed = Feed(log)
    waiting = asyncio.create_task(feed.wait(WORKSPACE, 2, 5))
    await asyncio.sleep(0)
    feed.hint(WORKSPACE, 3)
    assert await waiting
    assert not await feed.wait(WORKSPACE, 3, 0.01)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "monotonic", found)
    monkeypatch.setattr(module, "KEPT", 10)
    return found


class Counting(MemoryLog):
    """A log that counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        self.reads += 1
        return await super().read(workspace_id, after, limit)


async def test_bulk_work_is_kept_until_its_readers_had_time_and_then_let_go(clock: Clock) -> None:
    log = Counting()
    feed = Feed(log)
    await log.append(Append(WORKSPACE, facts=[new(number) for number in range(50)]))
    clock.now += module.BURST_S - 1
    assert len(await feed.read(WORKSPACE, 0, 100)) == 50
    assert log.reads == 0
    clock.now += 2
    feed.hint(WORKSPACE, 50)
    assert [one.position for one in await feed.read(WORKSPACE, 40, 100)] == list(range(41, 51))
    assert log.reads == 0
    assert len(await feed.read(WORKSPACE, 0, 100)) == 50
    assert log.reads == 1


async def test_what_came_last_stays_when_older_bulk_work_is_let_go(clock: Clock) -> None:
    log = Counting()
    feed = Feed(log)
    await log.append(Append(WORKSPACE, facts=[new(number) for number in range(50)]))
    clock.now += module.BURST_S + 1
    await log.append(Append(WORKSPACE, facts=[new(number) for number in range(50, 65)]))
    assert [one.position for one in await feed.read(WORKSPACE, 50, 100)] == list(range(51, 66))
    assert log.reads == 0
    await feed.read(WORKSPACE, 0, 100)
    assert log.reads == 1


async def test_bulk_work_of_all_workspaces_together_has_a_bound(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Counting()
    feed = Feed(log)
    monkeypatch.setattr(module, "BURST_BYTES", 2_000)
    other = "00000000-0000-4000-8000-0000000000ff"
    for workspace_id, first in [(WORKSPACE, 0), (other, 100)]:
        await log.append(Append(workspace_id, facts=[new(number) for number in range(first, first + 50)]))
    assert len(await feed.read(other, 40, 100)) == 10
    assert log.reads == 0
    await feed.read(other, 0, 100)
    assert log.reads == 1


async def test_a_waiter_that_is_told_to_end_ends_though_news_come_in_the_same_moment() -> None:
    log, _ = await filled(3)
    feed = Feed(log)
    waiting = asyncio.create_task(feed.wait(WORKSPACE, 2, 30))
    await asyncio.sleep(0)
    feed.hint(WORKSPACE, 3)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
