"""Who owns which partition of workspaces, for one service: session advisory locks in Postgres, shared fairly among live replicas.

A dead replica's partitions are free as soon as Postgres sees its connection close, and taken over at the next look. Ownership only
saves work: two owners of one workspace do no harm, because every append moves the service's checkpoint by compare-and-set. So a lost
connection does not put anything down by itself; what another replica took meanwhile is put down after reconnecting.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable
from uuid import UUID

import psycopg

from libs.runtime.ending import end, heed

PARTITIONS = 16
LOOK_S = 0.2
OUTLIVE_S = 2.0
"""So long a session of our own that was lost may hold on to what it has: the server takes a moment to notice."""

MEMBERS = 0x5B00
"""Advisory lock class of membership; the partitions of a service are in classes of their own."""

log_ = logging.getLogger("signalbox.leases")


def partition_of(workspace_id: str) -> int:
    """The partition of a workspace, 0 to 15."""
    return UUID(workspace_id).int % PARTITIONS


class Leases:
    """Partitions of one service that this process owns.

    Attributes:
        settled: set once the first look was done.
    """

    def __init__(self, postgres: str, service: str) -> None:
        self.settled = asyncio.Event()
        self._postgres = postgres
        self._service = zlib.crc32(service.encode()) & 0x7FFF
        self._owned: set[int] = set()
        self._session = 0
        self._listeners: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def owns(self, workspace_id: str) -> bool:
        """Whether this process may decide for the workspace now."""
        return partition_of(workspace_id) in self._owned

    def on_change(self, listener: Callable[[], None]) -> None:
        """Be told when what is owned changed."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to look; again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Give everything back; again changes nothing."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)
            self._tell(set())

    async def _run(self) -> None:
        while True:
            try:
                # Seconds, not hours, until a silent peer is given up: a replica on a dead machine must not keep its partitions.
                connection = await psycopg.AsyncConnection.connect(
                    self._postgres,
                    autocommit=True,
                    connect_timeout=5,
                    keepalives_idle=2,
                    keepalives_interval=1,
                    keepalives_count=3,
                )
                async with connection:
                    await self._hold(connection)
            except psycopg.Error as error:
                log_.debug("no connection; leases are taken again: %s", error)
            except Exception:
                log_.exception("leases broke; they are taken again")
            heed()
            await asyncio.sleep(LOOK_S / 4)

    async def _hold(self, connection: psycopg.AsyncConnection[tuple[int]]) -> None:
        await self._outlive(connection)
        self._session = connection.info.backend_pid
        await connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (MEMBERS, self._service))
        held: set[int] = set()
        wanted = set(self._owned)  # after a reconnection: take what we had first
        while True:
            members = await self._one(
                connection,
                # Of this database alone: the view shows the locks of all, and another installation may live next door.
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                (MEMBERS, self._service),
            )
            share = -(-PARTITIONS // max(1, members))
            for partition in sorted(held, reverse=True)[: max(0, len(held) - share)]:
                held.discard(partition)
                self._tell(held)  # put down before it is unlocked
                await connection.execute("SELECT pg_advisory_unlock(%s, %s)", (self._class(), partition))
            for partition in sorted(range(PARTITIONS), key=lambda one: (one not in wanted, one)):
                if len(held) >= share:
                    break
                if partition not in held and await self._one(
                    connection, "SELECT pg_try_advisory_lock(%s, %s)::int", (self._class(), partition)
                ):
                    held.add(partition)
            self._tell(held)
            self.settled.set()
            await asyncio.sleep(LOOK_S)

    async def _outlive(self, connection: psycopg.AsyncConnection[tuple[int]]) -> None:
        """Wait for the end of our session before this one: what it holds would be put down here, only to be taken up again."""
        clock = asyncio.get_running_loop().time
        end_at = clock() + OUTLIVE_S
        while self._session and clock() < end_at:
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s AND classid = %s"
            if not await self._one(connection, held, (self._session, MEMBERS)):
                return
            await asyncio.sleep(LOOK_S / 4)

    def _class(self) -> int:
        return MEMBERS + 1 + self._service

    async def _one(self, connection: psycopg.AsyncConnection[tuple[int]], sql: str, values: tuple[int, int]) -> int:
        row = await (await connection.execute(sql, values)).fetchone()
        assert row is not None
        return row[0]

    def _tell(self, held: set[int]) -> None:
        if held != self._owned:
            self._owned = set(held)
            for listener in self._listeners:
                try:
                    listener()
                except Exception:
                    log_.exception("a listener failed on a change of what is owned")
