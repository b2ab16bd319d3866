"""Matrices as of the past: who looks back reloads, and shares links, so that the same ones are asked for again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from contracts.shapes import Json
from libs.runtime.as_of import FoldAt
from services.gateway.board.live import Live
from services.gateway.board.state import Board

KEPT: Final = 16
"""Matrices kept in memory, of all workspaces together; the one that was asked for longest ago goes first."""
MOST_CELLS: Final = 50_000
"""Cells that all of them together have at most, unless it is a single one."""

_Where = tuple[str, int]


class Matrices:
    """What `Live.snapshot` says of boards of the past, each made once. Whoever gets one must not change it."""

    def __init__(self, past: FoldAt[Board]) -> None:
        self._past = past
        self._making: dict[_Where, asyncio.Task[Json]] = {}
        self._kept: OrderedDict[_Where, Json] = OrderedDict()

    async def at(self, workspace_id: str, position: int) -> Json:
        """The matrix after a position; who asks for the same at the same time shares the work. Raises: LogUnavailable; Ahead."""
        where = (workspace_id, position)
        known = self._kept.get(where)
        if known is not None:
            self._kept.move_to_end(where)
            return known
        making = self._making.get(where)
        if making is None:
            making = self._making[where] = asyncio.create_task(self._made(where), name=f"matrix of {workspace_id} at {position}")
            making.add_done_callback(lambda task: self._done(where, task))
        return await asyncio.shield(making)

    async def stop(self) -> None:
        """End what is under way, and forget everything; again changes nothing."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()

    async def _made(self, where: _Where) -> Json:
        board = await self._past.at(*where)
        # The rows of a large matrix take a while, which nobody else in this process needs to wait for.
        return await asyncio.to_thread(lambda: Live(board, where[1], None).snapshot())

    def _done(self, where: _Where, task: asyncio.Task[Json]) -> None:
        del self._making[where]
        # An error is told to whoever waits; it need not be kept, nor complained of where nobody waits any more.
        if task.cancelled() or task.exception() is not None:
            return
        self._kept[where] = task.result()
        while len(self._kept) > KEPT or (len(self._kept) > 1 and self._cells() > MOST_CELLS):
            self._kept.popitem(last=False)

    def _cells(self) -> int:
        return sum(len(one["cells"]) for one in self._kept.values())
