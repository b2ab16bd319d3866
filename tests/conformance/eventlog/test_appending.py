"""What an append promises: gapless positions, all or nothing, the order of commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import Recorded
from libs.eventlog.port import Append, EventLog
from libs.eventlog.prepare import FactKnown
from tests.conformance.eventlog.builders import AT, approval, deleted, everything, new, workspace

SHARED_LOG = settings(
    max_examples=25,
    deadline=None,
    # Every example works in a workspace of its own, so sharing the log between examples does no harm.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SHARED_LOG
@given(sizes=st.lists(st.integers(min_value=0, max_value=7), max_size=8))
async def test_positions_are_gapless_whatever_the_sizes_of_appends(log: EventLog, sizes: list[int]) -> None:
    at = workspace()
    ids: list[str] = []
    for size in sizes:
        facts = [new() for _ in range(size)]
        ids += [one.id for one in facts]
        appended = await log.append(Append(at, facts))
        assert appended.head == len(ids)
        assert [one.position for one in appended.recorded] == list(range(len(ids) - size + 1, len(ids) + 1))
    found = await everything(log, at)
    assert [one.position for one in found] == list(range(1, len(ids) + 1))
    assert [one.id for one in found] == ids
    assert await log.head(at) == len(ids)


async def test_a_fact_comes_back_with_its_envelope(log: EventLog) -> None:
    at = workspace()
    before = datetime.now(UTC) - timedelta(minutes=1)
    fact = approval('größer ✓ "quoted" \\u0000 is only text here')
    sent = new(fact)
    (recorded,) = (await log.append(Append(at, [sent]))).recorded
    (read,) = await log.read(at, 0, 10)
    for one in (recorded, read):
        assert (one.workspace_id, one.position, one.id, one.type, one.stream) == (at, 1, sent.id, fact.TYPE, fact.stream)
        assert (one.correlation_id, one.causation_id) == (sent.correlation_id, sent.causation_id)
        assert (one.auth_id, one.traceparent) == (sent.auth_id, sent.traceparent)
        assert one.time == AT
        assert one.time.utcoffset() == timedelta(0)
        assert before < one.recorded_time < before + timedelta(minutes=3)
        assert one.fact == fact
    assert read.recorded_time == recorded.recorded_time
    assert type(fact).model_validate_json(read.data) == fact


async def test_an_appended_fact_is_not_decoded_again(log: EventLog) -> None:
    fact = deleted()
    (recorded,) = (await log.append(Append(workspace(), [new(fact)]))).recorded
    assert recorded.fact is fact


async def test_an_append_without_facts_answers_the_head(log: EventLog) -> None:
    at = workspace()
    assert (await log.append(Append(at))).head == 0
    await log.append(Append(at, [new(), new()]))
    appended = await log.append(Append(at))
    assert (appended.head, appended.recorded) == (2, ())


async def test_three_thousand_facts_are_one_append_that_ends_soon(log: EventLog) -> None:
    at = workspace()
    facts = [new(deleted(number), tags=("t",) if number % 1000 == 0 else ()) for number in range(3000)]
    started = time.monotonic()
    appended = await log.append(Append(at, facts))
    assert time.monotonic() - started < 60
    assert appended.head == 3000
    assert [one.position for one in appended.recorded] == list(range(1, 3001))
    found = await everything(log, at)
    assert [one.id for one in found] == [one.id for one in facts]
    assert [one.recorded_time for one in found] == [one.recorded_time for one in appended.recorded]
    assert [one.position for one in await log.read_tag(at, "t", 0, 10)] == [1, 1001, 2001]


async def test_a_long_append_is_refused_as_a_whole(log: EventLog) -> None:
    at = workspace()
    first = new()
    await log.append(Append(at, [first]))
    facts = [*(new() for _ in range(2500)), new(id=first.id)]
    with pytest.raises(FactKnown):
        await log.append(Append(at, facts))
    assert await log.head(at) == 1
    assert len(await everything(log, at)) == 1


async def test_large_facts_are_cut_by_bytes_too(log: EventLog) -> None:
    at = workspace()
    facts = [new(approval("x" * 200_000)) for _ in range(12)]
    assert (await log.append(Append(at, facts))).head == 12
    assert [one.id for one in await everything(log, at)] == [one.id for one in facts]


async def test_a_fact_over_256_kb_is_refused_and_its_neighbours_with_it(log: EventLog) -> None:
    at = workspace()
    with pytest.raises(ValueError, match=r"policy\.approval_recorded\.v1 .* over the limit of 262,144"):
        await log.append(Append(at, [new(), new(approval("x" * 256 * 1024))]))
    assert await log.head(at) == 0
    assert await log.read(at, 0, 10) == []


@pytest.mark.parametrize("reason", ["\x00", "a\x00b", "\\\x00"])
async def test_a_nul_character_is_refused(log: EventLog, reason: str) -> None:
    at = workspace()
    with pytest.raises(ValueError, match="NUL"):
        await log.append(Append(at, [new(approval(reason))]))
    assert await log.head(at) == 0


async def test_an_id_is_recorded_once_in_a_workspace(log: EventLog) -> None:
    at, elsewhere = workspace(), workspace()
    one = new()
    await log.append(Append(at, [one]))
    with pytest.raises(FactKnown):
        await log.append(Append(at, [new(), one]))
    with pytest.raises(FactKnown):
        await log.append(Append(elsewhere, [one, one]))
    assert await log.head(at) == 1
    assert (await log.append(Append(elsewhere, [one]))).head == 1


async def test_appends_at_the_same_time_each_get_their_own_positions(log: EventLog) -> None:
    places = sorted(workspace() for _ in range(3))
    requests = [Append(places[number % 3], [new() for _ in range(number % 4)]) for number in range(60)]
    appended = await asyncio.gather(*map(log.append, requests))
    for place in places:
        mine = [one for request, one in zip(requests, appended, strict=True) if request.workspace_id == place]
        positions = sorted(recorded.position for one in mine for recorded in one.recorded)
        assert positions == list(range(1, len(positions) + 1))
        assert await log.head(place) == len(positions)
        found = {one.id: one.position for one in await everything(log, place)}
        for request, one in zip(requests, appended, strict=True):
            if request.workspace_id == place:
                assert [found[fact.id] for fact in request.facts] == [recorded.position for recorded in one.recorded]


async def test_one_bad_append_does_not_fail_those_that_share_its_commit(log: EventLog) -> None:
    at = workspace()
    known = new()
    await log.append(Append(at, [known]))
    results = await asyncio.gather(
        *(log.append(Append(at, [known if number == 5 else new()])) for number in range(10)), return_exceptions=True
    )
    assert [number for number, one in enumerate(results) if isinstance(one, BaseException)] == [5]
    assert isinstance(results[5], FactKnown)
    assert await log.head(at) == 10


async def test_listeners_hear_of_commits_in_order_before_the_caller_goes_on(log: EventLog) -> None:
    at = workspace()
    heard: list[int] = []
    heads: list[int] = []

    def listen(workspace_id: str, head: int, recorded: Sequence[Recorded]) -> None:
        assert workspace_id == at
        heard.extend(one.position for one in recorded)
        heads.append(head)

    log.on_commit(listen)

    async def append(count: int) -> None:
        appended = await log.append(Append(at, [new() for _ in range(count)]))
        assert heard[-1] >= appended.head

    await asyncio.gather(*(append(number % 3 + 1) for number in range(20)))
    assert heard == list(range(1, len(heard) + 1))
    assert heads == sorted(heads)
    assert heads[-1] == await log.head(at) == len(heard)


async def test_workspaces_see_nothing_of_each_other(log: EventLog) -> None:
    first, second = workspace(), workspace()
    await log.append(Append(first, [new(deleted(1), tags=["t"]), new()]))
    assert await log.head(second) == 0
    assert await log.read(second, 0, 10) == []
    assert await log.read_back(second, 10, 10) == []
    assert await log.read_stream(second, deleted(1).stream, 0, 10) == []
    assert await log.read_tag(second, "t", 0, 10) == []
    assert await log.heads() == {first: 2}
    assert (await log.append(Append(second, [new()]))).head == 1
    assert await log.heads() == {first: 2, second: 1}
