"""Retries come before a rollback because of how a job ended: when one is waited for, and what ends that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.freezes import SaveFreeze, ThawFreeze
from contracts.commands.policy.policies import DeletePolicy, RuleInput
from contracts.facts.planner import VersionPinned
from contracts.facts.policy import PolicyDeleted, RollbackRequired, RuleEvaluated
from contracts.shapes import GradualRollout, JobStatus, Retry, Wave
from tests.unit.policy.policy_scenes import Scene, approval, linear, rollback, uid, verification

R1 = uid("resource r1")


def retry(most: int, *, seconds: int = 0, statuses: tuple[JobStatus, ...] | None = None) -> RuleInput:
    return RuleInput(retry=Retry(max_retries=most, backoff_seconds=seconds, retry_on_statuses=statuses))


class Undone(Scene):
    """A target that runs v1 and is to have v2, whose jobs end as told; a failure of them is rolled back."""

    def __init__(self, *rules: RuleInput, back: RuleInput | None = None) -> None:
        super().__init__(R1)
        self.resource("r1", id_=R1)
        self.v1 = self.version("v1")
        self.deploy(self.v1, R1)
        self.policy(back or rollback("failure"), name="net")
        self.again = self.production_policy(*rules)
        self.advance(seconds=1)
        self.v2 = self.version("v2")
        self.approve(self.v2)
        self.release(self.v2, R1)
        self._attempts = 0

    def ends(self, status: JobStatus = "failure") -> str:
        """The next attempt is made, and ends so at once."""
        self._attempts += 1
        return self.job(self.v2, R1, status, attempt=self._attempts)

    def undone(self) -> list[str]:
        """The jobs because of which a rollback was required."""
        return [one.job_id for one in self.facts(RollbackRequired)]

    def pin(self, version_id: str) -> None:
        place = {"deployment_id": self.deployment, "environment_id": self.production, "resource_id": R1}
        self.record(VersionPinned(**place, version_id=version_id, reason="calm", pinned_at=self.world.now))


# --- retries first -------------------------------------------------------------------------------------------------------------


def test_rollback_waits_for_the_last_attempt() -> None:
    scene = Undone(retry(2))
    for _ in range(2):
        scene.ends()
        assert scene.undone() == []
        assert scene.open(scene.v2) == {R1}
    last = scene.ends()
    assert scene.undone() == [last]
    assert scene.open(scene.v2) == set()


def test_rollback_waits_for_a_pause_between_attempts() -> None:
    scene = Undone(retry(1, seconds=60))
    scene.ends()
    scene.advance(seconds=59)
    assert scene.undone() == []
    scene.advance(seconds=1)
    assert scene.open(scene.v2) == {R1}
    last = scene.ends()
    assert scene.undone() == [last]


def test_rollback_never_comes_when_a_retry_succeeds() -> None:
    scene = Undone(retry(1))
    scene.ends()
    scene.ends("successful")
    scene.advance(minutes=60)
    assert scene.undone() == []


@pytest.mark.parametrize("rules", [(), (retry(0),), (retry(3, statuses=("cancelled",)),)])
def test_rollback_is_immediate_where_no_rule_retries_the_failure(rules: tuple[RuleInput, ...]) -> None:
    scene = Undone(*rules)
    job = scene.ends()
    assert scene.undone() == [job]


def test_of_two_retry_rules_the_strictest_says_when_the_rollback_comes() -> None:
    scene = Undone(retry(3, seconds=60), retry(1))
    scene.ends()
    scene.advance(seconds=60)
    assert scene.undone() == []
    last = scene.ends()
    assert scene.undone() == [last]


def test_status_that_is_not_retried_is_rolled_back_although_attempts_are_left() -> None:
    scene = Undone(retry(3), back=rollback("failure", "cancelled"))
    scene.ends()
    cancelled = scene.ends("cancelled")
    assert scene.undone() == [cancelled]


def test_failed_verification_is_rolled_back_although_attempts_are_left() -> None:
    scene = Undone(retry(3), verification(), back=rollback("failure", verification_failure=True))
    job = scene.ends("successful")
    scene.verify(job, passed=False)
    assert scene.undone() == [job]


def test_attempt_of_several_agents_is_retried_or_given_up_as_a_whole() -> None:
    scene = Undone(retry(1))
    failed: list[str] = []
    for attempt in (1, 2):
        failed.append(scene.job(scene.v2, R1, agent="a", attempt=attempt))
        other = scene.job(scene.v2, R1, agent="b", attempt=attempt)
        scene.job_status(failed[-1], "failure")
        assert scene.undone() == [], "the other agent is still at it"
        scene.job_status(other, "successful")
        assert scene.open(scene.v2) == ({R1} if attempt == 1 else set())
    assert scene.undone() == failed[1:]


def test_what_one_agent_does_not_retry_is_rolled_back_when_the_attempt_has_ended() -> None:
    scene = Undone(retry(3))
    failed = scene.job(scene.v2, R1, agent="a")
    other = scene.job(scene.v2, R1, agent="b")
    scene.job_status(failed, "failure")
    scene.job_status(other, "cancelled")
    assert scene.undone() == [failed]


def test_job_without_an_agent_is_no_attempt_and_rolled_back_at_once() -> None:
    scene = Undone(retry(3), back=rollback("invalidJobAgent"))
    job = scene.job(scene.v2, R1, agent="")
    assert scene.undone() == [job]


def test_rollback_is_required_once_where_two_reasons_for_it_come_together() -> None:
    scene = Undone(retry(1, seconds=600))
    scene.ends()
    with scene.in_one_round():
        by_hand = scene.ends()
    assert scene.undone() == [by_hand]


def test_dispatch_by_hand_that_is_half_over_is_waited_for() -> None:
    scene = Undone(retry(1, seconds=600))
    scene.ends()
    with scene.in_one_round():
        running = scene.job(scene.v2, R1, agent="a", attempt=2)
        failed = scene.job(scene.v2, R1, "failure", agent="b", attempt=2)
    assert scene.undone() == []
    scene.job_status(running, "successful")
    assert scene.undone() == [failed]


# --- a retry that does not come ------------------------------------------------------------------------------------------------


def test_rollback_comes_when_the_retry_rule_goes_while_its_retry_is_waited_for() -> None:
    scene = Undone(retry(3, seconds=600))
    job = scene.ends()
    scene.advance(minutes=1)
    scene.world.do(DeletePolicy(policy_id=scene.again))
    assert scene.undone() == [job]


def test_rollback_comes_when_the_retries_are_fewer_than_were_made() -> None:
    scene = Undone(retry(3, seconds=600))
    scene.ends()
    job = scene.ends()
    scene.production_policy(retry(1, seconds=600), id_=scene.again)
    assert scene.undone() == [job]


def test_rollback_does_not_come_when_a_policy_is_saved_that_leaves_the_retry() -> None:
    scene = Undone(retry(3, seconds=600))
    scene.ends()
    scene.policy(approval(), selector='environment.name == "staging"', name="other")
    scene.advance(minutes=10)
    assert scene.undone() == []
    assert scene.open(scene.v2) == {R1}


def test_retry_that_another_rule_holds_when_it_is_due_is_not_waited_for() -> None:
    """A broken target does not stay as it is over a weekend, or for as long as nobody approves."""
    scene = Undone(retry(3, seconds=60), approval())
    job = scene.ends()
    scene.approve(scene.v2, status="withdrawn")
    scene.advance(seconds=59)
    assert scene.undone() == [], "the approval may still come"
    scene.advance(seconds=1)
    assert scene.undone() == [job]


def test_retry_that_is_allowed_in_time_is_made() -> None:
    scene = Undone(retry(3, seconds=60), approval())
    scene.ends()
    scene.approve(scene.v2, status="withdrawn")
    scene.advance(seconds=59)
    scene.approve(scene.v2)
    scene.advance(seconds=1)
    assert scene.undone() == []
    assert scene.open(scene.v2) == {R1}


def test_retry_at_once_that_another_rule_holds_is_rolled_back_at_once() -> None:
    scene = Undone(retry(3), approval())
    job = scene.job(scene.v2, R1)
    scene.approve(scene.v2, status="withdrawn")
    scene.job_status(job, "failure")
    assert scene.undone() == [job]


def test_clearance_to_retry_that_is_withdrawn_ends_in_the_rollback() -> None:
    """Whoever stops the line wants the target back where it was: a freeze lets rollbacks pass."""
    scene = Undone(retry(3))
    job = scene.ends()
    assert scene.open(scene.v2) == {R1}
    scene.world.do(SaveFreeze(reason="stop the line"))
    assert scene.open(scene.v2) == set()
    assert scene.undone() == [job]


def test_clearance_to_retry_that_is_only_renewed_is_no_reason_to_go_back() -> None:
    scene = Undone(retry(3))
    scene.ends()
    scene.policy(approval(), selector='environment.name == "staging"', name="other")
    assert scene.undone() == []
    assert scene.open(scene.v2) == {R1}


def test_what_is_to_be_rolled_back_is_not_retried_when_the_hold_ends() -> None:
    scene = Undone(retry(3))
    job = scene.ends()
    freeze = scene.world.do(SaveFreeze(reason="stop the line"))["id"]
    assert scene.undone() == [job]
    scene.world.do(ThawFreeze(freeze_id=freeze, reason="over"))
    scene.advance(minutes=10)
    assert scene.open(scene.v2) == set()
    assert "v2 failed here, and no retry is made: it is rolled back." in scene.explain(R1).message


# --- a target that goes elsewhere ----------------------------------------------------------------------------------------------


def test_newer_version_takes_the_place_of_the_retry() -> None:
    scene = Undone(retry(3, seconds=60))
    scene.ends()
    scene.advance(seconds=1)
    v3 = scene.version("v3")
    assert scene.open(v3) == {R1}
    scene.advance(minutes=10)
    assert scene.undone() == []


def test_newer_version_that_comes_when_the_retry_is_lost_is_enough() -> None:
    scene = Undone(retry(3, seconds=60))
    scene.ends()
    scene.advance(seconds=1)
    with scene.in_one_round():
        v3 = scene.version("v3")
        scene.record(PolicyDeleted(policy_id=scene.again))
    assert scene.open(v3) == {R1}
    assert scene.undone() == []


def test_failure_of_a_version_that_is_replaced_already_is_undone_as_without_a_retry_rule() -> None:
    scene = Undone(retry(3))
    job = scene.job(scene.v2, R1)
    scene.advance(seconds=1)
    v3 = scene.version("v3")
    assert scene.open(v3) == {R1}
    scene.job_status(job, "failure")
    assert scene.undone() == [job]


def test_failure_on_a_target_that_is_pinned_to_a_held_version_is_undone() -> None:
    scene = Undone(retry(3), approval())
    job = scene.job(scene.v2, R1)
    scene.advance(seconds=1)
    scene.pin(scene.version("v3"))
    scene.job_status(job, "failure")
    assert scene.undone() == [job]


def test_failure_of_a_version_that_was_rejected_meanwhile_is_not_retried() -> None:
    scene = Scene(R1)
    scene.policy(rollback("failure"), retry(3), name="net")
    v1 = scene.version("v1")
    scene.release(v1, R1)
    job = scene.job(v1, R1)
    scene.set_status(v1, "rejected")
    scene.job_status(job, "failure")
    assert [one.job_id for one in scene.facts(RollbackRequired)] == [job]


def test_newer_version_that_is_held_does_not_take_the_place_of_the_retry() -> None:
    scene = Undone(retry(1, seconds=60))
    scene.ends()
    scene.advance(seconds=1)
    scene.version("v3", status="building")
    scene.advance(seconds=59)
    assert scene.open(scene.v2) == {R1}
    assert scene.undone() == []


def test_pin_to_another_version_is_a_persons_choice_and_no_rollback() -> None:
    scene = Undone(retry(3, seconds=60))
    scene.ends()
    scene.pin(scene.v1)
    scene.advance(minutes=10)
    assert scene.undone() == []


def test_rejected_version_is_left_without_a_rollback() -> None:
    scene = Undone(retry(3, seconds=60))
    scene.ends()
    scene.set_status(scene.v2, "rejected")
    assert scene.open(scene.v1) == {R1}
    scene.advance(minutes=10)
    assert scene.undone() == []


def test_target_that_vanished_is_not_rolled_back() -> None:
    scene = Undone(retry(3, seconds=60))
    scene.ends()
    scene.vanish(R1)
    scene.advance(minutes=10)
    assert scene.undone() == []


# --- what is said --------------------------------------------------------------------------------------------------------------


def test_explanation_says_when_it_is_tried_again_and_that_it_is_rolled_back_after_that() -> None:
    scene = Undone(retry(1, seconds=60))
    scene.ends()
    due = f"{scene.world.now + timedelta(seconds=60):%Y-%m-%d %H:%M:%S UTC}"
    said = f"retry 1 of 1 is made at {due}, in 1m. It is rolled back after the last attempt."
    assert said in scene.explain(R1).message
    recorded = scene.facts(RuleEvaluated)[-1].groups[0]
    assert recorded.message == f"v2 failed here; retry 1 of 1 is made at {due}. It is rolled back after the last attempt."
    scene.advance(seconds=60)
    scene.ends()
    told = "v2 failed here, and 1 of 1 retries are used up: it is rolled back."
    assert scene.facts(RuleEvaluated)[-1].groups[0].message == told
    assert told in scene.explain(R1).message
    assert "What ends it: the rollback, a person who redeploys v2, or a newer version." in scene.explain(R1).message


def test_explanation_does_not_promise_a_rollback_that_no_rule_asks_for() -> None:
    scene = Undone(retry(1, seconds=60), back=rollback(verification_failure=True))
    scene.ends()
    assert "rolled back" not in scene.explain(R1).message
    scene.advance(seconds=60)
    scene.ends()
    assert "rolled back" not in scene.explain(R1).message
    assert scene.undone() == []


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize(
    "rollout",
    [
        linear(0),
        RuleInput(gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=0, waves=(Wave(percentage=50),))),
    ],
)
def test_rollout_that_stopped_at_a_target_goes_on_when_its_retry_succeeds(rollout: RuleInput, seconds: int) -> None:
    scene = Scene(R1, uid("resource r2"))
    scene.policy(rollback("failure"), rollout, retry(1, seconds=seconds), name="net")
    version = scene.version("v1")
    (first,) = scene.open(version)
    (other,) = {R1, uid("resource r2")} - {first}
    scene.deploy(version, first, status="failure")
    assert scene.open(version) == ({first} if seconds == 0 else set())
    scene.advance(seconds=seconds)
    assert scene.open(version) == {first}
    scene.job(version, first, "successful", attempt=2)
    assert scene.open(version) == {other}
