"""When the state of a queue is stored: often enough that a start is quick, and at times at which nobody waits for something else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

from libs.eventlog.port import Append, Checkpoint, CheckpointMove, CheckpointMoved, EventLog, LogUnavailable
from libs.runtime import snapshots
from libs.runtime.room import Room
from libs.runtime.service import Service

S = TypeVar("S")

PAUSE = 20.0
"""A state is not stored again before so many times as long have passed as storing it took: a large one would be stored all the time."""
CHEAP_S = 0.5
"""Before a stop every state is stored that takes no longer; of a dearer one only when many facts would have to be folded again."""
MOST_QUIET_S, FACTS_PER_QUIET_S = 30.0, 4_000
"""A state is stored after a second of quiet for each so many facts since the last one, but after no more than so many seconds."""
NEVER_QUIET_S = 120.0
"""Where it never is that quiet, a state is stored all the same so long after it was due."""


class Storing(Generic[S]):
    """Stores the states of one room."""

    def __init__(
        self, service: Service[S], workspace_id: str, log: EventLog, room: Room[S], every: int, wake: Callable[[], None]
    ) -> None:
        """Nothing is stored yet.

        Args:
            every: facts between two states that are stored.
            wake: called when it may be time for one.
        """
        self._service = service
        self._workspace_id = workspace_id
        self._log = log
        self._room = room
        self._every = every
        self._wake = wake
        self._stored_at = 0
        self._took_s = 0.0
        self._not_before = 0.0
        self._due = 0.0
        self._folded_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def loaded(self, position: int) -> None:
        """The state of a position was read, or the empty one of 0."""
        self._stored_at = position

    def folded(self) -> None:
        """There were facts: it is not quiet."""
        self._folded_at = asyncio.get_running_loop().time()

    async def store_if_due(self) -> None:
        """Begin to store the state if it is time; if it will be soon, the queue is woken then. Raises: CheckpointMoved, LogUnavailable."""
        if not self._much_to_fold():
            return
        loop = asyncio.get_running_loop()
        # Bulk work comes in bursts, and coding a large state takes processor time that whoever waits for the end of one needs more.
        facts = self._room.position - self._stored_at
        quiet = self._folded_at + min(MOST_QUIET_S, facts / FACTS_PER_QUIET_S)
        self._due = self._due or loop.time()
        at = max(min(quiet, self._due + NEVER_QUIET_S), self._not_before)
        if (wait_s := at - loop.time()) > 0:
            loop.call_later(wait_s, self._wake)
            return
        self._due = 0.0
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._save(*await self._store_checkpoint()))

    async def store_before_stop(self) -> None:
        """Store the state if that is worth its time. The room must be live, with nothing pending."""
        worth_it = self._took_s < CHEAP_S or self._much_to_fold()
        if worth_it and self._room.position > self._stored_at:
            with contextlib.suppress(LogUnavailable, CheckpointMoved):
                await self._save(*await self._store_checkpoint())

    async def finish(self) -> None:
        """Wait for the one that is being stored, if any."""
        if self._task is not None:
            await self._task

    def _much_to_fold(self) -> bool:
        return self._room.position - self._stored_at >= self._every

    async def _save(self, position: int, state: S) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        await snapshots.save(self._log, self._service, self._workspace_id, position, state)
        self._took_s = clock() - began
        self._not_before = clock() + PAUSE * self._took_s

    async def _store_checkpoint(self) -> tuple[int, S]:
        """Move the stored checkpoint as far as facts were decided on; position and state there."""
        room = self._room
        if room.stored.position < room.position:
            new = Checkpoint(room.position, room.stored.sequence + 1)
            await self._log.append(Append(self._workspace_id, move=CheckpointMove(self._service.name, room.stored, new)))
            room.stored = new
        self._stored_at = room.position
        return room.position, room.state
