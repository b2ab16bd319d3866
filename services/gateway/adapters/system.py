"""The system log as this process sees it: a read-only fold that follows the feed, so that any number of gateways work."""

from __future__ import annotations

import asyncio

from contracts.envelope import NIL_WORKSPACE
from libs.eventlog.port import LogUnavailable
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from services.gateway.state import READS, SystemState, evolve, initial

_BATCH = 2_000
_RETRY_S = 0.1
_LOOK_S = 1.0
_CATCH_UP_S = 5.0


class SystemView:
    """Workspaces, users and keys, kept current by a task of its own.

    Attributes:
        state: the fold of the system log through `position`.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.state: SystemState = initial(NIL_WORKSPACE)
        self.position = 0
        self.loaded = False
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    def start(self) -> None:
        """Follow the log; again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="gateway system view")

    async def stop(self) -> None:
        """Stop following; again changes nothing."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def catch_up(self) -> None:
        """Fold everything that is in the log now. Raises: LogUnavailable."""
        while found := await self._feed.read(NIL_WORKSPACE, self.position, _BATCH):
            state = self.state
            for one in found:
                if one.position > self.position and one.type in READS:
                    state = evolve(state, one)
            self.state = state
            self.position = max(self.position, found[-1].position)
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def catch_up_with_log(self) -> None:
        """Wait until the fold has everything that is in the log now. Raises: LogUnavailable."""
        head = await self._feed.log.head(NIL_WORKSPACE)
        self._feed.hint(NIL_WORKSPACE, head)
        if not await self.reached(head, _CATCH_UP_S):
            raise LogUnavailable("the system log can not be read")

    async def reached(self, position: int, timeout_s: float) -> bool:
        """Wait until the fold has reached a position; False when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.position < position:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        while True:
            try:
                head = await self._feed.log.head(NIL_WORKSPACE)
                self._feed.hint(NIL_WORKSPACE, head)
                await self.catch_up()
                self.loaded = True
            except LogUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            # The feed is told of new facts by whoever appends or carries them; looking now and then needs nobody.
            await self._feed.wait(NIL_WORKSPACE, self.position, _LOOK_S)
