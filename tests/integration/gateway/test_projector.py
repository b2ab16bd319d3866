"""The projector: what it shows, what it parks, and that two of them, outages and lost races do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contracts.fact import Fact
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import SystemSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.migration import migrate
from libs.eventlog.port import Append, EventLog, LogUnavailable, NewFact
from libs.eventlog.postgres import PostgresLog
from libs.runtime.feed import Feed
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.projector import CONSUMER, Projector
from services.gateway.adapters.reading import PostgresStore
from services.gateway.adapters.writing import PostgresSink
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change
from services.gateway.serve import MIGRATIONS
from services.gateway.store import RowsRefused, StoreUnavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKSPACE = str(uuid4())
PATIENCE_S = 60


def system(name: str) -> SystemSaved:
    return SystemSaved(system_id=str(uuid4()), name=name, created_at=NOW)


async def append(log: EventLog, *facts: Fact) -> int:
    def new(fact: Fact) -> NewFact:
        id_ = str(uuid4())
        return NewFact(id=id_, fact=fact, time=NOW, correlation_id=id_, causation_id=id_, auth_id="service:test")

    return (await log.append(Append(workspace_id=WORKSPACE, facts=tuple(new(fact) for fact in facts)))).head


class Flaky(MemoryRows):
    """A sink that fails as it is told, once per entry."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.refuse: str = ""

    async def apply(self, workspace_id: str, old: int, new: int, changes: Sequence[Change]) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if self.refuse and any(self.refuse in str(change.patch) for change in changes):
            raise RowsRefused("can not be held")
        return await super().apply(workspace_id, old, new, changes)


class Setting:
    def __init__(self) -> None:
        self.log = MemoryLog()
        self.feed = Feed(self.log)
        self.rows = Flaky()
        self.projector = Projector(feed=self.feed, sink=self.rows, store=self.rows)

    async def names(self) -> list[str]:
        return [row["name"] for row in (await self.rows.find(WORKSPACE, "system")).items]


@pytest.fixture
async def made() -> AsyncIterator[Setting]:
    setting = Setting()
    yield setting
    await setting.projector.stop()


async def test_what_was_there_and_what_comes_is_shown(made: Setting) -> None:
    await append(made.log, system("a"))
    made.projector.start()
    made.projector.start()
    assert await made.projector.reached(WORKSPACE, 1, PATIENCE_S)
    head = await append(made.log, system("b"), system("c"))
    assert await made.projector.reached(WORKSPACE, head, PATIENCE_S)
    assert await made.names() == ["a", "b", "c"]
    await made.projector.stop()
    await made.projector.stop()


async def test_a_position_that_is_not_reached_in_time_is_told(made: Setting) -> None:
    made.projector.start()
    assert not await made.projector.reached(WORKSPACE, 1, 0.05)


async def test_a_big_change_is_shown_in_several_rounds(made: Setting) -> None:
    await append(made.log, *(system(str(number)) for number in range(3_000)))
    made.projector.start()
    assert await made.projector.reached(WORKSPACE, 3_000, PATIENCE_S)
    assert (await made.rows.find(WORKSPACE, "system")).total == 3_000


@pytest.mark.parametrize("outage", [StoreUnavailable("away"), LogUnavailable("away")])
async def test_an_outage_is_waited_out(made: Setting, outage: Exception) -> None:
    made.rows.failures = [outage, outage]
    made.projector.start()
    await append(made.log, system("a"))
    assert await made.projector.reached(WORKSPACE, 1, PATIENCE_S)
    assert await made.names() == ["a"]


async def test_our_own_bug_does_not_stop_it_for_good(made: Setting) -> None:
    made.rows.failures = [ZeroDivisionError()]
    made.projector.start()
    await append(made.log, system("a"))
    assert await made.projector.reached(WORKSPACE, 1, PATIENCE_S)


async def test_rows_that_can_not_be_held_are_parked_alone(made: Setting) -> None:
    # No hexadecimal word: it would be found in an id now and then.
    made.rows.refuse = "unholdable"
    await append(made.log, system("a"), system("unholdable"), system("c"))
    made.projector.start()
    assert await made.projector.reached(WORKSPACE, 3, PATIENCE_S)
    assert await made.names() == ["a", "c"]
    assert [position for position, _ in await made.log.parked(CONSUMER, WORKSPACE)] == [2]


