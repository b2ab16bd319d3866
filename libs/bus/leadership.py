"""Which of all processes leads: the one that holds a session advisory lock in Postgres."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg

LOOK_S = 0.25
LOCK = (0x5AFF, 0)
"""Advisory lock (class, object); the classes above belong to the leases of services."""

log_ = logging.getLogger("signalbox.bus")


class Leadership:
    """Whether this process leads. The lock goes with its connection, so a dead leader is replaced at the next look.

    Attributes:
        held: whether this process believes that it leads. Two believers for a moment must do no harm.
    """

    def __init__(self, conninfo: str | None) -> None:
        """Name the database. None: there is only one process, it always leads."""
        self.held = False
        self._conninfo = conninfo

    async def run(self, gained: Callable[[], Awaitable[None]]) -> None:
        """Try for ever to lead; `gained` is awaited after each success, before `held` is set. Ends by being cancelled."""
        while True:
            try:
                if self._conninfo is None:
                    await self._alone(gained)
                else:
                    await self._hold(self._conninfo, gained)
            except (psycopg.Error, TimeoutError) as error:
                log_.info("connection of the relay's lock lost, it is taken again: %s", error)
            finally:
                self.held = False
            await asyncio.sleep(LOOK_S)

    async def _alone(self, gained: Callable[[], Awaitable[None]]) -> None:
        await gained()
        self.held = True
        await asyncio.Event().wait()

    async def _hold(self, conninfo: str, gained: Callable[[], Awaitable[None]]) -> None:
        connection = await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, connect_timeout=5, keepalives_idle=2, keepalives_interval=1, keepalives_count=3
        )
        async with connection:
            while True:
                # Repeated by the holder, too: nothing else tells it that the session, and with it the lock, is gone.
                async with asyncio.timeout(5):
                    taken = await self._taken(connection)
                if taken and not self.held:
                    await gained()
                    self.held = True
                await asyncio.sleep(LOOK_S)

    async def _taken(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> bool:
        if self.held:
            await connection.execute("SELECT 1")
            return True
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)).fetchone()
        return row is not None and row[0] is True
