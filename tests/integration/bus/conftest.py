"""Fixtures: a broker of the test's own, and couriers, relays and requests that are stopped after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.integration.bus.broker import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running nats-server with JetStream, which tests may kill, wipe and start again on the same port."""
    one = Broker(tmp_path)
    one.start()
    yield one
    one.kill()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Stops what was pushed onto it, the newest first."""
    async with AsyncExitStack() as one:
        yield one
