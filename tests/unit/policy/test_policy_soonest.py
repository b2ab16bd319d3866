"""The earliest of many instants is the same whether a list of them is kept or all are looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from services.policy.soonest import FEW, soonest

START = datetime(2026, 1, 1, tzinfo=UTC)
numbers = st.integers(0, 400)
changes = st.lists(st.tuples(st.lists(numbers, max_size=2 * FEW), st.lists(numbers, max_size=2 * FEW)), max_size=12)


def at(number: int) -> datetime:
    return START + timedelta(seconds=number)


@given(st.sets(numbers, min_size=FEW + 1), changes, st.booleans())
def test_the_earliest_instant_is_found_however_instants_come_and_go(
    first: set[int], steps: list[tuple[list[int], list[int]]], forked: bool
) -> None:
    now = Map({at(one): 1 for one in first})
    assert soonest("pair", Map(), now, [at(one) for one in first]) == min(now)
    for added, removed in steps:
        before = now
        now = before.update({at(one): 1 for one in added})
        for one in removed:
            if one not in added and at(one) in now:
                now = now.delete(at(one))
        assert soonest("pair", before, now, {at(one) for one in added}) == min(now, default=None)
        if forked:  # another history of the same pair, as a forecast runs through
            assert soonest("pair", Map(), before, list(before)) == min(before, default=None)


def test_instants_that_come_one_after_the_other_are_looked_at_once() -> None:
    now = Map({at(one): 1 for one in range(2_000)})
    assert soonest("line", Map(), now, list(now)) == at(0)
    for number in range(1_900):
        before, now = now, now.delete(at(number))
        assert soonest("line", before, now, ()) == at(number + 1)
