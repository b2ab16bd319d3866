"""gradualRollout, by the scenarios of the behaviour spec; those about windows and skips are told beside the other windows and skips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from contracts.facts.policy import RuleEvaluated, TargetsCleared
from contracts.shapes import GradualRollout, Target
from libs.simulation.world import START
from services.policy.instants import END, later
from services.policy.order import fnv1a, places_of
from services.policy.rollout import offset_of
from services.policy.state import Pair, pair_key
from tests.unit.policy.policy_scenes import (
    Scene,
    approval,
    linear,
    normalized,
    progression,
    rollback,
    uid,
    verification,
)

RULE = "gradualRollout"
ENVIRONMENT = "aaaaaaaa-0000-4000-8000-000000000001"
DEPLOYMENT = "bbbbbbbb-0000-4000-8000-000000000001"
VERSION = "cccccccc-0000-4000-8000-000000000001"
RESOURCES = [f"0000000{n}-0000-4000-8000-00000000000{n}" for n in (1, 2, 3)]
THREE = [uid(f"r{n}") for n in range(3)]


def ordered(scene: Scene, version: str) -> list[str]:
    """The targets in the order of the rollout."""
    places = places_of(scene.state.pairs[pair_key(scene.deployment, scene.production)], version)
    return sorted(places, key=places.__getitem__)


def due(scene: Scene, version: str) -> list[datetime | None]:
    return [scene.reason(RULE, version, one).look_again_at for one in ordered(scene, version)]


def test_roll_linear_positions() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(60))
    version = scene.version("v1")
    first, second, third = ordered(scene, version)
    assert scene.open(version) == {first}
    assert scene.reason(RULE, version, second).look_again_at == START + timedelta(seconds=60)
    assert scene.reason(RULE, version, third).look_again_at == START + timedelta(seconds=120)
    assert "number 3 of 3" in scene.reason(RULE, version, third).message


def test_roll_fnv_order_vector() -> None:
    ranks = [fnv1a(Target(one, ENVIRONMENT, DEPLOYMENT).key + VERSION) for one in RESOURCES]
    assert ranks == [11434609604584120498, 2040092423273872290, 13601939052982502418]
    pair = Pair(DEPLOYMENT, ENVIRONMENT)
    places = places_of(pair._replace(targets=pair.targets.update(dict.fromkeys(RESOURCES, 1))), VERSION)
    assert [places[one] for one in RESOURCES] == [1, 0, 2]
    assert fnv1a("") == 14695981039346656037
    assert fnv1a("a") == 0xAF63DC4C8601EC8C


def test_roll_normalized() -> None:
    def offsets(targets: int, seconds: int) -> list[float]:
        body = GradualRollout(rollout_type="linear-normalized", time_scale_interval=seconds)
        return [offset_of(body, place, targets).total_seconds() for place in range(targets)]

    assert offsets(3, 60) == [0, 20, 40]
    assert offsets(7, 10) == [0, 1, 2, 4, 5, 7, 8]
    assert offsets(5, 600) == [0, 120, 240, 360, 480]
    scene = Scene(*THREE)
    scene.production_policy(normalized(60))
    version = scene.version("v1")
    scene.advance(seconds=40)
    assert scene.cleared(version) == ordered(scene, version)


def test_roll_zero_interval_all_now() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(0))
    assert scene.open(scene.version("v1")) == set(THREE)


def test_roll_order_changes_per_version() -> None:
    scene = Scene(*(uid(f"many {n}") for n in range(12)))
    first, second = scene.version("v1"), scene.version("v2")
    assert ordered(scene, first) != ordered(scene, second)
    again = Scene(*(uid(f"many {n}") for n in reversed(range(12))))
    assert ordered(again, again.version("v1")) == ordered(scene, first)


def test_roll_waits_for_unsatisfied_approval() -> None:
    scene = Scene(*THREE)
    scene.production_policy(approval(), linear(60))
    version = scene.version("v1")
    reason = scene.reason(RULE, version, THREE[0])
    assert (reason.verdict, reason.look_again_at) == ("waiting", None)
    assert "not started" in reason.message


def test_roll_starts_at_approval() -> None:
    scene = Scene(*THREE)
    scene.production_policy(approval(), linear(60))
    version = scene.version("v1")
    scene.advance(minutes=10)
    scene.approve(version)
    approved_at = scene.world.now
    assert scene.cleared(version) == ordered(scene, version)[:1]
    assert [scene.reason(RULE, version, one).look_again_at for one in ordered(scene, version)[1:]] == [
        approved_at + timedelta(seconds=60),
        approved_at + timedelta(seconds=120),
    ]


def test_roll_starts_at_progression() -> None:
    scene = Scene(*THREE)
    scene.appear(uid("s"), env=scene.staging)
    scene.production_policy(progression(), linear(60))
    version = scene.version("v1")
    assert scene.reason(RULE, version, THREE[0]).look_again_at is None
    scene.advance(minutes=10)
    scene.deploy(version, uid("s"), env=scene.staging)
    assert scene.cleared(version) == ordered(scene, version)[:1]
    assert scene.reason(RULE, version, ordered(scene, version)[1]).look_again_at == scene.world.now + timedelta(seconds=60)


@pytest.mark.parametrize("approval_last", [True, False])
def test_roll_both_later_wins(approval_last: bool) -> None:
    scene = Scene(*THREE)
    scene.appear(uid("s"), env=scene.staging)
    scene.production_policy(progression(), approval(), linear(60))
    version = scene.version("v1")
    steps: list[Callable[[], None]] = [
        lambda: scene.deploy(version, uid("s"), env=scene.staging),
        lambda: scene.approve(version),
    ]
    for step in steps if approval_last else reversed(steps):
        assert scene.open(version) == set()
        scene.advance(minutes=10)
        step()
    assert scene.cleared(version) == ordered(scene, version)[:1]
    assert scene.reason(RULE, version, ordered(scene, version)[1]).look_again_at == START + timedelta(minutes=21)


def test_roll_progression_over_time() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(60))
    version = scene.version("v1")
    counts = []
    for _ in range(4):
        counts.append(len(scene.cleared(version)))
        scene.advance(seconds=60)
    assert counts == [1, 2, 3, 3]
    assert scene.world.next_due() is None


def test_roll_already_on_version() -> None:
    scene = Scene(*THREE)
    version = scene.version("v1")
    last = ordered(scene, version)[2]
    scene.deploy(version, last)
    scene.production_policy(linear(3600))
    assert scene.explain(last).versions == ()
    assert scene.explain(last).message == "v1 runs here, the newest version."


def test_roll_other_version_gated() -> None:
    scene = Scene(*THREE)
    first = scene.version("v1")
    scene.deploy(first, *THREE)
    scene.production_policy(linear(3600))
    scene.advance(seconds=1)
    second = scene.version("v2")
    assert scene.cleared(second) == ordered(scene, second)[:1]


def test_roll_no_version_gated() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(3600))
    assert len(scene.open(scene.version("v1"))) == 1


def test_roll_target_set_is_env_scoped() -> None:
    scene = Scene(*THREE)
    scene.appear(*(uid(f"s{n}") for n in range(5)), env=scene.staging)
    scene.production_policy(linear(60))
    version = scene.version("v1")
    scene.advance(seconds=120)
    assert len(scene.cleared(version)) == 3


def test_roll_progression_wakeup_not_lost() -> None:
    scene = Scene(*THREE)
    scene.appear(uid("s"), env=scene.staging)
    scene.production_policy(linear(60), progression(soak=10))
    version = scene.version("v1")
    scene.deploy(version, uid("s"), env=scene.staging)
    scene.advance(minutes=13)
    assert len(scene.cleared(version)) == 3
    assert [fact.cleared_at - START for fact in scene.facts(TargetsCleared) if fact.environment_id == scene.production] == [
        timedelta(minutes=n) for n in (10, 11, 12)
    ]


def test_target_that_appears_later_is_due_in_its_place() -> None:
    scene = Scene(*THREE[:2])
    scene.production_policy(linear(60))
    version = scene.version("v1")
    scene.advance(minutes=10)
    scene.appear(THREE[2])
    assert scene.open(version) == set(THREE)


def test_place_moves_when_a_target_vanishes() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(60))
    version = scene.version("v1")
    first, _, third = ordered(scene, version)
    scene.vanish(first)
    assert scene.reason(RULE, version, third).look_again_at == START + timedelta(seconds=60)
    scene.advance(seconds=60)
    assert scene.open(version) == {one for one in THREE if one != first}


# --- covered rollouts ----------------------------------------------------------------------------------------------------------


def covered(interval: int = 60) -> Scene:
    scene = Scene(*THREE)
    scene.production_policy(linear(interval), verification(), rollback("failure"))
    return scene


def test_covered_next_waits_for_job_and_verification() -> None:
    scene = covered(0)
    version = scene.version("v1")
    first, second, third = ordered(scene, version)
    assert scene.open(version) == {first}
    scene.release(version, first)
    job = scene.job(version, first)
    scene.job_status(job, "successful")
    assert scene.cleared(version) == [first]
    assert "not deployed and verified" in scene.reason(RULE, version, second).message
    scene.verify(job)
    assert scene.cleared(version) == [first, second]
    assert scene.reason(RULE, version, third).verdict == "waiting"


def test_covered_next_is_due_one_interval_after_the_one_before() -> None:
    scene = covered(60)
    version = scene.version("v1")
    first, second, _ = ordered(scene, version)
    scene.advance(minutes=10)
    scene.release(version, first)
    scene.verify(scene.job(version, first, "successful"))
    assert scene.cleared(version) == [first, second]
    scene.release(version, second)
    scene.verify(scene.job(version, second, "successful"))
    assert len(scene.cleared(version)) == 2
    scene.advance(seconds=59)
    assert len(scene.cleared(version)) == 2
    scene.advance(seconds=1)
    assert len(scene.cleared(version)) == 3


def test_covered_failure_stops_the_rollout() -> None:
    scene = covered(60)
    version = scene.version("v1")
    first, second, third = ordered(scene, version)
    scene.release(version, first)
    job = scene.job(version, first)
    scene.job_status(job, "failure", message="disk full")
    scene.advance(minutes=60)
    assert scene.cleared(version) == [first]
    for one in (second, third):
        reason = scene.reason(RULE, version, one)
        assert reason.verdict == "blocked"
        assert "its job ended as failure (disk full)" in reason.message
        assert "disk full" in reason.message
        assert first in reason.message
        assert reason.ended_by == "a person who mends that target, or a newer version"


def test_covered_failed_verification_stops_the_rollout() -> None:
    scene = covered(0)
    version = scene.version("v1")
    first = ordered(scene, version)[0]
    scene.release(version, first)
    job = scene.job(version, first, "successful")
    scene.verify(job, passed=False)
    assert scene.cleared(version) == [first]
    reason = scene.reason(RULE, version, ordered(scene, version)[1])
    assert reason.verdict == "blocked"
    assert "its verification failed" in reason.message


def test_covered_stop_ends_when_the_target_is_mended() -> None:
    scene = covered(0)
    version = scene.version("v1")
    first, second, _ = ordered(scene, version)
    scene.release(version, first)
    scene.job(version, first, "failure")
    assert scene.cleared(version) == [first]
    scene.verify(scene.job(version, first, "successful", attempt=2))
    assert scene.cleared(version) == [first, second]


def test_covered_newer_version_is_a_rollout_of_its_own() -> None:
    scene = covered(0)
    first_version = scene.version("v1")
    one = ordered(scene, first_version)[0]
    scene.release(first_version, one)
    scene.job(first_version, one, "failure")
    scene.advance(seconds=1)
    second_version = scene.version("v2")
    assert scene.cleared(second_version) == ordered(scene, second_version)[:1]


def test_covered_vanished_target_is_not_waited_for() -> None:
    scene = covered(0)
    version = scene.version("v1")
    first, second, _ = ordered(scene, version)
    scene.release(version, first)
    scene.job(version, first, "inProgress")
    scene.vanish(first)
    assert scene.cleared(version) == [first, second]


def test_covered_target_held_by_another_rule_does_not_hold_up_the_rest() -> None:
    first, second, _ = ordered(order := Scene(*THREE), order.version("v1"))
    scene = Scene(*THREE)
    for one in THREE:
        scene.resource("r", id_=one)
    scene.production_policy(linear(0), verification())
    scene.policy(approval(), selector=f'resource.id == "{first}"')
    assert scene.cleared(scene.version("v1")) == [second]


def test_uncovered_rollout_is_purely_timed() -> None:
    scene = Scene(*THREE)
    scene.production_policy(linear(60))
    version = scene.version("v1")
    first = ordered(scene, version)[0]
    scene.deploy(version, first, status="failure")
    scene.advance(seconds=120)
    assert len(scene.cleared(version)) == 3


def test_covered_changes_are_few() -> None:
    """One step of a covered rollout is news for the target that goes and the next one, not for all that wait."""
    many = [uid(f"many {n}") for n in range(30)]
    scene = Scene(*many)
    scene.production_policy(linear(60), verification())
    version = scene.version("v1")
    first = ordered(scene, version)[0]
    before = len(scene.facts(RuleEvaluated))
    scene.release(version, first)
    scene.verify(scene.job(version, first, "successful"))
    scene.advance(seconds=60)
    news = scene.facts(RuleEvaluated)[before:]
    assert sum(len(group.resource_ids) for fact in news for group in fact.groups) == 2


def test_offsets_past_the_end_of_the_calendar_are_its_end() -> None:
    body = GradualRollout(rollout_type="linear", time_scale_interval=2**31 - 1)
    assert later(START, offset_of(body, 100_000, 100_001)) == END
    assert later(END, offset_of(body, 1, 2)) == END


def test_covered_targets_that_were_cleared_together_go_one_by_one_once_a_rollout_covers_them() -> None:
    scene = Scene(*THREE)
    version = scene.version("v1")
    assert len(scene.open(version)) == 3
    scene.policy(verification())
    scene.production_policy(linear(0))
    first, second, _ = ordered(scene, version)
    assert scene.open(version) == {first}
    scene.release(version, first)
    job = scene.job(version, first, "successful")
    scene.verify(job)
    assert scene.open(version) == {second}
