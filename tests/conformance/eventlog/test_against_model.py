"""Any sequence of appends and reads, compared with a naive model that is a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import (
    Append,
    Appended,
    Checkpoint,
    CheckpointMove,
    CheckpointMoved,
    Condition,
    ConditionFailed,
    EventLog,
    Repeated,
)
from libs.eventlog.postgres import PostgresLog
from tests.conformance.eventlog.builders import command, deleted, everything, new, workspace

TAGS = ("a", "b")
CONSUMERS = ("policy", "planner")
PLACES = st.integers(0, 1)


@dataclass
class Model:
    """What the log of one workspace ought to hold: (fact id, stream, tags) by position."""

    id: str = field(default_factory=workspace)
    facts: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    answers: dict[int, tuple[bytes, int]] = field(default_factory=dict)

    def newest(self, tag: str) -> int:
        return max((position for position, fact in enumerate(self.facts, 1) if tag in fact[2]), default=0)


class LogMachine(RuleBasedStateMachine):
    """Drives a log and the model side by side."""

    open: Callable[[], AbstractAsyncContextManager[EventLog]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = type(self).open()
        self.log = self.runner.run(self.opened.__aenter__())
        self.models = (Model(), Model())

    def teardown(self) -> None:
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()

    @rule(
        place=PLACES,
        streams=st.lists(st.tuples(st.integers(1, 3), st.sets(st.sampled_from(TAGS))), max_size=3),
        consumer=st.none() | st.sampled_from(CONSUMERS),
        stale=st.integers(0, 4).map(lambda one: one == 0),
        asked=st.none() | st.integers(1, 3),
        tested=st.none() | st.tuples(st.sampled_from(TAGS), st.integers(0, 3)),
    )
    def append(
        self,
        place: int,
        streams: list[tuple[int, set[str]]],
        consumer: str | None,
        stale: bool,
        asked: int | None,
        tested: tuple[str, int] | None,
    ) -> None:
        model = self.models[place]
        facts = [new(deleted(number), tags=sorted(tags)) for number, tags in streams]
        stored = model.checkpoints.get(consumer or "", Checkpoint())
        old = Checkpoint(stored.position, stored.sequence + int(stale))
        moved = Checkpoint(len(model.facts), stored.sequence + 1)
        condition = None if tested is None else Condition((tested[0],), max(0, len(model.facts) - tested[1]))
        answer = b"%d" % len(model.facts)
        request = Append(
            model.id,
            facts,
            conditions=() if condition is None else (condition,),
            move=None if consumer is None else CheckpointMove(consumer, old, moved),
            command=None if asked is None else command(asked, answer),
        )
        expected: type[Appended] | type[Exception] = Appended
        if asked in model.answers:
            expected = Repeated
        elif consumer is not None and stale:
            expected = CheckpointMoved
        elif condition is not None and model.newest(condition.tags[0]) > condition.after:
            expected = ConditionFailed

        result = self.runner.run(_result(self.log, request))

        assert type(result) is expected
        if isinstance(result, Repeated):
            assert asked is not None
            assert (result.answer, result.head) == model.answers[asked]
        if isinstance(result, Appended):
            model.facts += [(one.id, one.fact.stream, one.tags) for one in facts]
            assert result.head == len(model.facts)
            assert [one.id for one in result.recorded] == [one.id for one in facts]
            if consumer is not None:
                model.checkpoints[consumer] = moved
            if asked is not None:
                model.answers[asked] = (answer, len(model.facts))

    @rule(place=PLACES, after=st.integers(0, 12), limit=st.integers(1, 5), number=st.integers(1, 3), tag=st.sampled_from(TAGS))
    def read(self, place: int, after: int, limit: int, number: int, tag: str) -> None:
        model, log, run = self.models[place], self.log, self.runner.run
        positions = range(1, len(model.facts) + 1)
        stream = deleted(number).stream
        later = [one for one in positions if one > after]
        assert [one.position for one in run(log.read(model.id, after, limit))] == later[:limit]
        in_stream = [one for one in later if model.facts[one - 1][1] == stream]
        assert [one.position for one in run(log.read_stream(model.id, stream, after, limit))] == in_stream[:limit]
        with_tag = [one for one in later if tag in model.facts[one - 1][2]]
        assert [one.position for one in run(log.read_tag(model.id, tag, after, limit))] == with_tag[:limit]
        earlier = [one for one in reversed(positions) if one < after]
        assert [one.position for one in run(log.read_back(model.id, after, limit))] == earlier[:limit]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        run = self.runner.run
        for model in self.models:
            assert [one.id for one in run(everything(self.log, model.id))] == [fact[0] for fact in model.facts]
            for consumer in CONSUMERS:
                assert run(self.log.checkpoint(consumer, model.id)) == model.checkpoints.get(consumer, Checkpoint())


async def _result(log: EventLog, request: Append) -> Appended | Exception:
    try:
        return await log.append(request)
    except (Repeated, CheckpointMoved, ConditionFailed) as refused:
        return refused


def test_log_behaves_like_the_model(conninfo: str | None) -> None:
    @asynccontextmanager
    async def memory() -> AsyncIterator[EventLog]:
        yield MemoryLog()

    class Machine(LogMachine):
        open = staticmethod(memory if conninfo is None else lambda: PostgresLog.open(conninfo))

    few = conninfo is not None
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=8 if few else 60, stateful_step_count=12 if few else 20, deadline=None)
    )
