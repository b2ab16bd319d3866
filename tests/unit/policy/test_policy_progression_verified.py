"""environmentProgression with verified successes, by the scenarios of the behaviour spec."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.simulation.world import START
from tests.unit.policy.policy_scenes import Scene, progression, uid, verification
from tests.unit.policy.verdict_scenes import Verifying

R, S1, S2 = uid("r"), uid("s1"), uid("s2")
RULE = "environmentProgression"


def verified_scene(*, soak: int | None = None) -> tuple[Scene, str]:
    """Production asks for a verified success in staging, whose jobs are all to be verified."""
    scene = Scene(R)
    scene.appear(S1, S2, env=scene.staging)
    scene.policy(verification(), selector='environment.name == "staging"')
    scene.production_policy(progression(verified=True, soak=soak))
    return scene, scene.version("v1")


def test_prog_verification_failed_excluded() -> None:
    scene, version = verified_scene()
    job = scene.job(version, S1, "successful", env=scene.staging)
    scene.verify(job, passed=False)
    assert scene.open(version) == set()


@pytest.mark.parametrize("ended", ["running", "cancelled", "inconclusive", "passed"])
def test_prog_verification_running_or_cancelled_excluded(ended: str) -> None:
    scene, version = verified_scene()
    verifying = Verifying(scene, scene.job(version, S1, "successful", env=scene.staging))
    match ended:
        case "cancelled":
            verifying.is_cancelled()
        case "inconclusive":
            verifying.is_inconclusive()
        case "passed":
            verifying.passes()
    assert (scene.open(version) == {R}) is (ended == "passed")


def test_prog_without_verification_counts() -> None:
    scene = Scene(R)
    scene.appear(S1, env=scene.staging)
    scene.production_policy(progression(verified=True))
    version = scene.version("v1")
    scene.deploy(version, S1, env=scene.staging)
    assert scene.open(version) == {R}


def test_prog_flag_off_ignores_verification() -> None:
    scene = Scene(R)
    scene.appear(S1, env=scene.staging)
    scene.policy(verification(), selector='environment.name == "staging"')
    scene.production_policy(progression())
    version = scene.version("v1")
    scene.job(version, S1, "successful", env=scene.staging)
    assert scene.open(version) == {R}


def test_prog_verification_shifts_soak_and_satisfied_at() -> None:
    scene, version = verified_scene(soak=10)
    unverified = scene.job(version, S1, "successful", env=scene.staging)
    scene.advance(minutes=5)
    scene.verify(scene.job(version, S2, "successful", env=scene.staging))
    assert scene.reason(RULE, version, R).look_again_at == START + timedelta(minutes=15)
    scene.verify(unverified, passed=False)
    scene.advance(minutes=10)
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=15)


def test_prog_mixed_jobs_same_target() -> None:
    scene, version = verified_scene()
    scene.verify(scene.job(version, S1, "successful", env=scene.staging), passed=False)
    scene.advance(minutes=7)
    scene.verify(scene.job(version, S1, "successful", env=scene.staging, attempt=2))
    assert scene.reason(RULE, version, R).satisfied_at == START + timedelta(minutes=7)
