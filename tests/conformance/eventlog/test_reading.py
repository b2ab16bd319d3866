"""Reading the log: by position, backwards, by type, stream and tag."""

from __future__ import annotations

from datetime import timedelta, timezone
from uuid import uuid4

import pytest

from contracts.facts.policy import ApprovalRecorded, PolicyDeleted
from libs.eventlog.port import Append, EventLog
from tests.conformance.eventlog.builders import approval, deleted, new, workspace

APPROVAL, DELETED = ApprovalRecorded.TYPE, PolicyDeleted.TYPE


@pytest.fixture
async def at(log: EventLog) -> str:
    """A workspace of ten facts: approvals at 3, 6 and 9, else deletions of policy 1 (odd) and 2 (even); `t` on the multiples of 4."""
    at = workspace()
    facts = []
    for position in range(1, 11):
        fact = approval() if position % 3 == 0 else deleted(1 if position % 2 else 2)
        facts.append(new(fact, tags=["t"] if position % 4 == 0 else []))
    await log.append(Append(at, facts))
    return at


@pytest.mark.parametrize(
    "after,limit,expected",
    [(0, 100, range(1, 11)), (0, 3, range(1, 4)), (4, 3, range(5, 8)), (9, 5, [10]), (10, 5, []), (99, 5, []), (0, 0, [])],
)
async def test_reading_forward(log: EventLog, at: str, after: int, limit: int, expected: list[int]) -> None:
    assert [one.position for one in await log.read(at, after, limit)] == list(expected)


@pytest.mark.parametrize(
    "before,limit,types,expected",
    [
        (11, 3, (), [10, 9, 8]),
        (9999, 2, (), [10, 9]),
        (3, 5, (), [2, 1]),
        (1, 5, (), []),
        (11, 2, (APPROVAL,), [9, 6]),
        (9, 5, (APPROVAL,), [6, 3]),
        (11, 3, (APPROVAL, DELETED), [10, 9, 8]),
        (11, 3, ("nobody.said.v1",), []),
    ],
)
async def test_reading_backward(
    log: EventLog, at: str, before: int, limit: int, types: tuple[str, ...], expected: list[int]
) -> None:
    assert [one.position for one in await log.read_back(at, before, limit, types)] == expected


@pytest.mark.parametrize(
    "after,limit,types,expected",
    [
        (0, 9, (APPROVAL,), [3, 6, 9]),
        (3, 1, (APPROVAL,), [6]),
        (5, 3, (DELETED,), [7, 8, 10]),
        (0, 2, (APPROVAL, DELETED), [1, 2]),
        (0, 9, (), []),
        (0, 9, ("nobody.said.v1",), []),
    ],
)
async def test_reading_types(log: EventLog, at: str, after: int, limit: int, types: tuple[str, ...], expected: list[int]) -> None:
    assert [one.position for one in await log.read_types(at, after, limit, types)] == expected


@pytest.mark.parametrize("after,limit,expected", [(0, 9, [2, 4, 8, 10]), (2, 2, [4, 8]), (10, 9, [])])
async def test_reading_a_stream(log: EventLog, at: str, after: int, limit: int, expected: list[int]) -> None:
    found = await log.read_stream(at, deleted(2).stream, after, limit)
    assert [one.position for one in found] == expected
    assert all(one.fact == deleted(2) for one in found)


@pytest.mark.parametrize("before,limit,expected", [(11, 9, [10, 8, 4, 2]), (10, 2, [8, 4]), (2, 9, []), (99, 0, [])])
async def test_reading_a_stream_backward(log: EventLog, at: str, before: int, limit: int, expected: list[int]) -> None:
    found = await log.read_stream_back(at, deleted(2).stream, before, limit)
    assert [one.position for one in found] == expected


async def test_reading_by_id(log: EventLog, at: str) -> None:
    facts = await log.read(at, 0, 10)
    asked = [facts[6].id, facts[1].id, facts[6].id, str(uuid4()), "no uuid", ""]
    assert [one.position for one in await log.read_ids(at, asked)] == [2, 7]
    assert await log.read_ids(at, []) == []
    assert await log.read_ids(workspace(), [facts[0].id]) == []


async def test_reading_what_something_led_to(log: EventLog, at: str) -> None:
    first, second = str(uuid4()), "some command"
    causes = [first, second, first, str(uuid4()), first]
    await log.append(Append(at, [new(causation_id=cause) for cause in causes]))
    assert [one.position for one in await log.read_caused(at, [first], 9)] == [11, 13, 15]
    assert [one.position for one in await log.read_caused(at, [second, first, second], 3)] == [11, 12, 13]
    assert [one.position for one in await log.read_caused(at, [first], 2)] == [11, 13]
    assert await log.read_caused(at, [], 9) == []
    assert await log.read_caused(at, [str(uuid4())], 9) == []
    assert await log.read_caused(workspace(), [first], 9) == []


@pytest.mark.parametrize("after,limit,expected", [(0, 9, [4, 8]), (0, 1, [4]), (4, 9, [8]), (8, 9, [])])
async def test_reading_a_tag(log: EventLog, at: str, after: int, limit: int, expected: list[int]) -> None:
    assert [one.position for one in await log.read_tag(at, "t", after, limit)] == expected


async def test_asking_about_what_is_not_there(log: EventLog, at: str) -> None:
    unknown = workspace()
    assert await log.head(unknown) == 0
    assert await log.read(unknown, 0, 10) == []
    assert await log.read_stream(at, "policy/none", 0, 10) == []
    assert await log.read_tag(at, "none", 0, 10) == []
    assert await log.heads() == {at: 10}


async def test_the_position_that_the_log_had_at_a_time(log: EventLog, at: str) -> None:
    for _ in range(5):
        await log.append(Append(at, [new(), new()]))
    facts = await log.read(at, 0, 100)
    times = [one.recorded_time for one in facts]
    assert times == sorted(times)
    a_little = timedelta(microseconds=1)
    assert await log.position_at(at, times[0] - a_little) == 0
    assert await log.position_at(at, times[-1] + timedelta(days=9)) == len(facts) == 20
    for time in times:
        before = sum(1 for one in times if one < time)
        assert await log.position_at(at, time) == sum(1 for one in times if one <= time)
        assert await log.position_at(at, time - a_little) == before
        assert await log.position_at(at, (time - a_little).astimezone(timezone(timedelta(hours=5)))) == before
    assert await log.position_at(workspace(), times[-1]) == 0
