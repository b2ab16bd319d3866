"""A time that moves only when everybody waits for it: pauses of minutes pass at once, and in their order."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from tests.fakes.serving import Clock


class Hours(Clock):
    """The time of a scene.

    Attributes:
        busy: calls that are being made; while there are any, nobody knows what they will wait for.
        changed: set whenever somebody begins to wait, or a call ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.busy = 0
        self.changed = asyncio.Event()
        self._waiting: list[tuple[datetime, asyncio.Future[None]]] = []

    async def until(self, at: datetime) -> None:
        """Wait until it is that late, in a call."""
        if at <= self.at:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (at, reached)
        self._waiting.append(waiting)
        self.busy -= 1
        self.changed.set()
        try:
            await reached
        finally:
            self.busy += 1
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.until(self.at + timedelta(seconds=seconds))

    def forward_to(self, at: datetime) -> None:
        """Let it be that late, and go on whoever waited for it."""
        self.at = max(self.at, at)
        for waiting in sorted(self._waiting, key=lambda one: one[0]):
            if waiting[0] <= self.at:
                self._waiting.remove(waiting)
                if not waiting[1].done():
                    waiting[1].set_result(None)

    def next(self) -> datetime | None:
        """What somebody waits for, when nobody does anything else; None when nothing is to be waited for."""
        return min((at for at, _ in self._waiting), default=None) if not self.busy else None
