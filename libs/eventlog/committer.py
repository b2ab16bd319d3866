"""Group commit: who appends at the same time shares one transaction, because the disk takes as long for one as for a hundred.

A long append takes seconds, so it has a transaction of its own beside the others: only its own workspace waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from libs.eventlog.limits import GROUP_BYTES, GROUP_FACTS, GROUP_REQUESTS, LONG_AT_ONCE
from libs.eventlog.port import Appended, LogUnavailable, NotTried, OnCommit
from libs.eventlog.prepare import Prepared

logger = logging.getLogger(__name__)

Outcome = Appended | Exception
"""What became of one request: appended, or the reason why it was refused."""

Write = Callable[[Sequence[Prepared]], Awaitable[Sequence[Outcome]]]
"""Writes a group in one transaction, in the order given; raises when nothing at all is known to be written."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    prepared: Prepared
    done: asyncio.Future[Appended]
    after: asyncio.Future[Appended] | None = None

    @property
    def let_down(self) -> bool:
        """Whether what it was to follow is not known to have taken place."""
        after = self.after
        return after is not None and after.done() and (after.cancelled() or after.exception() is not None)


class Committer:
    """Collects appends while a transaction is under way, and commits what was collected in the next one."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._listeners: list[OnCommit] = []
        self._task: asyncio.Task[None] | None = None
        self._long: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def on_commit(self, listener: OnCommit) -> None:
        """Be told of every append, in commit order of each workspace, before its caller goes on."""
        self._listeners.append(listener)

    async def append(self, prepared: Prepared) -> Appended:
        """Append with whoever else is waiting. Raises what the request was refused with, or LogUnavailable."""
        if self._closed:
            raise LogUnavailable("the log was closed")
        waiting = _Waiting(prepared, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._go_on()
        return await waiting.done

    async def append_all(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Append several of one workspace, one after the other. Returns: what became of each; after one that was not appended none is."""
        if self._closed:
            return [LogUnavailable("the log was closed") for _ in prepared]
        if not prepared:
            return []
        futures: list[asyncio.Future[Appended]] = []
        for one in prepared:
            done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(one, done, futures[-1] if futures else None))
            futures.append(done)
        self._go_on()
        await asyncio.wait(futures)
        return [_outcome(one) for one in futures]

    async def close(self) -> None:
        """Take no more appends and finish those that wait. Again changes nothing."""
        self._closed = True
        while tasks := [one for one in (self._task, *self._long.values()) if one is not None and not one.done()]:
            await asyncio.wait(tasks)

    def _go_on(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all(), name="eventlog-committer")

    async def _commit_all(self) -> None:
        while group := self._next_group():
            first = group[0].prepared
            if first.long:
                workspace_id = first.append.workspace_id
                self._long[workspace_id] = asyncio.create_task(self._commit_long(workspace_id, group), name="eventlog-long")
            else:
                await self._commit(group)

    async def _commit_long(self, workspace_id: str, group: Sequence[_Waiting]) -> None:
        try:
            await self._commit(group)
        finally:
            del self._long[workspace_id]
            self._go_on()

    def _next_group(self) -> list[_Waiting]:
        """Those in front, up to the limits of one call, by workspace, and in order of arrival inside it; or a long one alone.

        A workspace with a long append under way waits for it, so that what is told of commits keeps their order.
        """
        group: list[_Waiting] = []
        passed_over: list[_Waiting] = []
        busy = set(self._long)
        facts = size_bytes = 0
        while self._waiting and len(group) < GROUP_REQUESTS:
            one = self._waiting.popleft()
            if one.done.cancelled():
                continue
            prepared = one.prepared
            workspace_id = prepared.append.workspace_id
            if workspace_id in busy or (prepared.long and len(self._long) >= LONG_AT_ONCE):
                busy.add(workspace_id)
                passed_over.append(one)
                continue
            facts += len(prepared.payloads)
            size_bytes += prepared.size_bytes
            if group and (facts > GROUP_FACTS or size_bytes > GROUP_BYTES):
                self._waiting.appendleft(one)
                break
            group.append(one)
            if prepared.long:
                break
        self._waiting.extendleft(reversed(passed_over))
        group.sort(key=lambda waiting: waiting.prepared.append.workspace_id)
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        # Those of one commit are let down by the database itself, which finds that the checkpoint is not where they go on from.
        for one in group:
            if one.let_down:
                _refuse(one, NotTried("one before it was not appended"))
        group = [one for one in group if not one.let_down]
        if not group:
            return
        try:
            outcomes = await self._write([one.prepared for one in group])
        except LogUnavailable as error:
            for one in group:
                _refuse(one, LogUnavailable(str(error)))
        except Exception as error:  # noqa: BLE001  # one bad request must not fail its neighbours: each is tried on its own
            if len(group) == 1:
                _refuse(group[0], error)
                return
            for one in group:
                await self._commit([one])
        else:
            for one, outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    _refuse(one, outcome)
                else:
                    self._announce(one, outcome)

    def _announce(self, one: _Waiting, appended: Appended) -> None:
        for listener in self._listeners:
            try:
                listener(one.prepared.append.workspace_id, appended.head, appended.recorded)
            except Exception:
                # The append stands whatever a listener makes of it; readers find it in the log.
                logger.exception("a listener failed on an append to %s", one.prepared.append.workspace_id)
        if not one.done.done():
            one.done.set_result(appended)


def _outcome(done: asyncio.Future[Appended]) -> Outcome:
    error = done.exception()
    if error is None:
        return done.result()
    assert isinstance(error, Exception), "nothing else is ever set"
    return error


def _refuse(one: _Waiting, error: Exception) -> None:
    if not one.done.done():
        one.done.set_exception(error)
