"""A forecast says what then happens: any mix of rules, any progress, and a run of the same world in which every job succeeds at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy import Forecast, ForecastRollout, RuleInput
from contracts.facts.policy import TargetsCleared, VerificationRequired
from contracts.facts.verifier import VerificationPassed
from contracts.shapes import DeploymentWindow, GradualRollout, VersionCooldown, Wave
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


def forecast(scene: Scene, version: str, env: str | None = None) -> Forecast:
    answer: Forecast = scene.world.ask(ForecastRollout(version_id=version, environment_id=env or scene.production))
    return answer


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


def cleared(scene: Scene, version: str, after: int = 0) -> dict[str, datetime]:
    """When each target of production was first cleared for a version, after a position."""
    found: dict[str, datetime] = {}
    for one in scene.world.log[after:]:
        fact = one.fact
        if isinstance(fact, TargetsCleared) and fact.version_id == version and fact.environment_id == scene.production:
            for resource_id in fact.resource_ids:
                found.setdefault(resource_id, fact.cleared_at)
    return found


def check(scene: Scene, told: Forecast) -> None:
    """Compare a forecast with what happened after it; targets that had the version then are told with the instant of their clearance."""
    before, then = cleared(scene, told.version_id), cleared(scene, told.version_id, told.position)
    said = {one.resource_id: one.at for one in told.targets if one.at is not None}
    had = {one for one, at in said.items() if one in before and at == before[one]}
    assert {one: at for one, at in said.items() if one not in had} == {one: at for one, at in then.items() if one not in had}
    assert {one.resource_id for one in told.targets} == set(TARGETS)
    assert all(one.held_by for one in told.targets if one.at is None)
    assert told.done_at == (max(said.values()) if len(said) == len(TARGETS) else None)


def staged_scene(of_production: list[RuleInput], of_staging: list[RuleInput]) -> Scene:
    scene = Scene(*TARGETS)
    scene.appear(*STAGED, env=scene.staging)
    scene.production_policy(*of_production)
    scene.policy(*of_staging, selector='environment.name == "staging"')
    return scene


@settings(max_examples=80, deadline=None)
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
        check(scene, one)


@settings(max_examples=30, deadline=None)
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
    check(scene, told)
