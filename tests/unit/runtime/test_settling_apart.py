"""Outcomes that nobody waits for share a decision: the first one is decided on at once, what comes soon after it later and together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from contracts.commands.inventory import SaveProvider
from contracts.facts.inventory import ProviderDeleted
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, Appended
from tests.unit.runtime.counter import service
from tests.unit.runtime.flaky import FlakyLog, ask, hosted

MANY = 20
LONG_S = 3_600.0
SOON_S = 0.2


class Counting:
    """Counts decisions that delete something, and how much each deleted."""

    def __init__(self, log: MemoryLog) -> None:
        self.rounds: list[int] = []
        self.changed = asyncio.Event()
        self._append = log.append
        log.append = self.append  # type: ignore[method-assign]  # what is counted is what the queue appends

    async def append(self, request: Append) -> Appended:
        appended = await self._append(request)
        if deleted := sum(isinstance(one.fact, ProviderDeleted) for one in request.facts):
            self.rounds.append(deleted)
            self.changed.set()
        return appended

    async def until(self, deleted: int) -> None:
        async with asyncio.timeout(60):
            while sum(self.rounds) < deleted:
                self.changed.clear()
                await self.changed.wait()


async def test_the_first_outcome_does_not_wait() -> None:
    log = MemoryLog()
    counting = Counting(log)
    async with hosted(log, of=replace(service, settle_apart_s=LONG_S)) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await counting.until(1)


async def test_what_comes_soon_after_it_is_decided_on_together() -> None:
    log = MemoryLog()
    counting = Counting(log)
    async with hosted(log, of=replace(service, settle_apart_s=SOON_S)) as host:
        await ask(host, SaveProvider(name="call first"), "first")
        await counting.until(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(MANY):
            await ask(host, SaveProvider(name=f"call {number}"), number)
        await counting.until(1 + MANY)
        # As many decisions as there is room for while they came, however long that took; without the pause one for each.
        assert len(counting.rounds) <= 3 + (loop.time() - began) / SOON_S


async def test_outcomes_that_could_not_be_appended_are_decided_on_after_the_pause() -> None:
    log = FlakyLog()
    counting = Counting(log)
    async with hosted(log, of=replace(service, settle_apart_s=SOON_S)) as host:
        await ask(host, SaveProvider(name="call first"), "first")
        await counting.until(1)
        await ask(host, SaveProvider(name="call second"), "second")
        log.faults = ["before"]
        await counting.until(2)
