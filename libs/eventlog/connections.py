"""Connections of the log to Postgres: a few, shared, replaced at once when Postgres was away.

psycopg's own pool waits one second and more between attempts to reconnect, which a log whose database may be back after 0.3 s can
not afford; so the few lines that are needed stand here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from libs.eventlog.port import LogUnavailable

RETRY_S = 0.05
"""Pause between attempts to reach Postgres."""

PATIENCE_S = 1.0
"""How long one call keeps trying before it gives up; most restarts are over by then and nobody notices."""

OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""What psycopg raises when the connection or the server is the trouble, and not the statement. A server that takes no writes is one that
lost its place to another: the next connection finds that one."""

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Connections:
    """At most `most` connections, opened when needed.

    Args:
        conninfo: a connection string or URL of Postgres.
        most: how many may be open; further callers wait for one to be given back.
    """

    def __init__(self, conninfo: str, most: int = 8) -> None:
        self._conninfo = conninfo
        self._free = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._closed = False

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode that was alive a moment ago.

        Raises: LogUnavailable: Postgres can not be reached, or went away while the connection was in use.
        """
        async with self._free:
            connection = await self._alive()
            try:
                yield connection
            except OUTAGES as error:
                await connection.close()
                raise LogUnavailable(f"Postgres went away: {error}") from error
            finally:
                if self._closed or connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                    await connection.close()
                else:
                    self._idle.append(connection)

    async def rows(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that may be repeated without harm: it is, when Postgres goes away meanwhile.

        Raises: LogUnavailable.
        """
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                async with self.take() as connection, connection.cursor(binary=True) as cursor:
                    # What we execute are constants of this package, which the driver's type for statements can not see from here.
                    await cursor.execute(statement.encode(), parameters)
                    return await cursor.fetchall() if cursor.description is not None else []
            except LogUnavailable:
                if self._closed or asyncio.get_running_loop().time() >= end:
                    raise
            await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Close what is idle now and what is given back later. Again changes nothing."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _alive(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            await connection.close()
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            if self._closed:
                raise LogUnavailable("the log was closed")
            try:
                return await self._connect()
            except OUTAGES as error:
                if asyncio.get_running_loop().time() >= end:
                    raise LogUnavailable(f"Postgres can not be reached: {error}") from error
            await asyncio.sleep(RETRY_S)

    async def _connect(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            prepare_threshold=0,
            connect_timeout=5,
            # A server that vanished without a word is noticed within seconds (of no meaning for a Unix socket).
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
        )
        # Integers of one width: otherwise arrays change their type with the values in them, and each mix is prepared anew.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        await connection.execute("SET TIME ZONE 'UTC'")
        return connection


def _is_alive(connection: Connection) -> bool:
    """Whether the server has not closed the connection; looks at the socket, sends nothing."""
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return connection.pgconn.status == ConnStatus.OK
