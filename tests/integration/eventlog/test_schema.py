"""The schema: applied once, never backwards, and append-only even for who types SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from infra.embedded.servers import Servers
from libs.eventlog.migration import DatabaseTooNew, migrate
from libs.eventlog.port import Append, LogUnavailable
from libs.eventlog.postgres import PostgresLog
from tests.conformance.eventlog.builders import new, workspace

pytestmark = pytest.mark.integration
_numbers = count(1)


@pytest.fixture
def bare(servers: Servers) -> Iterator[str]:
    """Connection string of a database without any schema of ours."""
    name = f"bare_{next(_numbers)}"
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_conninfo(servers.postgres, dbname=name)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


async def test_migrating_at_once_from_many_places_applies_each_file_once(bare: str) -> None:
    applied = await asyncio.gather(*(migrate(bare) for _ in range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(max(applied, key=len))]
    assert max(applied, key=len)[:2] == ("0001_tables", "0002_append")
    assert await migrate(bare) == ()


async def test_components_count_apart(bare: str, tmp_path: Path) -> None:
    await migrate(bare)
    (tmp_path / "0001_rows.sql").write_text("CREATE TABLE rows (percent text DEFAULT '%s'); INSERT INTO rows DEFAULT VALUES;")
    assert await migrate(bare, "gateway", tmp_path) == ("0001_rows",)
    (tmp_path / "0002_more.sql").write_text("INSERT INTO rows VALUES ('more');")
    assert await migrate(bare, "gateway", tmp_path) == ("0002_more",)
    with psycopg.connect(bare) as connection:
        assert connection.execute("SELECT percent FROM rows").fetchall() == [("%s",), ("more",)]


async def test_a_migration_that_fails_leaves_nothing_behind(bare: str, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (id int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE bad (id int); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(bare, "gateway", tmp_path)
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE bad (id int);")
    assert await migrate(bare, "gateway", tmp_path) == ("0001_good", "0002_bad")


async def test_a_database_of_newer_code_is_refused_in_one_line(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute("INSERT INTO es.migration (component, number, name) VALUES ('eventlog', 99, '0099_future')")
    with pytest.raises(
        DatabaseTooNew, match=r"^the database has migration 99 of eventlog, this code knows \d+: .*newer version.*$"
    ):
        await migrate(postgres)


async def test_a_database_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable):
        await migrate(make_conninfo(host=str(tmp_path), dbname="none"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE es.event SET type = 'forged'",
        "DELETE FROM es.event",
        "DELETE FROM es.event WHERE false",
        "TRUNCATE es.event",
        "UPDATE es.event_tag SET tag = 'forged'",
        "DELETE FROM es.event_tag",
        "TRUNCATE es.event_tag",
    ],
)
async def test_what_was_recorded_can_not_be_changed(postgres: str, statement: str) -> None:
    at = workspace()
    async with PostgresLog.open(postgres) as log:
        await log.append(Append(at, [new(tags=["t"])]))
        with psycopg.connect(postgres) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement.encode())
        (kept,) = await log.read_tag(at, "t", 0, 10)
        assert kept.type == "policy.policy_deleted.v1"


async def test_a_resolved_fact_no_longer_waits_until_it_fails_again(postgres: str) -> None:
    at = workspace()
    async with PostgresLog.open(postgres) as log:
        await log.park("policy", at, 1, "broken")
        with psycopg.connect(postgres) as connection:
            connection.execute("UPDATE es.parked SET resolved_at = now()")
        assert await log.parked("policy", at) == []
        await log.park("policy", at, 1, "broken again")
        assert await log.parked("policy", at) == [(1, "broken again")]


async def test_staged_payloads_of_yesterday_are_dropped(postgres: str) -> None:
    async with PostgresLog.open(postgres) as log:
        await log.stage("old", b"1")
        with psycopg.connect(postgres) as connection:
            connection.execute("UPDATE es.staged SET staged_at = now() - interval '25 hours'")
        await log.stage("new", b"2")
        assert await log.staged("old") is None
        assert await log.staged("new") == b"2"


async def test_a_snapshot_lies_in_chunks_of_at_most_8_mb(postgres: str) -> None:
    from libs.eventlog.port import Snapshot

    async with PostgresLog.open(postgres) as log:
        await log.save_snapshot("policy", workspace(), Snapshot(1, 1, bytes(17_000_000)))
    with psycopg.connect(postgres) as connection:
        sizes = [row[0] for row in connection.execute("SELECT length(state) FROM es.snapshot ORDER BY chunk")]
    assert sizes == [8_000_000, 8_000_000, 1_000_000]


async def test_versions_are_positions(postgres: str) -> None:
    async with PostgresLog.open(postgres) as log:
        await log.append(Append(workspace(), [new(), new(), new()]))
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT bool_and(version = position), count(*) FROM es.event").fetchone() == (True, 3)
