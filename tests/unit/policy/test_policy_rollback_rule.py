"""The rollback rule: when a target must return to its last good release. What it returns to is planner's to say."""

from __future__ import annotations

import pytest

from contracts.facts.policy import RollbackRequired
from contracts.shapes import JobStatus
from tests.unit.policy.policy_scenes import Scene, rollback, uid, verification

R = uid("r")


def scene_with(*statuses: JobStatus, verification_failure: bool = False) -> tuple[Scene, str, str]:
    scene = Scene(R)
    scene.policy(verification(), rollback(*statuses, verification_failure=verification_failure), name="healthy")
    first = scene.version("v1")
    scene.release(first, R)
    scene.verify(scene.job(first, R, "successful"))
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.release(second, R)
    return scene, first, second


def test_rollback_on_failure_and_verification() -> None:
    """The version is undone on failure of its job or of its verification; an older one that fails too starts no circle."""
    scene, first, second = scene_with("failure", verification_failure=True)
    job = scene.job(second, R)
    scene.job_status(job, "failure", message="disk full")
    required = scene.facts(RollbackRequired)
    assert [(one.version_id, one.job_id, one.resource_id) for one in required] == [(second, job, R)]
    assert required[0].reason == f"The job of v2 on {R} ended as failure: disk full (policy 'healthy' rolls back)."
    scene.roll_back(second, R, to=first)
    scene.job(first, R, "failure", rollback=True)
    assert len(scene.facts(RollbackRequired)) == 1
    assert scene.open(first) == scene.open(second) == set()


def test_rollback_on_failed_verification() -> None:
    scene, _, second = scene_with(verification_failure=True)
    job = scene.job(second, R, "successful")
    assert scene.facts(RollbackRequired) == []
    scene.verify(job, passed=False)
    assert [one.reason for one in scene.facts(RollbackRequired)] == [
        f"The verification of v2 on {R} (policy 'healthy') failed: m: too many errors."
    ]


def test_rollback_only_where_the_rule_says_so() -> None:
    scene, _, second = scene_with("failure")
    job = scene.job(second, R, "successful")
    scene.verify(job, passed=False)
    assert scene.facts(RollbackRequired) == []


@pytest.mark.parametrize("status", ["cancelled", "successful", "inProgress"])
def test_rollback_not_for_other_statuses(status: JobStatus) -> None:
    scene, _, second = scene_with("failure")
    scene.job(second, R, status)
    assert scene.facts(RollbackRequired) == []


def test_rollback_not_while_the_job_runs() -> None:
    """A status of a running job in the rule's list says nothing about how it ends."""
    scene, _, second = scene_with("failure", "inProgress")
    scene.job(second, R, "inProgress")
    assert scene.facts(RollbackRequired) == []


def test_rollback_once_for_a_version_on_a_target() -> None:
    scene, first, second = scene_with("failure")
    scene.job(second, R, "failure")
    scene.job(second, R, "failure", attempt=2)
    scene.roll_back(second, R, to=first)
    scene.job(second, R, "failure", attempt=3)
    assert len(scene.facts(RollbackRequired)) == 1


def test_rollback_newest_job_decides() -> None:
    scene, _, second = scene_with("failure")
    old = scene.job(second, R)
    scene.advance(seconds=1)
    third = scene.version("v3")
    scene.release(third, R)
    scene.job(third, R, "inProgress")
    scene.job_status(old, "failure")
    assert scene.facts(RollbackRequired) == []


def test_rollback_of_any_job_of_one_attempt() -> None:
    scene, _, second = scene_with("failure")
    one = scene.job(second, R, agent="a")
    scene.job(second, R, agent="b")
    scene.job_status(one, "failure")
    assert [fact.job_id for fact in scene.facts(RollbackRequired)] == [one]


def test_rollback_not_on_a_vanished_target() -> None:
    scene, _, second = scene_with("failure")
    job = scene.job(second, R)
    scene.vanish(R)
    scene.job_status(job, "failure")
    assert scene.facts(RollbackRequired) == []


def test_rollback_of_a_job_that_found_no_agent() -> None:
    scene, _, second = scene_with("invalidJobAgent")
    scene.job(second, R, agent="")
    assert [one.version_id for one in scene.facts(RollbackRequired)] == [second]


def test_mended_before_it_was_looked_at() -> None:
    """A status that a person corrected in the same breath is not acted on."""
    scene, _, second = scene_with("failure")
    job = scene.job(second, R)
    with scene.in_one_round():
        scene.job_status(job, "failure")
        scene.job_status(job, "successful")
    assert scene.facts(RollbackRequired) == []
