"""Whatever happens, in any order: a covered rollout goes one by one, no target waits without a reason, and the log tells it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.planner import TargetsChanged
from contracts.facts.policy import ClearanceWithdrawn, RollbackRequired, TargetsCleared
from contracts.facts.verifier import VerificationFailed, VerificationPassed
from libs.runtime import codec
from libs.simulation.world import refold
from services.policy.app import service
from services.policy.candidates import Step, step_for
from services.policy.state import NOWHERE, State, pair_key
from tests.unit.policy.policy_scenes import (
    Scene,
    approval,
    linear,
    progression,
    rollback,
    uid,
    verification,
)

TARGETS = [uid(f"target {n}") for n in range(4)]
STAGED = [uid(f"staged {n}") for n in range(2)]

Action = Callable[[Scene], None]


def newest(scene: Scene, back: int = 0) -> str | None:
    known = scene.state.newest.get(scene.deployment, ())
    return known[back] if back < len(known) else None


def post(scene: Scene) -> None:
    scene.advance(seconds=1)
    scene.version(f"v{len(scene.state.versions)}")


def decide(status: str, back: int) -> Action:
    def act(scene: Scene) -> None:
        if (version := newest(scene, back)) is not None:
            scene.approve(version, status=status)

    return act


def reject(scene: Scene) -> None:
    if (version := newest(scene)) is not None:
        scene.set_status(version, "rejected" if scene.state.versions[version].status == "ready" else "ready")


def stage(n: int) -> Action:
    def act(scene: Scene) -> None:
        if (version := newest(scene)) is not None:
            scene.deploy(version, STAGED[n], env=scene.staging)

    return act


def dispatch(scene: Scene) -> None:
    scene.follow(None)


def end_job(n: int, ends: str) -> Action:
    """One of the jobs that still run, or are not verified yet, gets further."""

    def act(scene: Scene) -> None:
        pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
        running = sorted(
            (job.position, job.job_id, job.status)
            for by_resource in pair.jobs.values()
            for jobs in by_resource.values()
            for job in jobs
            if job.outcome == "running"
        )
        if not running:
            return
        _, job_id, status = running[n % len(running)]
        if status == "successful":
            scene.verify(job_id, passed=ends != "unhealthy")
        elif ends == "unhealthy":
            scene.job_status(job_id, "successful")
        else:
            scene.job_status(job_id, "successful" if ends == "successful" else "failure")

    return act


def drain(scene: Scene) -> None:
    """Every job that runs ends well, and is verified."""
    for _ in range(4 * len(scene.state.versions) * len(TARGETS)):
        end_job(0, "successful")(scene)


def come_and_go(n: int) -> Action:
    def act(scene: Scene) -> None:
        pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
        if TARGETS[n] in pair.targets:
            scene.vanish(TARGETS[n])
        else:
            scene.appear(TARGETS[n])

    return act


def wait(seconds: int) -> Action:
    return lambda scene: scene.advance(seconds=seconds)


def tighten(scene: Scene) -> None:
    scene.policy(approval(0), name="one more")


def prepare(scene: Scene) -> None:
    """The newest version may go to production: staged, soaked and approved."""
    if (version := newest(scene)) is not None:
        scene.deploy(version, *STAGED, env=scene.staging)
        scene.approve(version)
        scene.advance(seconds=60)


def advance_rollout(scene: Scene) -> None:
    """The newest clearance is used, and all goes well."""
    dispatch(scene)
    for _ in range(2):
        end_job(0, "successful")(scene)
    scene.advance(seconds=30)


def go_wrong(ends: str) -> Action:
    """The newest clearance is used, and it goes wrong."""

    def act(scene: Scene) -> None:
        dispatch(scene)
        for _ in range(2):
            end_job(0, ends)(scene)
        # Planner answers what policy requires: it marks the version; there is nothing to go back to.
        for required in scene.facts(RollbackRequired):
            pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
            if required.version_id not in pair.standings.get(required.resource_id, NOWHERE).bad:
                scene.roll_back(required.version_id, required.resource_id, to=None)

    return act


actions = st.one_of(
    st.builds(go_wrong, st.sampled_from(["failure", "unhealthy"])),
    st.just(post),
    st.just(prepare),
    st.just(advance_rollout),
    st.just(advance_rollout),
    st.just(dispatch),
    st.just(reject),
    st.just(tighten),
    st.builds(decide, st.sampled_from(["approved", "approved", "rejected"]), st.integers(0, 1)),
    st.builds(stage, st.integers(0, 1)),
    st.builds(end_job, st.integers(0, 3), st.sampled_from(["successful", "successful", "failure", "unhealthy"])),
    st.builds(come_and_go, st.integers(0, 3)),
    st.builds(wait, st.sampled_from([1, 29, 60, 3600])),
)


def told(steps: list[Action]) -> Scene:
    """Production rolls out one by one after staging and an approval; everything is verified, failures are rolled back."""
    scene = Scene(*TARGETS)
    scene.appear(*STAGED, env=scene.staging)
    scene.production_policy(
        linear(30),
        approval(),
        progression(percent=100, soak=1, age=2),
        verification(),
        rollback("failure", verification_failure=True),
    )
    post(scene)
    prepare(scene)
    for step in steps:
        step(scene)
    return scene


@dataclass
class Model:
    """A rollout as a plain reading of the log has it: per version and target how far it is."""

    exists: set[str] = field(default_factory=set)
    under_way: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, one: Recorded, environment_id: str) -> None:
        fact = one.fact
        if getattr(fact, "environment_id", None) != environment_id:
            return
        match fact:
            case TargetsChanged():
                self.exists = (self.exists - set(fact.removed)) | set(fact.added)
                for version in self.under_way.values():
                    for resource in fact.removed:
                        # These targets have no resource, so that what they had is forgotten with them.
                        version.pop(resource, None)
            case TargetsCleared():
                self.check(fact)
                for version_id, version in self.under_way.items():
                    for resource in fact.resource_ids:
                        if version_id != fact.version_id and version.get(resource) == "cleared":
                            del version[resource]
            case ClearanceWithdrawn():
                version = self.under_way.get(fact.version_id, {})
                for resource in fact.resource_ids or ():
                    if version.get(resource) == "cleared":
                        del version[resource]
            case JobCreated():
                self.under_way.setdefault(fact.version_id, {})[fact.resource_id] = "running"
            case JobStatusChanged():
                self.moved(fact.version_id, fact.resource_id, "running" if fact.status == "successful" else "failed")
            case VerificationPassed():
                self.moved(fact.version_id, fact.resource_id, "passed")
            case VerificationFailed():
                self.moved(fact.version_id, fact.resource_id, "failed")
            case _:
                pass

    def moved(self, version_id: str, resource_id: str, how: str) -> None:
        if resource_id in self.under_way[version_id]:
            self.under_way[version_id][resource_id] = how

    def check(self, fact: TargetsCleared) -> None:
        """No target goes for the first time unless all that went before it passed, or vanished."""
        version = self.under_way.setdefault(fact.version_id, {})
        fresh = [one for one in fact.resource_ids if one not in version]
        before = {one: how for one, how in version.items() if one in self.exists}
        assert len(fresh) <= 1, f"{fresh} go together"
        assert not fresh or set(before.values()) <= {"passed"}, f"{fresh} go although {before}"
        for one in fresh:
            version[one] = "cleared"


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=40))
def test_covered_rollout_never_goes_on_before_the_target_before_has_passed(steps: list[Action]) -> None:
    scene = told(steps)
    model = Model()
    for one in scene.world.log:
        model.read(one, scene.production)


@settings(max_examples=100, deadline=None)
@given(st.lists(actions, max_size=30))
def test_every_target_that_is_not_on_the_newest_version_has_a_reason(steps: list[Action]) -> None:
    scene = told(steps)
    state = scene.state
    pair = state.pairs[pair_key(scene.deployment, scene.production)]
    top = state.versions[state.newest[scene.deployment][0]]
    for one in pair.targets:
        step = step_for(pair, one, top)
        recorded = [verdicts[one] for verdicts in pair.held.get(top.version_id, {}).values() if one in verdicts]
        against = [held for held in recorded if held.verdict != "allowed"]
        cleared = pair.open.get(one) == top.version_id
        assert cleared or step is Step.SETTLED or against, f"{one} waits for {top.tag} and nothing says why"
        for standing in scene.explain(one).versions:
            reasons = [reason for reason in standing.reasons if reason.verdict != "allowed"]
            assert standing.cleared or reasons or "superseded" in standing.message
            assert all(reason.ended_by for reason in reasons), "a wait names what ends it"


@settings(max_examples=500, deadline=None)
@given(st.lists(actions, max_size=30))
def test_next_good_version_reaches_every_target(steps: list[Action]) -> None:
    """Nothing that happened before holds up a version with which all goes well."""
    scene = told(steps)
    # Dispatcher never has two jobs on one target: the last one to end would be what runs there.
    drain(scene)
    post(scene)
    prepare(scene)
    for _ in TARGETS:
        dispatch(scene)
        drain(scene)
        scene.advance(seconds=30)
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    for one in pair.targets:
        current = scene.explain(one).current
        assert current is not None
        assert current.version_id == newest(scene)
    assert scene.world.next_due() is None


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=30))
def test_state_is_the_fold_of_the_log_and_survives_a_snapshot(steps: list[Action]) -> None:
    scene = told(steps)
    state = scene.state
    assert refold(service, scene.world.log) == state
    assert codec.decode(State, codec.encode(State, state)) == state
    again = told(steps)
    assert [(one.type, one.data) for one in again.world.log] == [(one.type, one.data) for one in scene.world.log]


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=30))
def test_what_is_counted_is_what_is_there(steps: list[Action]) -> None:
    """Counts and instants that the fold keeps agree with counting anew."""
    for pair in told(steps).state.pairs.values():
        instants = [
            held.look_again_at for by_rule in pair.held.values() for verdicts in by_rule.values() for held in verdicts.values()
        ]
        instants += [cleared.valid_until for one in pair.open if (cleared := pair.standings[one].cleared) is not None]
        known = [one for one in instants if one is not None]
        assert sum(pair.instants.values()) == len(known)
        assert pair.wake == min(known, default=None)
        for version_id, by_resource in pair.jobs.items():
            succeeded = [jobs for jobs in by_resource.values() if any(job.status == "successful" for job in jobs)]
            assert pair.successes[version_id].jobs >= len(succeeded) if succeeded else True
