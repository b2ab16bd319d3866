"""The log in memory: for tests and the simulation. It promises exactly what the Postgres log promises, except to outlive the process."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from contracts.envelope import Recorded
from libs.eventlog.mapping import decode
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
)
from libs.eventlog.prepare import FactKnown, Prepared, prepare, storable
from libs.eventlog.thinning import surplus


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Workspace:
    """What the log holds of one workspace; position p stands at index p - 1.

    Attributes:
        ids: position of each fact, by its id.
        streams, tags, caused: positions of a stream's facts, of those that carry a tag, of those that something led to, ascending.
        versions, originators: of what the recorder wrote: position by stream and version; version and kind of id by position.
        commands: kept answer of each command, and the head it reached.
    """

    facts: list[Recorded] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    streams: dict[str, list[int]] = field(default_factory=dict)
    tags: dict[str, list[int]] = field(default_factory=dict)
    caused: dict[str, list[int]] = field(default_factory=dict)
    versions: dict[str, dict[int, int]] = field(default_factory=dict)
    originators: dict[int, tuple[int, str]] = field(default_factory=dict)
    commands: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    decisions: dict[str, dict[int, RecordedDecision]] = field(default_factory=dict)
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict)
    parked: dict[str, dict[int, str]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


class MemoryLog:
    """An `EventLog` that keeps everything in this process.

    Args:
        now: the clock that gives `recorded_time`; virtual in the simulation.
    """

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self.now = now
        self._workspaces: dict[str, Workspace] = {}
        self._staged: dict[str, bytes] = {}
        self._listeners: list[OnCommit] = []

    def on_commit(self, listener: OnCommit) -> None:
        """See `EventLog.on_commit`."""
        self._listeners.append(listener)

    async def append(self, request: Append) -> Appended:
        """See `EventLog.append`. Raises also `FactKnown`."""
        prepared = prepare(request)
        workspace = self.workspace(request.workspace_id)
        # Only the recorder, which is synchronous, may be at work in another thread.
        with workspace.lock:
            self._check(workspace, request)
            recorded = self._record(workspace, prepared)
        for listener in self._listeners:
            listener(request.workspace_id, len(workspace.facts), recorded)
        return Appended(len(workspace.facts), recorded)

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        """See `EventLog.append_all`."""
        outcomes: list[Appended | Exception] = []
        for request in requests:
            try:
                outcomes.append(await self.append(request))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this one's
                outcomes.append(error)
                break
        return [*outcomes, *(NotTried("one before it was not appended") for _ in requests[len(outcomes) :])]

    def workspace(self, workspace_id: str) -> Workspace:
        """What is held of a workspace, to be changed only by this log and its recorder."""
        return self._workspaces.setdefault(workspace_id, Workspace())

    def _check(self, workspace: Workspace, request: Append) -> None:
        if request.command is not None and (kept := workspace.commands.get(request.command.id)) is not None:
            raise Repeated(*kept)
        move = request.move
        if move is not None and workspace.checkpoints.get(move.consumer, Checkpoint()) != move.old:
            raise CheckpointMoved(f"{move.consumer} of {request.workspace_id} no longer stands at {move.old}")
        for condition in request.conditions:
            for tag in condition.tags:
                positions = workspace.tags.get(tag)
                if positions and positions[-1] > condition.after:
                    raise ConditionFailed(f"{tag} was recorded at {positions[-1]}, after {condition.after}")
        fresh: set[str] = set()
        for new in request.facts:
            if new.id in workspace.ids or new.id in fresh:
                raise FactKnown(f"fact {new.id} is in the log of {request.workspace_id} already")
            fresh.add(new.id)

    def _record(self, workspace: Workspace, prepared: Prepared) -> tuple[Recorded, ...]:
        request = prepared.append
        at = self.now()
        first = len(workspace.facts) + 1
        recorded = tuple(
            Recorded(
                workspace_id=request.workspace_id,
                position=position,
                id=new.id,
                type=new.fact.TYPE,
                stream=new.fact.stream,
                time=new.time,
                recorded_time=at,
                correlation_id=new.correlation_id,
                causation_id=new.causation_id,
                auth_id=new.auth_id,
                traceparent=new.traceparent,
                data=payload,
                decode=decode,
                fact=new.fact,
            )
            for position, (new, payload) in enumerate(zip(request.facts, prepared.payloads, strict=True), first)
        )
        for new, one in zip(request.facts, recorded, strict=True):
            self.put(workspace, one, new.tags)
        head = len(workspace.facts)
        if request.command is not None:
            workspace.commands[request.command.id] = (request.command.answer, head)
        if (move := request.move) is not None:
            workspace.checkpoints[move.consumer] = move.new
            if request.decision is not None:
                decision = RecordedDecision(move.consumer, move.new.sequence, first, head, request.decision)
                workspace.decisions.setdefault(move.consumer, {})[move.new.sequence] = decision
        return recorded

    def put(self, workspace: Workspace, recorded: Recorded, tags: Iterable[str] = ()) -> None:
        """Add a fact at the end; the caller gave it the next position."""
        assert recorded.position == len(workspace.facts) + 1, f"{recorded!r} after {len(workspace.facts)}"
        workspace.facts.append(recorded)
        workspace.ids[recorded.id] = recorded.position
        workspace.streams.setdefault(recorded.stream, []).append(recorded.position)
        workspace.caused.setdefault(recorded.causation_id, []).append(recorded.position)
        for tag in dict.fromkeys(tags):
            workspace.tags.setdefault(tag, []).append(recorded.position)

    # --- reading ---------------------------------------------------------------------------------------------------------------

    async def answered(self, workspace_id: str, command_id: str) -> tuple[bytes, int] | None:
        """See `EventLog.answered`."""
        return self._seen(workspace_id).commands.get(command_id)

    async def head(self, workspace_id: str) -> int:
        """See `EventLog.head`."""
        return len(self._seen(workspace_id).facts)

    async def heads(self) -> dict[str, int]:
        """See `EventLog.heads`."""
        return {workspace_id: len(one.facts) for workspace_id, one in sorted(self._workspaces.items()) if one.facts}

    async def position_at(self, workspace_id: str, time: datetime) -> int:
        """See `EventLog.position_at`."""
        return bisect_right(self._seen(workspace_id).facts, time, key=lambda one: one.recorded_time)

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read`."""
        after = max(after, 0)
        return self._seen(workspace_id).facts[after : after + limit]

    async def read_back(self, workspace_id: str, before: int, limit: int, types: Sequence[str] = ()) -> list[Recorded]:
        """See `EventLog.read_back`."""
        facts = self._seen(workspace_id).facts
        wanted = frozenset(types)
        found: list[Recorded] = []
        for index in range(min(before - 1, len(facts)) - 1, -1, -1):
            if len(found) >= limit:
                break
            if not wanted or facts[index].type in wanted:
                found.append(facts[index])
        return found

    async def read_types(self, workspace_id: str, after: int, limit: int, types: Sequence[str]) -> list[Recorded]:
        """See `EventLog.read_types`."""
        wanted = frozenset(types)
        found: list[Recorded] = []
        for one in self._seen(workspace_id).facts[max(after, 0) :]:
            if len(found) >= limit:
                break
            if one.type in wanted:
                found.append(one)
        return found

    async def read_stream(self, workspace_id: str, stream: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_stream`."""
        workspace = self._seen(workspace_id)
        return self._after(workspace, workspace.streams.get(stream, ()), after, limit)

    async def read_stream_back(self, workspace_id: str, stream: str, before: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_stream_back`."""
        workspace = self._seen(workspace_id)
        positions = workspace.streams.get(stream, [])
        end = bisect_left(positions, before)
        return [workspace.facts[position - 1] for position in reversed(positions[max(end - limit, 0) : end])]

    async def read_tag(self, workspace_id: str, tag: str, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read_tag`."""
        workspace = self._seen(workspace_id)
        return self._after(workspace, workspace.tags.get(tag, ()), after, limit)

    async def read_ids(self, workspace_id: str, ids: Sequence[str]) -> list[Recorded]:
        """See `EventLog.read_ids`."""
        workspace = self._seen(workspace_id)
        return [workspace.facts[position - 1] for position in sorted({workspace.ids[one] for one in ids if one in workspace.ids})]

    async def read_caused(self, workspace_id: str, causes: Sequence[str], limit: int) -> list[Recorded]:
        """See `EventLog.read_caused`."""
        workspace = self._seen(workspace_id)
        positions = sorted(position for one in dict.fromkeys(causes) for position in workspace.caused.get(one, ()))
        return [workspace.facts[position - 1] for position in positions[:limit]]

    def _seen(self, workspace_id: str) -> Workspace:
        """A workspace to read from; asking about an unknown one leaves no trace."""
        return self._workspaces.get(workspace_id) or Workspace()

    @staticmethod
    def _after(workspace: Workspace, positions: Sequence[int], after: int, limit: int) -> list[Recorded]:
        start = bisect_right(positions, after)
        return [workspace.facts[position - 1] for position in positions[start : start + limit]]

    # --- consumers -------------------------------------------------------------------------------------------------------------

    async def checkpoint(self, consumer: str, workspace_id: str) -> Checkpoint:
        """See `EventLog.checkpoint`."""
        return self._seen(workspace_id).checkpoints.get(consumer, Checkpoint())

    async def decisions(self, workspace_id: str, consumer: str, after_sequence: int, limit: int) -> list[RecordedDecision]:
        """See `EventLog.decisions`."""
        kept = self._seen(workspace_id).decisions.get(consumer, {})
        return [kept[sequence] for sequence in sorted(kept) if sequence > after_sequence][:limit]

    async def save_snapshot(self, consumer: str, workspace_id: str, snapshot: Snapshot) -> None:
        """See `EventLog.save_snapshot`."""
        kept = self.workspace(workspace_id).snapshots.setdefault(consumer, [])
        same = (snapshot.position, snapshot.state_version)
        kept[:] = [one for one in kept if (one.position, one.state_version) != same]
        kept.insert(bisect_left([(one.position, one.state_version) for one in kept], same), snapshot)
        gone = set(surplus([(one.position, one.state_version) for one in kept], same))
        kept[:] = [one for one in kept if (one.position, one.state_version) not in gone]

    async def load_snapshot(
        self, consumer: str, workspace_id: str, state_version: int, at_most: int | None = None
    ) -> Snapshot | None:
        """See `EventLog.load_snapshot`."""
        for one in reversed(self._seen(workspace_id).snapshots.get(consumer, [])):
            if one.state_version == state_version and (at_most is None or one.position <= at_most):
                return one
        return None

    async def park(self, consumer: str, workspace_id: str, position: int, error: str) -> None:
        """See `EventLog.park`."""
        self.workspace(workspace_id).parked.setdefault(consumer, {})[position] = storable(error)

    async def parked(self, consumer: str, workspace_id: str) -> list[tuple[int, str]]:
        """See `EventLog.parked`."""
        return sorted(self._seen(workspace_id).parked.get(consumer, {}).items())

    async def stage(self, staged_id: str, payload: bytes) -> None:
        """See `EventLog.stage`."""
        self._staged.setdefault(staged_id, payload)

    async def staged(self, staged_id: str) -> bytes | None:
        """See `EventLog.staged`."""
        return self._staged.get(staged_id)

    async def unstage(self, staged_id: str) -> None:
        """See `EventLog.unstage`."""
        self._staged.pop(staged_id, None)
