"""Look-ups that are made at the same time, made as one: a statement costs about as much for one key as for fifty."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST = 500
"""Keys of one statement."""


class Together(Generic[K, V]):
    """Collects keys while a look-up is under way, and looks all of them up in the next one.

    Whoever asks gets what is true after it asked: no key joins a look-up that has begun.
    """

    def __init__(self, look_up: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """Nothing is looked up yet.

        Args:
            look_up: finds the values of different keys; those that have none are left out. What it raises is everybody's who waits for it.
        """
        self._look_up = look_up
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value of a key, None when it has none. Raises what the look-up raises."""
        return await self._asked(key)

    async def many(self, keys: Sequence[K]) -> list[V | None]:
        """The value of each key, None where it has none; of no more than `MOST` keys out of one look-up. Raises as `get`."""
        return await asyncio.gather(*map(self._asked, keys))

    def _asked(self, key: K) -> asyncio.Future[V | None]:
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="look-ups")
        return found

    async def _run(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:MOST]
            asked = {key: waiting for key in keys if (waiting := self._wanted(key))}
            if not asked:
                continue
            try:
                values = await self._look_up(list(asked))
            except asyncio.CancelledError:
                for one in (one for waiting in (*asked.values(), *self._waiting.values()) for one in waiting):
                    one.cancel()
                self._waiting.clear()
                raise
            except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it is
                for one in (one for waiting in asked.values() for one in waiting if not one.done()):
                    one.set_exception(error)
                continue
            for key, waiting in asked.items():
                for one in waiting:
                    if not one.done():
                        one.set_result(values.get(key))

    def _wanted(self, key: K) -> list[asyncio.Future[V | None]]:
        """Those who still wait for a key; it is taken out."""
        return [one for one in self._waiting.pop(key) if not one.done()]
