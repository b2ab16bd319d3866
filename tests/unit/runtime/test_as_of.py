"""States as of the past: they are what folding from zero gives, and looking around costs little once somebody has looked."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.command import AsOf, Request
from contracts.commands.inventory import DeleteProvider
from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderDeleted, ProviderSaved
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, LogUnavailable, NewFact, Snapshot
from libs.runtime import as_of
from libs.runtime.answering import Answering
from libs.runtime.as_of import Ahead, Fold, FoldAt
from libs.runtime.past import Past
from libs.simulation.world import START, WORKSPACE, refold
from tests.unit.runtime.counter import Counted, evolve, service
from tests.unit.runtime.flaky import id_of

FOLD: Fold[Counted] = Fold("counted", 1, service.reads, lambda workspace_id: Counted(), evolve)


class CountingLog(MemoryLog):
    """Counts the facts that are read, tells of the first state that is stored, and breaks when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.read_facts = 0
        self.away = False
        self.stored: asyncio.Future[Snapshot] | None = None

    async def save_snapshot(self, consumer: str, workspace_id: str, snapshot: Snapshot) -> None:
        await super().save_snapshot(consumer, workspace_id, snapshot)
        if self.stored is not None and not self.stored.done():
            self.stored.set_result(snapshot)

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        if self.away:
            raise LogUnavailable("away")
        found = await super().read(workspace_id, after, limit)
        self.read_facts += len(found)
        return found


class Forgetful(FoldAt[Counted]):
    """Tells when it has let go of everything."""

    def __init__(self, log: MemoryLog, fold: Fold[Counted], *, kept: int, idle_s: float) -> None:
        super().__init__(log, fold, kept=kept, idle_s=idle_s)
        self.empty = asyncio.Event()

    def _let_go(self) -> None:
        super()._let_go()
        if not self._known:
            self.empty.set()


async def filled(count: int) -> CountingLog:
    """A log of so many facts: every third takes back what the one before it saved."""
    log = CountingLog()
    facts = [
        ProviderDeleted(provider_id="x", name=f"p{n - 1}")
        if n % 3 == 2
        else ProviderSaved(provider_id="x", name=f"p{n}", created_at=START)
        for n in range(count)
    ]
    new = [
        NewFact(id=id_of(n), fact=fact, time=START, correlation_id=WORKSPACE, causation_id=WORKSPACE, auth_id="service:test")
        for n, fact in enumerate(facts)
    ]
    await log.append(Append(WORKSPACE, new))
    return log


def at(log: MemoryLog, position: int) -> Counted:
    state: Counted = refold(service, log.workspace(WORKSPACE).facts[:position])
    return state


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    positions=st.lists(st.integers(0, 120), min_size=1, max_size=12),
    together=st.booleans(),
    kept=st.integers(1, 4),
    store_every=st.sampled_from([7, 50, 10_000]),
    live=st.none() | st.integers(0, 120),
)
def test_a_state_of_the_past_is_what_folding_from_zero_gives(
    positions: list[int], together: bool, kept: int, store_every: int, live: int | None
) -> None:
    async def look() -> None:
        log = await filled(120)
        known = None if live is None else (at(log, live), live)
        fold = FoldAt(log, FOLD, kept=kept, store_every=store_every, live=lambda workspace_id: known)
        if together:
            found: Sequence[Counted] = await asyncio.gather(*(fold.at(WORKSPACE, one) for one in positions))
        else:
            found = [await fold.at(WORKSPACE, one) for one in positions]
        assert list(found) == [at(log, one) for one in positions]
        await fold.stop()

    # Batches and waypoints as small as the log, so that a way has many of them.
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("BATCH", 5), ("WAYPOINT", 20), ("NEAR", 3)):
            patched.setattr(as_of, name, value)
        asyncio.run(look())


async def test_who_asks_for_the_same_position_shares_the_fold() -> None:
    log = await filled(3_000)
    fold = FoldAt(log, FOLD)
    found = await asyncio.gather(*(fold.at(WORKSPACE, 2_500) for _ in range(10)))
    assert log.read_facts == 2_500
    assert all(one is found[0] for one in found)
    await fold.at(WORKSPACE, 2_500)
    assert log.read_facts == 2_500
    await fold.at(WORKSPACE, 2_600)
    assert log.read_facts == 2_600, "from the nearest before it"


async def test_the_next_look_back_begins_at_a_stored_state_also_in_another_process() -> None:
    log = await filled(9_000)
    log.stored = asyncio.get_running_loop().create_future()
    fold = FoldAt(log, FOLD, store_every=2_000)
    await fold.at(WORKSPACE, 8_500)
    await asyncio.wait_for(log.stored, 60)
    await fold.stop()
    stored = await log.load_snapshot("counted", WORKSPACE, 1, 8_500)
    assert stored is not None
    log.read_facts = 0
    elsewhere = FoldAt(log, FOLD)
    assert await elsewhere.at(WORKSPACE, 8_400) == at(log, 8_400)
    assert log.read_facts == 8_400 - stored.position < 6_500


async def test_a_stored_state_of_another_version_or_that_can_not_be_read_is_passed_over() -> None:
    log = await filled(3_000)
    await log.save_snapshot("counted", WORKSPACE, Snapshot(2_900, 2, b"of tomorrow"))
    await log.save_snapshot("counted", WORKSPACE, Snapshot(2_800, 1, b"broken"))
    assert await FoldAt(log, FOLD).at(WORKSPACE, 2_950) == at(log, 2_950)


