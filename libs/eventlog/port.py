"""The port of the event log: what it promises, whoever keeps it (memory or Postgres; one conformance suite for both).

Per workspace, positions are 1, 2, 3 … without gaps, in commit order. What was appended is never changed. An append may rest on
conditions; it is refused as a whole when one no longer holds, and then nothing was written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.envelope import Recorded
from contracts.fact import Fact

MAX_FACT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to append, with its envelope; position and recording time are the log's to give."""

    id: str
    fact: Fact
    time: datetime
    correlation_id: str
    causation_id: str
    auth_id: str
    traceparent: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Nothing newer than position `after` may carry one of the tags."""

    tags: tuple[str, ...]
    after: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to where a consumer has decided (`position`), and how many rounds it has recorded (`sequence`)."""

    position: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class CheckpointMove:
    """Compare-and-set of a consumer's checkpoint in a workspace."""

    consumer: str
    old: Checkpoint
    new: Checkpoint


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """A command and its answer (JSON), kept so that a retry gets the first answer."""

    id: str
    name: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """One atomic append.

    Attributes:
        facts: in order, any number (split into statements inside one transaction); may be empty.
        conditions: all must hold.
        move: the appending service's checkpoint.
        command: kept beside the facts; when its id is known already nothing is written and `Repeated` is raised.
        decision: what led to these facts (JSON), kept under (consumer, new sequence) so that it can be decided again.
    """

    workspace_id: str
    facts: Sequence[NewFact] = ()
    conditions: tuple[Condition, ...] = ()
    move: CheckpointMove | None = None
    command: CommandAnswer | None = None
    decision: bytes | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """`head` is the workspace's position after the append; the facts fill the positions up to it."""

    head: int
    recorded: tuple[Recorded, ...]


class ConditionFailed(Exception):
    """A newer fact carries one of the tags; fold on and decide again."""


class CheckpointMoved(Exception):
    """Another owner of the workspace was faster; load the checkpoint and fold again."""


class Repeated(Exception):
    """The command was answered before; `answer` is that first answer and `head` the position it had reached."""

    def __init__(self, answer: bytes, head: int) -> None:
        super().__init__("the command was answered before")
        self.answer = answer
        self.head = head


class NotTried(Exception):
    """The append that it was to follow is not known to have taken place; this one did not."""


class Unstorable(ValueError):
    """A fact is over 256 KB, or holds a NUL character, which Postgres can not store in JSON; the message says which."""


class LogUnavailable(Exception):
    """The log can not be reached now; nothing is known about the last append (repeat it with the same ids)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A service's state after folding the log through `position`, as bytes."""

    position: int
    state_version: int
    state: bytes


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision and where its facts stand (`first`..`last`, empty when first > last)."""

    consumer: str
    sequence: int
    first: int
    last: int
    decision: bytes


OnCommit = Callable[[str, int, Sequence[Recorded]], None]
"""Called in commit order after each append of this process: workspace, new head, the facts. Must not block."""


class EventLog(Protocol):
    """The log. All methods raise `LogUnavailable` in an outage."""

    def on_commit(self, listener: OnCommit) -> None:
        """Be told of every append that this process made."""

    async def append(self, request: Append) -> Appended:
        """Append atomically. Callers at the same time share one commit (group commit).

        Raises: ConditionFailed, CheckpointMoved, Repeated, Unstorable.
        """

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        """Append several of one consumer in one workspace, in one commit where they are short.

        Each moves the checkpoint, from where the one before it moves it, and is decided as if those before it had been appended.

        Returns: for each what `append` would have returned or raised. After one that was not appended none is: whatever it is told
            (`NotTried`, `CheckpointMoved`, or what keeps it out by itself: `Repeated`, `Unstorable`), or `LogUnavailable` where nobody
            knows.
        """

    async def answered(self, workspace_id: str, command_id: str) -> tuple[bytes, int] | None:
        """The kept answer of a command and the head it reached, if it was answered."""

    async def head(self, workspace_id: str) -> int:
        """The newest position; 0 for a workspace without facts."""

    async def heads(self) -> dict[str, int]:
        """The newest position of every workspace that has facts (the sweep)."""

    async def position_at(self, workspace_id: str, time: datetime) -> int:
        """The position that the log had at a time (with its zone): its fact was recorded then or before, the next one after it. 0 when
        every fact was recorded later. Where the clock of the log was set back, one of the positions of which this is so."""

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        """Facts after a position, ascending, at most `limit`; never a gap."""

    async def read_back(self, workspace_id: str, before: int, limit: int, types: Sequence[str] = ()) -> list[Recorded]:
        """Facts before a position, descending, at most `limit`, of the given types (all when empty)."""

    async def read_types(self, workspace_id: str, after: int, limit: int, types: Sequence[str]) -> list[Recorded]:
        """Facts of the given types after a position, ascending, at most `limit`."""

    async def read_stream(self, workspace_id: str, stream: str, after: int, limit: int) -> list[Recorded]:
        """Facts of one stream after a position, ascending."""

    async def read_stream_back(self, workspace_id: str, stream: str, before: int, limit: int) -> list[Recorded]:
        """Facts of one stream before a position, descending."""

    async def read_tag(self, workspace_id: str, tag: str, after: int, limit: int) -> list[Recorded]:
        """Facts that carry a tag after a position, ascending."""

    async def read_ids(self, workspace_id: str, ids: Sequence[str]) -> list[Recorded]:
        """The facts that have one of these ids, ascending; an id of something else is left out."""

    async def read_caused(self, workspace_id: str, causes: Sequence[str], limit: int) -> list[Recorded]:
        """Facts that one of these facts or commands led to (their `causation_id`), ascending, at most `limit`."""

    async def checkpoint(self, consumer: str, workspace_id: str) -> Checkpoint:
        """Where a consumer stands; (0, 0) when it never stood anywhere."""

    async def decisions(self, workspace_id: str, consumer: str, after_sequence: int, limit: int) -> list[RecordedDecision]:
        """Decisions of a consumer, ascending by sequence."""

    async def save_snapshot(self, consumer: str, workspace_id: str, snapshot: Snapshot) -> None:
        """Keep a snapshot (in chunks); a few are kept, thinned by age: see `thinning`."""

    async def load_snapshot(
        self, consumer: str, workspace_id: str, state_version: int, at_most: int | None = None
    ) -> Snapshot | None:
        """The newest snapshot of this state version, at or before a position when one is given."""

    async def park(self, consumer: str, workspace_id: str, position: int, error: str) -> None:
        """Remember that a consumer could not handle a fact, and why: what can not be stored of an error becomes U+FFFD."""

    async def parked(self, consumer: str, workspace_id: str) -> list[tuple[int, str]]:
        """Facts that wait for a person: (position, error), unresolved only."""

    async def stage(self, staged_id: str, payload: bytes) -> None:
        """Keep a large command payload until its command was answered; again with the same id changes nothing."""

    async def staged(self, staged_id: str) -> bytes | None:
        """A staged payload."""

    async def unstage(self, staged_id: str) -> None:
        """Drop a staged payload that nobody needs any more; again changes nothing."""
