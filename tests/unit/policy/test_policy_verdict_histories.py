"""Whatever verifications come to, in any order, and whoever marks, lifts and measures anew: nothing is missed, and nothing goes unverified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.policies import RuleInput
from contracts.facts.planner import MarkLifted
from contracts.facts.policy import RollbackRequired, TargetsCleared
from contracts.shapes import GradualRollout, Wave
from libs.runtime import codec
from libs.simulation.world import refold
from services.policy.app import service
from services.policy.evaluation import walk
from services.policy.gate import Judge
from services.policy.recording import record
from services.policy.state import NOWHERE, Job, Pair, State, pair_key
from tests.unit.policy.choice_scenes import person_rolls_back, supersession
from tests.unit.policy.policy_scenes import Scene, linear, progression, rollback, uid, verification
from tests.unit.policy.verdict_scenes import Reaction, Verifying, lift

PRODUCTION = [uid(f"target {n}") for n in range(3)]
STAGED = [uid(f"staged {n}") for n in range(2)]
WAVES = RuleInput(
    gradual_rollout=GradualRollout(
        rollout_type="waves", time_scale_interval=0, waves=(Wave(percentage=34, success_percentage=100),)
    )
)
PACES: Final[dict[str, tuple[RuleInput, ...]]] = {
    "none": (),
    "line": (linear(10), verification("measured")),
    "clock": (linear(10),),
    "waves": (WAVES, verification("measured")),
}


class Shop:
    """Staging, which is verified, and production behind it."""

    def __init__(self, pace: str, *, percent: float | None, rule: bool, every: bool) -> None:
        self.scene = scene = Scene(*PRODUCTION)
        scene.appear(*STAGED, env=scene.staging)
        scene.policy(verification(), selector='environment.name == "staging"', name="staging")
        back = (rollback("failure", verification_failure=True),) if rule else ()
        if PACES[pace] or back:
            scene.production_policy(*PACES[pace], *back)
        scene.policy(progression(verified=True, percent=percent), selector='environment.name == "production"', name="promotion")
        if every:
            supersession(scene, "every")
        post(self)

    @property
    def pairs(self) -> list[Pair]:
        return [self.scene.state.pairs[key] for key in sorted(self.scene.state.pairs)]

    @property
    def production(self) -> Pair:
        return self.scene.state.pairs[pair_key(self.scene.deployment, self.scene.production)]

    @property
    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        found = (job for pair in self.pairs for by_one in pair.jobs.values() for jobs in by_one.values() for job in jobs)
        return sorted(found, key=lambda job: job.made_at)


Action = Callable[[Shop], None]


def post(shop: Shop) -> None:
    shop.scene.advance(seconds=1)
    shop.scene.version(f"v{len(shop.scene.state.versions)}")


def dispatch(n: int) -> Action:
    """Planner and dispatcher use one of the open clearances."""

    def act(shop: Shop) -> None:
        found = [(pair, one) for pair in shop.pairs for one in sorted(pair.open) if one in pair.targets]
        if found:
            pair, one = found[n % len(found)]
            version, tried = pair.open[one], len(pair.jobs_of(one, pair.open[one]))
            shop.scene.release(version, one, env=pair.environment_id)
            shop.scene.job(version, one, env=pair.environment_id, attempt=tried + 1)

    return act


def end(n: int, status: str) -> Action:
    """One of the jobs that run ends."""

    def act(shop: Shop) -> None:
        running = [job for job in shop.jobs if job.status == "pending"]
        if running:
            shop.scene.job_status(running[n % len(running)].job_id, "successful" if status == "successful" else "failure")
            go_back(shop)

    return act


def judge(n: int, which: int, how: str) -> Action:
    """A verification ends, fails while it is watched, or is begun anew."""

    def act(shop: Shop) -> None:
        measured = [job for job in shop.jobs if job.checks]
        if not measured:
            return
        job = measured[n % len(measured)]
        rule = which % len(job.checks)
        check = job.checks[rule]
        verifying = Verifying(shop.scene, job.job_id, attempt=check.attempt, rule=rule, begin=not check.verification_id)
        match check.state, how:
            case ("running", "pass") | ("running", "again"):
                verifying.passes()
            case ("running" | "passed" as state, "fail" | "hold" | "rollBack"):
                reaction: Reaction | None = None if how == "fail" else "hold" if how == "hold" else "rollBack"
                verifying.fails(reaction, after_passing=state == "passed")
            case ("running", "inconclusive"):
                verifying.is_inconclusive()
            case ("running", "cancel"):
                verifying.is_cancelled()
            case ("passed", "cancel"):
                verifying.watch_ends()
            case (_, "again"):
                Verifying(shop.scene, job.job_id, attempt=check.attempt + 1, rule=rule)
        go_back(shop)

    return act


def go_back(shop: Shop) -> None:
    """Planner answers what policy requires in production: it marks the version, and goes back to another that ran, if any."""
    for required in shop.scene.facts(RollbackRequired):
        standing = shop.production.standings.get(required.resource_id, NOWHERE)
        if required.environment_id == shop.scene.production and required.version_id in standing.asked:
            undo(shop, required.resource_id, required.version_id)


def undo(shop: Shop, one: str, version_id: str, *, by_hand: bool = False) -> None:
    standing = shop.production.standings.get(one, NOWHERE)
    if version_id in standing.bad or one not in shop.production.targets:
        return
    others = [
        known
        for known in shop.scene.state.newest[shop.scene.deployment]
        if known not in (version_id, *standing.bad) and shop.production.jobs_of(one, known)
    ]
    if by_hand and others:
        person_rolls_back(shop.scene, version_id, one, others[0])
    elif not by_hand:
        shop.scene.roll_back(version_id, one, to=others[0] if others else None)
    if others:
        shop.scene.job(others[0], one, rollback=True, attempt=len(shop.production.jobs_of(one, others[0])) + 1)


def person_undoes(n: int) -> Action:
    def act(shop: Shop) -> None:
        desired = shop.production.standings.get(PRODUCTION[n], NOWHERE).desired
        if desired is not None:
            undo(shop, PRODUCTION[n], desired.version_id, by_hand=True)

    return act


def lifts(n: int) -> Action:
    """A person ends a mark, on one target or on all that have it."""

    def act(shop: Shop) -> None:
        marked = sorted((version, one) for one, standing in shop.production.standings.items() for version in standing.bad)
        if marked:
            version, one = marked[n % len(marked)]
            lift(shop.scene, version, *([one] if n % 2 else [other for known, other in marked if known == version]))

    return act


def come_and_go(n: int) -> Action:
    def act(shop: Shop) -> None:
        (shop.scene.vanish if PRODUCTION[n] in shop.production.targets else shop.scene.appear)(PRODUCTION[n])

    return act


def wait(seconds: int) -> Action:
    return lambda shop: shop.scene.advance(seconds=seconds)


few = st.integers(0, 5)
ways = st.sampled_from(["pass", "pass", "fail", "hold", "rollBack", "inconclusive", "cancel", "again", "again"])
steps = st.lists(
    st.one_of(
        st.builds(dispatch, few),
        st.builds(dispatch, st.just(0)),
        st.builds(end, few, st.sampled_from(["successful", "successful", "successful", "failure"])),
        st.builds(judge, few, st.integers(0, 1), ways),
        st.builds(judge, few, st.integers(0, 1), ways),
        st.builds(person_undoes, st.integers(0, 2)),
        st.builds(lifts, few),
        st.builds(come_and_go, st.integers(0, 2)),
        st.builds(wait, st.sampled_from([1, 10, 60])),
        st.just(post),
    ),
    max_size=25,
)
STAGE: Final[list[Action]] = [dispatch(0), dispatch(0), end(0, "successful"), end(0, "successful")]
PROMOTE: Final[list[Action]] = [*STAGE, judge(0, 0, "pass"), judge(1, 0, "pass")]
GO: Final[list[Action]] = [*PROMOTE, dispatch(0), end(0, "successful")]


def newest_pass(shop: Shop) -> None:
    """Whatever verification runs passes."""
    for number, job in enumerate(shop.jobs):
        for rule in range(len(job.checks)):
            if job.checks[rule].state == "running":
                judge(number, rule, "pass")(shop)


def everywhere(shop: Shop) -> None:
    """Whatever is cleared is deployed and verified, until nothing is left to do."""
    for _ in range(12):
        told(shop, [dispatch(0), end(0, "successful"), wait(10), newest_pass], [])


def next_begins(shop: Shop) -> None:
    """A newer version is verified in staging, and is on its first target of production."""
    told(shop, [post, dispatch(0), dispatch(0), end(0, "successful"), end(0, "successful"), newest_pass], [])
    told(shop, [dispatch(0), end(0, "successful")], [])


def newest_fails(how: str) -> Action:
    """The verification of the newest job comes to this."""
    return lambda shop: judge(len(shop.jobs) - 1, 0, how)(shop)


def newest_undone(shop: Shop) -> None:
    """A person rolls the newest job's target back."""
    job = shop.jobs[-1]
    for one in PRODUCTION:
        if any(known.job_id == job.job_id for known in shop.production.jobs_of(one, job.version_id)):
            undo(shop, one, job.version_id, by_hand=True)


