"""Group commit: who appends at the same time shares one transaction, because the disk takes as long for one as for a hundred."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from libs.eventlog.limits import GROUP_BYTES, GROUP_FACTS, GROUP_REQUESTS
from libs.eventlog.port import Appended, LogUnavailable, OnCommit
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


class Committer:
    """Collects appends while a transaction is under way, and commits what was collected in the next one."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._listeners: list[OnCommit] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def on_commit(self, listener: OnCommit) -> None:
        """Be told of every append, in commit order, before its caller goes on."""
        self._listeners.append(listener)

    async def append(self, prepared: Prepared) -> Appended:
        """Append with whoever else is waiting. Raises what the request was refused with, or LogUnavailable."""
        if self._closed:
            raise LogUnavailable("the log was closed")
        waiting = _Waiting(prepared, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all(), name="eventlog-committer")
        return await waiting.done

    async def close(self) -> None:
        """Take no more appends and finish those that wait. Again changes nothing."""
        self._closed = True
        if self._task is not None:
            await self._task

    async def _commit_all(self) -> None:
        while self._waiting:
            group = self._next_group()
            if group:
                await self._commit(group)

    def _next_group(self) -> list[_Waiting]:
        """Those in front, up to the limits of one call; by workspace, and in order of arrival inside it."""
        group: list[_Waiting] = []
        facts = size_bytes = 0
        while self._waiting and len(group) < GROUP_REQUESTS:
            one = self._waiting[0]
            facts += len(one.prepared.payloads)
            size_bytes += one.prepared.size_bytes
            if group and (facts > GROUP_FACTS or size_bytes > GROUP_BYTES):
                break
            self._waiting.popleft()
            if not one.done.cancelled():
                group.append(one)
        group.sort(key=lambda waiting: waiting.prepared.append.workspace_id)
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
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


def _refuse(one: _Waiting, error: Exception) -> None:
    if not one.done.done():
        one.done.set_exception(error)
