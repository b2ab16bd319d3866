"""Those who wait until a queue has folded a position."""

from __future__ import annotations

import asyncio


class Stopped(Exception):
    """The queue does not serve (any more); its message says why."""


class Reached:
    """Who waits for which position."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def wait_for(self, position: int) -> asyncio.Future[None]:
        """Done once the position is folded. Raises when it is awaited: Stopped."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, reached))
        return reached

    def tell(self, position: int) -> None:
        """A position is folded, and everything before it."""
        if self._waiting:
            for wanted, reached in self._waiting:
                if wanted <= position and not reached.done():
                    reached.set_result(None)
            self._waiting = [one for one in self._waiting if not one[1].done()]

    def dismiss(self, why: str) -> None:
        """Nothing more is folded here."""
        for _, reached in self._waiting:
            if not reached.done():
                reached.set_exception(Stopped(why))
        self._waiting.clear()
