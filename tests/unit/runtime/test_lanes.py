"""Places of effects: how many a lane may take, what is left to others, and who is next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.runtime.lanes import FEW, LANE, PLACES, SPARE, Lane, Lanes


class House:
    """Lanes with effects that last until they are told to end.

    Attributes:
        under_way: names of the lanes of effects that have a place, in the order in which they began.
    """

    def __init__(self, places: int = PLACES) -> None:
        self.lanes = Lanes(places)
        self.known: dict[str, Lane] = {}
        self.under_way: list[str] = []
        self._tasks: dict[asyncio.Task[None], tuple[str, asyncio.Event]] = {}

    async def ask(self, name: str, number: int = 1) -> None:
        """So many effects more that want to begin."""
        for _ in range(number):
            end = asyncio.Event()
            self._tasks[asyncio.create_task(self._effect(name, end))] = (name, end)
        await settled()

    async def end(self, name: str, number: int = 1) -> None:
        """So many effects of a lane that are under way end."""
        mine = [(task, end) for task, (lane, end) in self._tasks.items() if lane == name]
        for task, end in mine[:number]:
            end.set()
            del self._tasks[task]
        await settled()

    async def give_up(self, first: int, apart: int = 1) -> None:
        """Of all effects, from that one on, each so-manieth is cancelled, wherever it is."""
        for task in list(self._tasks)[first::apart]:
            task.cancel()
            del self._tasks[task]
        await settled()

    async def _effect(self, name: str, end: asyncio.Event) -> None:
        async with self.lanes.turn(self.known.setdefault(name, Lane())), self._noted(name):
            await end.wait()

    @asynccontextmanager
    async def _noted(self, name: str) -> AsyncIterator[None]:
        self.under_way.append(name)
        try:
            yield
        finally:
            self.under_way.remove(name)

    def counted(self) -> dict[str, int]:
        return dict(Counter(self.under_way))


async def settled() -> None:
    """Everything has happened that does not wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_lane_alone_has_all_of_its_own() -> None:
    house = House()
    await house.ask("a", 2 * LANE)
    assert house.counted() == {"a": LANE}
    await house.end("a", LANE)
    assert house.counted() == {"a": LANE}


async def test_the_lanes_of_a_few_parties_are_as_wide_as_ever() -> None:
    house = House()
    for name in "abcde":
        await house.ask(name, 2 * LANE)
    assert house.counted() == dict.fromkeys("abcde", LANE)


async def test_it_takes_forty_parties_that_do_not_answer_until_nobody_has_a_turn() -> None:
    house = House()
    for number in range(39):
        await house.ask(f"hung {number}", LANE)
    await house.ask("well", 3)
    assert house.counted()["well"] == 1
    for _ in range(2):
        await house.end("well")
        assert house.counted()["well"] == 1
    await house.end("well")
    for number in range(39, 45):
        await house.ask(f"hung {number}", LANE)
    assert len(house.under_way) == PLACES
    await house.ask("well")
    assert "well" not in house.counted()


async def test_who_has_nothing_under_way_is_next() -> None:
    house = House(places=SPARE * FEW + 8)
    for name in ("a", "b", "c"):
        await house.ask(name, LANE)
    while len(house.under_way) < SPARE * FEW + 8:
        await house.ask(f"other {len(house.under_way)}")
    await house.ask("late")
    assert "late" not in house.counted()
    await house.end("a")
    assert house.counted()["late"] == 1


async def test_within_a_lane_who_comes_first_goes_first() -> None:
    lanes, lane, order = Lanes(), Lane(most=1), []
    held = asyncio.Event()

    async def effect(number: int) -> None:
        async with lanes.turn(lane):
            order.append(number)
            await held.wait()

    tasks = [asyncio.create_task(effect(number)) for number in range(5)]
    await settled()
    assert order == [0]
    held.set()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]


async def test_one_that_was_called_and_is_not_wanted_any_more_gives_its_place_on() -> None:
    lanes, lane, began = Lanes(), Lane(most=1), []

    async def effect(name: str) -> None:
        async with lanes.turn(lane):
            began.append(name)

    async def first() -> None:
        async with lanes.turn(lane):
            await settled()
        second.cancel()  # it has this one's place already, and does not know yet

    begun = asyncio.create_task(first())
    await asyncio.sleep(0)
    second, third = (asyncio.create_task(effect(name)) for name in ("second", "third"))
    await asyncio.gather(begun, third)
    assert second.cancelled()
    assert began == ["third"]
    assert lane.under_way == 0


@pytest.mark.parametrize("together", [False, True])
async def test_those_who_give_up_while_they_wait_leave_nothing_behind(together: bool) -> None:
    house = House()
    await house.ask("a", LANE + 20)
    await house.give_up(0 if together else LANE)
    await house.end("a", LANE)
    assert house.counted() == {}
    assert house.known["a"].under_way == 0
    assert not house.known["a"].waiting
    assert house.known["a"].line is None
    await house.ask("a", LANE)
    assert house.counted() == {"a": LANE}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("ask", "ask", "end", "give up")), st.integers(0, 30), st.integers(1, 60)),
        min_size=1,
        max_size=40,
    )
)
def test_places_do_not_drift_and_nobody_waits_who_may_begin(steps: list[tuple[str, int, int]]) -> None:
    async def all_of_it() -> None:
        house = House()
        for what, which, number in steps:
            match what:
                case "ask":
                    await house.ask(f"lane {which}", number)
                case "end":
                    await house.end(f"lane {which}", number)
                case _:
                    await house.give_up(which, number)
            under_way = house.counted()
            assert {name: lane.under_way for name, lane in house.known.items() if lane.under_way} == under_way
            free = PLACES - len(house.under_way)
            assert free >= 0
            for lane in house.known.values():
                assert lane.under_way <= LANE
                if lane.waiting and lane.under_way < LANE:
                    assert free <= SPARE * min(lane.under_way, FEW)
        for name in [*house.known]:
            await house.end(name, 10_000)
        for name in [*house.known]:
            await house.end(name, 10_000)
        assert house.counted() == {}

    asyncio.run(all_of_it())
