"""Time alone changes a verdict only at an instant that was announced; and how facts are batched changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.explanations import ExplainTarget, Explanation
from contracts.envelope import Recorded
from contracts.facts import dispatcher, planner, policy, verifier
from libs.simulation.world import World
from services.policy.app import service
from services.policy.evaluation import Evaluation, walk
from services.policy.finding import TICK, Finding, RuleKey
from services.policy.gate import Judge
from services.policy.state import Pair, State
from tests.unit.policy.policy_scenes import approval, linear
from tests.unit.policy.random_estate import API, Estate, PolicyPlan, Step
from tests.unit.policy.random_policies import KINDS, governed_by, histories, wait

ROLLOUT = "gradualRollout"
Place = tuple[str, str, str]
"""Pair, version and target."""

# --- time ----------------------------------------------------------------------------------------------------------------------


def outcome(found: Evaluation) -> tuple[object, ...]:
    """What a walk comes to: whom it clears for what, from whom it takes a clearance, and at which version each target ended."""
    return (
        {version_id: sorted(one for one, _ in targets) for version_id, targets in found.cleared.items()},
        {version_id: sorted(one for one, _ in targets) for version_id, targets in found.withdrawn.items()},
        found.ended,
    )


def verdicts(state: State, at: datetime) -> dict[Place, dict[RuleKey, Finding]]:
    """What every rule says about each version that a target looks at."""
    judge = Judge(state, at)
    return {
        (pair.key, version_id, one): dict(findings)
        for pair in state.pairs.values()
        for version_id, of_version in walk(judge, pair).findings.items()
        for one, findings in of_version.items()
    }


def instants(before: dict[Place, dict[RuleKey, Finding]], now: datetime, soon: timedelta) -> list[datetime]:
    """Instants to look at: just before each of the next that are announced, and some time from now."""
    announced = {
        finding.look_again_at
        for findings in before.values()
        for finding in findings.values()
        if finding.look_again_at is not None and finding.look_again_at > now
    }
    return [*(at - TICK for at in sorted(announced)[:6]), now + soon]


def changed(
    before: dict[Place, dict[RuleKey, Finding]], after: dict[Place, dict[RuleKey, Finding]]
) -> Iterator[tuple[Place, RuleKey]]:
    """Rules that say something else of a target that both walks came by."""
    for place, findings in before.items():
        for key, was in findings.items():
            will = after.get(place, {}).get(key)
            if will is not None and will.verdict != was.verdict:
                yield place, key


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.sampled_from([1, 40, 600, 7200, 90_000]))
def test_clock_changes_a_verdict_only_at_an_instant_that_it_announced(
    kind: str, data: st.DataObject, steps: list[Step], seconds: int
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    now = estate.now
    before = verdicts(estate.state, now)
    for then in instants(before, now, timedelta(seconds=seconds)):
        for place, key in changed(before, verdicts(estate.state, then)):
            # A rollout starts with approvals, soak times and windows, and passes a turn on: the instants of its target, and of those
            # that it follows, are its own.
            told = [
                finding.look_again_at
                for (pair_key, version_id, one), findings in before.items()
                if (pair_key, version_id) == place[:2] and (one == place[2] or key.rule_type == ROLLOUT)
                for other, finding in findings.items()
                if other == key or key.rule_type == ROLLOUT
            ]
            assert any(now < at <= then for at in told if at is not None), f"{key} of {place} changed until {then}"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.sampled_from([1, 40, 600, 7200, 90_000]))
def test_clock_lets_nothing_go_and_holds_nothing_before_the_next_instant_that_is_recorded(
    kind: str, data: st.DataObject, steps: list[Step], seconds: int
) -> None:
    """What the service wakes up for is all that time can bring."""
    estate = Estate(data.draw(governed_by(kind)), steps)
    now, due = estate.now, estate.scene.world.next_due()
    then = now + timedelta(seconds=seconds)
    for at in (now, then, *((due - TICK,) if due is not None else ())):
        if due is None or at < due:
            for pair in estate.pairs:
                assert outcome(walk(Judge(estate.state, at), pair)) == outcome(walk(Judge(estate.state, now), pair))
                assert outcome(walk(Judge(estate.state, at), pair))[:2] == ({}, {})


# --- batches -------------------------------------------------------------------------------------------------------------------

DECIDED = (
    policy.RuleEvaluated,
    policy.TargetsCleared,
    policy.ClearanceWithdrawn,
    policy.VersionSuperseded,
    policy.VerificationRequired,
    policy.RollbackRequired,
)
"""What policy makes of the facts of others and of its own commands."""

FOLLOWS = (dispatcher.JobCreated, planner.ReleasesCreated, planner.RollbackStarted, verifier.VerificationStarted)
"""What others record only when policy has decided."""


def outside(log: Sequence[Recorded]) -> list[Recorded]:
    return [one for one in log if not isinstance(one.fact, DECIDED)]


def retold(facts: Sequence[Recorded], cuts: Sequence[bool]) -> World:
    """A world that sees the same facts at the same instants, where it is cut in one round and else in the same one as the fact before."""
    world = World([service])
    for n, one in enumerate(facts):
        later = one.time - world.now
        if later or isinstance(one.fact, FOLLOWS) or cuts[n % len(cuts)]:
            world.run()
        if later:
            world.advance(later)
        world.record(one.fact, by=one.auth_id)
    world.run()
    return world


def in_line(state: State, pair: Pair, now: datetime) -> bool:
    """Whether targets wait for the one before: whoever got a turn between two facts keeps it, and nobody gets it where they come at once."""
    judge = Judge(state, now)
    return any(judge.together(judge.matched(pair, one)) for one in pair.targets)


def explained(world: World, pairs: Sequence[Pair]) -> dict[tuple[str, str], Explanation]:
    """What is said of every target; positions differ where the same facts came in other rounds."""
    found = {}
    for pair in pairs:
        for one in pair.targets:
            wish = ExplainTarget(resource_id=one, environment_id=pair.environment_id, deployment_id=pair.deployment_id)
            told: Explanation = world.ask(wish)
            versions = tuple(
                version.model_copy(
                    update={
                        "reasons": tuple(reason.model_copy(update={"facts": (), "since": None}) for reason in version.reasons),
                        "job": version.job.model_copy(update={"facts": ()}) if version.job is not None else None,
                    }
                )
                for version in told.versions
            )
            found[pair.key, one] = told.model_copy(update={"position": 0, "versions": versions})
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.lists(st.booleans(), min_size=1, max_size=7))
def test_same_facts_in_any_batches_give_the_same_verdicts(
    kind: str, data: st.DataObject, steps: list[Step], cuts: list[bool]
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    facts = outside(estate.scene.world.log)
    one_by_one, batched = retold(facts, [True]), retold(facts, cuts)
    for world in (one_by_one, batched):
        world.advance(estate.now - world.now)
    state, other = one_by_one.room("policy").state, batched.room("policy").state
    pairs = [pair for pair in estate.pairs if not in_line(state, pair, estate.now)]
    for pair in pairs:
        assert state.pairs[pair.key].open == other.pairs[pair.key].open
    assert explained(one_by_one, pairs) == explained(batched, pairs)


def test_history_that_is_told_again_is_the_same() -> None:
    """So that the property above speaks about what happened, and not about something else."""
    plans = [PolicyPlan(API, (approval(), linear(60)))]
    estate = Estate(plans, [lambda one: one.decide("ana", "approved", 0, "production"), lambda one: one.dispatch(0), wait(90)])
    again = retold(outside(estate.scene.world.log), [True])
    again.advance(estate.now - again.now)
    assert [one.fact for one in again.log if isinstance(one.fact, policy.TargetsCleared)]
    assert explained(again, estate.pairs) == explained(estate.scene.world, estate.pairs)
    assert [one.type for one in again.log] == [one.type for one in estate.scene.world.log]
