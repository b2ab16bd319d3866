"""A process that is told to stop: whatever it waits for while it starts, it does not wait on, and what it runs ends together."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.command import Answer
from infra.embedded.servers import Servers
from libs.bus.courier import Courier
from libs.bus.port import Unavailable
from libs.bus.requests import BusRequests
from libs.eventlog.migration import migrate
from libs.runtime.host import Host
from libs.runtime.leases import Leases
from libs.runtime.settings import Settings
from services.__main__ import Process

pytestmark = pytest.mark.integration


async def stops(process: Process, begun: asyncio.Event) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))
    async with asyncio.timeout(60):
        await begun.wait()
        stop.set()
        await running


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """A process sets the collector of garbage to its needs."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


async def test_services_end_beside_each_other(postgres: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a server that does not answer any more would be waited for by one after the other."""
    for kind in (Courier, Host, Leases):
        monkeypatch.setattr(kind, "stop", together(kind.stop, asyncio.Barrier(2)))
    process = Process(Settings(postgres=postgres, nats=servers.nats), ("planner", "policy"))
    ready = asyncio.Event()
    monkeypatch.setattr(process, "_tell_ready", ready.set)
    await stops(process, ready)


def together(stop: Callable[[Any], Awaitable[None]], both: asyncio.Barrier) -> Callable[[Any], Awaitable[None]]:
    async def stop_together(one: Any) -> None:
        await both.wait()
        await stop(one)

    return stop_together


async def test_while_another_process_migrates(postgres: str) -> None:
    begun = asyncio.Event()
    async with await psycopg.AsyncConnection.connect(postgres) as other:
        await other.execute("LOCK TABLE es.migration IN ACCESS EXCLUSIVE MODE")

        async def look() -> None:
            async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as looking:
                query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                while await (await looking.execute(query)).fetchone() != (1,):
                    pass
            begun.set()

        looking = asyncio.create_task(look())
        await stops(Process(Settings(postgres=postgres), ()), begun)
        await looking
    await migrate(postgres)


async def test_while_the_database_says_nothing() -> None:
    begun = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0, family=socket.AF_INET)
    async with server:
        host, port = server.sockets[0].getsockname()
        postgres = f"host={host} port={port} dbname=signalbox user=postgres sslmode=disable"
        await stops(Process(Settings(postgres=postgres), ()), begun)


async def test_while_nobody_answers_for_the_first_key(
    postgres: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def ask(*_: object, **__: object) -> Answer:
        begun.set()
        raise Unavailable

    monkeypatch.setattr(BusRequests, "ask", ask)
    key = tmp_path / "key"
    key.write_text(f"{'0' * 16}.{'0' * 64}")
    settings = Settings(postgres=postgres, nats=servers.nats, port=0, bootstrap_key_file=key)
    await stops(Process(settings, ("gateway",)), begun)
