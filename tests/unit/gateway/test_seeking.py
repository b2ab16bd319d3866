"""Pages of the log are bounded by what they hold, not only by how many facts that are."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from contracts.envelope import Recorded
from contracts.facts.planner import SystemSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, NewFact
from services.gateway.http.seeking import PAGE_BYTES, Wanted, sought

WHERE = "11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LARGE = 200_000
EVERYTHING = Wanted((), "", "", 0, 10_000, newest_first=False)


class Reading(MemoryLog):
    """Tells how many bytes were read of it at once."""

    most = 0

    def _note(self, found: list[Recorded]) -> list[Recorded]:
        self.most = max(self.most, sum(len(one.data) for one in found))
        return found

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        return self._note(await super().read(workspace_id, after, limit))


async def log_of(*sizes: int) -> Reading:
    """A log of facts with texts of these lengths."""
    log = Reading()
    for number, size in enumerate(sizes):
        fact = SystemSaved(system_id=str(number), name=f"s{number}", description="x" * size, created_at=NOW)
        id_ = str(uuid5(UUID(WHERE), str(number)))
        new = NewFact(id=id_, fact=fact, time=NOW, correlation_id=id_, causation_id=id_, auth_id="service:test")
        await log.append(Append(WHERE, facts=(new,)))
    return log


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("text", ["", "xxx"])
async def test_a_page_of_large_facts_ends_early_and_the_next_one_goes_on_there(newest_first: bool, text: str) -> None:
    log = await log_of(*[LARGE] * 60)
    seen: list[int] = []
    wanted = EVERYTHING._replace(newest_first=newest_first, text=text)
    pages = 0
    while True:
        found, goes_on = await sought(log, WHERE, wanted, 1_000)
        pages += 1
        assert sum(len(one.data) for one in found) <= PAGE_BYTES
        seen += [one.position for one in found]
        if goes_on is None:
            break
        wanted = wanted._replace(before=goes_on) if newest_first else wanted._replace(after=goes_on)
    assert seen == sorted(range(1, 61), reverse=newest_first)
    assert pages == 3


async def test_small_facts_fill_a_page_to_its_limit() -> None:
    log = await log_of(*[10] * 450)
    found, goes_on = await sought(log, WHERE, EVERYTHING, 400)
    assert ([one.position for one in found], goes_on) == (list(range(1, 401)), 400)
    rest, goes_on = await sought(log, WHERE, EVERYTHING._replace(after=400), 400)
    assert ([one.position for one in rest], goes_on) == (list(range(401, 451)), None)


async def test_what_is_larger_than_a_page_comes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.http.seeking.PAGE_BYTES", 1_000)
    log = await log_of(10, 5_000, 10)
    found, goes_on = await sought(log, WHERE, EVERYTHING, 50)
    assert ([one.position for one in found], goes_on) == ([1], 1)
    found, goes_on = await sought(log, WHERE, EVERYTHING._replace(after=1), 50)
    assert ([one.position for one in found], goes_on) == ([2], 2)
    found, goes_on = await sought(log, WHERE, EVERYTHING._replace(after=2), 50)
    assert ([one.position for one in found], goes_on) == ([3], None)


async def test_how_much_is_read_at_once_follows_from_how_large_facts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.http.seeking._BATCH_BYTES", 100_000)
    monkeypatch.setattr("services.gateway.http.seeking.FIRST", 10)
    log = await log_of(*[5_000] * 100)
    found, _ = await sought(log, WHERE, EVERYTHING, 1_000)
    assert len(found) == 100
    assert log.most < 120_000