async def test_a_fact_that_can_not_be_shown_is_parked_and_passed_over(made: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = patches_of

    def broken(recorded: Any) -> Any:
        if recorded.position == 2:
            raise KeyError("what")
        return shown(recorded)

    monkeypatch.setattr("services.gateway.adapters.projector.patches_of", broken)
    await append(made.log, system("a"), system("b"), system("c"))
    made.projector.start()
    assert await made.projector.reached(WORKSPACE, 3, PATIENCE_S)
    assert await made.names() == ["a", "c"]
    ((position, reason),) = await made.log.parked(CONSUMER, WORKSPACE)
    assert (position, "what" in reason) == (2, True)


async def test_two_projectors_over_the_same_rows_do_no_harm(made: Setting) -> None:
    other = Projector(feed=made.feed, sink=made.rows, store=made.rows)
    made.projector.start()
    other.start()
    for number in range(20):
        await append(made.log, system(str(number)))
        await asyncio.sleep(0)
    for one in (made.projector, other):
        assert await one.reached(WORKSPACE, 20, PATIENCE_S)
    await other.stop()
    assert (await made.rows.find(WORKSPACE, "system")).total == 20


# --- Postgres --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.integration
async def test_another_process_takes_over_and_both_tell_how_far_the_rows_are(postgres: str) -> None:
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    async with PostgresLog.open(postgres) as log:
        stores = [PostgresStore(postgres), PostgresStore(postgres)]
        first, second = (Projector(feed=Feed(log), sink=PostgresSink(postgres), store=store) for store in stores)
        first.start()
        await append(log, system("a"))
        assert await first.reached(WORKSPACE, 1, PATIENCE_S)
        second.start()
        await append(log, system("b"))
        assert await second.reached(WORKSPACE, 2, PATIENCE_S)
        await first.stop()
        await append(log, system("c"))
        assert await second.reached(WORKSPACE, 3, PATIENCE_S)
        assert await first.reached(WORKSPACE, 3, PATIENCE_S)
        assert (await stores[0].find(WORKSPACE, "system")).total == 3
        await second.stop()
        for store in stores:
            await store.close()


@pytest.mark.integration
async def test_cut_connections_are_made_again(postgres: str) -> None:
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    async with PostgresLog.open(postgres) as log:
        store = PostgresStore(postgres)
        projector = Projector(feed=Feed(log), sink=PostgresSink(postgres), store=store)
        projector.start()
        await append(log, system("a"))
        assert await projector.reached(WORKSPACE, 1, PATIENCE_S)
        async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        await append_when_back(log, system("b"))
        assert await projector.reached(WORKSPACE, 2, PATIENCE_S)
        assert (await store.find(WORKSPACE, "system")).total == 2
        await projector.stop()
        await store.close()


async def append_when_back(log: EventLog, fact: Fact) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await append(log, fact)
                return
            except LogUnavailable:
                await asyncio.sleep(0)


@pytest.mark.integration
async def test_rebuilding_from_nothing_gives_the_same_rows(postgres: str) -> None:
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    async with PostgresLog.open(postgres) as log:
        ids = [str(uuid4()) for _ in range(50)]
        for number in range(300):
            name = f"r{number}"
            fact = ResourceSaved(
                resource_id=ids[number % 50],
                identifier=f"i{number % 50}",
                name=name,
                kind="k",
                version="v",
                created_at=NOW,
                updated_at=NOW,
            )
            await append(log, fact)
        kept = []
        for _ in range(2):
            store = PostgresStore(postgres)
            projector = Projector(feed=Feed(log), sink=PostgresSink(postgres), store=store)
            projector.start()
            assert await projector.reached(WORKSPACE, 300, PATIENCE_S)
            kept.append((await store.find(WORKSPACE, "resource")).items)
            await projector.stop()
            await store.close()
            async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
                await connection.execute("TRUNCATE read.checkpoint, read.resource, read.history")
        assert kept[0] == kept[1]
        assert [row["name"] for row in kept[0]] == [f"r{number}" for number in range(250, 300)]


class Gated(MemoryRows):
    """Shows rows only as far as it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = 0

    async def checkpoint(self, workspace_id: str) -> int:
        return self.shown


async def test_who_waits_for_rows_that_move_is_not_sent_away() -> None:
    rows = Gated()
    log = MemoryLog()
    projector = Projector(feed=Feed(log), sink=rows, store=rows)

    async def move() -> None:
        for position in range(1, 6):
            rows.shown = position
            await projector.reached(WORKSPACE, position, 1)
            assert not await projector.reached(WORKSPACE, position + 1, 0.08)

    moving = asyncio.create_task(move())
    assert await projector.reached(WORKSPACE, 5, 0.3)
    await moving
    assert not await projector.reached(WORKSPACE, 6, 0.05)
