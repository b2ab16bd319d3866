"""Whatever is added to what holds can only hold more: rules, policies, freezes; and whoever takes a skip back lets nothing more go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.freezes import SaveFreeze
from contracts.commands.policy.skips import DeleteSkip
from services.policy.gate import Judge
from tests.unit.policy.policy_scenes import approval, linear
from tests.unit.policy.random_estate import PRODUCTION, SELECTORS, Estate, PolicyPlan, Step
from tests.unit.policy.random_policies import KINDS, freezes, governed_by, histories, policies

Allowed = dict[tuple[str, str], set[str]]


def allowed(estate: Estate) -> Allowed:
    """The versions that may go to each target of each pair."""
    return {(pair.key, one): estate.eligible(pair, one) for pair in estate.pairs for one in pair.targets}


def cleared(estate: Estate) -> Allowed:
    """What targets are cleared for, save those that are to stay at what they run: about that no rule is asked."""
    return {
        (pair.key, one): {version_id}
        for pair in estate.pairs
        for one, version_id in pair.open.items()
        if (current := pair.standings[one].current) is None or current.version_id != version_id
    }


def waits_for_others(estate: Estate, key: str, one: str) -> bool:
    """Whether a target goes when the one before it has: where a rule holds that one, the turn is the next one's."""
    pair = estate.state.pairs[key]
    judge = Judge(estate.state, estate.now)
    return judge.together(judge.matched(pair, one))


def check_fewer(estate: Estate, act: Callable[[Estate], object]) -> None:
    """Nothing may go after an act that might not before, save that a turn passes on to one other target."""
    before = allowed(estate)
    act(estate)
    after = allowed(estate)
    assert before.keys() == after.keys()
    gone = {
        place: new
        for place, versions in after.items()
        if (new := versions - before[place]) and not waits_for_others(estate, *place)
    }
    assert not gone, "these may go now and might not before"
    for place, versions in cleared(estate).items():
        assert versions <= before[place] or waits_for_others(estate, *place), f"{place} was cleared for {versions}"
    for pair in estate.pairs:
        for version_id in estate.state.newest.get(pair.deployment_id, ()):
            turns = [
                one
                for one in pair.targets
                if waits_for_others(estate, pair.key, one) and version_id in after[pair.key, one] - before[pair.key, one]
            ]
            assert len(turns) <= 1, f"{turns} go together"


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"retry"}))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.data(), policies, histories, st.sampled_from(SELECTORS))
def test_adding_a_rule_of_any_kind_never_clears_more(
    kind: str, data: st.DataObject, plans: list[PolicyPlan], steps: list[Step], selector: str
) -> None:
    """Save a retry: where no rule retries, none is made; the first such rule allows what nothing allowed before."""
    rule = data.draw(KINDS[kind])
    check_fewer(Estate(plans, steps), lambda estate: estate.scene.policy(rule, selector=selector, name="one more"))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.booleans(), freezes, st.sampled_from([0.0, 3.0]), st.sampled_from([None, 5.0]))
def test_adding_a_freeze_never_clears_more(
    kind: str, data: st.DataObject, steps: list[Step], frozen: bool, freeze: SaveFreeze, starts: float, minutes: float | None
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    if frozen:
        estate.freeze(SaveFreeze(scope="workspace"), 0, 20)
    check_fewer(estate, lambda one: one.freeze(freeze, starts, minutes))


skipping = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 1), st.sampled_from([None, 20.0]), st.sampled_from([None, 0])),
    min_size=1,
    max_size=2,
)
started = PolicyPlan(SELECTORS[0], (approval(1), linear(600)))
"""A rollout that a skip could start later than its approval did."""


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.sampled_from([[], [started]]), policies, histories, skipping, st.integers(0, 7), st.sampled_from([1.0, 420.0]))
def test_removing_a_skip_never_clears_more(
    first: list[PolicyPlan],
    plans: list[PolicyPlan],
    steps: list[Step],
    skips: list[tuple[int, int, float | None, int | None]],
    which: int,
    between: float,
) -> None:
    estate = Estate(first or plans, steps)
    if first:
        estate.decide("bo", "approved", 0, "production")
    for skip in skips:
        estate.scene.advance(seconds=between)
        estate.skip(*skip)
    estate.scene.advance(seconds=between)
    known = estate.skips
    if known:
        wish = DeleteSkip(skip_id=known[which % len(known)])
        check_fewer(estate, lambda one: one.scene.world.do(wish))


def test_rules_of_the_properties_do_hold() -> None:
    """So that they speak about something: what may go is held by a rule, and by a freeze."""
    acts: tuple[Callable[[Estate], object], ...] = (
        lambda estate: estate.scene.policy(linear(600), approval(2), name="one more"),
        lambda estate: estate.freeze(SaveFreeze(scope="workspace"), 0, None),
    )
    for act in acts:
        estate = Estate([])
        before = allowed(estate)
        assert all(before[estate.pair.key, one] for one in PRODUCTION)
        act(estate)
        after = allowed(estate)
        assert sum(bool(after[estate.pair.key, one]) for one in PRODUCTION) < len(PRODUCTION)
