"""A memory log with faults on order, and a host on it: what tests of the runtime share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from contracts.command import Answer, Request, Wish
from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, Appended, Checkpoint, CheckpointMove, ConditionFailed, LogUnavailable, NewFact
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.queue import Queue
from libs.runtime.service import Intent, Performer, Service
from libs.simulation.world import START, WORKSPACE
from tests.unit.runtime.counter import Counted, service


def id_of(number: int | str) -> str:
    """A command id."""
    return str(uuid5(UUID(WORKSPACE), str(number)))


def saved(name: str, *tags: str) -> NewFact:
    """A provider that somebody else saved."""
    fact = ProviderSaved(provider_id="f", name=name, created_at=START)
    return NewFact(
        id=id_of(f"fact {name}"),
        fact=fact,
        time=START,
        correlation_id=WORKSPACE,
        causation_id=WORKSPACE,
        auth_id="service:other",
        tags=tags,
    )


class FlakyLog(MemoryLog):
    """Meets the next appends with faults, in order.

    `before`, `after`: the connection breaks before or after the append took place. `race`: another service appends first. `condition`:
    a condition fails, and the log can not be asked why. `usurped`: the connection breaks, and another owner of the workspace appends
    from the same checkpoint to the same one, or to `usurped_to`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.silent_heads = 0
        self.usurped_to: Checkpoint | None = None

    async def append(self, request: Append) -> Appended:
        match self.faults.pop(0) if self.faults else "":
            case "race":
                await super().append(Append(WORKSPACE, facts=(saved("foreign", "closed"),)))
            case "before":
                raise LogUnavailable("connection lost")
            case "after":
                await self.append_untold(request)  # who does not know that it committed tells nobody
                raise LogUnavailable("connection lost")
            case "condition":
                self.silent_heads = 1
                raise ConditionFailed("somebody was faster")
            case "usurped":
                assert request.move is not None
                await self.usurp(replace(request.move, new=self.usurped_to or request.move.new), b'{"trigger":{"kind":"other"}}')
                raise LogUnavailable("connection lost")
        return await super().append(request)

    async def append_untold(self, request: Append) -> None:
        """Append as another process would: nobody here is told."""
        listeners, self._listeners = self._listeners, []
        await super().append(request)
        self._listeners = listeners

    async def usurp(self, move: CheckpointMove, decision: bytes | None = None) -> None:
        """Append as another owner of the workspace, from and to the given checkpoints."""
        await super().append(Append(WORKSPACE, facts=(saved("usurped"),), move=move, decision=decision))

    async def head(self, workspace_id: str) -> int:
        if self.silent_heads:
            self.silent_heads -= 1
            raise LogUnavailable("connection lost")
        return await super().head(workspace_id)


async def by_outside(intent: Intent) -> dict[str, Any]:
    """An outside that answers at once."""
    return {"by": "outside"}


@asynccontextmanager
async def hosted(
    log: MemoryLog,
    *,
    of: Service[Counted] = service,
    performer: Performer = by_outside,
    snapshot_every: int = 5_000,
    patience_s: float = 20.0,
) -> AsyncIterator[Host[Counted]]:
    """A host that runs until the block ends."""
    host = Host(of, log, Feed(log), performer=performer, snapshot_every=snapshot_every, patience_s=patience_s)
    host.start()
    try:
        yield host
    finally:
        await host.stop()


async def ask(host: Host[Counted], wish: Wish, number: int | str, *, min_position: int = 0) -> Answer:
    """Ask the host; the number makes the command id."""
    request = Request(id=id_of(number), workspace_id=WORKSPACE, auth_id="user:ana", min_position=min_position)
    return await asyncio.wait_for(host.answer(wish, request), 60)


def queue_of(host: Host[Counted]) -> Queue[Counted]:
    """The queue of the one workspace."""
    queue = host.queue(WORKSPACE)
    assert queue is not None
    return queue


async def facts(log: MemoryLog) -> list[Recorded]:
    """Everything that was recorded."""
    return await log.read(WORKSPACE, 0, 100_000)


async def names(log: MemoryLog) -> list[str]:
    """Names of the providers that were saved, in order."""
    return [one.fact.name for one in await facts(log) if isinstance(one.fact, ProviderSaved)]
