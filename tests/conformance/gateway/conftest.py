"""The read tables that the suites run on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conformance.gateway.both_sides import Both, in_memory, in_postgres


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def conninfo(request: pytest.FixtureRequest) -> str | None:
    """Of a fresh database; None for memory."""
    return request.getfixturevalue("postgres") if request.param == "postgres" else None


@pytest.fixture
async def both(conninfo: str | None) -> AsyncIterator[Both]:
    """Each kind of tables in turn, empty."""
    if conninfo is None:
        yield in_memory()
        return
    async with in_postgres(conninfo) as opened:
        yield opened
