"""Builders of facts for the tests of the bus."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid5

from contracts.facts.inventory import ProviderSaved
from libs.eventlog.port import Append, EventLog, NewFact

WORKSPACE = "018f3c5a-0000-7000-8000-00000000000a"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def new(number: int, *, size: int = 0) -> NewFact:
    """Fact number n, with `size` bytes of ballast."""
    fact = ProviderSaved(provider_id=f"p{number}", name=f"n{number}", metadata={"ballast": "x" * size}, created_at=AT)
    fact_id = str(uuid5(UUID(WORKSPACE), str(number)))
    return NewFact(id=fact_id, fact=fact, time=AT, correlation_id=fact_id, causation_id=fact_id, auth_id="service:inventory")


async def append(log: EventLog, first: int, last: int, *, size: int = 0, workspace_id: str = WORKSPACE) -> int:
    """Append facts number first to last at once; returns the new head."""
    facts = tuple(new(number, size=size) for number in range(first, last + 1))
    return (await log.append(Append(workspace_id, facts))).head
