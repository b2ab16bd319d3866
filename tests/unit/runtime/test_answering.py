"""Long answers: found beside the decisions, once for who asks again, and not at all for who has left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from contracts.command import Answer, Asked, AsOf, Query, Refused, Request
from contracts.commands.inventory import SaveProvider
from libs.eventlog.memory import MemoryLog
from libs.runtime.answering import Answering
from libs.runtime.host import Host
from libs.runtime.past import Past
from libs.runtime.service import QueryHandler, Service
from libs.simulation.world import START, WORKSPACE
from tests.unit.runtime.counter import Counted, service
from tests.unit.runtime.flaky import ask, hosted, id_of

LIMIT_S = 20.0


class CountProviders(Query):
    """How many are there? Not registered: only these tests ask it."""

    SERVICE: ClassVar[str] = "inventory"
    NAME: ClassVar[str] = "count_providers"


def asking(answer: Callable[[Counted], Any]) -> Service[Counted]:
    """The service with a question that is answered at length."""

    def found(wish: CountProviders, state: Counted, asked: Asked, position: int) -> Any:
        return answer(state)

    return replace(service, queries={CountProviders.NAME: QueryHandler(CountProviders, found, long=True)})


def request(number: int, as_of: AsOf | None = None) -> Request:
    return Request(id=id_of(number), workspace_id=WORKSPACE, auth_id="user:ana", as_of=as_of)


class CountThoseOf(Query):
    """How many are there whose names begin so? Not registered: only these tests ask it."""

    SERVICE: ClassVar[str] = "inventory"
    NAME: ClassVar[str] = "count_those_of"
    beginning: str


class Gate:
    """An answer that is not found before it may be; `begun` counts how often it was looked for."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.began = threading.Event()
        self.begun = 0

    def __call__(self, state: Counted) -> int:
        self.begun += 1
        self.began.set()
        assert self.open.wait(LIMIT_S), "nobody let it be found"
        return len(state.saved)


async def beginning(gate: Gate, host: Host[Counted], *numbers: int) -> list[asyncio.Task[Answer]]:
    """Ask; the first of these has begun to be answered."""
    tasks = [asyncio.create_task(host.answer(CountProviders(), request(one))) for one in numbers]
    assert await asyncio.to_thread(gate.began.wait, LIMIT_S)
    return tasks


async def test_decisions_go_on_while_a_long_answer_is_found() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        (answer,) = await beginning(gate, host, 2)
        assert (await ask(host, SaveProvider(name="b"), 3)).position == 2
        gate.open.set()
        assert await answer == Answer(position=1, result=1), "of the state that it was asked of"


async def test_who_asks_the_same_once_more_waits_for_the_answer_that_is_under_way() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        tasks = await beginning(gate, host, 2, 2)
        tasks[0].cancel()
        gate.open.set()
        assert await tasks[1] == Answer(position=1, result=1)
        assert gate.begun == 1
        assert (await host.answer(CountProviders(), request(2))).result == 1
        assert gate.begun == 2, "nothing is kept of answers that were given"


async def test_what_is_asked_under_one_id_is_answered_each_for_itself_where_it_is_not_the_same() -> None:
    gate = Gate()

    def found(wish: CountThoseOf, state: Counted, asked: Asked, position: int) -> int:
        gate(state)
        return sum(name.startswith(wish.beginning) for name in state.saved)

    of = replace(service, queries={CountThoseOf.NAME: QueryHandler(CountThoseOf, found, long=True)})
    async with hosted(MemoryLog(), of=of) as host:
        await ask(host, SaveProvider(name="a"), 1)
        await ask(host, SaveProvider(name="b1"), 2)
        await ask(host, SaveProvider(name="b2"), 3)
        then = AsOf(position=2, time=START)
        tasks = [
            asyncio.create_task(host.answer(CountThoseOf(beginning=those), told))
            for those, told in (
                ("a", request(4)),
                ("b", request(4)),
                ("b", request(4, then)),
                ("b", request(4).model_copy(update={"min_position": 3})),
            )
        ]
        assert await asyncio.to_thread(gate.began.wait, LIMIT_S)
        gate.open.set()
        assert [(one.position, one.result) for one in await asyncio.gather(*tasks)] == [(3, 1), (3, 2), (2, 1), (3, 2)]
        assert gate.begun == 4


async def test_who_needs_a_later_position_is_not_told_what_is_found_of_an_earlier_one() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        (early,) = await beginning(gate, host, 2)
        await ask(host, SaveProvider(name="b"), 3)
        late = asyncio.create_task(host.answer(CountProviders(), request(2).model_copy(update={"min_position": 2})))
        await asyncio.sleep(0)
        gate.open.set()
        assert await early == Answer(position=1, result=1)
        assert await late == Answer(position=2, result=2)


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        first, second = await beginning(gate, host, 2, 3)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.open.set()
        await first
        await host.answer(CountProviders(), request(4))
        assert gate.begun == 2


