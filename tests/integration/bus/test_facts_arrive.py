"""Facts committed in one process reach the feed of another, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import nats
import pytest

from libs.bus import ranges
from libs.bus.courier import Courier
from libs.bus.relay import Relay
from libs.bus.stream import EVT, ensure
from libs.eventlog.memory import MemoryLog
from libs.runtime.feed import Feed
from tests.integration.bus.broker import Broker, OtherProcess, positions
from tests.integration.bus.desk_of_inventory import echo, service
from tests.unit.bus.facts import WORKSPACE, append

pytestmark = pytest.mark.integration
NEVER_S = 3600.0
"""A sweep that does not come: what arrives then came over the bus."""


class Here:
    """The committing process: its log, its relay."""

    def __init__(self, broker: Broker, sweep_s: float) -> None:
        self.log = MemoryLog()
        self.relay = Relay(self.log, Feed(self.log), broker.url, sweep_s=sweep_s)


class There:
    """Another process with a service; its own relay never leads, so it only sweeps."""

    def __init__(self, broker: Broker, log: MemoryLog) -> None:
        self.log = OtherProcess(log)
        self.feed = Feed(self.log)
        self.courier = Courier(service, broker.url, self.feed, self.log, echo)


async def both(broker: Broker, stack: AsyncExitStack, sweep_s: float = NEVER_S) -> tuple[Here, There]:
    here = Here(broker, sweep_s)
    there = There(broker, here.log)
    stack.push_async_callback(here.relay.stop)
    stack.push_async_callback(there.courier.stop)
    await here.relay.start()
    await there.courier.start()
    await asyncio.wait_for(there.courier.ready.wait(), 60)
    await here.relay.led.wait()
    return here, there


async def test_facts_reach_another_process(broker: Broker, stack: AsyncExitStack) -> None:
    here, there = await both(broker, stack)
    await append(here.log, 1, 1)
    await append(here.log, 2, 700)
    assert await positions(there.feed, WORKSPACE, 700) == list(range(1, 701))


async def test_messages_lost_repeated_and_reordered_do_no_harm(broker: Broker, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    there = There(broker, log)
    stack.push_async_callback(there.courier.stop)
    await there.courier.start()
    await asyncio.wait_for(there.courier.ready.wait(), 60)
    messages: list[ranges.Message] = []
    for first in range(1, 40, 3):
        head = await append(log, first, first + 2)
        messages += ranges.cut(WORKSPACE, await log.read(WORKSPACE, head - 3, 3))
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    js = client.jetstream()
    for which in (4, 4, 2, 9, 0, 7, 12, 1, 12):
        await js.publish(
            messages[which].subject, messages[which].body, headers={"Position-To": messages[which].headers["Position-To"]}
        )
    await js.publish(messages[0].subject, b"nonsense")
    assert await positions(there.feed, WORKSPACE, 39) == list(range(1, 40))


async def test_subscriber_lives_on_after_the_store_was_removed(broker: Broker, stack: AsyncExitStack) -> None:
    here, there = await both(broker, stack)
    await append(here.log, 1, 5)
    await positions(there.feed, WORKSPACE, 5)
    broker.restart(wipe=True)
    await asyncio.wait_for(there.courier.revived.wait(), 30)
    await append(here.log, 6, 9)
    assert await positions(there.feed, WORKSPACE, 9) == list(range(1, 10))


async def test_relay_goes_on_after_the_stream_was_deleted(broker: Broker, stack: AsyncExitStack) -> None:
    here, there = await both(broker, stack)
    await append(here.log, 1, 5)
    await positions(there.feed, WORKSPACE, 5)
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    await client.jetstream().delete_stream("EVT")
    await append(here.log, 6, 6)
    # The stream is back with the relay's next round; what the consumer missed meanwhile comes with any later message.
    await asyncio.wait_for(there.courier.revived.wait(), 30)
    await append(here.log, 7, 7)
    assert await positions(there.feed, WORKSPACE, 7) == list(range(1, 8))


async def test_commits_during_an_outage_are_published_after_it(broker: Broker, stack: AsyncExitStack) -> None:
    here, _ = await both(broker, stack)
    broker.kill()
    await append(here.log, 1, 300)
    broker.start()
    await asyncio.wait_for(here.relay.idle.wait(), 30)
    assert here.relay.published == 300
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    info = await client.jetstream().stream_info("EVT")
    assert info.state.messages == 2


async def test_without_a_broker_the_sweep_finds_commits_of_others(broker: Broker, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    there = There(broker, log)
    relay = Relay(there.log, there.feed, broker.url, sweep_s=0.02)
    stack.push_async_callback(relay.stop)
    broker.kill()
    await relay.start()
    await append(log, 1, 10)
    assert await positions(there.feed, WORKSPACE, 10) == list(range(1, 11))


async def test_new_leader_begins_a_little_before_the_head(broker: Broker, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    await append(log, 1, 1_500)
    relay = Relay(log, Feed(log), broker.url, sweep_s=0.02)
    stack.push_async_callback(relay.stop)
    await relay.start()
    await asyncio.wait_for(relay.idle.wait(), 30)
    assert relay.published == 1_000


async def test_starting_and_stopping_twice_changes_nothing(broker: Broker, stack: AsyncExitStack) -> None:
    here, there = await both(broker, stack)
    await here.relay.start()
    await there.courier.start()
    for one in (here.relay, there.courier):
        await one.stop()
        await one.stop()
    assert not there.courier.ready.is_set()
    await here.relay.start()
    await there.courier.start()
    await asyncio.wait_for(there.courier.ready.wait(), 60)
    await append(here.log, 1, 3)
    assert await positions(there.feed, WORKSPACE, 3) == [1, 2, 3]


async def test_courier_starts_and_stops_without_a_broker(broker: Broker) -> None:
    broker.kill()
    there = There(broker, MemoryLog())
    await there.courier.start()
    assert not there.courier.ready.is_set()
    await there.courier.stop()
    await there.courier.start()
    broker.start()
    await asyncio.wait_for(there.courier.ready.wait(), 60)
    broker.kill()
    await there.courier.stop()
    assert not there.courier.ready.is_set()


async def test_stream_of_an_older_shape_is_made_anew(broker: Broker, stack: AsyncExitStack) -> None:
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    js = client.jetstream()
    await js.add_stream(name="EVT", subjects=["evt.v1.*.*"], storage="file")
    await ensure(js, EVT)
    info = await js.stream_info("EVT")
    assert (info.config.storage, info.config.max_age) == ("memory", 3600)
    await ensure(js, EVT)
