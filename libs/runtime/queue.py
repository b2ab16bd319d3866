"""One serial queue per (service, workspace): facts, commands, timers and outcomes of effects take their turns here, one at a time.

A turn folds what the log has, asks the room for a round, and appends the round with the service's checkpoint as compare-and-set. Of
an append whose fate is unknown (the connection broke) the checkpoint tells whether it happened. Nothing in here decides anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from contracts.command import Answer, Request, Wish
from contracts.envelope import Recorded
from libs.eventlog.port import CheckpointMoved, ConditionFailed, EventLog, LogUnavailable
from libs.runtime import snapshots
from libs.runtime.answering import Answering
from libs.runtime.commands import Commands
from libs.runtime.ending import end
from libs.runtime.fate import PAUSE_S, fate
from libs.runtime.feed import Feed
from libs.runtime.lanes import Lanes
from libs.runtime.performing import Performing
from libs.runtime.reached import Reached, Stopped
from libs.runtime.room import Room, Round
from libs.runtime.service import Performer, Service
from libs.runtime.storing import Storing

S = TypeVar("S")

STUBBORN_S = 1.0
"""Before a decision is made again whose condition fails although everything was folded: a fault in its decider."""
STOP_S = 5.0
"""How long a stop waits for the turn that is under way."""
REST_S = 60.0
"""A queue looks at the clock at least so often, because somebody may set it."""
BATCH = 2_000
"""Facts folded and outcomes settled in one turn: bounds how long a command waits behind bulk work."""
STRETCH = 200
"""Facts folded at a stretch, so that whoever shares the process hardly notices."""

log_ = logging.getLogger("signalbox.queue")


@dataclass
class Queue(Generic[S]):
    """The queue of one workspace in one service.

    Attributes:
        performer: does the effects; None where the service has none.
        clock: the time that decisions are told.
        places: of effects, shared by all queues of a service.
        answering: answers queries, for all queues of a service.
        snapshot_every: facts between two snapshots.
        ready: set once the state is loaded, or can not be.
        failed: why the workspace was stopped; None while it was not.
    """

    service: Service[S]
    workspace_id: str
    log: EventLog
    feed: Feed
    performer: Performer | None
    clock: Callable[[], datetime]
    places: Lanes
    answering: Answering[S]
    snapshot_every: int = 5_000

    room: Room[S] = field(init=False)
    ready: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    failed: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.room = Room(self.service, self.workspace_id)
        self._performing = Performing(self.performer, self.places, self.clock, self.room.is_open, self.wake)
        self._commands = Commands(self.room, self.log, self.clock, self._recorded, self._overtaken)
        self._reached = Reached()
        self._storing = Storing(self.service, self.workspace_id, self.log, self.room, self.snapshot_every, self.wake)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._fold_to = 0
        self._look = False
        self._settle_at = 0.0
        self._settle_alarm = False
        # Whoever had a turn goes to the end, so that bulk work of one kind never keeps the others waiting.
        self._steps: deque[Callable[[], Awaitable[bool]]] = deque(
            (self._react, self._commands.answer_next, self._settle, self._fire)
        )

    # --- life ------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; again changes nothing."""
        if self._task is None:
            self.failed = None
            self._task = asyncio.create_task(self._run(), name=f"{self.service.name}:{self.workspace_id}")

    async def stop(self) -> None:
        """Stop after the turn that is under way; again changes nothing. Who waits is told to come back."""
        task, self._task = self._task, None
        if task is not None:
            self._stopping = True
            self._wake.set()
            await asyncio.wait({task}, timeout=STOP_S)
            await end(task)
            await self._performing.stop()
            if self.ready.is_set() and self.failed is None and not self.room.pending:
                await self._storing.store_before_stop()
            self._stopping = False
        await self._storing.finish()
        self._dismiss("stopping")
        self.ready.clear()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def _dismiss(self, why: str) -> None:
        """Tell everybody who waits that there will be no answer here."""
        self._commands.dismiss(why)
        self._reached.dismiss(why)

    # --- asking ----------------------------------------------------------------------------------------------------------------

    async def command(self, wish: Wish, request: Request) -> Answer:
        """Queue a command and wait for its answer."""
        answered = self._commands.add(wish, request)
        self._look_for(request.min_position)
        return await answered

    async def query(self, wish: Wish, request: Request) -> Answer:
        """Answer a query from the state, once it has folded the position that is asked for."""
        try:
            await self.reach(request.min_position)
        except Stopped as stopped:
            return Answer(unavailable=str(stopped))
        return await self.answering.answer(wish, request, self.room.state, self.clock(), self.room.position)

    async def reach(self, position: int) -> None:
        """Wait until the room is live and has folded a position. Raises: Stopped."""
        if self.failed is not None:
            raise Stopped(self.failed)
        if self.ready.is_set() and self.room.position >= position:
            return
        reached = self._reached.wait_for(position)
        self._look_for(position)
        await reached

    def _look_for(self, position: int) -> None:
        """Somebody says that the log is this far. It is asked, not believed: a wrong claim would pass for news that never come."""
        self._look = self._look or position > self.feed.head(self.workspace_id)
        self._wake.set()

    # --- the loop --------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loaded = False
        while not self._stopping:
            try:
                if not loaded:
                    await self._load()
                    loaded = True
                await self._turns()
                return
            except LogUnavailable:
                await asyncio.sleep(PAUSE_S)
                loaded = loaded and await self._still_ours()
            except CheckpointMoved:
                loaded = False
                log_.warning("another owner moved the checkpoint", extra=self._where())
                await asyncio.sleep(PAUSE_S)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 (whatever it is, this workspace must not go on as if nothing were)
                await self._halt(error)
                return

    async def _halt(self, error: Exception) -> None:
        """A decider that can not go on stops for its workspace, loudly; guessing would be worse."""
        self.failed = f"{type(error).__name__}: {error}"
        log_.error("stopped: a fact could not be handled", extra=self._where(), exc_info=error)
        self.ready.set()
        self._dismiss(f"{self.service.name} stopped for this workspace")
        await self._performing.stop()
        with contextlib.suppress(LogUnavailable):
            await self.log.park(self.service.name, self.workspace_id, self.room.position, self.failed)

    async def _load(self) -> None:
        self.ready.clear()
        service, room = self.service, self.room
        checkpoint = await self.log.checkpoint(service.name, self.workspace_id)
        # An owner before this one decided on nothing that it had not folded, but its own facts lie after its checkpoint: whoever decides
        # from there without them would do what they did once more, and nothing would keep it from that.
        head = await self.log.head(self.workspace_id)
        self.feed.hint(self.workspace_id, head)
        state, position = await snapshots.load(self.log, service, self.workspace_id, checkpoint.position)
        room.reset(state, position, checkpoint)
        self._storing.loaded(position)
        self._fold_to = head
        room.fold(())
        while room.position < checkpoint.position:
            if self._stopping:
                return
            limit = min(BATCH, checkpoint.position - room.position)
            recorded = await self.feed.read(self.workspace_id, room.position, limit)
            await self._fold(recorded)
        self.ready.set()

    async def _still_ours(self) -> bool:
        try:
            return await self.log.checkpoint(self.service.name, self.workspace_id) == self.room.stored
        except LogUnavailable:
            return True  # asked again after the next try

    async def _turns(self) -> None:
        while not self._stopping:
            self._wake.clear()
            if not await self._turn():
                await self._rest()

    async def _turn(self) -> bool:
        """Do the next thing; False when there is nothing to do now."""
        room = self.room
        if self._look:
            await self._look_at_log()
        recorded = await self.feed.read(self.workspace_id, room.position, BATCH)
        if recorded:
            self._storing.folded()
            await self._fold(recorded)
        self._reached.tell(room.position)
        if room.position < self._fold_to:  # no decision before all of the last one was folded
            return True
        self._performing.begin(room.take_opened())
        for step in tuple(self._steps):
            if await step():
                self._steps.remove(step)
                self._steps.append(step)
                return True
        if not recorded:
            await self._storing.store_if_due()
        return bool(recorded)

    async def _fold(self, recorded: Sequence[Recorded]) -> None:
        """Fold facts, with turns for others between them when there are many."""
        self.room.fold(recorded[:STRETCH])
        for start in range(STRETCH, len(recorded), STRETCH):
            await asyncio.sleep(0)
            self.room.fold(recorded[start : start + STRETCH])

    async def _look_at_log(self) -> None:
        self._look = False  # before the log is asked: who claims something meanwhile may know more than the answer
        try:
            self.feed.hint(self.workspace_id, await self.log.head(self.workspace_id))
        except LogUnavailable:
            self._look = True
            raise

    async def _rest(self) -> None:
        due = self.room.next_due()
        rest_s = REST_S if due is None else max(0.0, min(REST_S, (due - self.clock()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._wake.wait()

    # --- steps: each does one thing, or finds that there is none ------------------------------------------------------------------

    async def _react(self) -> bool:
        round_ = self.room.react(self.clock())
        if round_ is None:
            return False
        await self._append(round_)
        return True

    async def _settle(self) -> bool:
        outcomes = self._performing.outcomes(BATCH)
        if not outcomes or not self._may_settle(len(outcomes)):
            return False
        open_ = [one for one in outcomes if self.room.is_open(one.key)]
        round_ = self.room.settle(open_, self.clock()) if open_ else None
        if round_ is None or await self._append(round_) is not None:
            self._performing.drop(outcomes)
        return True

    def _may_settle(self, outcomes: int) -> bool:
        """Whether outcomes may be decided on already; when they may not, the queue is woken when they may."""
        apart_s = self.service.settle_apart_s
        if apart_s <= 0:
            return True
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now < self._settle_at and outcomes < BATCH:
            if not self._settle_alarm:
                self._settle_alarm = True
                loop.call_at(self._settle_at, self._wake_to_settle)
            return False
        self._settle_at = now + apart_s
        return True

    def _wake_to_settle(self) -> None:
        self._settle_alarm = False
        self.wake()

    async def _fire(self) -> bool:
        now = self.clock()
        due = self.room.next_due()
        if due is None or due > now or self.room.pending:
            return False
        round_ = self.room.fire(now)
        head = None
        try:
            head = await self._append(round_) if round_ is not None else self.room.position
        finally:
            if head is None:
                self.room.rearm()
        return True

    # --- appending -------------------------------------------------------------------------------------------------------------

    async def _append(self, round_: Round) -> int | None:
        """Append a round; the new head, or None when it has to be decided again. Raises: CheckpointMoved, Unstorable."""
        head: int | None
        try:
            head = (await self.log.append(round_.append)).head
        except ConditionFailed:
            await self._overtaken()
            return None
        except LogUnavailable:
            head = await fate(self.log, [round_.append])
        if head is not None:
            self._recorded(round_, head)
        return head

    def _recorded(self, round_: Round, head: int) -> None:
        self.room.appended(round_)
        self._fold_to = head
        self.feed.hint(self.workspace_id, head)  # who does not know whether it appended has told nobody

    async def _overtaken(self) -> None:
        """A condition failed: look at what is new before it is decided again."""
        newest = await self.log.head(self.workspace_id)
        if newest <= self.room.position:  # nothing new to decide on: a decider that insists must not spin
            log_.error("a condition fails on what was folded already", extra=self._where())
            await asyncio.sleep(STUBBORN_S)
        self.feed.hint(self.workspace_id, newest)

    def _where(self) -> dict[str, Any]:
        return {"service": self.service.name, "workspace_id": self.workspace_id, "position": self.room.position}
