"""What is new, shared by everything in one process: the newest facts of each workspace, decoded once.

Three sources offer facts: appends of this process, ranges from the bus, and reads of the log. Each is only a hint; a reader asks for
"what comes after position P" and gets a run without gaps, from memory when it is there, else from the log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog

KEPT = 20_000
"""Facts kept in memory per workspace for good; readers further behind read the log."""
BURST_S = 300.0
"""How long more than that are kept after they came: else, of bulk work, each reader would read the log on its own and decode its own
copy of every fact."""
BURST_BYTES = 256 << 20
"""Payload bytes in memory, of all workspaces together, above which nothing more than `KEPT` is kept."""
BLOCK_S = 1.0
"""Facts that come within so long are let go of together."""

Listener = Callable[[str, int], None]


class _Tail:
    """The newest facts of a workspace, without a gap, and when they came: blocks of (time, facts, payload bytes), oldest first."""

    __slots__ = ("blocks", "facts", "head", "waiters")

    def __init__(self) -> None:
        self.facts: list[Recorded] = []
        self.blocks: deque[tuple[float, int, int]] = deque()
        self.head = 0
        self.waiters: set[asyncio.Future[None]] = set()

    def extend(self, recorded: Sequence[Recorded]) -> int:
        """Take what follows. Returns: the bytes that this adds."""
        now, count = monotonic(), len(recorded)
        size = added = sum(len(one.data) for one in recorded)
        self.facts.extend(recorded)
        if self.blocks and now - self.blocks[-1][0] < BLOCK_S:
            now, before, bytes_before = self.blocks.pop()
            count, size = count + before, size + bytes_before
        self.blocks.append((now, count, size))
        return added

    def clear(self) -> int:
        """Forget everything. Returns: the bytes that this frees."""
        freed = sum(size for _, _, size in self.blocks)
        self.facts.clear()
        self.blocks.clear()
        return freed

    def trim(self, too_much: bool) -> int:
        """Let go of what is old, or with `too_much` of anything, as far as `KEPT` facts stay. Returns: the bytes that this frees."""
        most, old = len(self.facts) - KEPT, monotonic() - BURST_S
        surplus = freed = 0
        while self.blocks and surplus < most and (too_much or self.blocks[0][0] < old):
            at, count, size = self.blocks.popleft()
            if count > most - surplus:
                gone = sum(len(one.data) for one in self.facts[surplus:most])
                self.blocks.appendleft((at, count - (most - surplus), size - gone))
                count, size = most - surplus, gone
            surplus, freed = surplus + count, freed + size
        del self.facts[:surplus]
        return freed


class Feed:
    """The newest facts of every workspace.

    Attributes:
        log: read where memory does not reach.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._tails: dict[str, _Tail] = {}
        self._bytes = 0
        self._listeners: list[Listener] = []
        log.on_commit(lambda workspace_id, _head, recorded: self.offer(workspace_id, recorded))

    def listen(self, listener: Listener) -> None:
        """Be told (workspace, newest known position) whenever there is something new; called synchronously, must not block."""
        self._listeners.append(listener)

    def head(self, workspace_id: str) -> int:
        """The newest position known here; the log may be further."""
        tail = self._tails.get(workspace_id)
        return tail.head if tail else 0

    def workspaces(self) -> tuple[str, ...]:
        """Workspaces that something is known about, sorted."""
        return tuple(sorted(self._tails))

    def offer(self, workspace_id: str, recorded: Sequence[Recorded]) -> None:
        """Take a contiguous ascending run of facts, from wherever; what is known already is dropped, a gap is left to the log."""
        if not recorded:
            return
        tail = self._tail(workspace_id)
        kept = tail.facts
        if not kept or recorded[0].position > kept[-1].position + 1:
            if not kept or recorded[-1].position > tail.head:
                self._bytes -= tail.clear()
                self._bytes += tail.extend(recorded)
        elif recorded[-1].position > kept[-1].position:
            self._bytes += tail.extend(recorded[kept[-1].position + 1 - recorded[0].position :])
        self._trim(tail)
        self.hint(workspace_id, recorded[-1].position)

    def hint(self, workspace_id: str, head: int) -> None:
        """There are facts up to this position, wherever they are."""
        tail = self._tail(workspace_id)
        if head <= tail.head:
            self._trim(tail)  # the relay's sweep comes by here, so that a burst is let go of also when nothing follows it
            return
        tail.head = head
        for waiter in tail.waiters:
            if not waiter.done():
                waiter.set_result(None)
        tail.waiters.clear()
        for listener in self._listeners:
            listener(workspace_id, head)

    async def read(self, workspace_id: str, after: int, limit: int) -> Sequence[Recorded]:
        """Facts after a position, ascending, at most `limit`, without a gap. Raises: LogUnavailable."""
        tail = self._tail(workspace_id)
        kept = tail.facts
        if kept and kept[0].position <= after + 1:
            start = after + 1 - kept[0].position
            found: Sequence[Recorded] = kept[start : start + limit]
            if found or tail.head <= after:
                return found
        found = await self.log.read(workspace_id, after, limit)
        if found:
            self.offer(workspace_id, found)
        return found

    async def wait(self, workspace_id: str, after: int, timeout_s: float | None = None) -> bool:
        """Wait until something after the position is known; False when the time is over."""
        tail = self._tail(workspace_id)
        if tail.head > after:
            return True
        waiter = asyncio.get_running_loop().create_future()
        tail.waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):  # not wait_for: on Python 3.11 it can swallow the cancellation of a stop
                await waiter
        except TimeoutError:
            return False
        finally:
            tail.waiters.discard(waiter)
        return True

    def _trim(self, tail: _Tail) -> None:
        if len(tail.facts) > KEPT:
            self._bytes -= tail.trim(self._bytes > BURST_BYTES)

    def _tail(self, workspace_id: str) -> _Tail:
        tail = self._tails.get(workspace_id)
        if tail is None:
            tail = self._tails[workspace_id] = _Tail()
        return tail
