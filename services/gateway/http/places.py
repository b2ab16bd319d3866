"""How much costly work goes on at once, and how much of that is one workspace's: nobody takes every place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Places:
    """Places for work, taken in the order in which they were asked for.

    Args:
        most: all of them.
        each: that one workspace may have, fewer than all.
    """

    def __init__(self, most: int, each: int) -> None:
        assert each < most, "one workspace would have every place"
        self._each = each
        self._all = asyncio.Semaphore(most)
        # As long as somebody has or waits for one.
        self._own: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def taken(self, workspace_id: str) -> AsyncIterator[None]:
        """Have a place, once there is one."""
        own = self._own.get(workspace_id)
        if own is None:
            own = self._own[workspace_id] = asyncio.Semaphore(self._each)
        async with own, self._all:
            yield
