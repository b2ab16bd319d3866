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
from libs.runtime.host import Host
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


async def test_who_waits_when_the_host_stops_is_to_come_back() -> None:
    gate = Gate()
    async with hosted(MemoryLog(), of=asking(gate)) as host:
        await ask(host, SaveProvider(name="a"), 1)
        first, second = await beginning(gate, host, 2, 3)
        await host.stop()
        assert (await second).unavailable == "inventory is stopping"
        gate.open.set()
        assert (await first).result == 1
        host.start()
        assert (await host.answer(CountProviders(), request(4))).result == 1


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