NEXT: Final[list[Action]] = [everywhere, next_begins]
starts = st.sampled_from(
    [
        [],
        STAGE,
        PROMOTE,
        GO,
        NEXT,
        [*NEXT, newest_undone],
        *([*NEXT, newest_fails(how)] for how in ("pass", "fail", "hold", "rollBack", "inconclusive", "cancel")),
    ]
)
shops = st.builds(
    Shop, st.sampled_from(sorted(PACES)), percent=st.sampled_from([None, 100]), rule=st.booleans(), every=st.booleans()
)


def told(shop: Shop, start: list[Action], then: list[Action]) -> Shop:
    for step in (*start, *then):
        step(shop)
    return shop


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(shops, starts, steps)
def test_nothing_that_a_verdict_changes_is_missed(shop: Shop, start: list[Action], then: list[Action]) -> None:
    check_nothing_is_missed(told(shop, start, then))


@pytest.mark.parametrize("pace", sorted(PACES))
@pytest.mark.parametrize("how", ["fail", "hold", "inconclusive", "cancel"])
def test_what_is_told_of_a_success_that_is_missing_is_told_at_once(pace: str, how: str) -> None:
    shop = Shop(pace, percent=100, rule=False, every=False)
    check_nothing_is_missed(told(shop, STAGE, [judge(0, 0, how)]))
    check_nothing_is_missed(told(shop, [judge(1, 0, "pass"), judge(0, 0, "again")], []))