async def test_who_waits_when_the_host_stops_is_to_come_back_also_for_the_answer_that_is_being_found() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        asked = await beginning(gate, host, 2, 3)
        await host.stop()
        assert [(await one).unavailable for one in asked] == ["inventory is stopping"] * 2
        host.start()
        again = asyncio.create_task(host.answer(CountProviders(), request(2)))
        gate.open.set()
        assert (await again).result == 1
        assert gate.begun == 2


async def test_what_is_asked_after_the_stop_is_not_begun() -> None:
    gate = Gate()
    of = asking(gate)
    answering, state = Answering(of), of.initial(WORKSPACE)
    answering.stop()
    assert (await answering.answer(CountProviders(), request(1), state, START, 0)).unavailable == "inventory is stopping"
    answering.start()
    gate.open.set()
    assert (await answering.answer(CountProviders(), request(1), state, START, 0)).result == 0
    assert gate.begun == 1


async def test_who_asks_again_shares_an_answer_that_nobody_waited_for_in_between() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        (left,) = await beginning(gate, host, 2)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        again = asyncio.create_task(host.answer(CountProviders(), request(2)))
        await asyncio.sleep(0)
        gate.open.set()
        assert (await again).result == 1
        assert gate.begun == 1


async def test_long_answers_of_one_workspace_keep_no_other_one_waiting() -> None:
    gate, other = Gate(), id_of("another workspace")

    def found(wish: CountProviders, state: Counted, asked: Asked, position: int) -> int:
        return gate(state) if asked.workspace_id == WORKSPACE else 7

    of = replace(service, queries={CountProviders.NAME: QueryHandler(CountProviders, found, long=True)})
    answering, state = Answering(of), of.initial(WORKSPACE)
    asked = [asyncio.create_task(answering.answer(CountProviders(), request(one), state, START, 0)) for one in range(5)]
    assert await asyncio.to_thread(gate.began.wait, LIMIT_S)
    elsewhere = request(1).model_copy(update={"workspace_id": other})
    async with asyncio.timeout(LIMIT_S):
        assert (await answering.answer(CountProviders(), elsewhere, state, START, 0)).result == 7
    assert gate.begun == 1, "one at a time for each workspace"
    gate.open.set()
    assert [(await one).result for one in asked] == [0] * 5
    answering.stop()


async def test_a_long_answer_may_be_a_refusal_and_a_fault_is_told() -> None:
    def refused(state: Counted) -> Any:
        raise Refused("not_found", "there is none")

    def faulty(state: Counted) -> Any:
        raise ZeroDivisionError

    async with hosted(MemoryLog(), of=asking(refused)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        answer = await host.answer(CountProviders(), request(2))
        assert answer.refusal is not None
        assert answer.refusal.message == "there is none"
    async with hosted(MemoryLog(), of=asking(faulty)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        with pytest.raises(ZeroDivisionError):
            await host.answer(CountProviders(), request(2))


async def test_long_answers_about_the_past_are_found_beside_decisions_as_well() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        await ask(host, SaveProvider(name="b"), 2)
        then = asyncio.create_task(host.answer(CountProviders(), request(3, AsOf(position=1, time=START))))
        assert await asyncio.to_thread(gate.began.wait, LIMIT_S)
        assert (await ask(host, SaveProvider(name="c"), 4)).position == 3
        gate.open.set()
        assert await then == Answer(position=1, result=1)


async def test_who_asks_about_the_past_does_not_wait_longer_than_it_may() -> None:
    gate, log = Gate(), MemoryLog()
    of = asking(gate)
    async with hosted(log, of=of) as host:
        await ask(host, SaveProvider(name="a"), 1)
        answering, then = Answering(of), AsOf(position=1, time=START)
        past = Past(of, log, lambda workspace_id: None, answering)
        first = asyncio.create_task(past.answer(CountProviders(), request(2, then), then, LIMIT_S))
        assert await asyncio.to_thread(gate.began.wait, LIMIT_S)
        second = await asyncio.create_task(past.answer(CountProviders(), request(3, then), then, 0.05))
        gate.open.set()
        assert (await first).result == 1
        assert second.unavailable is not None
        assert (await past.answer(CountProviders(), request(4, then), then, LIMIT_S)).result == 1
        assert gate.begun == 2, "what was given up is not found any more"
        answering.stop()
        await past.stop()
