"""Budgets in virtual time: how many at once, how many a minute, who is next, and pauses."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.outbound.budget import WINDOW_S, Budget, Budgets


class Alarm:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualClock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._numbers = count()

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None], /) -> Alarm:
        alarm = Alarm(callback)
        heapq.heappush(self._alarms, (when, next(self._numbers), alarm))
        return alarm

    async def advance(self, seconds: float) -> None:
        """Let time pass, with everything that becomes due in between."""
        end = self.now + seconds
        await quiet()
        while self._alarms and self._alarms[0][0] <= end:
            when, _, alarm = heapq.heappop(self._alarms)
            self.now = max(self.now, when)
            if alarm.callback is not None:
                alarm.callback()
            await quiet()
        self.now = end


async def quiet() -> None:
    """Let every task run that can; each step of a caller takes a few turns of the loop at most."""
    for _ in range(12):
        await asyncio.sleep(0)


class Callers:
    """Callers that note when they begin, and end when they are told to."""

    def __init__(self, budget: Budget, clock: VirtualClock) -> None:
        self.budget = budget
        self.clock = clock
        self.begun: list[tuple[int, float]] = []
        self.ends: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    def ask(self, number: int) -> None:
        self.ends[number] = asyncio.Event()
        self.tasks[number] = asyncio.create_task(self._call(number))

    async def _call(self, number: int) -> None:
        async with self.budget.turn():
            self.begun.append((number, self.clock.now))
            await self.ends[number].wait()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self.ends[number].set()
        await quiet()

    async def stop(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    @property
    def order(self) -> list[int]:
        return [number for number, _ in self.begun]


async def test_only_so_many_are_under_way_and_who_asked_first_is_next() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(2, clock=clock), clock)
    for number in range(5):
        callers.ask(number)
    await quiet()
    assert (callers.order, callers.budget.in_flight, callers.budget.waiting) == ([0, 1], 2, 3)
    await callers.end(1)
    assert callers.order == [0, 1, 2]
    await callers.end(0, 2, 3, 4)
    assert callers.order == [0, 1, 2, 3, 4]
    assert callers.budget.idle


async def test_only_so_many_begin_in_a_minute() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(per_minute=3, clock=clock), clock)
    for number in range(7):
        callers.ask(number)
    await clock.advance(200)
    assert [at for _, at in callers.begun] == [0, 0, 0, 60, 60, 60, 120]
    await callers.stop()


async def test_a_pause_lets_nothing_begin_and_a_shorter_one_does_not_end_it() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(2, clock=clock), clock)
    callers.budget.pause(30)
    callers.budget.pause(5)
    callers.ask(0)
    await clock.advance(29)
    assert callers.begun == []
    await clock.advance(1)
    assert callers.begun == [(0, 30)]
    await callers.stop()


async def test_a_pause_told_while_others_wait_holds_them_too() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(1, clock=clock), clock)
    callers.ask(0)
    callers.ask(1)
    await quiet()
    callers.budget.pause(45)
    await callers.end(0)
    assert callers.order == [0]
    assert not callers.budget.idle
    await clock.advance(45)
    assert callers.begun == [(0, 0), (1, 45)]
    await callers.stop()


async def test_who_gives_up_makes_room() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(1, clock=clock), clock)
    for number in range(4):
        callers.ask(number)
    await quiet()
    callers.tasks[1].cancel()
    await callers.end(0)
    assert callers.order == [0, 2]
    callers.tasks[2].cancel()
    await quiet()
    assert callers.order == [0, 2, 3]
    await callers.end(3)
    assert (callers.budget.in_flight, callers.budget.waiting) == (0, 0)


async def test_a_turn_granted_to_one_who_gives_up_in_that_moment_is_not_lost() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(1, clock=clock), clock)
    for number in range(3):
        callers.ask(number)
    await quiet()
    callers.ends[0].set()
    await asyncio.sleep(0)
    # Caller 1 either has its turn by now or will have it at once; both ways it gives up and caller 2 goes on.
    callers.tasks[1].cancel()
    await quiet()
    assert callers.order[-1] == 2
    await callers.end(2)
    assert callers.budget.in_flight == 0


async def test_an_error_inside_gives_the_turn_back() -> None:
    budget = Budget(1, clock=VirtualClock())
    with pytest.raises(ValueError, match="inside"):
        async with budget.turn():
            raise ValueError("inside")
    assert budget.in_flight == 0


async def test_higher_limits_hold_at_once() -> None:
    clock = VirtualClock()
    budgets = Budgets(clock=clock)
    callers = Callers(budgets.of("agent", 1), clock)
    for number in range(3):
        callers.ask(number)
    await quiet()
    assert callers.order == [0]
    assert budgets.of("agent", 3) is callers.budget
    await quiet()
    assert callers.order == [0, 1, 2]
    await callers.stop()


async def test_lower_limits_count_what_began_before() -> None:
    clock = VirtualClock()
    callers = Callers(Budget(per_minute=3, clock=clock), clock)
    for number in range(3):
        callers.ask(number)
        await clock.advance(10)
    callers.budget.limit(None, 1)
    callers.ask(3)
    await clock.advance(100)
    assert callers.begun[3:] == [(3, 80)]
    await callers.stop()


async def test_keys_have_budgets_of_their_own_and_only_idle_ones_are_forgotten() -> None:
    clock = VirtualClock()
    budgets = Budgets(clock=clock, most=3)
    busy, paused, idle = budgets.of("busy", 1), budgets.of("paused", 1), budgets.of("idle", 1)
    paused.pause(60)
    async with busy.turn():
        budgets.of("another", 1)
        assert budgets.of("busy", 1) is busy
        assert budgets.of("paused", 1) is paused
        assert budgets.of("idle", 1) is not idle


async def test_the_event_loop_is_the_clock_when_none_is_given() -> None:
    budget = Budget(1, 10)
    budget.pause(0.001)
    async with budget.turn():
        assert budget.in_flight == 1


@pytest.mark.parametrize("limits", [(0, None), (None, 0), (-1, 5)])
async def test_a_budget_of_nothing_is_a_mistake(limits: tuple[int | None, int | None]) -> None:
    with pytest.raises(AssertionError, match="at least one call"):
        Budget(*limits, clock=VirtualClock())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.integers(0, 60)),
        st.tuples(st.just("cancel"), st.integers(0, 60)),
        st.tuples(st.just("wait"), st.integers(0, 90)),
        st.tuples(st.just("pause"), st.integers(0, 90)),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3), st.integers(1, 4), STEPS)
def test_limits_hold_and_everybody_has_a_turn_in_the_end(most: int, per_minute: int, steps: list[tuple[str, int]]) -> None:
    async def story() -> None:
        clock = VirtualClock()
        callers = Callers(Budget(most, per_minute, clock=clock), clock)
        numbers = count()
        given_up: set[int] = set()
        pauses: list[tuple[float, float]] = []
        for step, value in steps:
            match step:
                case "ask":
                    for _ in range(value):
                        callers.ask(next(numbers))
                    await quiet()
                case "end" if value in callers.ends:
                    await callers.end(value)
                case "cancel" if value in callers.tasks:
                    callers.tasks[value].cancel()
                    given_up.add(value)
                    await quiet()
                case "wait":
                    await clock.advance(value)
                case "pause":
                    callers.budget.pause(value)
                    pauses.append((clock.now, clock.now + value))
            assert callers.budget.in_flight <= most
        for event in callers.ends.values():
            event.set()
        await clock.advance(90 + WINDOW_S * (len(callers.tasks) + 1))
        times = [at for _, at in callers.begun]
        assert all(later >= earlier + WINDOW_S for earlier, later in zip(times, times[per_minute:], strict=False))
        assert callers.order == sorted(callers.order)
        assert {*callers.order} >= {*callers.tasks} - given_up
        # What begins at the very instant of a pause was let through before it was told.
        assert not [at for at in times for begin, end in pauses if begin < at < end]
        assert all(task.done() for task in callers.tasks.values())
        await asyncio.gather(*callers.tasks.values(), return_exceptions=True)

    asyncio.run(story())
