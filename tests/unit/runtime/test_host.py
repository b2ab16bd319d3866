"""The host on a memory log: one queue per workspace, outages at every point of an append, restarts, two owners."""

from __future__ import annotations

import asyncio

import pytest

from contracts.command import Request
from contracts.commands.inventory import SaveProvider
from contracts.facts.inventory import ProviderDeleted
from libs.eventlog.memory import MemoryLog
from libs.runtime import audit, storing
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.simulation.world import WORKSPACE
from tests.unit.runtime.counter import Counted, service
from tests.unit.runtime.flaky import FlakyLog, ask, hosted, names, queue_of


async def test_commands_are_answered_with_their_position() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        assert (await ask(host, SaveProvider(name="a"), 1)).position == 1
        again = await ask(host, SaveProvider(name="a"), 2)
        assert again.refusal is not None
        assert again.refusal.code == "DUPLICATE_NAME"


async def test_a_repeated_command_gets_the_first_answer() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        first = await ask(host, SaveProvider(name="a"), 1)
        assert await ask(host, SaveProvider(name="a"), 1) == first
        assert await names(log) == ["a"]


@pytest.mark.parametrize("faults", [["before"], ["after"], ["before", "after"], ["after", "before"]])
async def test_an_append_of_unknown_fate_happens_once(faults: list[str]) -> None:
    log = FlakyLog()
    async with hosted(log) as host:
        log.faults = list(faults)
        await ask(host, SaveProvider(name="twin:b"), 1)
        await queue_of(host).reach(2)
        assert await names(log) == ["twin:b", "b"]


async def test_a_condition_that_fails_is_decided_again_on_newer_facts() -> None:
    log = FlakyLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="a"), 1)
        log.faults = ["race"]
        assert (await ask(host, SaveProvider(name="guarded"), 2)).position == 3
        assert await names(log) == ["a", "foreign", "guarded"]


async def test_an_effect_is_performed_and_settled() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await asyncio.wait_for(queue_of(host).reach(2), 60)
        assert isinstance((await log.read(WORKSPACE, 1, 1))[0].fact, ProviderDeleted)


async def test_after_a_restart_the_state_is_the_same_from_a_snapshot_and_from_zero() -> None:
    log = MemoryLog()
    async with hosted(log, snapshot_every=3) as host:
        for number in range(10):
            await ask(host, SaveProvider(name=f"n{number}"), number)
        before = queue_of(host).room.state
    assert await log.load_snapshot("inventory", WORKSPACE, 1) is not None
    async with hosted(log) as host:
        queue = queue_of(host)
        await queue.reach(10)
        assert queue.room.state == before == (await audit.refold(log, service, WORKSPACE))[0]


async def test_a_state_that_is_dear_to_store_is_not_stored_for_a_few_facts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "CHEAP_S", -1.0)  # as if every state took long
    log = MemoryLog()
    for facts, is_stored in [(2, False), (2, True)]:
        first = await log.head(WORKSPACE)
        async with hosted(log, snapshot_every=3) as host:
            for number in range(first, first + facts):
                await ask(host, SaveProvider(name=f"n{number}"), number)
            await queue_of(host).reach(first + facts)
        assert (await log.load_snapshot("inventory", WORKSPACE, service.state_version) is not None) == is_stored


async def test_two_owners_of_one_workspace_do_no_harm() -> None:
    log = MemoryLog()
    async with hosted(log) as one, hosted(log) as other:
        answers = await asyncio.gather(
            *(ask(host, SaveProvider(name=f"n{number}"), number) for number in range(20) for host in (one, other))
        )
        assert all(answer.refusal is None for answer in answers)
        assert sorted(await names(log)) == sorted(f"n{number}" for number in range(20))


async def test_every_decision_would_be_made_again() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        for number, name in enumerate(("a", "twin:b", "call", "twin:c", "call2")):
            await ask(host, SaveProvider(name=name), number)
        await asyncio.wait_for(queue_of(host).reach(9), 60)
    count, differences = await audit.redecide(log, service, WORKSPACE)
    assert (count >= 7, differences) == (True, [])


async def test_starting_and_stopping_twice_is_harmless() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        host.start()
        await ask(host, SaveProvider(name="a"), 1)
        await host.stop()
        host.start()
        await ask(host, SaveProvider(name="b"), 2)
    assert await names(log) == ["a", "b"]


async def test_a_fact_that_can_not_be_handled_stops_the_workspace_and_is_told() -> None:
    log = MemoryLog()

    def broken(state: Counted, recorded: object) -> Counted:
        raise ValueError("no such shape")

    broken_service = type(service)(**{**{f: getattr(service, f) for f in service.__dataclass_fields__}, "evolve": broken})
    host = Host(broken_service, log, Feed(log))
    host.start()
    request = Request(id=WORKSPACE, workspace_id=WORKSPACE, auth_id="user:ana")
    await asyncio.wait_for(host.answer(SaveProvider(name="a"), request), 60)
    refused = await asyncio.wait_for(host.answer(SaveProvider(name="b"), request), 60)
    assert refused.unavailable is not None
    assert host.health()["stopped"] == {WORKSPACE: "ValueError: no such shape"}
    assert [error for _, error in await log.parked("inventory", WORKSPACE)] == ["ValueError: no such shape"]
    await host.stop()
