"""The keys that the suite runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from libs.eventlog.migration import migrate
from libs.secrets.keys import MasterKey, SecretKeys, WrappedKey
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.postgres_keys import SECRETS_MIGRATIONS, PostgresKeys

Open = Callable[[MasterKey], SecretKeys]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def stored(request: pytest.FixtureRequest) -> str | None:
    """A migrated database; None for memory."""
    if request.param == "memory":
        return None
    conninfo: str = request.getfixturevalue("postgres")
    asyncio.run(migrate(conninfo, component="secrets", folder=SECRETS_MIGRATIONS))
    return conninfo


@pytest.fixture
async def open_keys(stored: str | None) -> AsyncIterator[Open]:
    """Opens the same stored keys again and again, as processes with this or another master key would."""
    opened: list[SecretKeys] = []
    shared: dict[str, WrappedKey] = {}

    def open_keys(master: MasterKey) -> SecretKeys:
        keys: SecretKeys = MemoryKeys(master, shared) if stored is None else PostgresKeys(stored, master)
        opened.append(keys)
        return keys

    yield open_keys
    for keys in opened:
        await keys.close()
        await keys.close()
