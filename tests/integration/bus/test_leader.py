"""Of several processes one relays; the others tell it what they commit, and one of them takes over when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest

from infra.embedded.servers import Servers
from libs.bus.courier import Courier
from libs.bus.leadership import LOCK
from libs.bus.relay import Relay
from libs.eventlog.memory import MemoryLog
from libs.runtime.feed import Feed
from tests.integration.bus.broker import OtherProcess, positions
from tests.integration.bus.desk_of_inventory import echo, service
from tests.unit.bus.facts import WORKSPACE, append

pytestmark = pytest.mark.integration
NEVER_S = 3600.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres for the lock, and a broker."""
    with Servers(Path(tmp_path_factory.mktemp("servers"))) as one:
        yield one


async def process(servers: Servers, stack: AsyncExitStack, log: MemoryLog) -> Relay:
    relay = Relay(log, Feed(log), servers.nats, servers.postgres, sweep_s=NEVER_S)
    stack.push_async_callback(relay.stop)
    await relay.start()
    return relay


async def leader_of(first: Relay, second: Relay) -> tuple[Relay, Relay]:
    """The leader and the other, once one of them leads."""
    waits = {asyncio.create_task(one.led.wait()) for one in (first, second)}
    async with asyncio.timeout(60):
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    assert first.led.is_set() != second.led.is_set()
    return (first, second) if first.led.is_set() else (second, first)


async def test_other_process_takes_over_at_its_next_look(servers: Servers, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    leader, other = await leader_of(await process(servers, stack, log), await process(servers, stack, log))
    await append(log, 1, 3)
    await asyncio.wait_for(leader.idle.wait(), 60)
    await leader.stop()
    await asyncio.wait_for(other.led.wait(), 60)
    await asyncio.wait_for(other.idle.wait(), 60)
    await append(log, 4, 5)
    await asyncio.wait_for(other.idle.wait(), 60)
    assert other.published == 5


async def test_leader_whose_session_is_cut_goes_on_or_hands_over(servers: Servers, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    relay = await process(servers, stack, log)
    await asyncio.wait_for(relay.led.wait(), 60)
    relay.led.clear()
    async with await psycopg.AsyncConnection.connect(servers.postgres, autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
        await connection.execute(query, LOCK)
    await asyncio.wait_for(relay.led.wait(), 60)
    await append(log, 1, 3)
    await asyncio.wait_for(relay.idle.wait(), 60)
    assert relay.published == 3


async def test_commit_of_a_process_that_does_not_lead_is_relayed_at_once(servers: Servers, stack: AsyncExitStack) -> None:
    log = MemoryLog()
    leader = await process(servers, stack, OtherProcess(log))
    await asyncio.wait_for(leader.led.wait(), 60)
    await process(servers, stack, log)
    third = OtherProcess(log)
    feed = Feed(third)
    courier = Courier(service, servers.nats, feed, third, echo)
    stack.push_async_callback(courier.stop)
    await courier.start()
    await asyncio.wait_for(courier.ready.wait(), 60)
    await append(log, 1, 4)
    assert await positions(feed, WORKSPACE, 4) == [1, 2, 3, 4]
    assert leader.published == 4
