"""Who owns which partition: alone, shared, after a death, over a lost connection, and beside another installation."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from libs.runtime import ending
from libs.runtime import leases as leases_
from libs.runtime.leases import PARTITIONS, Leases, partition_of
from tests.story.house import wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
WORKSPACES = tuple(str(UUID(int=(0xA << 124) + number)) for number in range(PARTITIONS))
SOON_S = 60.0


class Watched:
    """Leases of one replica, and a way to wait until they are as they should be."""

    def __init__(self, postgres: str, service: str = "planner") -> None:
        self.leases = Leases(postgres, service)
        self.changes = 0
        self._changed = asyncio.Event()
        self.leases.on_change(self._on_change)

    def _on_change(self) -> None:
        self.changes += 1
        self._changed.set()

    def owned(self) -> set[int]:
        return {partition_of(one) for one in WORKSPACES if self.leases.owns(one)}

    async def until(self, holds: Callable[[set[int]], bool], limit_s: float = SOON_S) -> None:
        async with asyncio.timeout(limit_s):
            while not holds(self.owned()):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def replica(postgres: str, service: str = "planner") -> AsyncIterator[Watched]:
    watched = Watched(postgres, service)
    watched.leases.start()
    try:
        await asyncio.wait_for(watched.leases.settled.wait(), SOON_S)
        yield watched
    finally:
        await watched.leases.stop()


def holders(postgres: str) -> list[int]:
    """Backends that hold advisory locks of this database, once for each lock."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND d.datname = current_database() AND granted ORDER BY pid"
        )
        return [pid for (pid,) in rows]


def held(count: int) -> Callable[[set[int]], bool]:
    return lambda owned: len(owned) == count


async def test_a_replica_alone_owns_everything_and_gives_it_back(postgres: str) -> None:
    async with replica(postgres) as one:
        assert one.owned() == set(range(PARTITIONS))
        one.leases.start()
    assert one.owned() == set()
    assert holders(postgres) == []
    await one.leases.stop()
    async with replica(postgres) as other:
        assert len(other.owned()) == PARTITIONS


async def test_two_replicas_share_without_overlap(postgres: str) -> None:
    async with replica(postgres) as one, replica(postgres) as other:
        await one.until(held(8))
        await other.until(held(8))
        assert one.owned() | other.owned() == set(range(PARTITIONS))


async def test_services_do_not_share_with_each_other(postgres: str) -> None:
    async with replica(postgres, "planner") as planner, replica(postgres, "policy") as policy:
        assert (len(planner.owned()), len(policy.owned())) == (PARTITIONS, PARTITIONS)


async def test_another_installation_on_the_same_server_takes_no_share(postgres: str) -> None:
    name = f"{conninfo_to_dict(postgres)['dbname']}_other"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        async with replica(make_conninfo(postgres, dbname=name)), replica(postgres) as here:
            await here.until(held(PARTITIONS))
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


async def test_the_partitions_of_a_killed_replica_are_taken_over(postgres: str) -> None:
    async with replica(postgres) as one:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.unit.runtime.replica", postgres, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert other.stdout is not None
            assert await asyncio.wait_for(other.stdout.readline(), 20) == b"settled\n"
            await one.until(held(8))
        finally:
            other.kill()
            await other.wait()
        await one.until(held(PARTITIONS))


async def test_a_lost_connection_puts_nothing_down_and_is_made_again(postgres: str) -> None:
    async with replica(postgres) as one:
        before = holders(postgres)[0]
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", (before,))
        await asyncio.to_thread(wait_until, lambda: len(set(holders(postgres)) - {before}) == 1, "it is connected again", SOON_S)
        await asyncio.to_thread(wait_until, lambda: len(holders(postgres)) == PARTITIONS + 1, "it holds everything again", SOON_S)
        assert (one.changes, len(one.owned())) == (1, PARTITIONS)


async def test_a_replica_that_was_cut_off_puts_down_what_another_one_took(postgres: str) -> None:
    async with replica(postgres) as one:
        name = conninfo_to_dict(postgres)["dbname"]
        with psycopg.connect(postgres, autocommit=True, dbname="postgres") as server:
            server.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(str(name))))
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            assert len(one.owned()) == PARTITIONS, "a lost connection by itself puts nothing down"
            server.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(Identifier(str(name))))
        async with replica(postgres) as other:
            await one.until(held(8))
            await other.until(held(8))
            assert one.owned() | other.owned() == set(range(PARTITIONS))


async def test_a_listener_that_breaks_does_not_end_the_leases(postgres: str) -> None:
    async with replica(postgres) as one:
        broke: list[int] = []

        def broken() -> None:
            broke.append(1)
            raise RuntimeError("our own bug")

        one.leases.on_change(broken)
        async with replica(postgres):
            await one.until(held(8))
        await one.until(held(PARTITIONS))
        assert broke


async def test_nothing_is_put_down_while_the_lost_session_still_holds_it(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[psycopg.AsyncConnection[Any]] = []
    connect = psycopg.AsyncConnection.connect

    async def noted(*place: Any, **how: Any) -> psycopg.AsyncConnection[Any]:
        made.append(await connect(*place, **how))
        return made[-1]

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", noted)
    monkeypatch.setattr(leases_, "OUTLIVE_S", 3600.0)
    async with replica(postgres) as one:
        before = made[0].info.backend_pid
        os.kill(before, signal.SIGSTOP)  # it does not notice that its client is gone
        try:
            with socket.socket(fileno=os.dup(made[0].fileno())) as cut:
                cut.shutdown(socket.SHUT_RDWR)
            async with asyncio.timeout(60):
                await asyncio.to_thread(wait_until, lambda: len(made) == 2, "it connects again")
            looked = "SELECT query FROM pg_stat_activity WHERE pid = %s AND query LIKE '%%pg_locks%%'"
            with psycopg.connect(postgres, autocommit=True) as other:
                pid = made[1].info.backend_pid
                await asyncio.to_thread(wait_until, lambda: other.execute(looked, (pid,)).rowcount, "it looks around")
            await asyncio.sleep(0)
        finally:
            os.kill(before, signal.SIGCONT)
        await asyncio.to_thread(wait_until, lambda: len(holders(postgres)) == PARTITIONS + 1, "it holds everything again", SOON_S)
        assert (one.changes, len(one.owned())) == (1, PARTITIONS)


async def test_they_stop_though_the_connection_is_lost_in_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    connecting = asyncio.Event()

    async def lost(*_: object, **__: object) -> None:
        connecting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise psycopg.OperationalError("the server closed the connection unexpectedly") from None

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", lost)
    monkeypatch.setattr(ending, "END_AGAIN_S", 3600.0)  # nothing is left to being told again
    leases = Leases("", "planner")
    leases.start()
    await connecting.wait()
    async with asyncio.timeout(60):
        await leases.stop()
