"""A board that follows the log, and those who read along."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import Final

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime import snapshots
from libs.runtime.as_of import FoldAt
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from services.gateway.board import frames
from services.gateway.board.app import BOARD
from services.gateway.board.changes import RowName
from services.gateway.board.frames import Finish, Topics
from services.gateway.board.live import Live
from services.gateway.board.state import Board

BATCH: Final = 500
SLICE_S: Final = 0.01
"""Seconds of folding at a stretch."""
RETRY_S: Final = 0.1
LOOK_S: Final = 1.0
STORE_EVERY: Final = 20_000
"""Facts after which the state is stored."""
SOON_S: Final = 0.05
"""Changes are told together that come within so long."""
WIDE_S: Final = 0.1
"""The same for those who listen to the matrix."""
MOST_BEHIND: Final = 1_000
"""Frames that wait for a slow reader; then it is to begin anew."""
MOST_BYTES: Final = 8 << 20
"""The same in bytes: of a large rollout a single frame has some hundred kilobytes."""

log_ = logging.getLogger("signalbox.board")


class Reader:
    """Somebody who reads along. Frames are taken from `frames` once `more` is set."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.more = asyncio.Event()
        self._bytes = 0

    def send(self, frame: bytes, position: int) -> None:
        """Add a frame that leads to a position; a reader that is too far behind gets told to begin anew in place of all that waits."""
        if len(self.frames) >= MOST_BEHIND or (self.frames and self._bytes + len(frame) > MOST_BYTES):
            self.frames.clear()
            self._bytes = 0
            frame = frames.reset(position)
        self.frames.append(frame)
        self._bytes += len(frame)
        self.more.set()

    def take(self) -> list[bytes]:
        """What waits, oldest first."""
        taken = list(self.frames)
        self.frames.clear()
        self._bytes = 0
        self.more.clear()
        return taken


class _Channel:
    """All who listen to the same: what they are sent is made once."""

    def __init__(self, topics: Topics, finish: Finish, position: int) -> None:
        self.topics = topics
        self.finish = finish
        self.position = position
        self.told_at = 0.0
        self.readers: set[Reader] = set()

    def tell(self, live: Live, now: float) -> None:
        """Send what happened since the last time."""
        changes = live.ring.after(self.position)
        if not live.ring.reaches(self.position) or frames.must_begin_anew(changes, self.topics):
            frame: bytes | None = frames.reset(live.position)
        else:
            frame = frames.patch(live, changes, self.position, self.topics, self.finish) if changes else None
        self.position = live.position
        if frame is not None:
            self.told_at = now
            for reader in self.readers:
                reader.send(frame, live.position)


