"""What is said of a wait is true: it ends as announced, not before, and however the facts came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.evaluations import EligibleVersions
from contracts.commands.policy.policies import RuleInput
from contracts.commands.policy.reasons import Reason
from contracts.envelope import Recorded
from contracts.facts.policy import ApprovalRecorded, PolicySaved
from libs.simulation.world import World
from services.policy.app import service
from services.policy.evaluation import walk
from services.policy.gate import Judge
from services.policy.state import State, pair_key
from tests.unit.policy.policy_scenes import Scene, approval, linear, normalized, progression, rollback, uid, verification

TARGETS = [uid(f"target {n}") for n in range(4)]
STAGED = [uid(f"staged {n}") for n in range(2)]
PEOPLE = [f"person {n}" for n in range(4)]

rules = st.lists(
    st.one_of(
        st.builds(linear, st.sampled_from([0, 30, 3600])),
        st.builds(normalized, st.sampled_from([100, 7200])),
        st.builds(
            progression,
            percent=st.sampled_from([None, 50, 100]),
            soak=st.sampled_from([None, 1, 90]),
            age=st.sampled_from([None, 1]),
        ),
        st.builds(approval, st.integers(0, 2)),
        st.builds(verification),
        st.builds(lambda: rollback("failure")),
    ),
    min_size=1,
    max_size=4,
)
progress = st.lists(st.sampled_from(["approve", "stage", "follow", "wait", "post"]), max_size=8)


def told(of_production: Sequence[RuleInput], steps: Sequence[str]) -> Scene:
    scene = Scene(*TARGETS)
    scene.appear(*STAGED, env=scene.staging)
    scene.advance(seconds=5)
    scene.production_policy(*of_production)
    scene.advance(seconds=5)
    scene.version("v0")
    for n, step in enumerate(steps):
        newest = scene.state.newest[scene.deployment][0]
        match step:
            case "approve":
                scene.approve(newest, PEOPLE[n % 2])
            case "stage":
                scene.deploy(newest, STAGED[n % 2], env=scene.staging)
            case "follow":
                scene.follow()
            case "wait":
                scene.advance(seconds=(1, 29, 61, 3600)[n % 4])
            case _:
                scene.advance(seconds=1)
                scene.version(f"v{n + 1}")
    return scene


def holding(scene: Scene, version: str, resource_id: str) -> list[Reason]:
    """What holds a version on a target."""
    standing = next((one for one in scene.explain(resource_id).versions if one.version_id == version), None)
    return [one for one in standing.reasons if one.verdict != "allowed"] if standing is not None else []


def end(scene: Scene, version: str, reason: Reason) -> bool:
    """Do what a reason says that ends it; False where that is not a matter of data."""
    if reason.look_again_at is not None:
        scene.advance(seconds=(reason.look_again_at - scene.world.now).total_seconds())
    elif reason.rule_type == "anyApproval":
        for person in PEOPLE:
            scene.approve(version, person)
    elif reason.rule_type == "environmentProgression":
        scene.deploy(version, *STAGED, env=scene.staging)
    else:
        return False
    return True


@settings(max_examples=120, deadline=None)
@given(rules, progress, st.integers(0, 3), st.integers(0, 3))
def test_what_is_said_to_end_a_wait_changes_the_verdict(
    of_production: list[RuleInput], steps: list[str], target: int, which: int
) -> None:
    scene = told(of_production, steps)
    version = scene.state.newest[scene.deployment][0]
    before = holding(scene, version, TARGETS[target])
    if not before:
        return
    assert all(one.ended_by for one in before)
    reason = before[which % len(before)]
    if not end(scene, version, reason):
        # Whatever waits for other rules, or for the targets before it, says so, and something holds these.
        assert reason.rule_type == "gradualRollout"
        return
    after = [one for one in holding(scene, version, TARGETS[target]) if (one.rule_id, one.rule_type) == _of(reason)]
    said = [(one.verdict, one.message, one.look_again_at) for one in after]
    assert (reason.verdict, reason.message, reason.look_again_at) not in said, f"{reason.ended_by}, and nothing changed"


def _of(reason: Reason) -> tuple[str, str]:
    return reason.rule_id, reason.rule_type


def verdicts(state: State, key: str, now: datetime) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """By target and version what every rule says."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for version_id, by_target in walk(Judge(state, now), state.pairs[key]).findings.items():
        for one, findings in by_target.items():
            found.setdefault(one, {})[version_id] = [(rule.rule_id, finding.verdict) for rule, finding in findings]
    return found