async def test_the_nearest_look_does_not_wait_for_a_far_one() -> None:
    log = await filled(9_000)
    fold = FoldAt(log, FOLD)
    done: list[int] = []

    async def look(position: int) -> None:
        await fold.at(WORKSPACE, position)
        done.append(position)

    await asyncio.gather(look(9_000), look(1_500), look(5_000))
    assert done == [1_500, 5_000, 9_000]
    assert log.read_facts == 9_000, "and what one has folded is folded for all"


async def test_who_leaves_takes_nobody_along_and_the_fold_goes_on() -> None:
    log = await filled(9_000)
    fold = FoldAt(log, FOLD)
    left = asyncio.create_task(fold.at(WORKSPACE, 9_000))
    await asyncio.sleep(0)
    stays = asyncio.create_task(fold.at(WORKSPACE, 9_000))
    await asyncio.sleep(0)
    left.cancel()
    assert await stays == at(log, 9_000)


async def test_an_outage_is_told_and_whoever_asks_again_goes_on_from_there() -> None:
    log = await filled(3_000)
    fold = FoldAt(log, FOLD)
    await fold.at(WORKSPACE, 1_000)
    log.away = True
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await fold.at(WORKSPACE, 3_000)
    log.away = False
    assert await fold.at(WORKSPACE, 3_000) == at(log, 3_000)
    assert log.read_facts == 3_000


async def test_what_is_not_in_the_log_yet_is_refused_and_others_are_answered() -> None:
    log = await filled(100)
    fold = FoldAt(log, FOLD)
    found = await asyncio.gather(fold.at(WORKSPACE, 101), fold.at(WORKSPACE, 100), return_exceptions=True)
    assert isinstance(found[0], Ahead)
    assert found[1] == at(log, 100)
    assert await fold.at(WORKSPACE, 0) == Counted()


async def test_states_that_nobody_asks_for_any_more_are_let_go_of() -> None:
    log = await filled(100)
    fold = Forgetful(log, FOLD, kept=2, idle_s=0.01)
    for position in (10, 20, 30):
        await fold.at(WORKSPACE, position)
    await asyncio.wait_for(fold.empty.wait(), 60)
    assert await fold.at(WORKSPACE, 20) == at(log, 20)


async def test_a_fold_gives_turns_to_others() -> None:
    log = await filled(3_000)
    slow_s = 0.001

    def slowly(state: Counted, recorded: Recorded) -> Counted:
        until = perf_counter() + slow_s
        while perf_counter() < until:
            pass
        return evolve(state, recorded)

    fold = FoldAt(log, Fold("slow", 1, service.reads, FOLD.initial, slowly))
    looking = asyncio.create_task(fold.at(WORKSPACE, 1_000))
    turns = 0
    while not looking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 1_000 * slow_s / as_of.SLICE_S / 2


async def test_others_get_turns_while_a_large_fact_is_folded() -> None:
    log = await filled(0)
    size = {"note": "x" * as_of.LARGE_BYTES}
    fact = ProviderSaved(provider_id="x", name="large", metadata=size, created_at=START)
    new = NewFact(id=id_of(0), fact=fact, time=START, correlation_id=WORKSPACE, causation_id=WORKSPACE, auth_id="service:test")
    await log.append(Append(WORKSPACE, (new,)))
    begun, turn = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def waiting(state: Counted, recorded: Recorded) -> Counted:
        loop.call_soon_threadsafe(begun.set)
        assert turn.wait(60), "nobody else got a turn"
        return evolve(state, recorded)

    fold = FoldAt(log, replace(FOLD, evolve=waiting))
    looking = asyncio.create_task(fold.at(WORKSPACE, 1))
    await begun.wait()
    turn.set()
    assert (await looking).position == 1


async def test_a_long_way_is_spared_the_collector_until_it_ends() -> None:
    log = await filled(as_of.NEAR + 10)
    before, during = gc.get_threshold(), set[tuple[int, int, int]]()

    def noting(state: Counted, recorded: Recorded) -> Counted:
        during.add(gc.get_threshold())
        return evolve(state, recorded)

    fold = FoldAt(log, replace(FOLD, evolve=noting))
    try:
        await fold.at(WORKSPACE, as_of.NEAR)
        assert during == {before}, "a short way is not"
        during.clear()
        await FoldAt(log, replace(FOLD, evolve=noting)).at(WORKSPACE, as_of.NEAR + 1)
        assert before not in during
        assert gc.get_threshold() == before
    finally:
        gc.unfreeze()


async def test_a_command_can_not_be_asked_of_the_past() -> None:
    past = Past(service, await filled(10), lambda workspace_id: None, Answering(service))
    then = AsOf(position=5, time=START)
    request = Request(id=id_of("c"), workspace_id=WORKSPACE, auth_id="user:ana", as_of=then)
    answer = await past.answer(DeleteProvider(name="p1"), request, then, 5)
    assert answer.refusal is not None
    assert "as_of" in answer.refusal.message


async def test_who_asked_in_the_moment_of_the_stop_does_not_wait_for_ever() -> None:
    fold = FoldAt(await filled(10), FOLD)
    asked = asyncio.create_task(fold.at(WORKSPACE, 5))
    await asyncio.sleep(0)  # it waits now, and the fold has not had a turn yet
    await fold.stop()
    await asyncio.wait({asked}, timeout=60)
    assert asked.cancelled()
    assert await fold.at(WORKSPACE, 5) == at(await filled(10), 5), "nothing is left behind that nobody works on"
    await fold.stop()
