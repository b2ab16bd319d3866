"""Whatever people choose and whatever happens, in any order: what was decided step by step is what a walk from scratch would decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.policies import RuleInput
from contracts.envelope import Recorded
from contracts.facts.planner import TargetsChanged, VersionCreated, VersionPinned
from contracts.facts.policy import RuleEvaluated, TargetsCleared
from contracts.shapes import Retry
from libs.runtime import codec
from libs.simulation.world import refold
from services.policy.app import service
from services.policy.candidates import Step, step_for
from services.policy.evaluation import walk
from services.policy.gate import Judge
from services.policy.outcome import outcome_of
from services.policy.recording import record
from services.policy.route import Route
from services.policy.state import NOWHERE, Pair, State, pair_key
from services.policy.timers import PolicyTimers
from tests.unit.policy.choice_scenes import (
    Other,
    change_variables,
    eligible,
    needing,
    person_rolls_back,
    pin,
    redeploy,
    supersession,
    unpin,
)
from tests.unit.policy.policy_scenes import Scene, approval, linear, rollback, uid, verification

NAMES = [f"cluster-{n}" for n in range(3)]
CLUSTERS = [uid(f"resource {name}") for name in NAMES]
NEEDS = 'version.tag != "bad"'


class Shop:
    """The scene's deployment and a database, on three clusters."""

    def __init__(self, *, every: bool, careful: bool, covered: bool) -> None:
        self.scene = Scene()
        for name in NAMES:
            self.scene.resource(name)
        self.scene.appear(*CLUSTERS)
        self.db = Other(self.scene, "db")
        self.db.appear(*CLUSTERS)
        if every:
            supersession(self.scene, "every")
        if careful:
            self.scene.policy(approval(), selector='deployment.name == "api"')
        if covered:
            rules = (linear(10), verification(), rollback("failure", verification_failure=True))
            self.scene.policy(*rules, selector='deployment.name == "api"')

    @property
    def pair(self) -> Pair:
        return self.scene.state.pairs[pair_key(self.scene.deployment, self.scene.production)]

    def version(self, back: int) -> str | None:
        known = self.scene.state.newest.get(self.scene.deployment, ())
        return known[back] if back < len(known) else None


Action = Callable[[Shop], None]


def post(needs: bool, ready: bool) -> Action:
    def act(shop: Shop) -> None:
        tag = f"v{len(shop.scene.state.newest.get(shop.scene.deployment, ()))}"
        version = needing(shop.scene, tag, {shop.db.id: NEEDS} if needs else {})
        if not ready:
            shop.scene.set_status(version, "building")

    return act


def on_version(back: int, do: Callable[[Shop, str], None]) -> Action:
    def act(shop: Shop) -> None:
        if (version := shop.version(back)) is not None:
            do(shop, version)

    return act


def turn_status(shop: Shop, version: str) -> None:
    shop.scene.set_status(version, "rejected" if shop.scene.state.versions[version].status == "ready" else "ready")


def approve(shop: Shop, version: str) -> None:
    shop.scene.approve(version)


def pins(n: int | None) -> Callable[[Shop, str], None]:
    return lambda shop, version: pin(shop.scene, version, None if n is None else CLUSTERS[n])


def release_pin(n: int | None) -> Action:
    def act(shop: Shop) -> None:
        one = None if n is None else CLUSTERS[n]
        if (one or "") in shop.pair.pins:
            unpin(shop.scene, one)

    return act


def dispatch(n: int) -> Action:
    """Planner and dispatcher use one of the open clearances."""

    def act(shop: Shop) -> None:
        for one in sorted(shop.pair.open)[n : n + 1]:
            version = shop.pair.open[one]
            shop.scene.release(version, one)
            shop.scene.job(version, one)

    return act


def end(n: int, how: str) -> Action:
    """One of the jobs that run, or are not verified yet, gets further; a version that fails is rolled back or not."""

    def act(shop: Shop) -> None:
        running = sorted(
            (job.position, job.job_id, job.status)
            for by_resource in shop.pair.jobs.values()
            for jobs in by_resource.values()
            for job in jobs
            if job.outcome == "running"
        )
        if running:
            _, job_id, status = running[n % len(running)]
            if status == "successful":
                shop.scene.verify(job_id, passed=how == "successful")
            else:
                shop.scene.job_status(job_id, "successful" if how == "successful" else "failure")

    return act