class BoardView:
    """The board of one workspace, kept current by a task of its own.

    Args:
        past: folds the log up to where the board begins to follow it.

    Attributes:
        ended: set once it follows no more.
    """

    def __init__(self, workspace_id: str, log: EventLog, feed: Feed, past: FoldAt[Board]) -> None:
        self.workspace_id = workspace_id
        self._log = log
        self._past = past
        self._feed = feed
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None
        self._stored_at = 0
        self._moved = asyncio.Event()
        self._channels: dict[tuple[Topics, str], _Channel] = {}
        self._reminders: dict[tuple[Reader, RowName], tuple[Topics, str, datetime]] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._ticked_at = 0.0
        self._closing = False
        self.ended = asyncio.Event()

    @property
    def live(self) -> Live:
        """The board as it is. Only after `reached`."""
        assert self._live is not None, "nothing is known before it was loaded"
        return self._live

    @property
    def position(self) -> int:
        """How far the board is; 0 while it is loaded."""
        return self._live.position if self._live is not None else 0

    @property
    def known(self) -> Live | None:
        """The board as it is; None while it is loaded."""
        return self._live

    def start(self) -> None:
        """Follow the log; again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name=f"board of {self.workspace_id}")

    async def stop(self) -> None:
        """Stop following; again changes nothing."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        tasks = [one for one in (self._task, self._storing) if one is not None]
        self._task = self._storing = None
        for task in tasks:
            await end(task)
        self.ended.set()

    async def reached(self, position: int, timeout_s: float) -> bool:
        """Wait until the board has reached a position; False when the time is over, or the process ends before it is loaded."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._live is None or self._live.position < position:
                    if self._closing and self._live is None:
                        return False
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def reached_head(self, timeout_s: float) -> bool:
        """Wait until the board has everything that is in the log now; False when the time is over. Raises: LogUnavailable."""
        head = await self._log.head(self.workspace_id)
        self._feed.hint(self.workspace_id, head)
        return await self.reached(head, timeout_s)

    # --- readers -----------------------------------------------------------------------------------------------------------------

    def join(self, topics: Topics, who: str, finish: Finish, since: int | None) -> Reader:
        """Read along from a position on, or from now. Only after `reached`.

        Args:
            who: those with the same name here see the same rows, and are sent the same bytes.
            finish: adds to rows of the approvals what depends on who reads them.
        """
        live = self.live
        live.close()
        now = asyncio.get_running_loop().time()
        channel = self._channels.get((topics, who))
        if channel is None:
            channel = self._channels[topics, who] = _Channel(topics, finish, live.position)
        else:
            channel.tell(live, now)
        reader = Reader()
        if since is not None and since != live.position:
            changes = live.ring.after(since)
            if not live.ring.reaches(since) or frames.must_begin_anew(changes, topics):
                reader.send(frames.reset(live.position), live.position)
            elif (frame := frames.patch(live, changes, since, topics, finish)) is not None:
                reader.send(frame, live.position)
        channel.readers.add(reader)
        return reader

    def leave(self, topics: Topics, who: str, reader: Reader) -> None:
        """Read along no more; again changes nothing."""
        channel = self._channels.get((topics, who))
        if channel is not None:
            channel.readers.discard(reader)
            if not channel.readers:
                del self._channels[topics, who]

    def remind(self, topics: Topics, who: str, reader: Reader, touched: RowName, now: datetime) -> None:
        """Have a reader ask again for something that the workspace's own log does not tell of, after what that told until now."""
        live = self._live
        if live is None:
            self._reminders[reader, touched] = (topics, who, now)  # as soon as it was made anew
            return
        channel = self._channels[topics, who]
        live.close()
        channel.tell(live, asyncio.get_running_loop().time())
        reader.send(frames.touch(channel.position, live.time or now, touched), channel.position)

    def _remind_late(self) -> None:
        reminders, self._reminders = self._reminders, {}
        for (reader, touched), (topics, who, now) in reminders.items():
            channel = self._channels.get((topics, who))
            if channel is not None and reader in channel.readers:
                self.remind(topics, who, reader, touched, now)

    def close(self) -> None:
        """The process is about to end: who waits until the board is loaded need not, and every reader looks around."""
        self._closing = True
        self._tell_those_who_wait()
        for channel in self._channels.values():
            for reader in channel.readers:
                reader.more.set()

    # --- following ---------------------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                head = await self._log.head(self.workspace_id)
                self._feed.hint(self.workspace_id, head)
                live = self._live or await self._load(head)
                while found := await self._feed.read(self.workspace_id, live.position, BATCH):
                    await self._take(live, found)
                if self._live is None:
                    live.close()
                    self._live = live
                    self._tick_soon()  # where it was made anew, readers are to begin anew, though nothing may follow
                    self._remind_late()
                self._tell_those_who_wait()
            except LogUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:
                log_.exception("a board can not follow its log; it is made anew", extra={"workspace_id": self.workspace_id})
                self._live = None
                await asyncio.sleep(LOOK_S)
                continue
            await self._feed.wait(self.workspace_id, live.position, LOOK_S)

    async def _load(self, head: int) -> Live:
        """What was recorded before is told to nobody, so that it is folded without its changes, and the ring begins behind it."""
        board = await self._past.at(self.workspace_id, head)
        newest = await self._log.read(self.workspace_id, head - 1, 1) if head else []
        self._stored_at = head
        # The rows of a large matrix take a while, which nobody else in this process needs to wait for.
        return await asyncio.to_thread(Live, board, head, newest[0].recorded_time if newest else None)

    async def _take(self, live: Live, found: Sequence[Recorded]) -> None:
        """Fold some facts, with turns for others between them."""
        until = perf_counter() + SLICE_S
        for one in found:
            if one.position != live.position + 1:
                continue  # it was read twice
            live.take(one)
            if perf_counter() > until:
                self._tick_soon()
                await asyncio.sleep(0)
                until = perf_counter() + SLICE_S
        self._tick_soon()
        if self._live is not None:
            self._tell_those_who_wait()
        if live.position - self._stored_at >= STORE_EVERY and (self._storing is None or self._storing.done()):
            self._stored_at = live.position
            self._storing = asyncio.create_task(snapshots.save(self._log, BOARD, self.workspace_id, live.position, live.board))
        await asyncio.sleep(0)

    def _tell_those_who_wait(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _tick_soon(self) -> None:
        if self._ticking is None:
            loop = asyncio.get_running_loop()
            self._ticking = loop.call_at(max(loop.time(), self._ticked_at + SOON_S), self._tick)

    def _tick(self) -> None:
        """Tell what happened; those who listen to the matrix are told only every other time."""
        self._ticking = None
        live = self._live
        if live is None:
            return
        now = self._ticked_at = asyncio.get_running_loop().time()
        live.close()
        late = False
        for channel in list(self._channels.values()):
            if channel.position == live.position:
                continue
            if channel.topics.is_wide and now - channel.told_at < WIDE_S:
                late = True
                continue
            channel.tell(live, now)
        if late:
            self._tick_soon()
