"""Brings a database to the schema that this code knows: numbered SQL files, each applied once, under one advisory lock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from libs.eventlog.port import LogUnavailable

EVENTLOG_MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 0x5167_6E61_6C00
"""Key of the advisory lock; one for all components, since migrations of two of them may touch the same schema."""

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

_TABLE = """
CREATE SCHEMA IF NOT EXISTS es;
CREATE TABLE IF NOT EXISTS es.migration (
  component  text        NOT NULL,
  number     int         NOT NULL,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (component, number)
);
"""


class DatabaseTooNew(RuntimeError):
    """The database was migrated by newer code than this."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: bytes


def migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder (`NNNN_name.sql`, numbered 1, 2, 3 … without gaps), ascending."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        assert match is not None, f"{path.name} is not named NNNN_name.sql"
        found.append(Migration(int(match[1]), path.stem, path.read_bytes()))
    assert [one.number for one in found] == list(range(1, len(found) + 1)), f"{folder.name} has a gap or a number twice"
    return tuple(found)


async def migrate(conninfo: str, component: str = "eventlog", folder: Path = EVENTLOG_MIGRATIONS) -> tuple[str, ...]:
    """Apply what a database lacks, in one transaction. Safe to call from several processes at once.

    Args:
        conninfo: a connection string or URL of Postgres.
        component: whose numbering it is; each component has a folder of its own.
        folder: where its files are.

    Returns: names of the migrations that were applied now, ascending.
    Raises: DatabaseTooNew; LogUnavailable.
    """
    known = migrations(folder)
    applied = []
    try:
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            await connection.execute(_TABLE)
            cursor = await connection.execute(
                "SELECT coalesce(max(number), 0) FROM es.migration WHERE component = %s", (component,)
            )
            row = await cursor.fetchone()
            assert row is not None
            done: int = row[0]
            if done > len(known):
                raise DatabaseTooNew(
                    f"the database has migration {done} of {component}, this code knows {len(known)}: run the newer version of Signalbox"
                )
            for one in known[done:]:
                await connection.execute(one.sql)
                await connection.execute(
                    "INSERT INTO es.migration (component, number, name) VALUES (%s, %s, %s)", (component, one.number, one.name)
                )
                applied.append(one.name)
    except psycopg.OperationalError as error:
        raise LogUnavailable(f"the database can not be migrated now: {error}") from error
    return tuple(applied)
