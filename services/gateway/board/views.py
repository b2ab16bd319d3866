"""The boards of a process: each begins to follow its workspace when somebody first asks, and is let go of when nobody has for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from libs.eventlog.port import EventLog
from libs.runtime.as_of import FoldAt
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from services.gateway.board.app import BOARD
from services.gateway.board.matrices import Matrices
from services.gateway.board.state import Board
from services.gateway.board.view import BoardView

IDLE_S: Final = 600.0


class _Kept:
    __slots__ = ("letting_go", "users", "view")

    def __init__(self, view: BoardView) -> None:
        self.view = view
        self.users = 0
        self.letting_go: asyncio.TimerHandle | None = None


class Boards:
    """Boards by workspace.

    Args:
        closing: set when the process is about to end, so that whoever reads along hears of it.
        idle_s: how long one is kept that nobody uses.

    Attributes:
        past: boards as of positions of the past.
        matrices: what these say at a glance.
    """

    def __init__(self, log: EventLog, feed: Feed, closing: asyncio.Event, *, idle_s: float = IDLE_S) -> None:
        self._log = log
        self._feed = feed
        self._closing = closing
        self._ending: asyncio.Task[None] | None = None
        self._idle_s = idle_s
        self._kept: dict[str, _Kept] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self.past: FoldAt[Board] = FoldAt(log, BOARD, live=self._live)
        self.matrices = Matrices(self.past)

    @contextlib.asynccontextmanager
    async def used(self, workspace_id: str) -> AsyncIterator[BoardView]:
        """A workspace's board, which is kept at least as long as it is used."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(), name="boards end")
        kept = self._kept.get(workspace_id)
        if kept is None:
            kept = self._kept[workspace_id] = _Kept(BoardView(workspace_id, self._log, self._feed, self.past))
            kept.view.start()
            if self._closing.is_set():
                kept.view.close()
        kept.users += 1
        if kept.letting_go is not None:
            kept.letting_go.cancel()
            kept.letting_go = None
        try:
            yield kept.view
        finally:
            kept.users -= 1
            if not kept.users and self._kept.get(workspace_id) is kept:
                kept.letting_go = asyncio.get_running_loop().call_later(self._idle_s, self._let_go, workspace_id, kept)

    async def stop(self) -> None:
        """Let go of all; again changes nothing."""
        if self._ending is not None:
            await end(self._ending)
            self._ending = None
        everything, self._kept = self._kept, {}
        for kept in everything.values():
            if kept.letting_go is not None:
                kept.letting_go.cancel()
            await kept.view.stop()
        if self._stopping:
            await asyncio.gather(*self._stopping)
        await self.matrices.stop()
        await self.past.stop()

    @property
    def workspaces(self) -> tuple[str, ...]:
        """Which are followed, sorted."""
        return tuple(sorted(self._kept))

    async def _end(self) -> None:
        await self._closing.wait()
        for kept in self._kept.values():
            kept.view.close()

    def _let_go(self, workspace_id: str, kept: _Kept) -> None:
        if kept.users or self._kept.get(workspace_id) is not kept:
            return
        del self._kept[workspace_id]
        task = asyncio.get_running_loop().create_task(kept.view.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _live(self, workspace_id: str) -> tuple[Board, int] | None:
        kept = self._kept.get(workspace_id)
        live = kept.view.known if kept is not None else None
        return (live.board, live.position) if live is not None else None
