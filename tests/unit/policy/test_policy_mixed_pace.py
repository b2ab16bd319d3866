"""Where a verification or rollback rule covers only some targets of a rollout, these wait for all others, and nobody is called back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.policies import RuleInput
from contracts.envelope import Recorded
from contracts.facts.policy import ClearanceWithdrawn, TargetsCleared
from contracts.shapes import DeploymentWindow, GradualRollout, Wave
from services.policy.order import places_of
from services.policy.state import State, pair_key
from tests.unit.policy.policy_scenes import Scene, linear, rollback, verification
from tests.unit.policy.random_estate import SELECTORS, Estate, PolicyPlan, Step
from tests.unit.policy.random_policies import approvals, histories, retries, waves, windows
from tests.unit.policy.test_policy_forecast_estates import run_on

WINDOW = RuleInput(deployment_window=DeploymentWindow(rrule="FREQ=DAILY;BYHOUR=1", duration_minutes=60))
ALL_AT_ONCE = GradualRollout(rollout_type="waves", time_scale_interval=0, waves=(Wave(percentage=100),))


class Mixed:
    """Two targets that are watched, in ring 0, and two in ring 1 that are not; v0 runs on all of them if `deployed`."""

    def __init__(self, *rules: RuleInput, watch: RuleInput | None = None, deployed: bool = True) -> None:
        self.scene = scene = Scene()
        self.watched = [scene.resource(f"watched {n}", ring="0") for n in range(2)]
        self.others = [scene.resource(f"other {n}", ring="1") for n in range(2)]
        scene.appear(*self.watched, *self.others)
        self.old = scene.version("v0") if deployed else ""
        scene.follow()
        scene.policy(watch or verification(), selector='resource.metadata.ring == "0"', name="watched")
        scene.production_policy(*rules)
        scene.advance(seconds=1)

    def in_order(self, version: str, targets: Sequence[str]) -> list[str]:
        places = places_of(self.scene.state.pairs[pair_key(self.scene.deployment, self.scene.production)], version)
        return sorted(targets, key=places.__getitem__)

    def goes_well(self, version: str, *targets: str) -> None:
        self.scene.release(version, *targets)
        for one in targets:
            self.scene.verify(self.scene.job(version, one, "successful"))


def called_back(log: Sequence[Recorded], state: State) -> list[str]:
    """Clearances that are withdrawn, or followed by one of an older version, at the instant at which they were given."""
    given_at: dict[tuple[object, ...], str] = {}
    found: list[str] = []
    for one in log:
        fact = one.fact
        if isinstance(fact, TargetsCleared | ClearanceWithdrawn):
            for target in fact.resource_ids or ():
                key = (one.time, fact.deployment_id, fact.environment_id, target)
                if isinstance(fact, ClearanceWithdrawn) and key in given_at:
                    found.append(f"{target} was cleared and withdrawn at {one.time}: {fact.reason}")
                elif isinstance(fact, TargetsCleared):
                    if key in given_at and state.is_newer(given_at[key], fact.version_id):
                        found.append(f"{target} was cleared for an older version at {one.time}")
                    given_at[key] = fact.version_id
    return found


@pytest.mark.parametrize("watch", [verification(), rollback("failure")], ids=["verification", "rollback"])
def test_watched_targets_wait_for_the_others_that_become_due_with_them(watch: RuleInput) -> None:
    mixed = Mixed(linear(0), WINDOW, watch=watch)
    scene = mixed.scene
    version = scene.version("v1")
    first, second = mixed.in_order(version, mixed.watched)
    scene.advance(minutes=59)
    assert scene.cleared(version) == []

    scene.advance(minutes=1)
    assert scene.open(version) == set(mixed.others)
    assert all("it goes after other" in scene.reason("gradualRollout", version, one).message for one in mixed.watched)

    mixed.goes_well(version, *mixed.others)
    assert scene.open(version) == {first}
    mixed.goes_well(version, first)
    assert scene.open(version) == {second}
    assert scene.facts(ClearanceWithdrawn) == []
    assert [one for one in scene.cleared(mixed.old) if one in mixed.watched] == sorted(mixed.watched), (
        "the old one was given once"
    )


def test_newest_version_is_never_taken_back_for_an_older_one_where_both_become_due() -> None:
    mixed = Mixed(linear(0), WINDOW, deployed=False)
    scene = mixed.scene
    scene.version("v0")
    scene.advance(seconds=1)
    version = scene.version("v1")
    scene.advance(minutes=60)
    assert scene.open(version) == set(mixed.others)
    assert called_back(scene.world.log, scene.state) == []
    assert scene.facts(ClearanceWithdrawn) == []


def test_watched_targets_wait_for_others_that_have_no_rollout() -> None:
    scene = Scene()
    watched, other = scene.resource("watched", ring="0"), scene.resource("other", ring="1")
    scene.appear(watched, other)
    scene.policy(verification(), linear(0), selector='resource.metadata.ring == "0"')
    version = scene.version("v1")
    assert scene.open(version) == {other}
    scene.deploy(version, other)
    assert scene.open(version) == {watched}
    assert scene.facts(ClearanceWithdrawn) == []


def test_watched_targets_wait_for_others_that_go_in_waves() -> None:
    scene = Scene()
    watched, other = scene.resource("watched", ring="0"), scene.resource("other", ring="1")
    scene.appear(watched, other)
    scene.policy(verification(), linear(0), selector='resource.metadata.ring == "0"')
    scene.policy(RuleInput(gradual_rollout=ALL_AT_ONCE), selector='resource.metadata.ring == "1"')
    version = scene.version("v1")
    assert scene.open(version) == {other}
    scene.deploy(version, other)
    assert scene.open(version) == {watched}
    assert scene.facts(ClearanceWithdrawn) == []


@pytest.mark.parametrize("ends", ["successful", "failure"])
def test_turn_that_was_given_stays_while_others_go_until_one_fails(ends: str) -> None:
    """Given a watched target that is cleared; when another goes by the clock meanwhile; then it keeps its turn, unless that one fails."""
    scene = Scene()
    watched = scene.resource("watched", ring="0")
    scene.appear(watched)
    scene.policy(verification(), selector='resource.metadata.ring == "0"')
    scene.production_policy(linear(0))
    version = scene.version("v1")
    assert scene.open(version) == {watched}

    # Whatever its place is in the order, one that comes by the clock takes nobody's turn.
    others = [scene.resource(f"other {n}", ring="1") for n in range(4)]
    scene.appear(*others)
    assert scene.open(version) == {watched, *others}
    scene.release(version, others[0])
    job = scene.job(version, others[0])
    assert scene.open(version) == {watched, *others[1:]}
    assert scene.facts(ClearanceWithdrawn) == []

    scene.advance(seconds=1)
    scene.job_status(job, "successful" if ends == "successful" else "failure")
    if ends == "successful":
        assert watched in scene.open(version)
    else:
        assert scene.open(version) == set(others[1:])
        assert "stopped" in scene.reason("gradualRollout", version, watched).message


watches = st.sampled_from([verification(), rollback("failure")])
holding = st.one_of(windows, windows, approvals)
"""Rules that let many targets go at one instant."""
alongside = st.lists(st.one_of(waves, retries), max_size=1)
"""Not a cooldown: it holds a version anew when an older one, released before, comes to run."""
paces = st.sampled_from([linear(0), linear(0), linear(30)])


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(holding, alongside, paces, watches, histories)
def test_nothing_is_cleared_and_withdrawn_at_one_instant(
    held: RuleInput, beside: list[RuleInput], pace: RuleInput, watch: RuleInput, steps: list[Step]
) -> None:
    estate = Estate([PolicyPlan(SELECTORS[1], (held, pace, *beside)), PolicyPlan(SELECTORS[4], (watch,))], [Estate.post, *steps])
    before = len(estate.scene.world.log)
    run_on(estate)
    assert called_back(estate.scene.world.log[before:], estate.state) == []
