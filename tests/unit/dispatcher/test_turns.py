"""How often an agent may be called, and who goes first."""

from __future__ import annotations

import heapq

from hypothesis import example, given
from hypothesis import strategies as st

from services.dispatcher.adapters.turns import LATE_S, MIN_WAIT_S, MINUTE_S, AllTurns, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def played(arrivals: list[tuple[float, str]], per_minute: int, pauses: dict[str, float] | None = None) -> list[tuple[float, str]]:
    """When each call began, in order; whoever is told to wait comes back then. A call may ask for a pause as it begins."""
    clock = Clock()
    start, turns = clock.now, Turns(clock)
    due = [(start + at, number, name) for number, (at, name) in enumerate(arrivals)]
    heapq.heapify(due)
    begun: list[tuple[float, str]] = []
    for _ in range(10_000):
        if not due:
            return begun
        clock.now, number, name = heapq.heappop(due)
        wait_s = turns.wait_s(name, per_minute)
        if wait_s:
            heapq.heappush(due, (clock.now + wait_s, number, name))
        else:
            begun.append((clock.now - start, name))
            turns.pause((pauses or {}).get(name, 0.0))
    raise AssertionError(f"still waiting: {due}")


@given(st.lists(st.floats(0, 200), max_size=30), st.integers(1, 5))
@example([0.0] * 6 + [179.96875, 180.0], 2)
def test_no_minute_has_more_calls_than_allowed_and_everybody_gets_his(times: list[float], per_minute: int) -> None:
    arrivals = [(at, f"call {number}") for number, at in enumerate(sorted(times))]
    begun = played(arrivals, per_minute)
    assert sorted(name for _, name in begun) == sorted(name for _, name in arrivals)
    for number in range(len(begun) - per_minute):
        assert begun[number + per_minute][0] - begun[number][0] >= MINUTE_S - 1e-6
    at = {name: when for when, name in begun}
    last = 0.0
    for _, name in arrivals:
        # Nobody is told to come back sooner than that, so that one who asked later may find his own place free just before.
        assert at[name] >= last - MIN_WAIT_S - 1e-6, "who asked first goes first"
        last = max(last, at[name])


@given(st.integers(1, 6), st.integers(1, 20))
def test_calls_that_come_at_once_go_as_fast_as_is_allowed(per_minute: int, number: int) -> None:
    begun = played([(0.0, f"call {one:02}") for one in range(number)], per_minute)
    assert [round(at, 3) for at, _ in begun] == [one // per_minute * MINUTE_S for one in range(number)]


def test_a_pause_holds_every_call_of_the_agent() -> None:
    begun = played([(0.0, "a"), (1.0, "b"), (2.0, "c"), (300.0, "d")], 100, {"a": 90.0})
    assert begun == [(0.0, "a"), (90.0, "b"), (90.0, "c"), (300.0, "d")]


def test_a_pause_holds_without_a_limit_as_well_and_a_shorter_one_does_not_end_it() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.pause(90)
    turns.pause(10)
    assert turns.wait_s("a", None) == 90
    clock.now += 90
    assert turns.wait_s("a", None) == 0
    assert turns.idle


def test_a_raised_limit_counts_at_once() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert [turns.wait_s("a", 1), turns.wait_s("b", 1)] == [0, MINUTE_S]
    assert turns.wait_s("b", 2) == 0


def test_who_never_comes_back_does_not_hold_the_others_for_long() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert [turns.wait_s(name, 1) for name in ("a", "gone", "b")] == [0, MINUTE_S, MINUTE_S]
    clock.now += MINUTE_S
    assert turns.wait_s("b", 1) > 0
    clock.now += LATE_S
    assert turns.wait_s("b", 1) == 0


def test_agents_have_turns_of_their_own_and_idle_ones_are_forgotten() -> None:
    clock = Clock()
    all_turns = AllTurns(clock, most=2)
    paused, idle = all_turns.of("w", "paused"), all_turns.of("w", "idle")
    paused.pause(10)
    assert all_turns.of("w", "idle") is idle
    assert all_turns.of("other", "idle") is not idle
    assert all_turns.of("w", "paused") is paused
    assert all_turns.of("w", "idle") is not idle
