"""Appends that follow one another: as if each had been made alone, and none after one that was not."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.eventlog.port import (
    Append,
    Appended,
    Checkpoint,
    CheckpointMove,
    CheckpointMoved,
    Condition,
    ConditionFailed,
    EventLog,
    NotTried,
    Repeated,
    Unstorable,
)
from tests.conformance.eventlog.builders import approval, command, everything, new, workspace

SERVICE = "policy"


def _follow(at: str, sizes: Sequence[int], *, start: int = 0, first_command: int = 1) -> list[Append]:
    """Rounds of one service, each from the checkpoint to which the one before it moves."""
    return [
        Append(
            at,
            [new(tags=("t",)) for _ in range(size)],
            move=CheckpointMove(SERVICE, Checkpoint(0, start + n), Checkpoint(0, start + n + 1)),
            command=command(first_command + n),
        )
        for n, size in enumerate(sizes)
    ]


def _kinds(outcomes: Sequence[Appended | Exception]) -> list[type]:
    return [type(one) for one in outcomes]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(min_value=0, max_value=5), max_size=6))
async def test_each_gets_the_positions_after_those_before_it(log: EventLog, sizes: list[int]) -> None:
    at = workspace()
    outcomes = await log.append_all(_follow(at, sizes))
    heads = [one.head for one in outcomes if isinstance(one, Appended)]
    assert heads == [sum(sizes[: n + 1]) for n in range(len(sizes))]
    assert [one.position for one in await everything(log, at)] == list(range(1, sum(sizes) + 1))
    assert await log.checkpoint(SERVICE, at) == Checkpoint(0, len(sizes))
    for n in range(len(sizes)):
        assert (await log.answered(at, command(n + 1).id)) == (command(n + 1).answer, heads[n])


async def test_nothing_is_appended_of_nothing(log: EventLog) -> None:
    assert await log.append_all([]) == []


async def test_who_listens_is_told_of_each_in_order(log: EventLog) -> None:
    at = workspace()
    told: list[int] = []
    log.on_commit(lambda workspace_id, head, recorded: told.append(head) if workspace_id == at else None)
    await log.append_all(_follow(at, [1, 2, 1]))
    assert told == [1, 3, 4]


async def test_a_repeated_command_keeps_what_follows_it_out(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new()], command=command(2)))
    first, second, third = await log.append_all(_follow(at, [1, 1, 1]))
    assert isinstance(first, Appended)
    assert isinstance(second, Repeated)
    assert isinstance(third, CheckpointMoved | NotTried)
    assert await log.head(at) == 2
    assert await log.checkpoint(SERVICE, at) == Checkpoint(0, 1)


async def test_a_condition_that_fails_keeps_what_follows_it_out(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new(tags=("closed",))]))
    rounds = _follow(at, [1, 1, 1])
    guarded = Append(at, rounds[1].facts, (Condition(("closed",), 0),), rounds[1].move, rounds[1].command)
    first, second, third = await log.append_all([rounds[0], guarded, rounds[2]])
    assert isinstance(first, Appended)
    assert isinstance(second, ConditionFailed)
    assert isinstance(third, CheckpointMoved | NotTried)
    assert await log.head(at) == 2


async def test_one_that_can_not_be_stored_keeps_what_follows_it_out(log: EventLog) -> None:
    at = workspace()
    first, bad, third = _follow(at, [1, 1, 1])
    bad = Append(at, [new(approval("nul\x00"))], move=bad.move, command=bad.command)
    outcomes = await log.append_all([first, bad, third])
    assert _kinds(outcomes)[:2] == [Appended, Unstorable]
    assert isinstance(outcomes[2], CheckpointMoved | NotTried)
    assert await log.head(at) == 1


async def test_another_owner_keeps_all_of_them_out(log: EventLog) -> None:
    at = workspace()
    await log.append(Append(at, [new()], move=CheckpointMove(SERVICE, Checkpoint(), Checkpoint(0, 1))))
    first, *others = await log.append_all(_follow(at, [1, 1, 1]))
    assert isinstance(first, CheckpointMoved)
    assert all(isinstance(one, CheckpointMoved | NotTried) for one in others)
    assert await log.head(at) == 1


async def test_more_than_one_commit_holds_are_appended_in_order_all_the_same(log: EventLog) -> None:
    at = workspace()
    sizes = [600, 600, 1, 1_200, 1]
    outcomes = await log.append_all(_follow(at, sizes))
    assert _kinds(outcomes) == [Appended] * len(sizes)
    assert await log.head(at) == sum(sizes)
