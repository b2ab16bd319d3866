"""What an append may rest on: tags, the checkpoint, a command that was not answered yet. A refused append leaves no trace."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from libs.eventlog.port import (
    Append,
    Appended,
    Checkpoint,
    CheckpointMove,
    CheckpointMoved,
    Condition,
    ConditionFailed,
    EventLog,
    RecordedDecision,
    Repeated,
)
from tests.conformance.eventlog.builders import command, everything, new, workspace

POLICY = "policy"


def move(old: tuple[int, int], to: tuple[int, int], consumer: str = POLICY) -> CheckpointMove:
    return CheckpointMove(consumer, Checkpoint(*old), Checkpoint(*to))


async def test_a_newer_fact_with_a_tag_refuses_the_append(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new(), new(tags=["gate", "clearance:a"]), new()]))
    for refused in (Condition(("gate",), 1), Condition(("other", "clearance:a"), 0)):
        with pytest.raises(ConditionFailed):
            await log.append(Append(at, [new()], conditions=(Condition(("other",), 0), refused)))
    allowed = (Condition(("gate", "clearance:a"), 2), Condition(("clearance",), 0), Condition((), 0))
    assert (await log.append(Append(at, [new()], conditions=allowed))).head == 4


async def test_a_condition_alone_may_be_asked(log: EventLog) -> None:
    at = workspace()
    assert (await log.append(Append(at, conditions=(Condition(("gate",), 0),)))).head == 0
    await log.append(Append(at, [new(tags=["gate"])]))
    with pytest.raises(ConditionFailed):
        await log.append(Append(at, conditions=(Condition(("gate",), 0),)))


async def test_a_condition_does_not_look_at_the_facts_it_comes_with(log: EventLog) -> None:
    at = workspace()
    appended = await log.append(Append(at, [new(tags=["gate", "gate"])], conditions=(Condition(("gate",), 0),)))
    assert appended.head == 1


async def test_of_two_appends_that_exclude_each_other_one_is_recorded(log: EventLog) -> None:
    at = workspace()
    requests = [Append(at, [new(tags=["seat"])], conditions=(Condition(("seat",), 0),)) for _ in range(8)]
    results = await asyncio.gather(*map(log.append, requests), return_exceptions=True)
    assert sum(isinstance(one, Appended) for one in results) == 1
    assert sum(isinstance(one, ConditionFailed) for one in results) == 7
    assert await log.head(at) == 1


async def test_the_checkpoint_moves_by_compare_and_set(log: EventLog) -> None:
    at = workspace()
    assert await log.checkpoint(POLICY, at) == Checkpoint()
    await log.append(Append(at, [new()], move=move((0, 0), (1, 1))))
    with pytest.raises(CheckpointMoved):
        await log.append(Append(at, [new()], move=move((0, 0), (1, 1))))
    with pytest.raises(CheckpointMoved):
        await log.append(Append(at, [new()], move=move((1, 0), (2, 1))))
    await log.append(Append(at, move=move((1, 1), (1, 2))))
    assert await log.checkpoint(POLICY, at) == Checkpoint(1, 2)
    assert await log.checkpoint("planner", at) == Checkpoint()
    assert await log.checkpoint(POLICY, workspace()) == Checkpoint()
    assert await log.head(at) == 1


async def test_a_checkpoint_that_was_never_set_can_not_be_moved_on(log: EventLog) -> None:
    at = workspace()
    with pytest.raises(CheckpointMoved):
        await log.append(Append(at, [new()], move=move((3, 1), (4, 2))))
    assert await log.checkpoint(POLICY, at) == Checkpoint()
    assert await log.head(at) == 0


async def test_of_owners_that_race_one_wins_each_round(log: EventLog) -> None:
    at = workspace()
    for number in range(5):
        step = move((number, number), (number + 1, number + 1))
        results = await asyncio.gather(*(log.append(Append(at, [new()], move=step)) for _ in range(4)), return_exceptions=True)
        assert sorted(type(one).__name__ for one in results) == ["Appended", *["CheckpointMoved"] * 3]
    assert await log.head(at) == 5
    assert await log.checkpoint(POLICY, at) == Checkpoint(5, 5)


async def test_two_consumers_move_in_one_commit(log: EventLog) -> None:
    at = workspace()
    await asyncio.gather(*(log.append(Append(at, [new()], move=move((0, 0), (0, 1), name))) for name in ("a", "b", "c")))
    assert [await log.checkpoint(name, at) for name in ("a", "b", "c")] == [Checkpoint(0, 1)] * 3
    assert await log.head(at) == 3


async def test_a_repeated_command_gets_the_first_answer(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new()]))
    first = b'{ "b": 1, "a": [1, 2.50] }'
    await log.append(Append(at, [new(), new()], command=command(1, first)))
    await log.append(Append(at, [new()]))
    with pytest.raises(Repeated) as repeated:
        await log.append(Append(at, [new()], command=command(1, b'"second"')))
    assert (repeated.value.answer, repeated.value.head) == (first, 3)
    assert await log.answered(at, command(1).id) == (first, 3)
    assert await log.answered(at, command(2).id) is None
    assert await log.head(at) == 4


async def test_a_command_without_facts_is_kept_too(log: EventLog) -> None:
    at = workspace()
    assert (await log.append(Append(at, command=command(1, b"null")))).head == 0
    with pytest.raises(Repeated) as repeated:
        await log.append(Append(at, [new()], command=command(1)))
    assert (repeated.value.answer, repeated.value.head) == (b"null", 0)


async def test_a_command_is_known_only_in_its_workspace(log: EventLog) -> None:
    first, second = workspace(), workspace()
    await log.append(Append(first, [new()], command=command(1, b"1")))
    assert (await log.append(Append(second, [new()], command=command(1, b"2")))).head == 1
    assert await log.answered(first, command(1).id) == (b"1", 1)
    assert await log.answered(second, command(1).id) == (b"2", 1)


async def test_of_the_same_command_sent_many_times_at_once_one_is_recorded(log: EventLog) -> None:
    at = workspace()
    requests = [Append(at, [new()], command=command(1, b"%d" % number)) for number in range(12)]
    results = await asyncio.gather(*map(log.append, requests), return_exceptions=True)
    (winner,) = [number for number, one in enumerate(results) if isinstance(one, Appended)]
    for number, one in enumerate(results):
        if number != winner:
            assert isinstance(one, Repeated)
            assert (one.answer, one.head) == (b"%d" % winner, 1)
    assert await log.head(at) == 1


async def test_a_refusal_writes_nothing_at_all(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new(tags=["gate"])], move=move((0, 0), (1, 1)), command=command(1), decision=b'{"n":1}'))
    good = Append(at, [new(tags=["mine"])], move=move((1, 1), (9, 2)), command=command(2), decision=b'{"n":2}')
    for refused, error in (
        (replace(good, conditions=(Condition(("gate",), 0),)), ConditionFailed),
        (replace(good, move=move((0, 0), (9, 2))), CheckpointMoved),
        (replace(good, command=command(1)), Repeated),
        (replace(good, facts=[new() for _ in range(1500)], conditions=(Condition(("gate",), 0),)), ConditionFailed),
    ):
        with pytest.raises(error):
            await log.append(refused)
        assert len(await everything(log, at)) == await log.head(at) == 1
        assert await log.checkpoint(POLICY, at) == Checkpoint(1, 1)
        assert await log.answered(at, command(2).id) is None
        assert len(await log.decisions(at, POLICY, 0, 10)) == 1
        assert await log.read_tag(at, "mine", 0, 10) == []
    assert (await log.append(good)).head == 2


async def test_a_refusal_in_an_untouched_workspace_leaves_it_untouched(log: EventLog) -> None:
    at = workspace()
    with pytest.raises(CheckpointMoved):
        await log.append(Append(at, [new()], move=move((1, 1), (2, 2))))
    assert at not in await log.heads()


async def test_decisions_are_kept_with_the_places_of_their_facts(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new()]))
    first, second, third = b'{"decided_upto": 1}', b'{"b":2,"a":"\\u0000"}', b'{"n":3}'
    await log.append(Append(at, [new(), new()], move=move((0, 0), (1, 1)), decision=first))
    await log.append(Append(at, move=move((1, 1), (3, 2)), decision=second))
    await log.append(Append(at, [new() for _ in range(1200)], move=move((3, 2), (3, 3)), decision=third))
    kept = [
        RecordedDecision(POLICY, 1, 2, 3, first),
        RecordedDecision(POLICY, 2, 4, 3, second),
        RecordedDecision(POLICY, 3, 4, 1203, third),
    ]
    assert await log.decisions(at, POLICY, 0, 10) == kept
    assert await log.decisions(at, POLICY, 1, 1) == kept[1:2]
    assert await log.decisions(at, "planner", 0, 10) == []
    assert await log.decisions(workspace(), POLICY, 0, 10) == []


async def test_a_long_append_carries_its_command_and_checkpoint(log: EventLog) -> None:
    at = workspace()
    request = Append(at, [new() for _ in range(2300)], move=move((0, 0), (0, 1)), command=command(1, b"1"))
    assert (await log.append(request)).head == 2300
    assert await log.answered(at, command(1).id) == (b"1", 2300)
    with pytest.raises(Repeated) as repeated:
        await log.append(request)
    assert repeated.value.head == 2300
    with pytest.raises(CheckpointMoved):
        await log.append(replace(request, command=None))
    assert await log.head(at) == 2300
