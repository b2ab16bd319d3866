"""The read tables as tests see them: the side that is written and the side that is read, in memory or in Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import hypothesis
from hypothesis import strategies as st

from libs.eventlog.migration import migrate
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.reading import PostgresStore
from services.gateway.adapters.writing import PostgresSink
from services.gateway.rows import Change, Patch
from services.gateway.serve import MIGRATIONS
from services.gateway.store import ReadStore, Sink

HERE, ELSEWHERE = str(uuid4()), str(uuid4())


@dataclass(frozen=True, slots=True)
class Both:
    """Both sides of a store."""

    sink: Sink
    store: ReadStore

    async def write(self, *patches: Patch, workspace_id: str = HERE) -> None:
        """Write rows, a fact for each."""
        old = await self.sink.checkpoint(workspace_id)
        changes = [Change(old + number, patch) for number, patch in enumerate(patches, 1)]
        assert await self.sink.apply(workspace_id, old, old + max(1, len(patches)), changes)

    async def names(self, **more: Any) -> list[str]:
        """The `n` of the jobs that are found."""
        return [doc["n"] for doc in (await self.store.find(HERE, "job", **more)).items]


def in_memory() -> Both:
    """Empty tables."""
    rows = MemoryRows()
    return Both(rows, rows)


@asynccontextmanager
async def in_postgres(conninfo: str) -> AsyncIterator[Both]:
    """Tables in a fresh database."""
    await migrate(conninfo, component="gateway", folder=MIGRATIONS)
    sink, store = PostgresSink(conninfo), PostgresStore(conninfo)
    try:
        yield Both(sink, store)
    finally:
        await sink.close()
        await store.close()


def drawn(patches: st.SearchStrategy[Patch], most: int) -> list[list[list[Patch]]]:
    """Histories to play: rounds of at most so many patches. Drawn first, since what hypothesis calls can not wait for a database."""
    histories: list[list[list[Patch]]] = []

    @hypothesis.settings(max_examples=40, database=None, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    @hypothesis.given(st.lists(st.lists(patches, max_size=most), max_size=4))
    def collect(rounds: list[list[Patch]]) -> None:
        histories.append(rounds)

    collect()
    return histories


async def written_twice(
    sink: Sink, rows: MemoryRows, workspace_id: str, rounds: Sequence[Sequence[Patch]]
) -> AsyncIterator[None]:
    """Write rounds of patches to both; goes on to the next one when asked for more."""
    position = 0
    for patches in rounds:
        changes = [Change(position + number, patch) for number, patch in enumerate(patches, 1)]
        end = position + len(patches) + 1
        for one in (sink, rows):
            assert await one.apply(workspace_id, position, end, changes)
        position = end
        yield
