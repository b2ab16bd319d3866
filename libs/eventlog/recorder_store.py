"""Where the recorder keeps its rows: the two logs, seen synchronously."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson
import psycopg
from eventsourcing.persistence import IntegrityError, OperationalError
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import ConnectionPool, PoolTimeout

from contracts.envelope import Recorded
from libs.eventlog.limits import GROUP_BYTES, GROUP_FACTS
from libs.eventlog.mapping import decode
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append
from libs.eventlog.statements import APPEND, Part, Row, append_parameters

T = TypeVar("T")

_COLUMNS = "position, stream, version, type, meta->>'originator', data::text"
_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StoredRow:
    """An event as it lies in the log; `originator` says whether the stream's name was a `uuid` or `text`."""

    position: int
    stream: str
    version: int
    topic: str
    originator: str
    data: bytes


class Store(Protocol):
    """The rows of one workspace."""

    def insert(self, rows: Sequence[Row]) -> int:
        """Append atomically; the new head. Raises: IntegrityError, OperationalError."""

    def stream(self, stream: str, gt: int, lte: int | None, desc: bool, limit: int | None) -> list[StoredRow]:
        """Rows of a stream by version."""

    def run(self, after: int, upto: int | None, limit: int, topics: Sequence[str]) -> list[StoredRow]:
        """Rows by position, of some topics (all when empty)."""

    def head(self) -> int:
        """The newest position; 0 when empty."""

    def close(self) -> None:
        """Let go of connections."""


class PostgresStore:
    """A workspace of the log in Postgres, over a pool of its own."""

    def __init__(self, conninfo: str, workspace_id: str) -> None:
        self._workspace_id = workspace_id
        self._pool = ConnectionPool(
            conninfo,
            min_size=0,
            max_size=10,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            configure=_configure,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def insert(self, rows: Sequence[Row]) -> int:
        """See `Store.insert`."""
        if not rows:
            return self.head()
        return self._run(lambda connection: self._insert(connection, rows))

    def _insert(self, connection: psycopg.Connection[Any], rows: Sequence[Row]) -> int:
        head = 0
        with connection.transaction():
            for piece in _pieces(rows):
                part = Part(Append(self._workspace_id), piece)
                answer = connection.execute(APPEND, append_parameters([part])).fetchone()
                assert answer is not None
                assert answer[0] == "ok", f"an append without conditions was answered {answer[0]}"
                head = answer[1]
        return head

    def stream(self, stream: str, gt: int, lte: int | None, desc: bool, limit: int | None) -> list[StoredRow]:
        """See `Store.stream`."""
        order = "DESC" if desc else "ASC"
        return self._select(
            f"SELECT {_COLUMNS} FROM es.event WHERE workspace_id = %s AND stream = %s AND version > %s AND version <= %s "
            f"ORDER BY version {order} LIMIT %s",
            (self._workspace_id, stream, gt, _ALL if lte is None else lte, limit),
        )

    def run(self, after: int, upto: int | None, limit: int, topics: Sequence[str]) -> list[StoredRow]:
        """See `Store.run`."""
        return self._select(
            f"SELECT {_COLUMNS} FROM es.event WHERE workspace_id = %s AND position > %s AND position <= %s "
            "AND (%s::text[] IS NULL OR type = ANY(%s)) ORDER BY position LIMIT %s",
            (self._workspace_id, after, _ALL if upto is None else upto, list(topics) or None, list(topics), limit),
        )

    def head(self) -> int:
        """See `Store.head`."""
        statement = b"SELECT position FROM es.workspace_head WHERE workspace_id = %s"
        row = self._run(lambda connection: connection.execute(statement, (self._workspace_id,)).fetchone())
        return int(row[0]) if row is not None else 0

    def close(self) -> None:
        """See `Store.close`."""
        self._pool.close()

    def _select(self, statement: str, parameters: Sequence[Any]) -> list[StoredRow]:
        rows = self._run(lambda connection: connection.execute(statement.encode(), parameters).fetchall())
        return [
            StoredRow(position, stream, version, topic, originator or "text", data.encode())
            for position, stream, version, topic, originator, data in rows
        ]

    def _run(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """What the package calls the errors that callers are to tell apart."""
        try:
            with self._pool.connection() as connection:
                return work(connection)
        except psycopg.errors.UniqueViolation as error:
            raise IntegrityError(str(error)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise OperationalError(str(error)) from error


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.adapters.register_dumper(int, Int8BinaryDumper)


class MemoryStore:
    """A workspace of the log in memory."""

    def __init__(self, log: MemoryLog, workspace_id: str) -> None:
        self._log = log
        self._workspace_id = workspace_id
        self._workspace = log.workspace(workspace_id)

    def insert(self, rows: Sequence[Row]) -> int:
        """See `Store.insert`."""
        workspace = self._workspace
        with workspace.lock:
            fresh: set[tuple[str, int]] = set()
            for row in rows:
                if row.version in workspace.versions.get(row.stream, {}) or (row.stream, row.version) in fresh:
                    raise IntegrityError(f"version {row.version} of {row.stream} is taken")
                fresh.add((row.stream, row.version))
            at = self._log.now()
            for row in rows:
                position = len(workspace.facts) + 1
                meta = orjson.loads(row.meta)
                recorded = Recorded(
                    workspace_id=self._workspace_id,
                    position=position,
                    id=row.id,
                    type=row.type,
                    stream=row.stream,
                    time=row.occurred_at,
                    recorded_time=at,
                    correlation_id=meta["correlationid"],
                    causation_id=meta["causationid"],
                    auth_id=meta["authid"],
                    traceparent=meta["traceparent"],
                    data=row.data,
                    decode=decode,
                )
                self._log.put(workspace, recorded)
                workspace.versions.setdefault(row.stream, {})[row.version] = position
                workspace.originators[position] = (row.version, meta["originator"])
            return len(workspace.facts)

    def stream(self, stream: str, gt: int, lte: int | None, desc: bool, limit: int | None) -> list[StoredRow]:
        """See `Store.stream`."""
        with self._workspace.lock:
            versions = self._workspace.versions.get(stream, {})
            wanted = sorted((one for one in versions if one > gt and (lte is None or one <= lte)), reverse=desc)
            return [self._row(versions[version]) for version in wanted[:limit]]

    def run(self, after: int, upto: int | None, limit: int, topics: Sequence[str]) -> list[StoredRow]:
        """See `Store.run`."""
        with self._workspace.lock:
            facts = self._workspace.facts
            end = len(facts) if upto is None else min(upto, len(facts))
            found: list[StoredRow] = []
            for position in range(after + 1, end + 1):
                if len(found) >= limit:
                    break
                if not topics or facts[position - 1].type in topics:
                    found.append(self._row(position))
            return found

    def head(self) -> int:
        """See `Store.head`."""
        return len(self._workspace.facts)

    def close(self) -> None:
        """See `Store.close`."""

    def _row(self, position: int) -> StoredRow:
        one = self._workspace.facts[position - 1]
        # A fact of a service among them has its position as version, as in Postgres.
        version, originator = self._workspace.originators.get(position, (position, "text"))
        return StoredRow(position, one.stream, version, one.type, originator, one.data)


def _pieces(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows cut into what one call may carry."""
    piece: list[Row] = []
    size_bytes = 0
    for row in rows:
        size_bytes += len(row.data)
        if piece and (len(piece) >= GROUP_FACTS or size_bytes > GROUP_BYTES):
            yield piece
            piece, size_bytes = [], len(row.data)
        piece.append(row)
    yield piece
