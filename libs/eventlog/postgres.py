"""The log in Postgres: the source of truth of the running system.

Use: `await migrate(conninfo)` once, then `async with PostgresLog.open(conninfo) as log`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from contracts.envelope import Recorded
from libs.eventlog.committer import Committer, Outcome
from libs.eventlog.connections import Connection, Connections
from libs.eventlog.copying import copy_facts
from libs.eventlog.limits import CHUNK_BYTES, PIECE_FACTS, STAGED_KEPT_H
from libs.eventlog.port import (
    Append,
    Appended,
    Checkpoint,
    CheckpointMoved,
    ConditionFailed,
    NotTried,
    OnCommit,
    RecordedDecision,
    Repeated,
    Snapshot,
    Unstorable,
)
from libs.eventlog.prepare import FactKnown, Prepared, encoded, prepare, storable
from libs.eventlog.statements import APPEND, COLUMNS, Part, append_parameters, recorded_now, recorded_of, row_of
from libs.eventlog.thinning import surplus
from libs.eventlog.together import Together

_READ = f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND position > %s ORDER BY position LIMIT %s"
_READ_BACK = f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND position < %s ORDER BY position DESC LIMIT %s"
_READ_BACK_TYPES = (
    f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND position < %s AND type = ANY(%s) ORDER BY position DESC LIMIT %s"
)
_READ_TYPES = (
    f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND position > %s AND type = ANY(%s) ORDER BY position LIMIT %s"
)
_READ_STREAM = (
    f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND stream = %s AND version > %s ORDER BY version LIMIT %s"
)
_READ_STREAM_BACK = (
    f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND stream = %s AND version < %s ORDER BY version DESC LIMIT %s"
)
_READ_IDS = f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %s AND id = ANY(%s::uuid[]) ORDER BY position"
# The first ones of each cause, out of the index, so that a cause with many effects costs no more than what is asked for.
_READ_CAUSED = (
    f"SELECT {COLUMNS} FROM es.event WHERE workspace_id = %(workspace)s AND position IN ("
    " SELECT effect.position FROM unnest(%(causes)s::text[]) AS cause (id) CROSS JOIN LATERAL (SELECT position FROM es.event"
    " WHERE workspace_id = %(workspace)s AND (meta ->> 'causationid') COLLATE \"C\" = cause.id ORDER BY position LIMIT %(limit)s)"
    " AS effect ORDER BY effect.position LIMIT %(limit)s) ORDER BY position"
)
_READ_TAG = (
    f"SELECT {COLUMNS} FROM es.event_tag JOIN es.event USING (workspace_id, position) "
    "WHERE workspace_id = %s AND tag = %s AND position > %s ORDER BY position LIMIT %s"
)
_ANSWERED = (
    "SELECT asked.place, found.answer::text, found.head "
    "FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS asked (workspace_id, command_id, place) "
    "CROSS JOIN LATERAL (SELECT answer, head FROM es.command AS command WHERE command.workspace_id = asked.workspace_id "
    "AND command.command_id = asked.command_id LIMIT 1) AS found"
)
_HEADS = (
    "SELECT asked.place, head.position FROM unnest(%s::uuid[]) WITH ORDINALITY AS asked (workspace_id, place)"
    " JOIN es.workspace_head AS head USING (workspace_id)"
)
# Halves the positions that are left: a recording time is no key, but positions ascend with it.
_POSITION_AT = (
    "WITH RECURSIVE half (low, high) AS ("
    " SELECT 0::bigint, position + 1 FROM es.workspace_head WHERE workspace_id = %(workspace)s"
    " UNION ALL SELECT CASE WHEN was THEN middle ELSE low END, CASE WHEN was THEN high ELSE middle END FROM ("
    " SELECT low, high, (low + high) / 2 AS middle, (SELECT recorded_at <= %(time)s FROM es.event"
    " WHERE workspace_id = %(workspace)s AND position = (low + high) / 2) AS was FROM half WHERE high - low > 1) AS halved"
    ") SELECT low FROM half WHERE high - low = 1"
)
_DECISIONS = (
    "SELECT consumer, sequence, first_pos, last_pos, decision::text FROM es.decision "
    "WHERE workspace_id = %s AND consumer = %s AND sequence > %s ORDER BY sequence LIMIT %s"
)
_SNAPSHOTS = "SELECT DISTINCT position, state_version FROM es.snapshot WHERE consumer = %s AND workspace_id = %s"
_DROP_SNAPSHOT = "DELETE FROM es.snapshot WHERE consumer = %s AND workspace_id = %s AND position = %s AND state_version = %s"
_LOAD_SNAPSHOT = (
    "SELECT position, state FROM es.snapshot WHERE consumer = %(consumer)s AND workspace_id = %(workspace)s "
    "AND state_version = %(state_version)s AND position = (SELECT max(position) FROM es.snapshot WHERE consumer = %(consumer)s "
    "AND workspace_id = %(workspace)s AND state_version = %(state_version)s AND position <= %(at_most)s) ORDER BY chunk"
)
_PARK = (
    "INSERT INTO es.parked AS p (consumer, workspace_id, position, error) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (consumer, workspace_id, position) "
    "DO UPDATE SET attempts = p.attempts + 1, error = excluded.error, parked_at = now(), resolved_at = NULL"
)
_PARKED = (
    "SELECT position, error FROM es.parked WHERE consumer = %s AND workspace_id = %s AND resolved_at IS NULL ORDER BY position"
)


class PostgresLog:
    """An `EventLog` in the schema `es` of a Postgres database.

    Appends share transactions (see `committer`); reads use connections of their own. When Postgres goes away, a call keeps trying for a
    second and then raises `LogUnavailable`; the next call connects again. Only an append that was under way when Postgres went fails
    at once, because its fate is unknown.
    """

    def __init__(self, conninfo: str) -> None:
        self._connections = Connections(conninfo)
        self._committer = Committer(self._write)
        self._heads: Together[str, int] = Together(self._heads_of)
        self._answers: Together[tuple[str, str], tuple[bytes, int]] = Together(self._answers_of)

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str) -> AsyncIterator[PostgresLog]:
        """A log on a migrated database, closed at the end. Raises: LogUnavailable."""
        log = cls(conninfo)
        try:
            await log._connections.rows("SELECT 1", ())
            yield log
        finally:
            await log.close()

    async def close(self) -> None:
        """Finish appends under way and close all connections. Again changes nothing."""
        await self._committer.close()
        await self._connections.close()

    # --- appending -------------------------------------------------------------------------------------------------------------

    def on_commit(self, listener: OnCommit) -> None:
        """See `EventLog.on_commit`."""
        self._committer.on_commit(listener)

    async def append(self, request: Append) -> Appended:
        """See `EventLog.append`. Raises also `FactKnown`."""
        return await self._committer.append(await _prepared(request))

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        """See `EventLog.append_all`. May return also `FactKnown`."""
        prepared: list[Prepared] = []
        outcomes: list[Appended | Exception] = []
        try:
            for request in requests:
                prepared.append(await _prepared(request))
        except Unstorable as error:
            outcomes = [error, *(NotTried("one before it can not be stored") for _ in requests[len(prepared) + 1 :])]
        return [*await self._committer.append_all(prepared), *outcomes]

    async def _write(self, group: Sequence[Prepared]) -> list[Outcome]:
        try:
            async with self._connections.take() as connection:
                if len(group) == 1 and group[0].long:
                    return [await _write_long(connection, group[0])]
                parts = [Part(one.append, tuple(map(row_of, one.append.facts, one.payloads))) for one in group]
                return [_outcome(part, answer) for part, answer in zip(parts, await _call(connection, parts), strict=True)]
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name == "event_id_key":
                raise FactKnown(f"a fact is in the log already: {error.diag.message_detail}") from error
            raise

    # --- reading ---------------------------------------------------------------------------------------------------------------

    async def answered(self, workspace_id: str, command_id: str) -> tuple[bytes, int] | None:
        """See `EventLog.answered`."""
        return await self._answers.get((workspace_id, command_id))

    async def _answers_of(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[bytes, int]]:
        rows = await self._connections.rows(_ANSWERED, ([one for one, _ in asked], [one for _, one in asked]))
        return {asked[place - 1]: (answer.encode(), head) for place, answer, head in rows}

    async def head(self, workspace_id: str) -> int:
        """See `EventLog.head`."""
        return await self._heads.get(workspace_id) or 0

    async def _heads_of(self, workspace_ids: Sequence[str]) -> dict[str, int]:
        rows = await self._connections.rows(_HEADS, (list(workspace_ids),))
        return {workspace_ids[place - 1]: int(position) for place, position in rows}

    async def heads(self) -> dict[str, int]:
        """See `EventLog.heads`."""
        statement = "SELECT workspace_id::text, position FROM es.workspace_head WHERE position > 0 ORDER BY workspace_id"
        return dict(await self._connections.rows(statement, ()))

    async def position_at(self, workspace_id: str, time: datetime) -> int:
        """See `EventLog.position_at`."""
        rows = await self._connections.rows(_POSITION_AT, {"workspace": workspace_id, "time": time})
        return int(rows[0][0]) if rows else 0

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read`."""
        return await self._read(_READ, workspace_id, after, limit)

    async def read_back(self, workspace_id: str, before: int, limit: int, types: Sequence[str] = ()) -> list[Recorded]:
        """See `EventLog.read_back`."""
        if types:
            return await self._read(_READ_BACK_TYPES, workspace_id, before, list(types), limit)
        return await self._read(_READ_BACK, workspace_id, before, limit)

    async def read_types(self, workspace_id: str, after: int, limit: int, types: Sequence[str]) -> list[Recorded]:
        """See `EventLog.read_types`."""
        return await self._read(_READ_TYPES, workspace_id, after, list(types), limit) if types else []

    async def read_stream(self, workspace_id: str, stream: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_stream`."""
        return await self._read(_READ_STREAM, workspace_id, stream, after, limit)

    async def read_stream_back(self, workspace_id: str, stream: str, before: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_stream_back`."""
        return await self._read(_READ_STREAM_BACK, workspace_id, stream, before, limit)

    async def read_ids(self, workspace_id: str, ids: Sequence[str]) -> list[Recorded]:
        """See `EventLog.read_ids`."""
        known = [one for one in ids if _is_uuid(one)]
        return await self._read(_READ_IDS, workspace_id, known) if known else []

    async def read_caused(self, workspace_id: str, causes: Sequence[str], limit: int) -> list[Recorded]:
        """See `EventLog.read_caused`."""
        asked = {"workspace": workspace_id, "causes": list(dict.fromkeys(causes)), "limit": limit}
        rows = await self._connections.rows(_READ_CAUSED, asked)
        return [recorded_of(workspace_id, row) for row in rows]

    async def read_tag(self, workspace_id: str, tag: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_tag`."""
        return await self._read(_READ_TAG, workspace_id, tag, after, limit)

    async def _read(self, statement: str, workspace_id: str, *parameters: Any) -> list[Recorded]:
        rows = await self._connections.rows(statement, (workspace_id, *parameters))
        return [recorded_of(workspace_id, row) for row in rows]

    # --- consumers -------------------------------------------------------------------------------------------------------------

    async def checkpoint(self, consumer: str, workspace_id: str) -> Checkpoint:
        """See `EventLog.checkpoint`."""
        statement = "SELECT position, sequence FROM es.checkpoint WHERE consumer = %s AND workspace_id = %s"
        rows = await self._connections.rows(statement, (consumer, workspace_id))
        return Checkpoint(*rows[0]) if rows else Checkpoint()

    async def decisions(self, workspace_id: str, consumer: str, after_sequence: int, limit: int) -> list[RecordedDecision]:
        """See `EventLog.decisions`."""
        rows = await self._connections.rows(_DECISIONS, (workspace_id, consumer, after_sequence, limit))
        return [RecordedDecision(name, sequence, first, last, text.encode()) for name, sequence, first, last, text in rows]

    async def save_snapshot(self, consumer: str, workspace_id: str, snapshot: Snapshot) -> None:
        """See `EventLog.save_snapshot`."""
        key = (consumer, workspace_id, snapshot.position, snapshot.state_version)
        state = memoryview(snapshot.state)
        async with self._connections.take() as connection, connection.transaction():
            # Two savers of one snapshot (an old and a new owner) take turns, else the second would find half of the first's chunks.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"snapshot/{consumer}/{workspace_id}",)
            )
            await connection.execute(_DROP_SNAPSHOT, key)
            for chunk, start in enumerate(range(0, max(len(state), 1), CHUNK_BYTES)):
                await connection.execute(
                    "INSERT INTO es.snapshot (consumer, workspace_id, position, state_version, chunk, state) VALUES (%s, %s, %s, %s, %s, %b)",
                    (*key, chunk, state[start : start + CHUNK_BYTES]),
                )
            there = await (await connection.execute(_SNAPSHOTS, (consumer, workspace_id))).fetchall()
            for gone in surplus([(position, version) for position, version in there], key[2:]):
                await connection.execute(_DROP_SNAPSHOT, (consumer, workspace_id, *gone))

    async def load_snapshot(
        self, consumer: str, workspace_id: str, state_version: int, at_most: int | None = None
    ) -> Snapshot | None:
        """See `EventLog.load_snapshot`."""
        wanted = {
            "consumer": consumer,
            "workspace": workspace_id,
            "state_version": state_version,
            "at_most": 2**63 - 1 if at_most is None else at_most,
        }
        rows = await self._connections.rows(_LOAD_SNAPSHOT, wanted)
        return Snapshot(rows[0][0], state_version, b"".join(state for _, state in rows)) if rows else None

    async def park(self, consumer: str, workspace_id: str, position: int, error: str) -> None:
        """See `EventLog.park`."""
        await self._connections.rows(_PARK, (consumer, workspace_id, position, storable(error)))

    async def parked(self, consumer: str, workspace_id: str) -> list[tuple[int, str]]:
        """See `EventLog.parked`."""
        return [(position, error) for position, error in await self._connections.rows(_PARKED, (consumer, workspace_id))]

    async def stage(self, staged_id: str, payload: bytes) -> None:
        """See `EventLog.stage`."""
        statement = "INSERT INTO es.staged (id, payload) VALUES (%s, %b) ON CONFLICT DO NOTHING"
        await self._connections.rows(statement, (staged_id, payload))
        await self._connections.rows(
            "DELETE FROM es.staged WHERE staged_at < now() - make_interval(hours => %s::int)", (STAGED_KEPT_H,)
        )

    async def staged(self, staged_id: str) -> bytes | None:
        """See `EventLog.staged`."""
        rows = await self._connections.rows("SELECT payload FROM es.staged WHERE id = %s", (staged_id,))
        return bytes(rows[0][0]) if rows else None

    async def unstage(self, staged_id: str) -> None:
        """See `EventLog.unstage`."""
        await self._connections.rows("DELETE FROM es.staged WHERE id = %s", (staged_id,))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def _call(connection: Connection, parts: Sequence[Part]) -> list[tuple[Any, ...]]:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(APPEND, append_parameters(parts))
        return await cursor.fetchall()