def undo(n: int, by_hand: bool) -> Action:
    """What is desired is marked bad; the target goes back to what runs there, or stays."""

    def act(shop: Shop) -> None:
        standing = shop.pair.standings.get(CLUSTERS[n], NOWHERE)
        if standing.desired is None or CLUSTERS[n] not in shop.pair.targets or standing.desired.version_id in standing.bad:
            return
        bad, current = standing.desired.version_id, standing.current
        back = current.version_id if current is not None and current.version_id not in (bad, *standing.bad) else None
        if by_hand and back is not None:
            person_rolls_back(shop.scene, bad, CLUSTERS[n], back)
        else:
            shop.scene.roll_back(bad, CLUSTERS[n], back)

    return act


def again(n: int) -> Action:
    def act(shop: Shop) -> None:
        desired = shop.pair.standings.get(CLUSTERS[n], NOWHERE).desired
        if desired is not None and CLUSTERS[n] in shop.pair.targets:
            redeploy(shop.scene, desired.version_id, CLUSTERS[n])
            attempts = len(shop.pair.jobs_of(CLUSTERS[n], desired.version_id))
            shop.scene.job(desired.version_id, CLUSTERS[n], attempt=attempts + 1, rollback=desired.rollback)

    return act


def change(n: int, to: str) -> Action:
    """Planner makes another release of what is desired."""

    def act(shop: Shop) -> None:
        desired = shop.pair.standings.get(CLUSTERS[n], NOWHERE).desired
        if desired is not None and CLUSTERS[n] in shop.pair.targets:
            change_variables(shop.scene, desired.version_id, CLUSTERS[n], to)

    return act


def come_and_go(n: int) -> Action:
    def act(shop: Shop) -> None:
        if CLUSTERS[n] in shop.pair.targets:
            shop.scene.vanish(CLUSTERS[n])
        else:
            shop.scene.appear(CLUSTERS[n])

    return act


def upstream(n: int, tag: str, how: str) -> Action:
    """The database is deployed to a cluster, or leaves it, or its versions are posted."""

    def act(shop: Shop) -> None:
        if how == "vanish":
            shop.db.vanish(CLUSTERS[n])
        elif how == "appear":
            shop.db.appear(CLUSTERS[n])
        else:
            version = shop.db.version(tag)
            shop.db.job(version, CLUSTERS[n], "successful" if how == "successful" else "failure")

    return act


def switch(which: str) -> Action:
    return lambda shop: supersession(shop.scene, "every" if which == "every" else "latest")


def wait(seconds: int) -> Action:
    return lambda shop: shop.scene.advance(seconds=seconds)


n = st.integers(0, 2)
scope = st.sampled_from([None, 0, 1, 2])
good = st.sampled_from(["successful", "successful", "failure"])
common = [
    st.builds(post, st.booleans(), st.sampled_from([True, True, False])),
    st.builds(on_version, n, st.just(approve)),
    st.builds(on_version, n, st.just(approve)),
    st.builds(on_version, n, st.just(turn_status)),
    st.builds(dispatch, n),
    st.builds(dispatch, st.just(0)),
    st.builds(end, n, good),
    st.builds(end, n, good),
    st.builds(undo, n, st.booleans()),
    st.builds(again, n),
    st.builds(come_and_go, n),
    st.builds(change, n, st.sampled_from(["red", "blue"])),
    st.builds(upstream, n, st.sampled_from(["good", "bad"]), st.sampled_from(["successful", "successful", "failure", "vanish", "appear"])),
    st.builds(wait, st.sampled_from([1, 10, 60])),
]  # fmt: skip
choices = [
    st.builds(on_version, n, st.builds(pins, scope)),
    st.builds(release_pin, scope),
    st.builds(switch, st.sampled_from(["every", "latest"])),
]
worlds = st.builds(Shop, every=st.booleans(), careful=st.booleans(), covered=st.booleans())
anything = st.lists(st.one_of(*common, *choices), max_size=30)


