"""retry: how often, when, and what counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RuleEvaluated, TargetsCleared
from contracts.shapes import JobStatus, Retry
from services.policy.retry import pause_of
from tests.unit.policy.policy_scenes import Scene, approval, uid

R1 = uid("resource r1")


def retry(most: int, *, seconds: int = 0, statuses: tuple[JobStatus, ...] | None = None, **how: object) -> RuleInput:
    body = {"max_retries": most, "backoff_seconds": seconds, "retry_on_statuses": statuses, **how}
    return RuleInput(retry=Retry.model_validate(body))


class Tried(Scene):
    """One target, and a version that is desired there; `ends` makes its next job, which ends so at once."""

    def __init__(self, *rules: RuleInput) -> None:
        super().__init__(R1)
        if rules:
            self.production_policy(*rules)
        self.v1 = self.version("v1")
        self.release(self.v1, R1)
        self._attempts = 0

    def ends(self, status: JobStatus = "failure") -> None:
        self._attempts += 1
        self.job(self.v1, R1, status, attempt=self._attempts)

    def again(self) -> int:
        """How often anything was cleared."""
        return len(self.facts(TargetsCleared))


@pytest.mark.parametrize("status", ["failure", "cancelled", "skipped", "successful", "invalidIntegration"])
def test_retry_no_rule_single_attempt(status: JobStatus) -> None:
    scene = Tried()
    scene.ends(status)
    assert scene.again() == 1


def test_retry_max3() -> None:
    scene = Tried(retry(3))
    for attempts in range(1, 4):
        scene.ends()
        assert scene.again() == 1 + attempts
        assert scene.open(scene.v1) == {R1}
    scene.ends()
    assert scene.again() == 4
    assert scene.open(scene.v1) == set()
    assert scene.facts(RuleEvaluated)[-1].groups[0].message == "v1 failed here, and 3 of 3 retries are used up."
    assert scene.facts(RuleEvaluated)[-1].groups[0].verdict == "blocked"


def test_retry_statuses_explicit() -> None:
    scene = Tried(retry(3, statuses=("cancelled",)))
    scene.ends("failure")
    assert scene.again() == 1
    other = Tried(retry(3, statuses=("cancelled",)))
    other.ends("cancelled")
    assert other.again() == 2


@pytest.mark.parametrize(
    "status, again",
    [
        ("failure", True),
        ("invalidIntegration", True),
        ("invalidJobAgent", True),
        ("skipped", False),
        ("externalRunNotFound", False),
    ],
)
def test_retry_default_statuses(status: JobStatus, again: bool) -> None:
    scene = Tried(retry(3))
    scene.ends(status)
    assert (scene.again() == 2) is again


def test_retry_max0_counts_success() -> None:
    scene = Tried(retry(0))
    scene.ends("successful")
    assert scene.again() == 1
    other = Tried(retry(0))
    other.ends()
    assert other.again() == 1


def test_retry_cancelled_breaks_chain() -> None:
    scene = Tried(retry(3))
    scene.ends()
    scene.ends("cancelled")
    assert scene.again() == 2
    assert scene.open(scene.v1) == set()


def test_retry_linear_backoff() -> None:
    scene = Tried(retry(3, seconds=60))
    scene.ends()
    for waits in (1, 2):
        scene.advance(seconds=59)
        assert scene.again() == waits
        scene.advance(seconds=1)
        assert scene.again() == waits + 1
        scene.ends()


def test_retry_exponential_doubles_and_caps() -> None:
    body = Retry(max_retries=9, backoff_seconds=10, backoff_strategy="exponential", max_backoff_seconds=35)
    assert [pause_of(body, number).total_seconds() for number in (1, 2, 3, 4)] == [10, 20, 35, 35]
    huge = Retry(max_retries=2**31 - 1, backoff_seconds=2**31 - 1, backoff_strategy="exponential")
    assert pause_of(huge, 2**31 - 1) > timedelta(days=1)


def test_retry_backoff_from_completed_else_created() -> None:
    scene = Tried(retry(1, seconds=60))
    job = scene.job(scene.v1, R1)
    scene.advance(minutes=30)
    scene.job_status(job, "failure")
    scene.advance(seconds=59)
    assert scene.again() == 1
    scene.advance(seconds=1)
    assert scene.again() == 2


def test_retry_next_eval_is_requeue_time() -> None:
    scene = Tried(retry(1, seconds=60))
    scene.ends()
    group = scene.facts(RuleEvaluated)[-1].groups[0]
    assert group.verdict == "waiting"
    assert group.look_again_at == scene.world.now + timedelta(seconds=60)
    assert "retry 1 of 1" in group.message


def test_retry_version_flip_resets() -> None:
    scene = Tried(retry(1))
    scene.ends()
    scene.ends()
    assert scene.open(scene.v1) == set()
    v2 = scene.version("v2")
    scene.deploy(v2, R1)
    scene.set_status(v2, "rejected")
    scene.release(scene.v1, R1)
    cleared = scene.again()
    scene.ends()
    assert scene.again() == cleared + 1
    assert scene.open(scene.v1) == {R1}


def test_retry_two_rules_strictest() -> None:
    scene = Tried(retry(3), retry(1))
    scene.ends()
    assert scene.open(scene.v1) == {R1}
    scene.ends()
    assert scene.open(scene.v1) == set()


def test_retry_disabled_policy_ignored() -> None:
    scene = Scene(R1)
    scene.production_policy(retry(3), enabled=False)
    scene.deploy(scene.version("v1"), R1, status="failure")
    assert len(scene.facts(TargetsCleared)) == 1


def test_retry_success_never_redeployed() -> None:
    scene = Tried(retry(3))
    scene.ends()
    scene.ends("successful")
    scene.advance(minutes=60 * 24)
    assert scene.open(scene.v1) == set()
    assert scene.again() == 2


def test_retry_waits_for_the_other_rules() -> None:
    scene = Tried(retry(3))
    scene.production_policy(approval())
    scene.ends()
    assert scene.open(scene.v1) == set()
    scene.approve(scene.v1)
    assert scene.open(scene.v1) == {R1}


def test_retry_rule_that_is_saved_after_the_failure_counts() -> None:
    scene = Tried()
    scene.ends()
    scene.production_policy(retry(1))
    assert scene.open(scene.v1) == {R1}


def test_job_that_moves_on_ends_the_clearance_to_try_again() -> None:
    scene = Tried(retry(3))
    job = scene.job(scene.v1, R1, "failure")
    assert scene.open(scene.v1) == {R1}
    scene.job_status(job, "successful")
    assert scene.open(scene.v1) == set()


def test_job_made_by_hand_ends_the_wait_for_a_retry() -> None:
    scene = Tried(retry(3, seconds=600))
    scene.ends()
    scene.job(scene.v1, R1, attempt=2)
    last = scene.facts(RuleEvaluated)[-1].groups[0]
    assert (last.verdict, last.look_again_at) == ("allowed", None)


def test_explanation_says_when_a_retry_is_made_and_when_there_is_none() -> None:
    scene = Tried(retry(1, seconds=60))
    scene.ends()
    due = f"{scene.world.now + timedelta(seconds=60):%Y-%m-%d %H:%M:%S UTC}"
    assert f"retry 1 of 1 is made at {due}, in 1m." in scene.explain(R1).message
    scene.advance(seconds=60)
    scene.ends()
    assert scene.explain(R1).message.endswith(
        "v1 failed here, and 1 of 1 retries are used up. What ends it: a person who redeploys v1, or a newer version."
    )
