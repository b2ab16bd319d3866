"""What is said to Postgres: the parameters of `es.append`, and rows back into recorded facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contracts.envelope import Recorded
from libs.eventlog.mapping import decode
from libs.eventlog.port import Append, NewFact

APPEND = b"""SELECT result, reached, recorded, kept FROM es.append(
  %b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[],
  %b::text[], %b::text[], %b::bytea[], %b::bigint[], %b::text[], %b::bigint[],
  %b::bigint[], %b::bigint[], %b::uuid[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[], %b::bytea[], %b::bytea[],
  %b::bigint[], %b::bigint[], %b::text[])"""

COLUMNS = """position, id::text, type, stream, occurred_at, recorded_at, meta->>'correlationid', meta->>'causationid',
  meta->>'authid', meta->>'traceparent', data::text"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `es.event` to be, without its place.

    Attributes:
        version: of the row in its stream; -1 for the position.
        meta, data: JSON.
    """

    id: str
    type: str
    stream: str
    version: int
    occurred_at: datetime
    meta: bytes
    data: bytes
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A request.

    Attributes:
        append: what is asked; of the recorder it has no facts, only rows.
        rows: its facts; none of a long one, whose facts follow in the same transaction.
    """

    append: Append
    rows: Sequence[Row]


def row_of(new: NewFact, payload: bytes) -> Row:
    """The row of a new fact."""
    meta = {
        "correlationid": new.correlation_id,
        "causationid": new.causation_id,
        "authid": new.auth_id,
        "traceparent": new.traceparent,
    }
    return Row(new.id, new.fact.TYPE, new.fact.stream, -1, new.time, orjson.dumps(meta), payload, new.tags)


def append_parameters(parts: Sequence[Part]) -> tuple[list[Any], ...]:
    """Parameters of `APPEND`, in order, for parts sorted by workspace."""
    workspaces = sorted({part.append.workspace_id for part in parts})
    place = {workspace_id: number for number, workspace_id in enumerate(workspaces, 1)}
    led = [_lead(part) for part in parts]
    tested = [
        (number, tag, condition.after)
        for number, part in enumerate(parts, 1)
        for condition in part.append.conditions
        for tag in condition.tags
    ]
    facts = [(number, ordinal, row) for number, part in enumerate(parts, 1) for ordinal, row in enumerate(part.rows, 1)]
    tags = [(number, ordinal, tag) for number, ordinal, row in facts for tag in dict.fromkeys(row.tags)]
    return (
        workspaces,
        [place[part.append.workspace_id] for part in parts],
        [len(part.rows) for part in parts],
        *_columns(led, 10),
        *_columns(tested, 3),
        [number for number, _, _ in facts],
        [ordinal for _, ordinal, _ in facts],
        [row.id for _, _, row in facts],
        [row.type for _, _, row in facts],
        [row.stream for _, _, row in facts],
        [row.version for _, _, row in facts],
        [row.occurred_at for _, _, row in facts],
        [row.meta for _, _, row in facts],
        [row.data for _, _, row in facts],
        *_columns(tags, 3),
    )


def _lead(part: Part) -> tuple[Any, ...]:
    """p_total … p_answer of one part."""
    append = part.append
    move, command = append.move, append.command
    moved: tuple[Any, ...] = ("", -1, -1, -1, -1, b"")
    if move is not None:
        places = (move.old.position, move.old.sequence, move.new.position, move.new.sequence)
        moved = (move.consumer, *places, append.decision or b"")
    answered = ("", "", b"") if command is None else (command.id, command.name, command.answer)
    return (len(append.facts) or len(part.rows), *moved, *answered)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> Iterable[list[Any]]:
    return ([row[column] for row in rows] for column in range(width))


def recorded_of(workspace_id: str, row: tuple[Any, ...]) -> Recorded:
    """A row of `COLUMNS` as a recorded fact, decoded when somebody looks at it."""
    position, id_, type_, stream, occurred_at, recorded_at, correlation_id, causation_id, auth_id, traceparent, data = row
    return Recorded(
        workspace_id=workspace_id,
        position=position,
        id=id_,
        type=type_,
        stream=stream,
        time=occurred_at,
        recorded_time=recorded_at,
        correlation_id=correlation_id,
        causation_id=causation_id,
        auth_id=auth_id,
        traceparent=traceparent,
        data=data.encode(),
        decode=decode,
    )


def recorded_now(new: NewFact, row: Row, workspace_id: str, position: int, recorded_at: datetime) -> Recorded:
    """A fact that was just appended; the fact at hand is not decoded again."""
    return Recorded(
        workspace_id=workspace_id,
        position=position,
        id=row.id,
        type=row.type,
        stream=row.stream,
        time=row.occurred_at,
        recorded_time=recorded_at,
        correlation_id=new.correlation_id,
        causation_id=new.causation_id,
        auth_id=new.auth_id,
        traceparent=new.traceparent,
        data=row.data,
        decode=decode,
        fact=new.fact,
    )
