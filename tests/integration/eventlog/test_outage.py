"""Postgres killed in the middle of the work, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.servers import Servers
from libs.eventlog.migration import migrate
from libs.eventlog.port import Append, Appended, Checkpoint, CheckpointMove, CheckpointMoved, LogUnavailable, Repeated, Snapshot
from libs.eventlog.postgres import PostgresLog
from libs.eventlog.prepare import FactKnown
from tests.conformance.eventlog.builders import command, everything, new, workspace

pytestmark = [pytest.mark.integration, pytest.mark.chaos]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Servers]:
    """Servers of this test alone, with a migrated database."""
    with Servers(tmp_path / "servers") as servers:
        asyncio.run(migrate(servers.postgres))
        yield servers


async def repeat(log: PostgresLog, request: Append) -> tuple[Appended | Exception, int]:
    """Append with the same ids until it is known what became of it; also how often the log was away."""
    away = 0
    while True:
        try:
            return await log.append(request), away
        except LogUnavailable:
            away += 1
        except (FactKnown, CheckpointMoved, Repeated) as known:
            return known, away


async def test_nothing_is_lost_or_doubled_when_postgres_is_killed(mortal: Servers) -> None:
    places = [workspace() for _ in range(3)]
    sent: dict[str, list[str]] = {at: [] for at in places}
    enough = asyncio.Event()
    ending = asyncio.Event()
    appended = 0
    strange: list[Exception] = []

    async def write(log: PostgresLog, at: str, consumer: str) -> None:
        nonlocal appended
        sequence = 0
        while not ending.is_set():
            fact = new()
            old, to = Checkpoint(0, sequence), Checkpoint(0, sequence + 1)
            result, away = await repeat(log, Append(at, [fact], move=CheckpointMove(consumer, old, to)))
            if isinstance(result, Exception) and not away:
                strange.append(result)
            sequence += 1
            sent[at].append(fact.id)
            appended += 1
            if appended % 60 == 0:
                enough.set()

    async with PostgresLog.open(mortal.postgres) as log:
        writers = [asyncio.create_task(write(log, at, consumer)) for at in places for consumer in ("a", "b", "c")]
        for _ in range(2):
            enough.clear()
            await enough.wait()
            mortal.kill_postgres()
            mortal.start_postgres()
        enough.clear()
        await enough.wait()
        ending.set()
        await asyncio.gather(*writers)
        assert strange == []
        for at in places:
            found = await everything(log, at)
            assert sorted(one.id for one in found) == sorted(sent[at])
            assert [one.position for one in found] == list(range(1, len(found) + 1))
            assert sum([(await log.checkpoint(consumer, at)).sequence for consumer in ("a", "b", "c")]) == len(found)


async def test_an_outage_is_told_and_a_short_one_is_not_noticed(mortal: Servers) -> None:
    at = workspace()
    async with PostgresLog.open(mortal.postgres) as log:
        request = Append(at, [new()], command=command(1, b"1"))
        await log.append(request)
        mortal.kill_postgres()
        mortal.start_postgres()
        # Connections of before the restart are dead; nobody has to know.
        assert await log.head(at) == 1
        assert (await log.append(Append(at, [new()]))).head == 2
        mortal.kill_postgres()
        for call in (
            lambda: log.append(Append(at, [new()])),
            lambda: log.head(at),
            lambda: log.read(at, 0, 10),
            lambda: log.checkpoint("policy", at),
            lambda: log.save_snapshot("policy", at, Snapshot(1, 1, b"")),
        ):
            async with asyncio.timeout(60):
                with pytest.raises(LogUnavailable):
                    await call()
        mortal.start_postgres()
        with pytest.raises(Repeated) as repeated:
            await log.append(request)
        assert repeated.value.head == 1
        assert [one.position for one in await log.read(at, 0, 10)] == [1, 2]


async def test_a_log_on_nothing_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="can not be reached"):
        async with PostgresLog.open(f"host={tmp_path}"):
            raise AssertionError("opened")


async def test_a_closed_log_says_so_and_may_be_closed_twice(mortal: Servers) -> None:
    log = PostgresLog(mortal.postgres)
    assert await log.head(workspace()) == 0
    await log.close()
    await log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        await log.append(Append(workspace(), [new()]))
    with pytest.raises(LogUnavailable, match="closed"):
        await log.head(workspace())
