"""Places for costly work: taken in order, and never all of them by one workspace."""

from __future__ import annotations

import asyncio

import pytest

from services.gateway.http.places import Places

LIMIT_S = 20.0


class Work:
    """Work of workspaces that goes on until it is let go; `has` is who has a place, in the order of taking."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.has: list[str] = []

    async def begin(self, *names: str) -> None:
        """Each for the workspace that its name begins with. Returns when those that can have a place have it."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._work(name))
        await self._settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await asyncio.wait_for(self._tasks.pop(name), LIMIT_S)
        await self._settled()

    async def give_up(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await self._settled()

    async def _work(self, name: str) -> None:
        async with self._places.taken(name[0]):
            self.has.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.has.remove(name)

    async def _settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_one_workspace_leaves_a_place_to_the_others() -> None:
    work = Work(Places(most=3, each=2))
    await work.begin("a1", "a2", "a3", "a4")
    assert work.has == ["a1", "a2"]
    await work.begin("b1", "b2", "c1")
    assert work.has == ["a1", "a2", "b1"]
    await work.end("b1")
    assert work.has == ["a1", "a2", "b2"]
    await work.end("a2")
    assert work.has == ["a1", "b2", "c1"], "who waited for longest"
    await work.end("a1")
    assert work.has == ["b2", "c1", "a3"]
    for name in ("b2", "c1", "a3", "a4"):
        await work.end(name)
    assert work.has == []


async def test_who_gives_up_while_it_waits_or_works_leaves_its_place() -> None:
    work = Work(Places(most=2, each=1))
    await work.begin("a1", "a2", "a3")
    await work.give_up("a2")
    await work.give_up("a1")
    assert work.has == ["a3"]
    await work.begin("b1", "c1")
    await work.give_up("b1")
    assert work.has == ["a3", "c1"]
    for name in ("a3", "c1"):
        await work.end(name)
    await work.begin("a4", "b2")
    assert work.has == ["a4", "b2"]
    for name in ("a4", "b2"):
        await work.end(name)