def told(shop: Shop, steps: list[Action]) -> Shop:
    post(False, True)(shop)
    for step in steps:
        step(shop)
    return shop


def check_nothing_is_missed(shop: Shop) -> None:
    state = shop.scene.state
    for key in sorted(state.pairs):
        judge = Judge(state, shop.scene.world.now)
        missed = record(judge, state.pairs[key], walk(judge, state.pairs[key]), None)
        assert [draft.fact for draft in missed] == []


@settings(max_examples=120, deadline=None)
@given(worlds, anything)
def test_step_by_step_comes_to_what_a_walk_from_scratch_says(shop: Shop, steps: list[Action]) -> None:
    check_nothing_is_missed(told(shop, steps))


one_after_the_other = st.lists(
    st.one_of(
        st.builds(dispatch, n),
        st.builds(end, n, st.sampled_from(["successful", "failure"])),
        st.builds(end, st.just(0), st.sampled_from(["successful", "failure"])),
        st.builds(again, n),
        st.builds(undo, n, st.booleans()),
        st.builds(post, st.just(False), st.just(True)),
        st.builds(come_and_go, n),
        st.builds(change, n, st.sampled_from(["red", "blue"])),
        st.builds(wait, st.sampled_from([1, 10, 60])),
        st.builds(on_version, n, st.builds(pins, scope)),
        st.builds(release_pin, scope),
    ),
    max_size=10,
)


@settings(max_examples=100, deadline=None)
@given(st.booleans(), st.sampled_from([None, 0, 20]), one_after_the_other)
def test_rollout_one_after_the_other_is_looked_at_whenever_it_moves(every: bool, pause: int | None, steps: list[Action]) -> None:
    shop = Shop(every=every, careful=False, covered=True)
    if pause is not None:
        shop.scene.policy(RuleInput(retry=Retry(max_retries=1, backoff_seconds=pause)), selector='deployment.name == "api"')
    check_nothing_is_missed(told(shop, [dispatch(0), *steps]))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([end(0, "failure"), again(1)], id="what failed is redeployed"),
        pytest.param([end(0, "successful"), end(0, "successful"), again(1)], id="what passed is redeployed"),
        pytest.param([come_and_go(1), end(0, "successful"), come_and_go(1)], id="one comes back with the version"),
        pytest.param(
            [come_and_go(1), end(0, "successful"), come_and_go(1), dispatch(0)], id="one that came back is deployed once more"
        ),
        pytest.param(
            [come_and_go(0), come_and_go(1), wait(10), end(0, "successful"), come_and_go(1)],
            id="one comes back with the version while another one is under way",
        ),
        pytest.param([post(False, True), post(False, True), on_version(0, pins(2))], id="the next one is pinned elsewhere"),
        pytest.param(
            [end(0, "successful"), end(0, "successful"), change(1, "red"), undo(1, False)], id="one that was cleared goes back"
        ),
    ],
)
def test_rollout_one_after_the_other_is_looked_at_when(steps: list[Action]) -> None:
    check_nothing_is_missed(told(Shop(every=False, careful=False, covered=True), [dispatch(0), *steps]))


@settings(max_examples=100, deadline=None)
@given(worlds, anything)
def test_every_version_that_is_not_there_says_why_and_what_ends_it(shop: Shop, steps: list[Action]) -> None:
    told(shop, steps)
    for one in sorted(shop.pair.targets):
        explained = shop.scene.explain(one)
        for standing in explained.versions:
            against = [reason for reason in standing.reasons if reason.verdict != "allowed"]
            assert all(reason.ended_by for reason in against)
            passed = "superseded by" in standing.message or "passed over" in standing.message
            assert standing.cleared or against or passed, standing.message
        pinned = shop.pair.pin_of(one)
        cleared = shop.pair.open.get(one)
        assert pinned is None or cleared in (None, pinned.version_id), "nothing but the pinned version is cleared"
        assert cleared is None or shop.scene.state.tag(cleared) in eligible(shop.scene, one)