def check_nothing_is_missed(shop: Shop) -> None:
    """A walk from scratch finds nothing to record."""
    for pair in shop.pairs:
        judged = Judge(shop.scene.state, shop.scene.world.now)
        missed = record(judged, pair, walk(judged, pair), None)
        assert [draft.fact for draft in missed] == []


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(shops, starts, steps)
def test_verdicts_and_marks_survive_a_snapshot(shop: Shop, start: list[Action], then: list[Action]) -> None:
    state = told(shop, start, then).scene.state
    assert refold(service, shop.scene.world.log) == state
    assert codec.decode(State, codec.encode(State, state)) == state
    for pair in shop.pairs:
        counted: dict[str, int] = {}
        for standing in pair.standings.values():
            for version in standing.bad:
                counted[version] = counted.get(version, 0) + 1
        assert dict(pair.marks) == counted


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(shops, starts, steps)
def test_nothing_goes_on_what_is_not_verified_or_is_marked(shop: Shop, start: list[Action], then: list[Action]) -> None:
    scene = told(shop, start, then).scene
    state = State(scene.state.workspace_id)
    asked: set[tuple[str, str, str]] = set()
    for one in scene.world.log:
        match one.fact:
            case TargetsCleared() as fact if fact.environment_id == scene.production:
                check_clearance(state, fact, scene)
            case RollbackRequired() as fact:
                key = (fact.environment_id, fact.resource_id, fact.version_id)
                assert key not in asked, "a rollback is required once for a version on a target"
                asked.add(key)
            case MarkLifted() as fact:
                asked -= {(fact.environment_id, target, fact.version_id) for target in fact.resource_ids}
        if one.fact.TYPE in service.reads:
            state = service.evolve(state, one)


def check_clearance(state: State, fact: TargetsCleared, scene: Scene) -> None:
    staging = state.pairs[pair_key(scene.deployment, scene.staging)]
    production = state.pairs[pair_key(scene.deployment, scene.production)]
    for target in fact.resource_ids:
        standing = production.standings.get(target, NOWHERE)
        assert fact.version_id not in standing.bad, "what is marked bad stays away"
        current = standing.current
        if current is None or current.version_id != fact.version_id:
            verified = [job for one in STAGED for job in staging.jobs_of(one, fact.version_id)]
            assert any(job.status == "successful" and job.verified for job in verified), "it is not verified before"


def test_facts_that_the_histories_are_about_do_happen() -> None:
    """So that the properties above speak about something."""
    shop = Shop("line", percent=None, rule=True, every=False)
    told(shop, GO, [])
    judge(2, 0, "fail")(shop)
    assert len(shop.scene.facts(RollbackRequired)) == 1
    assert any(standing.bad for standing in shop.production.standings.values())
    lifts(1)(shop)
    assert not any(standing.bad for standing in shop.production.standings.values())


@pytest.mark.parametrize("pace", sorted(PACES))
def test_what_is_marked_and_lifted_goes_everywhere_in_the_end(pace: str) -> None:
    shop = Shop(pace, percent=None, rule=True, every=False)
    told(shop, NEXT, [newest_undone])
    assert shop.production.marks
    lift(shop.scene, *shop.production.marks, *PRODUCTION)
    everywhere(shop)
    version = shop.scene.state.newest[shop.scene.deployment][0]
    currents = [shop.production.standings.get(one, NOWHERE).current for one in PRODUCTION]
    assert [current is not None and current.version_id == version for current in currents] == [True] * 3


def _checks(shop: Shop) -> Iterator[str]:
    yield from (check.state for job in shop.jobs for check in job.checks)


def test_all_five_states_happen() -> None:
    shop = told(Shop("line", percent=None, rule=False, every=False), STAGE, [judge(0, 0, "inconclusive"), judge(1, 0, "cancel")])
    assert set(_checks(shop)) == {"inconclusive", "cancelled"}
    told(shop, [judge(0, 0, "again"), judge(1, 0, "again")], [])
    assert set(_checks(shop)) == {"running"}
    told(shop, [judge(0, 0, "pass"), judge(1, 0, "hold")], [])
    assert set(_checks(shop)) == {"passed", "failed"}
