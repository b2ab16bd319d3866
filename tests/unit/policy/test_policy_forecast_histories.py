"""A forecast says what then happens: any mix of rules, any progress, and a run of the same world in which every job succeeds at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationPassed
from contracts.shapes import DeploymentWindow, GradualRollout, VersionCooldown, Wave
from tests.unit.policy.forecast_scenes import check, forecast
from tests.unit.policy.policy_scenes import Scene, approval, linear, normalized, progression, rollback, uid, verification

TARGETS = [uid(f"target {n}") for n in range(5)]
STAGED = [uid(f"staged {n}") for n in range(3)]
LONG = timedelta(days=30)


def window(hour: int, allows: bool) -> RuleInput:
    """An hour of every day."""
    rrule = f"FREQ=DAILY;BYHOUR={hour};BYMINUTE=0;BYSECOND=0"
    return RuleInput(deployment_window=DeploymentWindow(rrule=rrule, duration_minutes=60, allow_window=allows))


def waves(soak: int | None, seconds: int) -> RuleInput:
    """Two of the targets, and then the others."""
    first = Wave(percentage=40, soak_minutes=soak)
    return RuleInput(
        gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=seconds, waves=(first, Wave(percentage=60)))
    )


rollouts = st.one_of(
    st.builds(linear, st.sampled_from([0, 30, 3600])),
    st.builds(normalized, st.sampled_from([0, 100, 7200])),
)
progressions = st.builds(
    progression,
    percent=st.sampled_from([None, 50, 100]),
    soak=st.sampled_from([None, 1, 90]),
    age=st.sampled_from([None, None, 1]),
    verified=st.booleans(),
)
rules = st.lists(
    st.one_of(
        rollouts,
        progressions,
        st.builds(approval, st.integers(0, 2)),
        st.builds(verification),
        st.builds(lambda: rollback("failure")),
        st.builds(window, st.sampled_from([0, 3]), st.booleans()),
        st.builds(waves, st.sampled_from([None, 10]), st.sampled_from([0, 30])),
        st.builds(lambda: RuleInput(version_cooldown=VersionCooldown(interval_seconds=60))),
    ),
    max_size=4,
)


def settle(scene: Scene) -> None:
    """Planner, dispatcher and verifier act until nothing is left to do at this instant: all goes well, at once."""
    while True:
        moved = scene.follow()
        passed = {one.job_id for one in scene.facts(VerificationPassed)}
        waiting = [one.job_id for one in scene.facts(VerificationRequired) if one.job_id not in passed]
        for job_id in dict.fromkeys(waiting):
            scene.verify(job_id)
        if not moved and not waiting:
            return


def run_on(scene: Scene) -> None:
    """Time goes on until nothing is due any more, for a month at most."""
    end = scene.world.now + LONG
    settle(scene)
    while (due := scene.world.next_due()) is not None and due <= end:
        scene.advance(seconds=(due - scene.world.now).total_seconds())
        settle(scene)


def staged_scene(of_production: list[RuleInput], of_staging: list[RuleInput]) -> Scene:
    scene = Scene(*TARGETS)
    scene.appear(*STAGED, env=scene.staging)
    scene.production_policy(*of_production)
    scene.policy(*of_staging, selector='environment.name == "staging"')
    return scene


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(rules, st.lists(rollouts, max_size=1), st.integers(0, 2), st.integers(1, 2), st.sampled_from([0, 10, 45, 4000]))
def test_forecast_is_what_then_happens(
    of_production: list[RuleInput], of_staging: list[RuleInput], approvals: int, versions: int, waited: int
) -> None:
    scene = staged_scene(of_production, of_staging)
    for n in range(versions):
        scene.advance(seconds=20)
        scene.version(f"v{n}")
        settle(scene)
        for person in ("ana", "ben")[:approvals]:
            scene.approve(uid(f"version v{n}"), person)
            settle(scene)
    end = scene.world.now + timedelta(seconds=waited)
    while (due := scene.world.next_due()) is not None and due <= end:
        scene.advance(seconds=(due - scene.world.now).total_seconds())
        settle(scene)
    scene.advance(seconds=(end - scene.world.now).total_seconds())
    told = [forecast(scene, uid(f"version v{n}")) for n in range(versions)]
    run_on(scene)
    for one in told:
        check(scene, one, TARGETS)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(rules, st.lists(rollouts, max_size=1), st.integers(0, 4))
def test_forecast_from_staging_that_is_under_way(of_production: list[RuleInput], of_staging: list[RuleInput], steps: int) -> None:
    """What a rollout waits for upstream comes in the forecast as it comes in truth."""
    scene = staged_scene([*of_production, progression(percent=100, soak=2)], [*of_staging, linear(60)])
    version = scene.version("v1")
    scene.approve(version, "ana")
    settle(scene)
    for _ in range(steps):
        scene.advance(seconds=25)
        settle(scene)
    told = forecast(scene, version)
    run_on(scene)
    check(scene, told, TARGETS)


def test_forecast_of_windows_that_open_in_vain_soon_ends_and_says_so() -> None:
    """The two are never open together: nothing is gained by looking for years."""
    scene = staged_scene([window(0, True), window(3, True)], [])
    scene.advance(minutes=90)
    told = forecast(scene, scene.version("v1"))
    assert all(one.at is None for one in told.targets)
    assert "The forecast looks no further than 2026-" in told.message


@pytest.mark.parametrize("percent", [None, 30, 100])
@pytest.mark.parametrize("soak", [None, 2])
@pytest.mark.parametrize("covered", [(False, False), (True, False), (True, True)])
def test_forecast_behind_a_rollout_of_many_targets(percent: int | None, soak: int | None, covered: tuple[bool, bool]) -> None:
    """Turns upstream are found all at once, up to those that change what a rule says of production."""
    upstream, own = ((rollback("failure"),) if one else () for one in covered)
    targets = [uid(f"one of many {n}") for n in range(12)]
    scene = Scene(*targets)
    scene.appear(*(uid(f"staged before {n}") for n in range(12)), env=scene.staging)
    scene.production_policy(progression(percent=percent, soak=soak), linear(20), *own)
    scene.policy(linear(50), *upstream, selector='environment.name == "staging"')
    version = scene.version("v1")
    settle(scene)
    told = forecast(scene, version)
    run_on(scene)
    check(scene, told, targets)
    assert told.done_at is not None