async def _prepared(request: Append) -> Prepared:
    """The append with its payloads; a long one is encoded in pieces, with turns for others between them. Raises: Unstorable."""
    if len(request.facts) <= PIECE_FACTS:
        return prepare(request)
    payloads: list[bytes] = []
    for start in range(0, len(request.facts), PIECE_FACTS):
        payloads.extend(encoded(request.facts[start : start + PIECE_FACTS]))
        await asyncio.sleep(0)
    return Prepared(request, tuple(payloads), sum(map(len, payloads)))


async def _write_long(connection: Connection, prepared: Prepared) -> Outcome:
    """One call that decides, and a copy of the facts, in one transaction; the lock of the head is held until the end."""
    async with connection.transaction():
        part = Part(prepared.append, ())
        answer = (await _call(connection, [part]))[0]
        outcome = _outcome(part, answer)
        if not isinstance(outcome, Appended):
            return outcome
        recorded = await copy_facts(connection, prepared, outcome.head - len(prepared.payloads), answer[2])
    return Appended(outcome.head, tuple(recorded))


def _outcome(part: Part, answer: tuple[Any, ...]) -> Outcome:
    """What `es.append` said of a part, as the port puts it."""
    result, reached, recorded_at, kept = answer
    append = part.append
    match result:
        case "repeated":
            return Repeated(kept.encode(), reached)
        case "moved":
            assert append.move is not None
            return CheckpointMoved(f"{append.move.consumer} of {append.workspace_id} no longer stands at {append.move.old}")
        case "condition":
            return ConditionFailed(f"a newer fact of {append.workspace_id} carries one of the tags that the append rests on")
        case _:
            assert result == "ok", f"es.append answered {result!r}"
    first = reached - len(append.facts) + 1
    recorded = tuple(
        recorded_now(append.facts[place], row, append.workspace_id, first + place, recorded_at)
        for place, row in enumerate(part.rows)
    )
    return Appended(reached, recorded)