@settings(max_examples=100, deadline=None)
@given(worlds, anything)
def test_state_is_the_fold_of_the_log_and_survives_a_snapshot(shop: Shop, steps: list[Action]) -> None:
    state = told(shop, steps).scene.state
    assert refold(service, shop.scene.world.log) == state
    assert codec.decode(State, codec.encode(State, state)) == state
    timers = PolicyTimers()
    assert all((at := timers.at(state, key)) is None or at > shop.scene.world.now for key in timers.keys(state))


@settings(max_examples=120, deadline=None)
@given(st.booleans(), st.booleans(), st.lists(st.one_of(*common), max_size=40))
def test_every_version_goes_in_order_and_one_at_a_time(careful: bool, covered: bool, steps: list[Action]) -> None:
    """At every clearance the target had nothing left to do for any older version since the one it took last."""
    shop = told(Shop(every=True, careful=careful, covered=covered), steps)
    scene = shop.scene
    state = State(scene.state.workspace_id)
    for one in scene.world.log:
        if isinstance(one.fact, TargetsCleared) and one.fact.deployment_id == scene.deployment:
            check_order(state, one, scene)
        state = service.evolve(state, one)


def check_order(state: State, one: Recorded, scene: Scene) -> None:
    assert isinstance(one.fact, TargetsCleared)
    pair = state.pairs[pair_key(scene.deployment, scene.production)]
    version = state.versions[one.fact.version_id]
    for target in one.fact.resource_ids:
        standing = pair.standings.get(target, NOWHERE)
        taken = state.versions.get(standing.taken)
        if taken is None or version.rank <= taken.rank:
            continue  # it starts, or falls back
        came_to = outcome_of(pair, target, taken.version_id)
        over = taken.version_id in standing.bad or step_for(pair, target, taken) is Step.UNFIT
        assert over or (came_to is not None and came_to[0] == "passed"), f"{version.tag} goes before {taken.tag} is through"
        for other_id in state.newest[scene.deployment]:
            other = state.versions[other_id]
            if taken.rank < other.rank < version.rank:
                assert other_id in standing.bad or other.status != "ready", f"{version.tag} goes before {other.tag}"


@settings(max_examples=80, deadline=None)
@given(st.booleans(), st.lists(st.one_of(*common), max_size=25))
def test_order_always_comes_to_the_newest_version_when_all_goes_well(careful: bool, steps: list[Action]) -> None:
    shop = told(Shop(every=True, careful=careful, covered=False), steps)
    scene = shop.scene
    for one in CLUSTERS:
        upstream(CLUSTERS.index(one), "good", "appear")(shop)
        upstream(CLUSTERS.index(one), "good", "successful")(shop)
    for version in scene.state.newest[scene.deployment]:
        scene.set_status(version, "ready")
        scene.approve(version)
    post(False, True)(shop)
    newest = shop.version(0)
    assert newest is not None
    scene.approve(newest)
    for _ in range(6 * len(scene.state.newest[scene.deployment])):
        for _ in CLUSTERS:
            dispatch(0)(shop)
            end(0, "successful")(shop)
        for one in CLUSTERS:
            failed = outcome_of(shop.pair, one, shop.pair.standings.get(one, NOWHERE).taken)
            if failed is not None and failed[0] == "failed" and one in shop.pair.targets:
                scene.set_status(shop.pair.standings[one].taken, "rejected")
    for one in shop.pair.targets:
        assert Route(scene.state, shop.pair).turn(one).candidate in (None, newest)
        assert shop.pair.standings[one].taken == newest


def test_facts_that_the_histories_are_about_do_happen() -> None:
    """So that the properties above speak about something."""
    shop = told(
        Shop(every=True, careful=False, covered=False),
        [
            post(True, True),
            dispatch(0),
            end(0, "successful"),
            on_version(0, pins(0)),
            come_and_go(1),
            upstream(0, "good", "successful"),
        ],
    )
    kinds = {type(one.fact) for one in shop.scene.world.log}
    assert {VersionPinned, RuleEvaluated, TargetsCleared, TargetsChanged, VersionCreated} <= kinds