@settings(max_examples=100, deadline=None)
@given(rules, progress, st.integers(1, 200_000))
def test_clock_alone_changes_a_verdict_only_when_it_was_announced(
    of_production: list[RuleInput], steps: list[str], seconds: int
) -> None:
    scene = told(of_production, steps)
    key, now = pair_key(scene.deployment, scene.production), scene.world.now
    before = verdicts(scene.state, key, now)
    after = verdicts(scene.state, key, now + timedelta(seconds=seconds))
    announced: dict[str, list[datetime]] = {}
    for by_target in walk(Judge(scene.state, now), scene.state.pairs[key]).findings.values():
        for one, findings in by_target.items():
            announced.setdefault(one, []).extend(finding.look_again_at for _, finding in findings if finding.look_again_at)
    judge = Judge(scene.state, now)
    for one, by_version in before.items():
        if after.get(one) != by_version:
            # Where targets wait for one another, the end of one's wait moves the turn of another.
            together = judge.together(judge.matched(scene.state.pairs[key], one))
            instants = [at for own in announced.values() for at in own] if together else announced[one]
            assert instants, f"{one} changed, and nothing had announced it"
            assert min(instants) <= now + timedelta(seconds=seconds)


@settings(max_examples=60, deadline=None)
@given(rules, progress, st.lists(st.booleans(), min_size=60, max_size=60))
def test_verdicts_are_the_same_in_any_batches(of_production: list[RuleInput], steps: list[str], cuts: list[bool]) -> None:
    """The facts of others, recorded one by one or many at once, at the same instants."""
    scene = told(of_production, steps)
    given_ = [
        one
        for one in scene.world.log
        if not one.type.startswith("policy.") or isinstance(one.fact, ApprovalRecorded | PolicySaved)
    ]
    key = pair_key(scene.deployment, scene.production)
    ends = [_replayed(given_, [False] * len(given_), scene.world.now), _replayed(given_, cuts, scene.world.now)]
    one_by_one, in_batches = (world.room("policy").state for world in ends)
    now = scene.world.now
    assert verdicts(one_by_one, key, now) == verdicts(in_batches, key, now)
    opened = [dict(state.pairs[key].open.items()) for state in (one_by_one, in_batches)]
    assert opened[0] == opened[1]


def _replayed(facts: Sequence[Recorded], together: Sequence[bool], until: datetime) -> World:
    """A world that is told facts at their instants; `together`: a fact and the next one of its instant are seen in one round."""
    world = World([service])
    for n, one in enumerate(facts):
        world.advance(one.time - world.now)
        world.record(one.fact)
        last = n + 1 == len(facts) or facts[n + 1].time > one.time
        if last or not together[n % len(together)]:
            world.run()
    world.advance(until - world.now)
    return world


@settings(max_examples=80, deadline=None)
@given(rules, progress, rules)
def test_one_more_rule_lets_no_more_go(of_production: list[RuleInput], steps: list[str], more: list[RuleInput]) -> None:
    scene = told(of_production, steps)
    before = {one: _eligible(scene, one) for one in TARGETS}
    scene.policy(more[0], name="one more")
    for one in TARGETS:
        assert _eligible(scene, one) <= before[one]


def _eligible(scene: Scene, resource_id: str) -> set[str]:
    answer = scene.world.ask(
        EligibleVersions(resource_id=resource_id, environment_id=scene.production, deployment_id=scene.deployment)
    )
    return set(answer["version_ids"])
