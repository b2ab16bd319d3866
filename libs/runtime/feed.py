"""What is new, shared by everything in one process: the newest facts of each workspace, decoded once.

Three sources offer facts: appends of this process, ranges from the bus, and reads of the log. Each is only a hint; a reader asks for
"what comes after position P" and gets a run without gaps, from memory when it is there, else from the log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog

KEPT = 20_000
"""Facts kept in memory per workspace; readers further behind read the log."""

Listener = Callable[[str, int], None]


class _Tail:
    __slots__ = ("facts", "head", "waiters")

    def __init__(self) -> None:
        self.facts: deque[Recorded] = deque(maxlen=KEPT)
        self.head = 0
        self.waiters: set[asyncio.Future[None]] = set()


class Feed:
    """The newest facts of every workspace.

    Attributes:
        log: read where memory does not reach.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._tails: dict[str, _Tail] = {}
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
                kept.clear()
                kept.extend(recorded)
        elif recorded[-1].position > kept[-1].position:
            kept.extend(islice(recorded, kept[-1].position + 1 - recorded[0].position, None))
        self.hint(workspace_id, recorded[-1].position)

    def hint(self, workspace_id: str, head: int) -> None:
        """There are facts up to this position, wherever they are."""
        tail = self._tail(workspace_id)
        if head <= tail.head:
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
            # Counted from the end, because most readers are near it and a deque is walked from where one begins.
            missing = max(0, kept[-1].position - after)
            found = tuple(islice(reversed(kept), max(0, missing - limit), missing))[::-1]
            if found or tail.head <= after:
                return found
        found = tuple(await self.log.read(workspace_id, after, limit))
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
            await asyncio.wait_for(waiter, timeout_s)
        except TimeoutError:
            return False
        finally:
            tail.waiters.discard(waiter)
        return True

    def _tail(self, workspace_id: str) -> _Tail:
        tail = self._tails.get(workspace_id)
        if tail is None:
            tail = self._tails[workspace_id] = _Tail()
        return tail
