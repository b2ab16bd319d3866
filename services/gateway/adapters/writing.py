"""Writes the read tables in Postgres: rows and checkpoint of a round in one transaction, a few set-based statements whatever its size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import NoReturn

import psycopg
from psycopg.sql import SQL

from contracts.shapes import Json
from libs.eventlog.connections import OUTAGES, Connection
from services.gateway.adapters.searching import table_name, text_of
from services.gateway.json_text import dump
from services.gateway.rows import FIELDS, TABLES, Change, DeleteWhere, Step, Table, compact
from services.gateway.store import RowsRefused, StoreUnavailable

_LEASE = 0x5B00_7265_6164
"""Advisory lock of the one process that projects."""

_REFUSED = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
"""What the tables say to rows that they can not hold."""

Shown = tuple[int, Sequence[Change]]
"""A position, and what its fact does to the rows."""

_PUT = SQL(
    "INSERT INTO {table} AS row (workspace_id, id, since, doc)"
    " SELECT %s::uuid, new.id, new.since, convert_from(new.doc, 'UTF8')::jsonb"
    " FROM unnest(%s::text[], %s::bigint[], %b::bytea[]) AS new (id, since, doc)"
    " ON CONFLICT (workspace_id, id) DO UPDATE SET doc = excluded.doc"
)
_MERGE = SQL(
    "UPDATE {table} AS row SET doc = convert_from(new.first, 'UTF8')::jsonb || row.doc || convert_from(new.doc, 'UTF8')::jsonb"
    " FROM unnest(%s::text[], %b::bytea[], %b::bytea[]) AS new (id, first, doc)"
    " WHERE row.workspace_id = %s::uuid AND row.id = new.id RETURNING row.id"
)
_DELETE = SQL("DELETE FROM {table} WHERE workspace_id = %s::uuid AND id = ANY(%s)")
_DELETE_WHERE = SQL("DELETE FROM {table} WHERE workspace_id = %s::uuid AND {field} = %s")


class PostgresSink:
    """A `Sink` over the tables of schema `read`. The lease lives in the very connection that writes, so a lost one fences itself."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None
        self._leading = False

    async def close(self) -> None:
        """See `Sink.close`; again changes nothing."""
        connection, self._connection, self._leading = self._connection, None, False
        if connection is not None:
            await connection.close()

    async def lead(self) -> bool:
        """See `Sink.lead`."""
        if self._leading:
            return True
        connection = await self._open()
        try:
            row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LEASE,))).fetchone()
        except OUTAGES as error:
            await self._lost(error)
        self._leading = row is not None and row[0] is True
        return self._leading

    async def checkpoint(self, workspace_id: str) -> int:
        """See `Sink.checkpoint`."""
        connection = await self._open()
        try:
            cursor = await connection.execute(
                "SELECT position FROM read.checkpoint WHERE workspace_id = %s::uuid", (workspace_id,)
            )
            row = await cursor.fetchone()
        except OUTAGES as error:
            await self._lost(error)
        return int(row[0]) if row is not None else 0

    async def apply(self, workspace_id: str, old: int, new: int, changes: Sequence[Change]) -> bool:
        """See `Sink.apply`."""
        steps = compact(changes)
        connection = await self._open()
        try:
            async with connection.transaction():
                if not await self._move(connection, workspace_id, old, new):
                    return False
                for step in steps:
                    await self._step(connection, workspace_id, step)
        except _REFUSED as error:
            raise RowsRefused(f"positions {old + 1} to {new}: {error}") from error
        except psycopg.Error as error:
            await self._lost(error)
        return True

    async def replace(
        self, workspace_id: str, rounds: AsyncIterator[Sequence[Shown]], park: Callable[[int, Exception], Awaitable[None]]
    ) -> int:
        """Throw the rows of a workspace away and write others, in one transaction: until it ends readers see the rows that were there.

        A projector that runs meanwhile waits at the checkpoint, and goes on from where that is afterwards.

        Args:
            rounds: positions, ascending, and what their facts do to the rows.
            park: told of each fact whose rows the tables can not hold; they are left out.

        Returns: the position that the rows have reached.
        Raises: StoreUnavailable: nothing was changed.
        """
        connection, reached = await self._open(), 0
        try:
            async with connection.transaction():
                # The row of the checkpoint first, as a projector does, so that the two never wait for each other.
                await connection.execute(
                    "INSERT INTO read.checkpoint (workspace_id, position) VALUES (%s::uuid, 0)"
                    " ON CONFLICT (workspace_id) DO UPDATE SET position = 0",
                    (workspace_id,),
                )
                for table in TABLES:
                    query = SQL("DELETE FROM {} WHERE workspace_id = %s::uuid").format(table_name(table))
                    await connection.execute(query, (workspace_id,))
                async for facts in rounds:
                    try:
                        await self._written(connection, workspace_id, facts)
                    except _REFUSED:
                        await self._one_by_one(connection, workspace_id, facts, park)
                    reached = facts[-1][0]
                await connection.execute(
                    "UPDATE read.checkpoint SET position = %s WHERE workspace_id = %s::uuid", (reached, workspace_id)
                )
        except psycopg.Error as error:
            await self._lost(error)
        return reached

    async def _written(self, connection: Connection, workspace_id: str, facts: Sequence[Shown]) -> None:
        async with connection.transaction():
            for step in compact(change for _, changes in facts for change in changes):
                await self._step(connection, workspace_id, step)

    async def _one_by_one(
        self,
        connection: Connection,
        workspace_id: str,
        facts: Sequence[Shown],
        park: Callable[[int, Exception], Awaitable[None]],
    ) -> None:
        for one in facts:
            try:
                await self._written(connection, workspace_id, (one,))
            except _REFUSED as error:
                await park(one[0], error)

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._leading = False
            try:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._conninfo,
                    autocommit=True,
                    connect_timeout=2,
                    # Seconds, not hours, until the server gives up a dead process and another one may lead.
                    keepalives_idle=2,
                    keepalives_interval=1,
                    keepalives_count=3,
                )
                # A lost round is made again from the log: nothing is gained by waiting for the disk.
                await self._connection.execute("SET synchronous_commit TO off")
            except OUTAGES as error:
                await self._lost(error)
        assert self._connection is not None
        return self._connection

    async def _lost(self, error: Exception) -> NoReturn:
        await self.close()
        raise StoreUnavailable(f"the read tables can not be reached: {error}") from error

    async def _move(self, connection: Connection, workspace_id: str, old: int, new: int) -> bool:
        if old == 0:
            sql = "INSERT INTO read.checkpoint (workspace_id, position) VALUES (%s::uuid, %s) ON CONFLICT DO NOTHING"
            cursor = await connection.execute(sql, (workspace_id, new))
        else:
            sql = "UPDATE read.checkpoint SET position = %s WHERE workspace_id = %s::uuid AND position = %s"
            cursor = await connection.execute(sql, (new, workspace_id, old))
        return cursor.rowcount == 1

    async def _step(self, connection: Connection, workspace_id: str, step: Step) -> None:
        if step.where is not None:
            await self._delete_where(connection, workspace_id, step.where)
        for table, ids in step.deletes.items():
            if ids:
                await connection.execute(_DELETE.format(table=table_name(table)), (workspace_id, sorted(ids)))
        for table, rows in step.puts.items():
            await self._put(connection, workspace_id, table, rows)
        for table, merges in step.merges.items():
            await self._merge(connection, workspace_id, table, merges)

    async def _delete_where(self, connection: Connection, workspace_id: str, where: DeleteWhere) -> None:
        assert where.field in FIELDS[where.table]
        query = _DELETE_WHERE.format(table=table_name(where.table), field=text_of(where.field))
        await connection.execute(query, (workspace_id, where.value))

    async def _put(self, connection: Connection, workspace_id: str, table: Table, rows: Mapping[str, tuple[int, Json]]) -> None:
        if rows:
            documents = [dump(doc) for _, doc in rows.values()]
            values = (workspace_id, list(rows), [since for since, _ in rows.values()], documents)
            await connection.execute(_PUT.format(table=table_name(table)), values)

    async def _merge(
        self, connection: Connection, workspace_id: str, table: Table, rows: Mapping[str, tuple[int, Json, Json]]
    ) -> None:
        if not rows:
            return
        first = [dump(one[1]) for one in rows.values()]
        documents = [dump(one[2]) for one in rows.values()]
        cursor = await connection.execute(_MERGE.format(table=table_name(table)), (list(rows), first, documents, workspace_id))
        known = {row[0] for row in await cursor.fetchall()}
        made = {row_id: (one[0], {**one[1], **one[2]}) for row_id, one in rows.items() if row_id not in known}
        await self._put(connection, workspace_id, table, made)
