"""Keeps the read tables current: the log, fact by fact, through the pure read model, into rows with their checkpoint.

One process projects at a time (the sink's lease); a second one that thinks so does no harm, because every round moves the checkpoint
by compare-and-set. A fact that can not be shown is parked, reported, and passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.envelope import NIL_WORKSPACE, Recorded
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change
from services.gateway.store import ReadStore, RowsRefused, Sink, StoreUnavailable

CONSUMER = "read"
"""Under this name the projector parks what it can not show."""

_FACTS_PER_ROUND = 1_000
_CHANGES_PER_ROUND = 5_000
_RETRY_S = 0.1
_STANDBY_S = 0.2
_LOOK_S = 1.0
_POLL_S = 0.02
_PATIENCE = 12

log_ = logging.getLogger("signalbox.projector")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Facts after `position`, and what those through `end` do to rows; whether there may be more."""

    position: int
    end: int
    found: Sequence[Recorded]
    changes: Sequence[Change]
    more: bool


class Projector:
    """Projects every workspace, in one task.

    Args:
        feed: where facts come from; its log is asked for what the feed was never told of.
        sink: where rows go.
        store: the read side of the same tables, asked for progress while another process projects.
    """

    def __init__(self, *, feed: Feed, sink: Sink, store: ReadStore) -> None:
        self._feed = feed
        self._log: EventLog = feed.log
        self._sink = sink
        self._store = store
        self._leading = False
        self._dirty: set[str] = set()
        self._positions: dict[str, int] = {}
        self._ahead: dict[str, _Batch] = {}
        self._reached: dict[str, int] = {}
        self._waiters: dict[str, list[tuple[int, asyncio.Future[None]]]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        feed.listen(self._heard)

    # --- life ------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to project; again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="gateway projector")

    async def stop(self) -> None:
        """Stop and give the lease back; again changes nothing."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)
        self._leading = False
        await self._sink.close()

    async def reached(self, workspace_id: str, position: int, timeout_s: float) -> bool:
        """Wait until the rows of a workspace show a position, whichever process projects; False when the time is over.

        While the rows move, it is not: bulk work takes as long as it takes, up to some times the time that is given. What counts is the
        time spent waiting here: where a decision held the loop for seconds, the rows had no chance to move.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE * timeout_s
        shown, left_s = self._reached.get(workspace_id, 0), timeout_s
        while (now_shown := self._reached.get(workspace_id, 0)) < position:
            if now_shown > shown:
                shown, left_s = now_shown, timeout_s
            if left_s <= 0 or loop.time() >= end:
                return False
            waiter = loop.create_future()
            self._waiters.setdefault(workspace_id, []).append((position, waiter))
            look_s = min(left_s, _LOOK_S if self._leading else _POLL_S)
            left_s -= look_s
            await asyncio.wait({waiter}, timeout=look_s)
            if not waiter.done():
                self._waiters[workspace_id] = [one for one in self._waiters.get(workspace_id, ()) if one[1] is not waiter]
                with contextlib.suppress(StoreUnavailable):
                    self._note(workspace_id, await self._store.checkpoint(workspace_id))
        return True

    # --- the task --------------------------------------------------------------------------------------------------------------

    def _heard(self, workspace_id: str, head: int) -> None:
        if workspace_id != NIL_WORKSPACE:
            self._dirty.add(workspace_id)
            self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                if not await self._sink.lead():
                    await asyncio.sleep(_STANDBY_S)
                    continue
                if not self._leading:
                    self._positions.clear()
                    self._ahead.clear()
                    self._leading = True
                    await self._look()
                await self._project_dirty()
                await self._wait()
            except (LogUnavailable, StoreUnavailable) as error:
                # What was dirty may not be noted anywhere any more: the look after the outage finds it.
                self._leading = False
                log_.info("the projection waits for the database", extra={"reason": str(error)})
                await asyncio.sleep(_RETRY_S)
            except Exception:
                # Our own bug. Standing still for good would freeze every answer, so it is told and tried again.
                self._leading = False
                log_.exception("the projection failed")
                await asyncio.sleep(_LOOK_S)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._wake.wait()
        except TimeoutError:
            await self._look()
        self._wake.clear()

    async def _look(self) -> None:
        """Find what other processes appended, in case nobody tells us."""
        for workspace_id, head in (await self._log.heads()).items():
            self._feed.hint(workspace_id, head)
            if workspace_id != NIL_WORKSPACE and self._positions.get(workspace_id, -1) < head:
                self._dirty.add(workspace_id)

    async def _project_dirty(self) -> None:
        while self._dirty:
            for workspace_id in sorted(self._dirty):
                self._dirty.discard(workspace_id)
                try:
                    if await self._round(workspace_id):
                        self._dirty.add(workspace_id)
                except (LogUnavailable, StoreUnavailable):
                    self._dirty.add(workspace_id)
                    raise

    async def _round(self, workspace_id: str) -> bool:
        """Project the next facts of a workspace; whether there may be more."""
        position = self._positions.get(workspace_id)
        if position is None:
            position = await self._sink.checkpoint(workspace_id)
            self._moved(workspace_id, position)
        batch = self._ahead.pop(workspace_id, None)
        if batch is None or batch.position != position:
            batch = await self._prepare(workspace_id, position)
        if batch is None:
            return False
        applying = asyncio.create_task(self._sink.apply(workspace_id, position, batch.end, batch.changes))
        try:
            if batch.more:
                # The next facts are made into rows while the database writes these.
                ahead = await self._prepare(workspace_id, batch.end)
                if ahead is not None:
                    self._ahead[workspace_id] = ahead
        finally:
            await asyncio.wait({applying})
        try:
            written = applying.result()
        except RowsRefused:
            return await self._one_by_one(workspace_id, position, batch.found)
        if not written:
            # Another process was faster; its rows are as good as ours.
            del self._positions[workspace_id]
            return True
        self._moved(workspace_id, batch.end)
        return batch.more

    async def _prepare(self, workspace_id: str, position: int) -> _Batch | None:
        """The facts after a position as changes of rows; None when there are none."""
        found = await self._feed.read(workspace_id, position, _FACTS_PER_ROUND)
        if not found:
            return None
        changes, end = await self._changes(workspace_id, found)
        more = end < found[-1].position or len(found) == _FACTS_PER_ROUND
        return _Batch(position, end, found, changes, more)

    async def _changes(self, workspace_id: str, found: Sequence[Recorded]) -> tuple[list[Change], int]:
        """What the facts do to rows, and up to which of them."""
        changes: list[Change] = []
        for one in found:
            try:
                changes.extend(Change(one.position, patch) for patch in patches_of(one))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one fact must not stop the others
                await self._park(workspace_id, one, error)
            if len(changes) >= _CHANGES_PER_ROUND:
                return changes, one.position
        return changes, found[-1].position

    async def _one_by_one(self, workspace_id: str, position: int, found: Sequence[Recorded]) -> bool:
        """Project facts singly, after the tables refused them together: only the bad one is left out."""
        for one in found:
            changes, _ = await self._changes(workspace_id, (one,))
            try:
                written = await self._sink.apply(workspace_id, position, one.position, changes)
            except RowsRefused as error:
                await self._park(workspace_id, one, error)
                written = await self._sink.apply(workspace_id, position, one.position, ())
            if not written:
                del self._positions[workspace_id]
                return True
            position = one.position
            self._moved(workspace_id, position)
        return True

    async def _park(self, workspace_id: str, one: Recorded, error: Exception) -> None:
        log_.error("a fact can not be shown", extra={"workspace": workspace_id, "position": one.position, "reason": repr(error)})
        await self._log.park(CONSUMER, workspace_id, one.position, repr(error))

    def _moved(self, workspace_id: str, position: int) -> None:
        self._positions[workspace_id] = position
        self._note(workspace_id, position)

    def _note(self, workspace_id: str, position: int) -> None:
        if position <= self._reached.get(workspace_id, 0):
            return
        self._reached[workspace_id] = position
        waiting = self._waiters.pop(workspace_id, ())
        for wanted, waiter in waiting:
            if wanted > position:
                self._waiters.setdefault(workspace_id, []).append((wanted, waiter))
            elif not waiter.done():
                waiter.set_result(None)
