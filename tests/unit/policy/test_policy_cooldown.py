"""versionCooldown: who waits, for what, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RuleEvaluated
from contracts.shapes import VersionCooldown
from tests.unit.policy.policy_scenes import Scene, uid, verification

R1 = uid("resource r1")


def cooldown(seconds: int) -> RuleInput:
    return RuleInput(version_cooldown=VersionCooldown(interval_seconds=seconds))


def running(seconds: int = 3600) -> tuple[Scene, str]:
    """A target that runs v1, which was just created."""
    scene = Scene(R1)
    scene.production_policy(cooldown(seconds))
    v1 = scene.version("v1")
    scene.deploy(v1, R1)
    return scene, v1


def test_cool_first_deploy() -> None:
    scene = Scene(R1)
    scene.production_policy(cooldown(3600))
    assert scene.open(scene.version("v1")) == {R1}


def test_cool_same_version() -> None:
    scene, v1 = running()
    assert scene.open(v1) == set()
    assert scene.explain(R1).message == "v1 runs here, the newest version."


def test_cool_within_denied() -> None:
    scene, _ = running()
    created = scene.world.now
    scene.advance(minutes=10)
    v2 = scene.version("v2")
    assert scene.open(v2) == set()
    reason = scene.reason("versionCooldown", v2, R1)
    assert (reason.verdict, reason.look_again_at) == ("waiting", created + timedelta(hours=1))
    assert reason.message.startswith("v1, which runs here, was created 10m ago, and other versions follow after 1h: at ")


def test_cool_boundary_allowed() -> None:
    scene, _ = running(60)
    v2 = scene.version("v2")
    scene.advance(seconds=59)
    assert scene.open(v2) == set()
    scene.advance(seconds=1)
    assert scene.open(v2) == {R1}


def test_cool_after_any_version_even_older() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deploy(v2, R1)
    scene.production_policy(cooldown(60))
    scene.set_status(v2, "rejected")
    assert scene.open(v1) == set()
    scene.advance(seconds=60)
    assert scene.open(v1) == {R1}


def test_cool_in_progress_precedes_deployed() -> None:
    scene, _ = running(600)
    scene.advance(seconds=600)
    v2 = scene.version("v2")
    scene.release(v2, R1)
    job = scene.job(v2, R1, "inProgress")
    scene.advance(seconds=1)
    v3 = scene.version("v3")
    assert "v2, which is on its way here" in scene.reason("versionCooldown", v3, R1).message
    scene.job_status(job, "failure")
    assert scene.open(v3) == {R1}


def test_cool_failed_verification_not_reference() -> None:
    scene = Scene(R1)
    scene.production_policy(cooldown(600), verification())
    v1 = scene.version("v1")
    scene.release(v1, R1)
    job = scene.job(v1, R1, "successful")
    scene.verify(job, passed=False)
    assert scene.open(scene.version("v2")) == {R1}


def test_cool_reference_appears_when_its_verification_passes() -> None:
    scene = Scene(R1)
    scene.production_policy(cooldown(600), verification())
    v1 = scene.version("v1")
    scene.release(v1, R1)
    job = scene.job(v1, R1, "successful")
    v2 = scene.version("v2")
    assert scene.open(v2) == {R1}
    scene.verify(job)
    assert scene.open(v2) == set()


def test_cool_zero_interval() -> None:
    scene, _ = running(0)
    assert scene.open(scene.version("v2")) == {R1}


def test_cool_text_2d_3h() -> None:
    scene, _ = running((2 * 24 + 3) * 3600)
    v2 = scene.version("v2")
    assert "less than 2d 3h ago" in scene.facts(RuleEvaluated)[-1].groups[0].message
    assert "follow after 2d 3h" in scene.reason("versionCooldown", v2, R1).message


def test_cool_falls_back_to_current() -> None:
    scene, v1 = running()
    scene.advance(seconds=1)
    v2 = scene.version("v2")
    scene.advance(seconds=1)
    v3 = scene.version("v3")
    assert scene.open(v2) | scene.open(v3) | scene.open(v1) == set()
    scene.advance(minutes=60)
    assert scene.open(v3) == {R1}


@pytest.mark.parametrize("seconds", [2**31 - 1])
def test_cool_huge_interval_waits(seconds: int) -> None:
    scene, _ = running(seconds)
    v2 = scene.version("v2")
    assert scene.reason("versionCooldown", v2, R1).verdict == "waiting"
