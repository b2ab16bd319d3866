"""A persistence module of the `eventsourcing` package: its Application and Repository on our log (one application = one workspace).

Set `PERSISTENCE_MODULE=libs.eventlog.recorder`, `EVENTLOG_WORKSPACE=<uuid>` and, for Postgres, `EVENTLOG_CONNINFO`; without it the log is
in memory and belongs to the factory. It is synchronous and meant for imports, tools and tests; services append through `EventLog`.

An event of the package becomes a fact whose stream is the originator's id, whose version is the originator's version (so that a stale
save is refused by the log's unique key), and whose type is the topic. The state stays readable in SQL when it is a JSON object; anything
else, such as encrypted bytes, is kept as base64.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)

from libs.eventlog.memory import MemoryLog
from libs.eventlog.recorder_store import MemoryStore, PostgresStore, Store, StoredRow
from libs.eventlog.statements import Row

_WRAPPED = "$base64"
_POLL_S = 0.05
_PAGE = 500


class LogAggregateRecorder(AggregateRecorder):
    """Events of single streams."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append atomically. Raises: IntegrityError: a version of a stream is taken."""
        self._insert(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of a stream with `gt` < version <= `lte`, by version."""
        rows = self.store.stream(str(originator_id), -1 if gt is None else gt, lte, desc, limit)
        return [StoredEvent(_originator(row), row.version, row.topic, _unwrap(row.data)) for row in rows]

    def _insert(self, stored_events: Sequence[StoredEvent]) -> int:
        now = datetime.now(UTC)
        return self.store.insert([_row(one, now) for one in stored_events])


class LogApplicationRecorder(LogAggregateRecorder, ApplicationRecorder):
    """Events of a workspace; notification ids are its positions, gapless and in commit order."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append atomically; the positions. Raises: IntegrityError: a version of a stream is taken."""
        if not stored_events:
            return []
        head = self._insert(stored_events)
        return list(range(head - len(stored_events) + 1, head + 1))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events from a position to another, ascending."""
        after = 0 if start is None else start - int(inclusive_of_start)
        return [
            Notification(
                id=row.position,
                originator_id=_originator(row),
                originator_version=row.version,
                topic=row.topic,
                state=_unwrap(row.data),
            )
            for row in self.store.run(max(after, 0), stop, limit, topics)
        ]

    def max_notification_id(self) -> int | None:
        """The head; None for an empty workspace."""
        return self.store.head() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> PollingSubscription:
        """Events after a position, now and as they come."""
        return PollingSubscription(self, gt, topics)


class PollingSubscription(Subscription[LogApplicationRecorder]):
    """Looks at the log every 50 ms. The log sends no NOTIFY, which would slow every append down for the sake of a tool."""

    def __init__(self, recorder: LogApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._page: deque[Notification] = deque()
        self._ended = Event()

    def stop(self) -> None:
        """End the iteration, at once."""
        super().stop()
        self._ended.set()

    def __next__(self) -> Notification:
        while not self._ended.is_set():
            if self._page:
                return self._page.popleft()
            found = self._recorder.select_notifications(
                self._last_notification_id, _PAGE, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._page.extend(found)
                self._last_notification_id = found[-1].id
            else:
                self._ended.wait(_POLL_S)
        raise StopIteration


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes recorders on one workspace of one log."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        workspace_id = self.env.get("EVENTLOG_WORKSPACE")
        if not workspace_id:
            raise InfrastructureFactoryError("EVENTLOG_WORKSPACE is not set: give the uuid of the application's workspace")
        conninfo = self.env.get("EVENTLOG_CONNINFO")
        self._store: Store = PostgresStore(conninfo, workspace_id) if conninfo else MemoryStore(MemoryLog(), workspace_id)

    def close(self) -> None:
        """Close the connections. Again changes nothing."""
        self._store.close()

    def application_recorder(self) -> LogApplicationRecorder:
        """A recorder of the workspace."""
        return LogApplicationRecorder(self._store)

    def aggregate_recorder(self, purpose: str = "events") -> LogAggregateRecorder:
        """A recorder of single streams. Raises: InfrastructureFactoryError for snapshots, which can be remade and so are no facts."""
        if purpose != "events":
            raise InfrastructureFactoryError(f"the log keeps events only, not {purpose}: leave IS_SNAPSHOTTING_ENABLED off")
        return LogAggregateRecorder(self._store)

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        """Refuses: consumers keep their place in checkpoints, which move together with what they append."""
        raise InfrastructureFactoryError("the log has checkpoints instead of tracking records: write a service to follow it")

    def process_recorder(self) -> ProcessRecorder:
        """Refuses, for the same reason."""
        raise InfrastructureFactoryError("the log has checkpoints instead of tracking records: write a service to follow it")


def _row(event: StoredEvent, now: datetime) -> Row:
    stream, version = str(event.originator_id), event.originator_version
    assert version >= 0, f"version {version} of {stream}: versions count from 0 or 1"
    id_ = str(uuid5(NAMESPACE_URL, f"{stream}/{version}"))
    meta = {
        "correlationid": id_,
        "causationid": id_,
        "authid": "service:recorder",
        "traceparent": "",
        "originator": "uuid" if isinstance(event.originator_id, UUID) else "text",
    }
    return Row(id_, event.topic, stream, version, now, orjson.dumps(meta), _wrap(event.state))


def _originator(row: StoredRow) -> UUID | str:
    return UUID(row.stream) if row.originator == "uuid" else row.stream


def _wrap(state: bytes) -> bytes:
    try:
        readable = isinstance(value := orjson.loads(state), dict) and _WRAPPED not in value and b"\\u0000" not in state
    except orjson.JSONDecodeError:
        readable = False
    if readable:
        return state
    return orjson.dumps({_WRAPPED: b64encode(state).decode()})


def _unwrap(data: bytes) -> bytes:
    if _WRAPPED.encode() not in data:
        return data
    wrapped = orjson.loads(data).get(_WRAPPED)
    return data if wrapped is None else b64decode(wrapped)
