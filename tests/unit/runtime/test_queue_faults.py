"""What must not happen to a queue: a lost wake-up, a lost outcome or timer, an answer for nothing, one request in the way of others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from contracts.command import Asked, Query, Request
from contracts.commands.inventory import SaveProvider
from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderDeleted, ProviderSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, Appended, Checkpoint, CheckpointMove, Snapshot
from libs.runtime import queue as queues
from libs.runtime.service import Command, Decided, Draft, Intent, Outcome, QueryHandler, Service
from libs.simulation.world import START, WORKSPACE
from tests.unit.runtime.counter import Calls, Counted, Mortal, evolve, save, service
from tests.unit.runtime.flaky import FlakyLog, ask, facts, hosted, id_of, names, queue_of, saved

SOON_S = 60


class BusyLog(MemoryLog):
    """Gives everybody else a turn during each append, as a database does."""

    async def append(self, request: Append) -> Appended:
        for _ in range(20):
            await asyncio.sleep(0)
        return await super().append(request)


class CountProviders(Query):
    """How many providers there are."""

    SERVICE = "inventory"
    NAME = "count_providers"


def count(wish: CountProviders, state: Counted, asked: Asked, position: int) -> int:
    return len(state.saved)


asked_service = replace(service, queries={"count_providers": QueryHandler(CountProviders, count)})


def deciding(decide: Any, **changes: Any) -> Service[Counted]:
    """The counter with another way to save a provider."""
    return replace(service, commands={"save_provider": Command(SaveProvider, decide)}, **changes)


async def test_who_waits_for_a_position_is_told_after_a_reload() -> None:
    log = FlakyLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="a"), 1)
        queue = queue_of(host)
        waiting = asyncio.create_task(queue.reach(2))
        await asyncio.sleep(0)
        stored = queue.room.stored
        await log.usurp(CheckpointMove("inventory", stored, Checkpoint(2, stored.sequence + 5)))
        await asyncio.wait_for(waiting, SOON_S)
        late = asyncio.create_task(queue.reach(3))
        await asyncio.sleep(0)
        assert (await ask(host, SaveProvider(name="b"), 2)).position == 3
        await asyncio.wait_for(late, SOON_S)


async def test_a_reload_to_the_awaited_position_itself_tells_the_waiter() -> None:
    """The facts come with the load, so that no turn sees anything new."""
    log = FlakyLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="a"), 1)
        queue = queue_of(host)
        log.faults, log.usurped_to = ["usurped"], Checkpoint(2, queue.room.stored.sequence + 5)
        answered = asyncio.create_task(ask(host, SaveProvider(name="usurped"), 2))
        await asyncio.sleep(0)
        await asyncio.wait_for(queue.reach(2), SOON_S)
        refused = await answered
        assert refused.refusal is not None
        assert await names(log) == ["a", "usurped"]


async def test_a_request_for_a_position_that_never_comes_holds_up_nobody() -> None:
    log = MemoryLog()
    async with hosted(log, of=asked_service, patience_s=2.0) as host:
        stuck = [
            asyncio.create_task(ask(host, SaveProvider(name="stuck"), 1, min_position=10**9)),
            asyncio.create_task(ask(host, CountProviders(), 2, min_position=10**9)),
        ]
        await asyncio.sleep(0)
        assert (await ask(host, SaveProvider(name="a"), 3)).position == 1
        for one in stuck:
            assert (await asyncio.wait_for(one, SOON_S)).unavailable is not None
        await ask(host, SaveProvider(name="b"), 4)
        assert await names(log) == ["a", "b"]
        # Nor does anybody take the claim for news: what others record is still noticed at once.
        reacted = asyncio.Event()
        log.on_commit(lambda _, head, __: reacted.set() if head == 4 else None)
        await log.append(Append(WORKSPACE, facts=(saved("twin:c"),)))
        await asyncio.wait_for(reacted.wait(), SOON_S)


async def test_a_request_brings_news_of_facts_that_nobody_told_of() -> None:
    log = FlakyLog()
    async with hosted(log, of=asked_service) as host:
        await ask(host, SaveProvider(name="a"), 1)
        await log.append_untold(Append(WORKSPACE, facts=(saved("b"),)))
        assert (await ask(host, CountProviders(), 2, min_position=2)).result == 2
        await log.append_untold(Append(WORKSPACE, facts=(saved("c"),)))
        assert (await ask(host, SaveProvider(name="d"), 3, min_position=3)).position == 4


async def test_queries_are_not_left_waiting_when_the_workspace_stops() -> None:
    def broken(state: Counted, recorded: Recorded) -> Counted:
        raise ValueError("no such shape")

    log = MemoryLog()
    async with hosted(log, of=replace(asked_service, evolve=broken)) as host:
        waiting = asyncio.create_task(ask(host, CountProviders(), 1, min_position=1))
        await asyncio.sleep(0)
        await log.append(Append(WORKSPACE, facts=(saved("a"),)))
        answer = await asyncio.wait_for(waiting, 60)
        assert answer.unavailable is not None


async def test_queries_are_not_left_waiting_when_the_host_stops() -> None:
    log = MemoryLog()
    async with hosted(log, of=asked_service) as host:
        waiting = asyncio.create_task(ask(host, CountProviders(), 1, min_position=2))
        await ask(host, SaveProvider(name="a"), 2)
        await host.stop()
        assert (await asyncio.wait_for(waiting, 60)).unavailable is not None


async def test_a_workspace_that_can_not_be_loaded_does_not_hold_up_the_start() -> None:
    def broken(state: Counted, recorded: Recorded) -> Counted:
        raise ValueError("no such shape")

    log = MemoryLog()
    await log.append(Append(WORKSPACE, facts=(saved("a"),), move=CheckpointMove("inventory", Checkpoint(), Checkpoint(1, 1))))
    async with hosted(log, of=replace(service, evolve=broken)) as host:
        await asyncio.wait_for(queue_of(host).ready.wait(), SOON_S)
        assert host.health()["stopped"] == {WORKSPACE: "ValueError: no such shape"}


async def test_the_next_decision_is_made_on_all_of_the_last_append(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BATCH", 4)

    def fill(wish: SaveProvider, state: Counted, asked: Asked) -> Decided:
        missing = [f"n{number:02d}" for number in range(10) if f"n{number:02d}" not in state.saved]
        return Decided(tuple(Draft(ProviderSaved(provider_id="p", name=name, created_at=asked.now)) for name in missing))

    log = MemoryLog()
    async with hosted(log, of=deciding(fill)) as host:
        await asyncio.gather(ask(host, SaveProvider(name="x"), 1), ask(host, SaveProvider(name="x"), 2))
        assert await names(log) == [f"n{number:02d}" for number in range(10)]


async def test_an_outcome_survives_a_refused_append_in_an_outage() -> None:
    log = FlakyLog()
    gate = asyncio.Event()

    async def slow(intent: Intent) -> dict[str, Any]:
        await gate.wait()
        log.faults = ["condition"]
        return {"by": "outside"}

    async with hosted(log, performer=slow) as host:
        await ask(host, SaveProvider(name="call"), 1)
        gate.set()
        await asyncio.wait_for(queue_of(host).reach(2), SOON_S)
        assert isinstance((await facts(log))[1].fact, ProviderDeleted)


async def test_a_timer_survives_a_refused_append_in_an_outage() -> None:
    class Broken(Mortal):
        def fire(self, state: Counted, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
            if not fired:
                log.faults = ["condition"]
            fired.append(now)
            return super().fire(state, keys, now)

    fired: list[datetime] = []
    log = FlakyLog()
    async with hosted(log, of=replace(service, timers=Broken())) as host:
        await log.append(Append(WORKSPACE, facts=(saved("mortal"),)))
        await asyncio.wait_for(queue_of(host).reach(2), SOON_S)
        assert [type(one.fact) for one in await facts(log)] == [ProviderSaved, ProviderDeleted]
        assert len(fired) == 2


async def test_an_outcome_that_waits_over_a_reload_is_not_performed_again() -> None:
    log = FlakyLog()
    performed: list[str] = []

    async def outside(intent: Intent) -> dict[str, Any]:
        performed.append(intent.key)
        log.faults = ["usurped"]
        return {"by": f"try {len(performed)}"}

    async with hosted(log, performer=outside) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await asyncio.wait_for(queue_of(host).reach(3), SOON_S)
        assert performed == ["call"]
        deleted = [one.fact.provider_id for one in await facts(log) if isinstance(one.fact, ProviderDeleted)]
        assert deleted == ["try 1"]


async def test_another_owner_at_the_same_checkpoint_is_not_taken_for_oneself() -> None:
    """Two owners may go from one checkpoint to the same next one; the sender must not be told that nothing was something."""
    log = FlakyLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="a"), 1)
        log.faults = ["usurped"]
        assert (await ask(host, SaveProvider(name="b"), 2)).refusal is None
        assert await names(log) == ["a", "usurped", "b"]


async def test_whoever_takes_over_decides_on_all_that_the_owner_before_it_recorded() -> None:
    log = FlakyLog()
    async with hosted(log) as host:
        await ask(host, SaveProvider(name="a"), 0)
        stored = queue_of(host).room.stored
        move = CheckpointMove("inventory", stored, Checkpoint(stored.position, stored.sequence + 1))
        await log.append_untold(Append(WORKSPACE, facts=(saved("b"),), move=move))  # its facts lie after the checkpoint
        answer = await ask(host, SaveProvider(name="b"), 1)
    assert answer.refusal is not None
    assert answer.refusal.code == "DUPLICATE_NAME"
    assert await names(log) == ["a", "b"]


async def test_a_command_without_facts_is_not_taken_for_another_one_either() -> None:
    log = FlakyLog()
    async with hosted(log, of=deciding(lambda wish, state, asked: Decided((), {"saw": sorted(state.saved)}))) as host:
        log.faults = ["usurped"]
        assert (await ask(host, SaveProvider(name="b"), 1)).result == {"saw": ["usurped"]}
        assert await log.answered(WORKSPACE, id_of(1)) is not None


async def test_a_command_that_its_handler_breaks_on_spoils_no_other() -> None:
    def fragile(wish: SaveProvider, state: Counted, asked: Asked) -> Decided:
        assert wish.name != "odd", "nobody thought of this"
        return save(wish, state, asked)

    log = MemoryLog()
    async with hosted(log, of=deciding(fragile)) as host:
        odd = await ask(host, SaveProvider(name="odd"), 1)
        assert odd.unavailable is not None
        assert (await ask(host, SaveProvider(name="a"), 2)).position == 1
        assert host.health()["stopped"] == {}


@pytest.mark.parametrize("name", ["nul \x00", "long " + "x" * 300_000])
async def test_a_command_whose_facts_can_not_be_stored_is_refused_and_spoils_no_other(name: str) -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        odd = await ask(host, SaveProvider(name=name), 1)
        assert odd.refusal is not None
        assert odd.refusal.code == "NOT_STORABLE"
        assert (await ask(host, SaveProvider(name="a"), 2)).position == 1


async def test_a_result_that_is_no_json_is_our_bug_and_stops_nothing() -> None:
    results: list[dict[str, Any]] = [{"by": "\ud800"}, {"by": "outside"}]

    async def outside(intent: Intent) -> dict[str, Any]:
        return results.pop(0)

    log = MemoryLog()
    async with hosted(log, performer=outside) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await asyncio.wait_for(queue_of(host).reach(2), SOON_S)
        assert host.health()["stopped"] == {}


async def test_a_snapshot_that_can_not_be_read_is_passed_over() -> None:
    log = MemoryLog()
    await log.append(Append(WORKSPACE, facts=(saved("a"),), move=CheckpointMove("inventory", Checkpoint(), Checkpoint(1, 1))))
    await log.save_snapshot("inventory", WORKSPACE, Snapshot(1, service.state_version, b'["another shape"]'))
    async with hosted(log) as host:
        await asyncio.wait_for(queue_of(host).reach(1), SOON_S)
        assert sorted(queue_of(host).room.state.saved) == ["a"]


async def test_a_history_that_nobody_told_of_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BATCH", 2)
    log = MemoryLog()
    provided = tuple(saved(f"n{number}") for number in range(7))
    await log.append(Append(WORKSPACE, facts=provided, move=CheckpointMove("inventory", Checkpoint(), Checkpoint(7, 1))))
    async with hosted(log) as host:
        await asyncio.wait_for(queue_of(host).ready.wait(), SOON_S)
        assert len(queue_of(host).room.state.saved) == 7


async def test_the_first_answer_and_a_repeated_one_are_the_same_text() -> None:
    log = MemoryLog()
    async with hosted(log, of=deciding(lambda wish, state, asked: Decided((), {"at": asked.now}))) as host:
        first, again = await ask(host, SaveProvider(name="a"), 1), await ask(host, SaveProvider(name="a"), 1)
        assert first.model_dump_json() == again.model_dump_json()


async def test_effects_under_way_are_over_when_the_host_has_stopped() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(intent: Intent) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    async with hosted(MemoryLog(), performer=endless) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await asyncio.wait_for(begun.wait(), SOON_S)
        await host.stop()
        assert ended.is_set()


async def test_effects_end_when_the_workspace_stops() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(intent: Intent) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    def fragile(state: Counted, recorded: Recorded) -> Counted:
        assert not isinstance(recorded.fact, ProviderDeleted), "nobody thought of this"
        return evolve(state, recorded)

    log = MemoryLog()
    async with hosted(log, of=replace(service, evolve=fragile), performer=endless) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await asyncio.wait_for(begun.wait(), SOON_S)
        gone = replace(saved("b"), fact=ProviderDeleted(provider_id="x", name="call"), time=START)
        await log.append(Append(WORKSPACE, facts=(gone,)))
        await asyncio.wait_for(ended.wait(), SOON_S)


async def test_timers_fire_while_outcomes_never_end() -> None:
    """Each settled call begets the next one, which is over before the queue looks again."""

    class Chain(Calls):
        def settle(self, state: Counted, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
            following = Draft(ProviderSaved(provider_id="x", name=f"call{state.deleted}", created_at=now))
            return [*super().settle(state, outcomes, now), following]

    log = BusyLog()
    async with hosted(log, of=replace(service, effects=Chain())) as host:
        await ask(host, SaveProvider(name="call"), 1)
        await ask(host, SaveProvider(name="call too"), 2)
        await log.append(Append(WORKSPACE, facts=(saved("mortal"),)))

        async def died() -> None:
            seen = 0
            while True:
                for one in await log.read(WORKSPACE, seen, 1000):
                    seen = one.position
                    if isinstance(one.fact, ProviderDeleted) and one.fact.name == "mortal":
                        return
                await queue_of(host).reach(seen + 1)

        await asyncio.wait_for(died(), SOON_S)


async def test_who_asked_and_went_away_leaves_nothing_behind() -> None:
    log = MemoryLog()
    async with hosted(log) as host:
        request = Request(id=id_of(1), workspace_id=WORKSPACE, auth_id="user:ana", min_position=1)
        gone = asyncio.create_task(host.answer(SaveProvider(name="gone"), request))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await ask(host, SaveProvider(name="a"), 2)
        await ask(host, SaveProvider(name="b"), 3)
        assert await names(log) == ["a", "b"]
