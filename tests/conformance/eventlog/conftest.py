"""The logs that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import EventLog
from libs.eventlog.postgres import PostgresLog


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def conninfo(request: pytest.FixtureRequest) -> str | None:
    """Where Postgres is; None for the log in memory."""
    return None if request.param == "memory" else request.getfixturevalue("postgres")


@pytest.fixture
async def log(conninfo: str | None) -> AsyncIterator[EventLog]:
    """Each log in turn, empty."""
    if conninfo is None:
        yield MemoryLog()
        return
    async with PostgresLog.open(conninfo) as opened:
        yield opened
