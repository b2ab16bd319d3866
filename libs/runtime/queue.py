"""One serial queue per (service, workspace): facts, commands, timers and outcomes of effects take their turns here, one at a time.

A turn folds what the log has, asks the room for a round, and appends the round with the service's checkpoint as compare-and-set. Of
an append whose fate is unknown (the connection broke) the checkpoint tells whether it happened. Nothing in here decides anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson

from contracts.command import Answer, Asked, Refused, Request, Wish
from libs.eventlog.port import (
    Append,
    Checkpoint,
    CheckpointMove,
    CheckpointMoved,
    ConditionFailed,
    EventLog,
    LogUnavailable,
    Repeated,
    Snapshot,
)
from libs.runtime import codec
from libs.runtime.feed import Feed
from libs.runtime.room import Room, Round
from libs.runtime.service import Intent, Outcome, Performer, Service

S = TypeVar("S")

PAUSE_S = 0.05
"""Between two tries in an outage: Postgres is back within a fraction of a second where a supervisor restarts it."""
STUBBORN_S = 1.0
"""Before a decision is made again whose condition fails although everything was folded: a fault in its decider."""
STOP_S = 5.0
"""How long a stop waits for the turn that is under way."""
BATCH = 2_000
"""Facts folded and outcomes settled in one turn: bounds how long a command waits behind bulk work."""

log_ = logging.getLogger("signalbox.queue")


@dataclass(slots=True)
class _Pending:
    wish: Wish
    request: Request
    answered: asyncio.Future[Answer]


@dataclass(slots=True)
class Waiter:
    """Somebody waits until the room has folded a position."""

    position: int
    reached: asyncio.Future[None]


@dataclass
class Queue(Generic[S]):
    """The queue of one workspace in one service.

    Attributes:
        performer: does the effects; None where the service has none.
        clock: the time that decisions are told.
        snapshot_every: facts between two snapshots.
    """

    service: Service[S]
    workspace_id: str
    log: EventLog
    feed: Feed
    performer: Performer | None
    clock: Callable[[], datetime]
    effects_at_once: asyncio.Semaphore
    snapshot_every: int = 5_000

    room: Room[S] = field(init=False)
    ready: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    failed: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.room = Room(self.service, self.workspace_id)
        self._commands: deque[_Pending] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._waiters: list[Waiter] = []
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None] | asyncio.TimerHandle] = {}
        self._snapshot_at = 0
        self._snapshot_task: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._bulk = False

    # --- life ------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"{self.service.name}:{self.workspace_id}")

    async def stop(self) -> None:
        """Stop after the turn that is under way; again changes nothing. Commands that wait are told to come back."""
        task, self._task = self._task, None
        if task is not None:
            self._stopping = True
            self._wake.set()
            await asyncio.wait({task}, timeout=STOP_S)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if self.ready.is_set() and self.failed is None and not self.room.pending:
                with contextlib.suppress(LogUnavailable, CheckpointMoved):
                    await self._save(*await self._store_checkpoint())
            self._stopping = False
        for one in self._tasks.values():
            one.cancel()
        self._tasks.clear()
        if self._snapshot_task is not None:
            with contextlib.suppress(Exception):
                await self._snapshot_task
        for pending in self._commands:
            if not pending.answered.done():
                pending.answered.set_result(Answer(unavailable="stopping"))
        self._commands.clear()
        self.ready.clear()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    # --- asking ----------------------------------------------------------------------------------------------------------------

    async def command(self, wish: Wish, request: Request) -> Answer:
        """Queue a command and wait for its answer."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._commands.append(_Pending(wish, request, answered))
        self.feed.hint(self.workspace_id, request.min_position)
        self._wake.set()
        return await answered

    async def query(self, wish: Wish, request: Request) -> Answer:
        """Answer a query from the state, once it has folded the position that is asked for."""
        await self.reach(request.min_position)
        asked = Asked(id=request.id, workspace_id=self.workspace_id, auth_id=request.auth_id, now=self.clock())
        try:
            result = self.room.query(wish, asked)
        except Refused as refused:
            return Answer(position=self.room.position, refusal=refused.refusal)
        if hasattr(result, "model_dump"):
            result = result.model_dump(mode="json")
        return Answer(position=self.room.position, result=result)

    async def reach(self, position: int) -> None:
        """Wait until the room is live and has folded a position."""
        await self.ready.wait()
        if self.room.position >= position:
            return
        reached = asyncio.get_running_loop().create_future()
        self._waiters.append(Waiter(position, reached))
        self.feed.hint(self.workspace_id, position)
        self._wake.set()
        await reached

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
        for pending in self._commands:
            if not pending.answered.done():
                pending.answered.set_result(Answer(unavailable=f"{self.service.name} stopped for this workspace"))
        with contextlib.suppress(LogUnavailable):
            await self.log.park(self.service.name, self.workspace_id, self.room.position, self.failed)

    async def _load(self) -> None:
        self.ready.clear()
        service, room = self.service, self.room
        checkpoint = await self.log.checkpoint(service.name, self.workspace_id)
        state, position = service.initial(self.workspace_id), 0
        snapshot = await self.log.load_snapshot(service.name, self.workspace_id, service.state_version, checkpoint.position)
        if snapshot is not None:
            state, position = codec.decode(type(state), snapshot.state), snapshot.position
        room.reset(state, position, checkpoint)
        self._snapshot_at = position
        room.fold(())
        while room.position < checkpoint.position:
            recorded = await self.feed.read(self.workspace_id, room.position, min(BATCH, checkpoint.position - room.position))
            room.fold(recorded)
            await asyncio.sleep(0)  # let others have the loop during a long fold
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
        recorded = await self.feed.read(self.workspace_id, room.position, BATCH)
        if recorded:
            room.fold(recorded)
            self._tell_waiters()
        self._start_effects()
        if self._bulk and self._commands:  # bulk work and commands take turns, so that neither waits long for the other
            self._bulk = False
            if await self._answer_next():
                return True
        self._bulk = True
        round_ = room.react(self.clock())
        if round_ is not None:
            await self._append(round_)
            return True
        worked = bool(recorded)
        if self._outcomes:
            await self._settle()
            worked = True
        elif (due := room.next_due()) is not None and due <= self.clock():
            round_ = room.fire(self.clock())
            if round_ is not None and await self._append(round_) is None:
                room.rearm()
            worked = True
        elif self._commands:
            worked = await self._answer_next() or worked
        if not worked:
            await self._maybe_snapshot()
        return worked

    async def _rest(self) -> None:
        due = self.room.next_due()
        timeout = None if due is None else max(0.0, (due - self.clock()).total_seconds())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout)

    def _tell_waiters(self) -> None:
        if self._waiters:
            position = self.room.position
            for waiter in self._waiters:
                if waiter.position <= position and not waiter.reached.done():
                    waiter.reached.set_result(None)
            self._waiters = [waiter for waiter in self._waiters if not waiter.reached.done()]

    # --- appending -------------------------------------------------------------------------------------------------------------

    async def _append(self, round_: Round) -> int | None:
        """Append a round; the new head, or None when it has to be decided again. Raises: CheckpointMoved, Repeated."""
        head: int | None
        try:
            head = (await self.log.append(round_.append)).head
        except ConditionFailed:
            newest = await self.log.head(self.workspace_id)
            if newest <= self.room.position:  # nothing new to decide on: a decider that insists must not spin
                log_.error("a condition fails on what was folded already", extra=self._where())
                await asyncio.sleep(STUBBORN_S)
            self.feed.hint(self.workspace_id, newest)
            return None
        except LogUnavailable:
            head = await self._was_appended(round_)
        if head is not None:
            self.room.appended(round_)
        return head

    async def _was_appended(self, round_: Round) -> int | None:
        """After a broken connection: the checkpoint tells whether the append happened; then the log's head, else None."""
        move = round_.append.move
        assert move is not None
        while True:
            await asyncio.sleep(PAUSE_S)
            try:
                stored = await self.log.checkpoint(self.service.name, self.workspace_id)
                head = await self.log.head(self.workspace_id)
            except LogUnavailable:
                continue
            self.feed.hint(self.workspace_id, head)
            if stored == move.new:
                return head
            if stored == move.old:
                return None
            raise CheckpointMoved

    async def _settle(self) -> None:
        outcomes = [self._outcomes.popleft() for _ in range(min(BATCH, len(self._outcomes)))]
        open_ = [one for one in outcomes if self.room.is_open(one.key)]
        round_ = self.room.settle(open_, self.clock()) if open_ else None
        if round_ is not None and await self._append(round_) is None:
            self._outcomes.extendleft(reversed(outcomes))

    async def _answer_next(self) -> bool:
        pending = self._commands[0]
        if pending.answered.done():
            self._commands.popleft()
            return True
        if self.room.position < pending.request.min_position:
            return False  # the feed was told how far; what is missing is read from the log
        answer = await self._decide(pending)
        if answer is not None:
            self._commands.popleft()
            if not pending.answered.done():
                pending.answered.set_result(answer)
        return True

    async def _decide(self, pending: _Pending) -> Answer | None:
        request = pending.request
        asked = Asked(id=request.id, workspace_id=self.workspace_id, auth_id=request.auth_id, now=self.clock())
        try:
            round_ = self.room.command(pending.wish, asked)
            head = await self._append(round_)
        except Refused as refused:
            # The first telling of this very command may be what it collides with now.
            known = await self.log.answered(self.workspace_id, request.id)
            if known is not None:
                return Answer(position=known[1], result=orjson.loads(known[0]))
            return Answer(position=self.room.position, refusal=refused.refusal)
        except Repeated as repeated:
            return Answer(position=repeated.head, result=orjson.loads(repeated.answer))
        return None if head is None else Answer(position=head, result=round_.answer)

    # --- effects ---------------------------------------------------------------------------------------------------------------

    def _start_effects(self) -> None:
        for intent in self.room.take_opened():
            self._schedule(intent)

    def _schedule(self, intent: Intent, pause_s: float = 0.0) -> None:
        if self.performer is None or intent.key in self._tasks:
            return
        delay = pause_s
        if intent.not_before is not None:
            delay = max(delay, (intent.not_before - self.clock()).total_seconds())
        if delay > 0:
            loop = asyncio.get_running_loop()
            self._tasks[intent.key] = loop.call_later(delay, self._begin, intent)
        else:
            self._begin(intent)

    def _begin(self, intent: Intent) -> None:
        self._tasks.pop(intent.key, None)
        if self.room.is_open(intent.key):
            self._tasks[intent.key] = asyncio.create_task(self._perform(intent))

    async def _perform(self, intent: Intent) -> None:
        assert self.performer is not None
        try:
            async with self.effects_at_once:
                result: dict[str, Any] = await self.performer(intent)
        except asyncio.CancelledError:
            raise
        except Exception:
            log_.exception("an effect broke and is tried again", extra={**self._where(), "intent": intent.key})
            self._tasks.pop(intent.key, None)
            self._schedule(intent, pause_s=1.0)
            return
        self._tasks.pop(intent.key, None)
        self._outcomes.append(Outcome(intent.key, result))
        self._wake.set()

    # --- snapshots -------------------------------------------------------------------------------------------------------------

    async def _maybe_snapshot(self) -> None:
        due = self.room.position - self._snapshot_at >= self.snapshot_every
        if due and (self._snapshot_task is None or self._snapshot_task.done()):
            self._snapshot_at = self.room.position
            self._snapshot_task = asyncio.create_task(self._save(*await self._store_checkpoint()))

    async def _store_checkpoint(self) -> tuple[int, S]:
        """Move the stored checkpoint as far as facts were decided on; position and state there."""
        room = self.room
        if room.stored.position < room.position:
            new = Checkpoint(room.position, room.stored.sequence + 1)
            await self.log.append(Append(self.workspace_id, move=CheckpointMove(self.service.name, room.stored, new)))
            room.stored = new
        return room.position, room.state

    async def _save(self, position: int, state: S) -> None:
        data = await asyncio.to_thread(codec.encode, type(state), state)
        with contextlib.suppress(LogUnavailable):  # a cache: the next one will do
            await self.log.save_snapshot(
                self.service.name, self.workspace_id, Snapshot(position, self.service.state_version, data)
            )

    def _where(self) -> dict[str, Any]:
        return {"service": self.service.name, "workspace_id": self.workspace_id, "position": self.room.position}
