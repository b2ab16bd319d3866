"""Whatever the bus does to messages, a reader of the feed sees every fact once and in order."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Recorded
from libs.bus import ranges
from libs.bus.courier import receive
from libs.eventlog.mapping import decode
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import OnCommit
from libs.runtime.feed import Feed
from tests.unit.bus.facts import WORKSPACE, append


class ElsewhereLog(MemoryLog):
    """A log whose appends are another process's: nobody here is told of them."""

    def on_commit(self, listener: OnCommit) -> None:
        del listener


class Reader:
    """Follows the feed as a service does: it asks for what comes after its position."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.got: list[Recorded] = []

    async def read(self, limit: int) -> None:
        while found := await self.feed.read(WORKSPACE, len(self.got), limit):
            self.got.extend(found)


batches = st.lists(st.integers(1, 4), min_size=1, max_size=6)
deliveries = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3), st.booleans()), max_size=25)


@given(batches, deliveries)
def test_any_subset_order_and_repetition_gives_the_same_facts(sizes: list[int], delivered: list[tuple[int, int, bool]]) -> None:
    async def run() -> None:
        log = ElsewhereLog()
        feed = Feed(log)
        reader = Reader(feed)
        messages: list[ranges.Message] = []
        head = 0
        for size in sizes:
            before, head = head, await append(log, head + 1, head + size)
            messages += ranges.cut(WORKSPACE, await log.read(WORKSPACE, before, size))
        for which, limit, reads in delivered:
            message = messages[which % len(messages)]
            receive(feed, WORKSPACE, message.headers, message.body, decode)
            if reads:
                await reader.read(limit)
        feed.hint(WORKSPACE, head)  # the sweep
        await reader.read(3)
        assert [one.position for one in reader.got] == list(range(1, head + 1))
        assert reader.got == await log.read(WORKSPACE, 0, head)

    asyncio.run(run())


async def test_message_that_promises_nothing_new_is_not_even_parsed() -> None:
    feed = Feed(ElsewhereLog())
    feed.hint(WORKSPACE, 5)
    receive(feed, WORKSPACE, {"Position-To": "5"}, b"not JSON", decode)
    assert feed.head(WORKSPACE) == 5


async def test_unreadable_message_is_dropped() -> None:
    log = ElsewhereLog()
    head = await append(log, 1, 2)
    feed = Feed(log)
    receive(feed, WORKSPACE, {"Position-To": "2"}, b"not JSON", decode)
    assert feed.head(WORKSPACE) == 0
    feed.hint(WORKSPACE, head)
    reader = Reader(feed)
    await reader.read(10)
    assert [one.position for one in reader.got] == [1, 2]


async def test_a_message_without_its_body_only_tells_how_far_the_log_is() -> None:
    log = ElsewhereLog()
    feed = Feed(log)
    head = await append(log, 1, 5)
    (message,) = ranges.cut(WORKSPACE, await log.read(WORKSPACE, 0, 5))
    receive(feed, WORKSPACE, message.headers, b"", decode)
    assert feed.head(WORKSPACE) == head
    reader = Reader(feed)
    await reader.read(3)
    assert [one.position for one in reader.got] == [1, 2, 3, 4, 5]
