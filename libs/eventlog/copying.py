"""A long append: decided by one call of `es.append`, its facts copied in by the same transaction.

Rows are sent in the binary form of COPY, in pieces, so that nothing is written out twice and whoever shares the process gets turns. The
call reserves the positions and holds the lock of the head until the commit; it is told of no facts, so the head is moved here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Final
from uuid import UUID

from contracts.envelope import Recorded
from libs.eventlog.connections import Connection
from libs.eventlog.limits import PIECE_FACTS
from libs.eventlog.prepare import Prepared
from libs.eventlog.statements import Row, recorded_now, row_of

_COPY: Final = """COPY es.event (workspace_id, position, id, type, stream, version, occurred_at, recorded_at, meta, data)
  FROM STDIN (FORMAT BINARY)"""
_TAGS: Final = """INSERT INTO es.event_tag (workspace_id, tag, position)
  SELECT %s::uuid, t.tag, t.position FROM unnest(%s::text[], %s::bigint[]) AS t (tag, position)"""
_HEAD: Final = "UPDATE es.workspace_head SET position = %s WHERE workspace_id = %s"

_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_IDS: Final = Struct("!hi16siqi16si")
"""Number of columns; workspace, position, id; length of the type. Each value comes after its length in bytes."""
_STREAM: Final = Struct("!i")
_PLACE: Final = Struct("!iqiqiqi")
"""Version, time, recording time; length of the meta data."""
_DATA: Final = Struct("!i")
_JSONB: Final = b"\x01"
"""Version of the binary form of jsonb: JSON text follows."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


async def copy_facts(connection: Connection, prepared: Prepared, base: int, recorded_at: datetime) -> list[Recorded]:
    """Write the facts of an append behind position `base`, in a transaction that has reserved their positions. Returns: them, recorded."""
    append = prepared.append
    recorded: list[Recorded] = []
    tags: list[tuple[str, int]] = []
    async with connection.cursor() as cursor:
        async with cursor.copy(_COPY) as copy:
            await copy.write(_BEGIN)
            for start in range(0, len(append.facts), PIECE_FACTS):
                facts = append.facts[start : start + PIECE_FACTS]
                rows = [row_of(new, payload) for new, payload in zip(facts, prepared.payloads[start:], strict=False)]
                first = base + start + 1
                for position, (new, row) in enumerate(zip(facts, rows, strict=True), first):
                    recorded.append(recorded_now(new, row, append.workspace_id, position, recorded_at))
                    tags.extend((tag, position) for tag in dict.fromkeys(row.tags))
                await copy.write(b"".join(_packed(rows, append.workspace_id, first, recorded_at)))
                await asyncio.sleep(0)
            await copy.write(_END)
        if tags:
            await cursor.execute(_TAGS, (append.workspace_id, [tag for tag, _ in tags], [position for _, position in tags]))
        await cursor.execute(_HEAD, (base + len(append.facts), append.workspace_id))
    return recorded


def _packed(rows: Sequence[Row], workspace_id: str, first: int, recorded_at: datetime) -> Iterator[bytes]:
    workspace = UUID(workspace_id).bytes
    recorded_us = _microseconds(recorded_at)
    occurred_at, occurred_us = recorded_at, recorded_us
    for position, row in enumerate(rows, first):
        if row.occurred_at is not occurred_at:  # facts of one round share their time
            occurred_at, occurred_us = row.occurred_at, _microseconds(row.occurred_at)
        type_, stream = row.type.encode(), row.stream.encode()
        version = position if row.version < 0 else row.version
        yield _IDS.pack(10, 16, workspace, 8, position, 16, bytes.fromhex(row.id.replace("-", "")), len(type_))
        yield type_
        yield _STREAM.pack(len(stream))
        yield stream
        yield _PLACE.pack(8, version, 8, occurred_us, 8, recorded_us, len(row.meta) + 1)
        yield _JSONB
        yield row.meta
        yield _DATA.pack(len(row.data) + 1)
        yield _JSONB
        yield row.data


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
