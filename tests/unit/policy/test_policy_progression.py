"""environmentProgression, by the scenarios of the behaviour spec.

Two of them are told in our way: nothing is polled, so where the reference looks again after a minute we look when a soak time ends, or
when something happens. `prog_skip_bypasses` is told beside the other skips.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from contracts.facts.policy import RuleEvaluated, TargetsCleared
from contracts.shapes import JobStatus
from libs.simulation.world import START
from services.policy.progression import Tally
from services.policy.progression import judge_progression as judge
from services.policy.state import State, Version
from tests.unit.policy.policy_scenes import Scene, linear, progression, uid

R = uid("r")
S1, S2, S3 = (uid(f"s{n}") for n in (1, 2, 3))
STAGED = [uid(f"staged {n}") for n in range(10)]
RULE = "environmentProgression"


def scene_with(*staged: str) -> Scene:
    scene = Scene(R)
    scene.appear(*staged, env=scene.staging)
    return scene


def succeed(scene: Scene, version: str, *resources: str) -> None:
    scene.deploy(version, *resources, env=scene.staging)


def test_prog_not_in_dependency() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression())
    version = scene.version("v1")
    reason = scene.reason(RULE, version, R)
    assert reason.verdict == "waiting"
    assert reason.ended_by == "v1 deployed on at least one target in staging"
    assert reason.look_again_at is None


def test_prog_success_in_dependency() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression())
    version = scene.version("v1")
    scene.advance(minutes=5)
    succeed(scene, version, S1)
    reason = scene.reason(RULE, version, R)
    assert reason.verdict == "allowed"
    assert reason.satisfied_at == scene.world.now
    assert scene.open(version) == {R}


def test_prog_no_matching_env() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression('environment.name == "qa"'))
    reason = scene.reason(RULE, scene.version("v1"), R)
    assert (reason.verdict, reason.look_again_at) == ("blocked", None)
    assert "environment.name" in reason.message


def test_prog_env_of_other_system() -> None:
    scene = scene_with(S1)
    scene.environment("qa", system=uid("other system"))
    scene.production_policy(progression('environment.name == "qa"'))
    assert scene.reason(RULE, scene.version("v1"), R).verdict == "blocked"


def test_prog_zero_targets_transparent() -> None:
    scene = scene_with()
    scene.production_policy(progression())
    version = scene.version("v1")
    assert scene.reason(RULE, version, R).satisfied_at == START
    assert scene.open(version) == {R}


def test_prog_targets_but_no_jobs() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression())
    version = scene.version("v1")
    assert scene.open(version) == set()


@pytest.mark.parametrize("successes, cleared", [(4, False), (5, True)])
def test_prog_min_percent_exact(successes: int, cleared: bool) -> None:
    scene = scene_with(*STAGED)
    scene.production_policy(progression(percent=50))
    version = scene.version("v1")
    for n in range(successes):
        scene.advance(minutes=1)
        succeed(scene, version, STAGED[n])
    assert (scene.open(version) == {R}) is cleared
    if cleared:
        assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=5)


def test_prog_min_percent_ceil() -> None:
    scene = scene_with(S1, S2, S3)
    scene.production_policy(progression(percent=50))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.open(version) == set()
    scene.advance(minutes=3)
    succeed(scene, version, S2)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=3)


@pytest.mark.parametrize("percent", [None, 0.0])
def test_prog_min_zero_any(percent: float | None) -> None:
    scene = scene_with(S1, S2, S3)
    scene.production_policy(progression(percent=percent))
    version = scene.version("v1")
    succeed(scene, version, S2)
    assert scene.open(version) == {R}


def finished(scene: Scene, version: str, resource: str, minutes: float, status: JobStatus = "successful") -> str:
    """A job in staging that ended so many minutes after the start, whenever it is told."""
    job = scene.job(version, resource, env=scene.staging, attempt=len(scene.world.log))
    scene.job_status(job, status, completed=START + timedelta(minutes=minutes))
    return job


def test_prog_out_of_order_completions() -> None:
    scene = scene_with(S1, S2, S3)
    scene.production_policy(progression(percent=60))
    version = scene.version("v1")
    scene.advance(minutes=30)
    for resource, minutes in [(S1, 20), (S2, 5), (S3, 10)]:
        finished(scene, version, resource, minutes)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=10)


def test_prog_oldest_success_per_target() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(percent=100))
    version = scene.version("v1")
    scene.advance(minutes=30)
    finished(scene, version, S1, 20)
    finished(scene, version, S1, 5)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=5)


@pytest.mark.parametrize("status", ["failure", "inProgress"])
def test_prog_custom_success_statuses(status: JobStatus) -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(statuses=("failure", "inProgress")))
    version = scene.version("v1")
    finished(scene, version, S1, 0, status)
    assert scene.open(version) == {R}


def test_prog_empty_success_statuses_count_nothing() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(statuses=()))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.open(version) == set()


def test_prog_soak_not_met() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(soak=30))
    version = scene.version("v1")
    succeed(scene, version, S1)
    scene.advance(minutes=5)
    reason = scene.reason(RULE, version, R)
    assert reason.verdict == "waiting"
    assert reason.look_again_at == START + timedelta(minutes=30)
    assert "25 of 30 minutes remain" in reason.message
    assert "2026-01-01 00:00:00" in reason.message


def test_prog_soak_exact_boundary() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(soak=30))
    version = scene.version("v1")
    succeed(scene, version, S1)
    scene.world.advance(timedelta(minutes=30) - timedelta(microseconds=1))
    assert scene.open(version) == set()
    scene.world.advance(timedelta(microseconds=1))
    assert scene.open(version) == {R}
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=30)


def test_prog_soak_uses_most_recent_target() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression(soak=30))
    version = scene.version("v1")
    scene.advance(minutes=60)
    finished(scene, version, S2, 50)
    finished(scene, version, S1, 0)
    assert scene.open(version) == set()
    assert scene.reason(RULE, version, R).look_again_at == START + timedelta(minutes=80)


def test_prog_soak_grows_with_a_later_target() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression(soak=30))
    version = scene.version("v1")
    succeed(scene, version, S1)
    scene.advance(minutes=20)
    succeed(scene, version, S2)
    told = [group.look_again_at for fact in scene.facts(RuleEvaluated) if fact.rule_type == RULE for group in fact.groups]
    assert told == [None, START + timedelta(minutes=30), START + timedelta(minutes=50)]
    scene.advance(minutes=29)
    assert scene.open(version) == set()
    scene.advance(minutes=1)
    assert scene.open(version) == {R}


def test_prog_soak_zero_disabled() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(soak=0))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.open(version) == {R}


def test_prog_pass_and_soak_satisfied_at() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression(percent=100, soak=10))
    version = scene.version("v1")
    succeed(scene, version, S1)
    scene.advance(minutes=5)
    succeed(scene, version, S2)
    scene.advance(minutes=20)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=15)


def _judged(now: datetime, successes: Sequence[datetime]) -> str:
    body = progression(age=24).environment_progression
    assert body is not None
    scene = scene_with(S1)

    def tallies(*_: object) -> Tally:
        return Tally(1, bool(successes), tuple(successes), max(successes, default=None), ())

    version = Version(uid("v"), scene.deployment, "v1", "ready", START, 1, 1, "v1", None, {})
    state: State = scene.state
    return judge(body, version, scene.production, state, now, tallies).verdict


def test_prog_max_age_exceeded() -> None:
    hour = timedelta(hours=1)
    assert _judged(START + 25 * hour, [START]) == "waiting"
    assert _judged(START + 23 * hour, [START]) == "allowed"
    assert _judged(START + 24 * hour, [START]) == "allowed"
    assert _judged(START + 24 * hour + timedelta(microseconds=1), [START]) == "waiting"
    assert _judged(START, []) == "waiting"


def test_prog_max_age_ends_a_clearance_by_time() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(age=2))
    version = scene.version("v1")
    succeed(scene, version, S1)
    end = START + timedelta(hours=2, microseconds=1)
    assert [fact.valid_until for fact in scene.facts(TargetsCleared) if R in fact.resource_ids] == [end]
    scene.advance(minutes=121)
    assert scene.open(version) == set()
    assert scene.reason(RULE, version, R).verdict == "waiting"


def test_prog_or_across_envs() -> None:
    scene = scene_with(S1)
    qa = scene.environment("qa")
    scene.appear(S2, env=qa)
    scene.production_policy(progression('environment.name in ["staging", "qa"]'))
    version = scene.version("v1")
    scene.advance(minutes=4)
    scene.deploy(version, S2, env=qa)
    assert scene.open(version) == {R}
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=4)
    scene.advance(minutes=4)
    succeed(scene, version, S1)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=4)


def test_prog_ignores_vanished_target_jobs() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression(soak=1))
    version = scene.version("v1")
    succeed(scene, version, S1)
    scene.vanish(S1, env=scene.staging)
    scene.advance(minutes=2)
    assert scene.open(version) == set()


def test_prog_vanished_target_raises_the_rate() -> None:
    scene = scene_with(S1, S2)
    scene.production_policy(progression(percent=100))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.open(version) == set()
    scene.vanish(S2, env=scene.staging)
    assert scene.open(version) == {R}


def test_prog_disabled_policy() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression(), enabled=False)
    version = scene.version("v1")
    assert scene.open(version) == {R}


def test_prog_non_matching_selector() -> None:
    scene = scene_with(S1)
    scene.policy(progression(), selector='environment.name == "qa"')
    version = scene.version("v1")
    assert scene.open(version) == {R}


def test_prog_wakes_on_upstream_success() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression())
    version = scene.version("v1")
    assert scene.world.next_due() is None
    succeed(scene, version, S1)
    assert scene.open(version) == {R}


def test_prog_selector_without_an_answer_blocks() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression('environment.metadata == "x" || environment.name > 3'))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.reason(RULE, version, R).verdict == "blocked"
    assert scene.open(version) == set()


def test_prog_environment_saved_anew_is_seen() -> None:
    scene = scene_with(S1)
    scene.production_policy(progression('environment.metadata.stage == "pre"'))
    version = scene.version("v1")
    succeed(scene, version, S1)
    assert scene.reason(RULE, version, R).verdict == "blocked"
    scene.environment("staging", metadata={"stage": "pre"})
    assert scene.open(version) == {R}


def test_prog_chain_of_three_environments() -> None:
    scene = scene_with(S1)
    canary = scene.environment("canary")
    scene.appear(S2, env=canary)
    scene.policy(progression('environment.name == "staging"'), selector='environment.name == "canary"')
    scene.production_policy(progression('environment.name == "canary"'))
    scene.version("v1")
    assert scene.follow() == [S1]
    assert scene.follow() == [S2]
    assert scene.follow() == [R]
    assert scene.explain(R).versions == ()


def test_prog_records_one_change_per_verdict() -> None:
    """Successes on the way to the pass rate are no news for the targets that wait."""
    scene = scene_with(*STAGED)
    scene.production_policy(progression(percent=100), linear(60))
    version = scene.version("v1")
    for one in STAGED[:9]:
        succeed(scene, version, one)
    held = [fact for fact in scene.facts(RuleEvaluated) if fact.rule_type == RULE]
    assert len(held) == 1
    succeed(scene, version, STAGED[9])
    assert [group.verdict for fact in scene.facts(RuleEvaluated) if fact.rule_type == RULE for group in fact.groups] == [
        "waiting",
        "allowed",
    ]
