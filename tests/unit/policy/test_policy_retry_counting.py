"""retry: what is one attempt, and the pauses between attempts as golden vectors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.dispatcher import JobCreated
from contracts.facts.policy import RuleEvaluated
from contracts.shapes import JobStatus, Retry
from services.policy.retry import pause_of
from tests.unit.policy.policy_scenes import Scene, uid

R1 = uid("resource r1")


class Tried(Scene):
    """One target, and a version that is desired there."""

    def __init__(self, *bodies: Retry) -> None:
        super().__init__(R1)
        self.production_policy(*(RuleInput(retry=body) for body in bodies))
        self.v1 = self.version("v1")
        self.release(self.v1, R1)
        self.attempt = 0

    def dispatch(self, *statuses: JobStatus) -> None:
        """One dispatch to as many agents, whose jobs end so one after the other."""
        self.attempt += 1
        jobs = [self.job(self.v1, R1, agent=f"agent {n}", attempt=self.attempt) for n in range(len(statuses))]
        for job, status in zip(jobs, statuses, strict=True):
            self.job_status(job, status)

    def again(self) -> bool:
        """Whether it is cleared to be tried once more."""
        return self.open(self.v1) == {R1}


# --- one attempt ---------------------------------------------------------------------------------------------------------------


def test_retry_counts_one_attempt_for_each_dispatch_however_many_agents() -> None:
    scene = Tried(Retry(max_retries=1))
    scene.dispatch("failure", "failure", "failure")
    assert scene.again()
    scene.dispatch("failure", "failure", "failure")
    assert not scene.again()
    assert "1 of 1 retries are used up" in scene.facts(RuleEvaluated)[-1].groups[0].message


def test_retry_waits_until_every_job_of_the_dispatch_has_ended() -> None:
    scene = Tried(Retry(max_retries=1))
    first = scene.job(scene.v1, R1, agent="one")
    other = scene.job(scene.v1, R1, agent="two")
    scene.job_status(first, "failure")
    assert not scene.again()
    scene.job_status(other, "successful")
    assert scene.again()


def test_retry_pauses_from_the_end_of_the_last_job_of_the_dispatch() -> None:
    scene = Tried(Retry(max_retries=1, backoff_seconds=60))
    first = scene.job(scene.v1, R1, agent="one")
    other = scene.job(scene.v1, R1, agent="two")
    scene.job_status(first, "failure")
    scene.advance(seconds=50)
    scene.job_status(other, "failure")
    scene.advance(seconds=59)
    assert not scene.again()
    scene.advance(seconds=1)
    assert scene.again()


@pytest.mark.parametrize("status", ["cancelled", "skipped"])
def test_retry_is_not_made_of_what_was_stopped_unless_the_rule_says_so(status: JobStatus) -> None:
    default = Tried(Retry(max_retries=3))
    default.dispatch(status)
    assert not default.again()
    named = Tried(Retry(max_retries=3, retry_on_statuses=(status,)))
    named.dispatch(status)
    assert named.again()


@pytest.mark.parametrize("status", ["cancelled", "skipped"])
def test_retry_of_a_dispatch_that_was_stopped_on_one_agent_is_not_made(status: JobStatus) -> None:
    scene = Tried(Retry(max_retries=3))
    scene.dispatch("failure", status)
    assert not scene.again()


def test_retry_chain_begins_anew_after_a_status_that_does_not_count() -> None:
    """A person stopped an attempt, and a later one by hand failed: that is the first failure in a row."""
    scene = Tried(Retry(max_retries=1))
    scene.dispatch("failure")
    scene.dispatch("cancelled")
    assert not scene.again()
    scene.dispatch("failure")
    assert scene.again()
    scene.dispatch("failure")
    assert not scene.again()


def test_retry_of_two_rules_waits_for_the_longer_pause() -> None:
    scene = Tried(Retry(max_retries=3, backoff_seconds=10), Retry(max_retries=3, backoff_seconds=60))
    scene.dispatch("failure")
    scene.advance(seconds=59)
    assert not scene.again()
    scene.advance(seconds=1)
    assert scene.again()


def test_retry_of_a_job_that_ended_as_it_was_made_pauses_from_there() -> None:
    scene = Tried(Retry(max_retries=2, backoff_seconds=60))
    scene.dispatch("failure")
    scene.advance(seconds=60)
    made = scene.facts(JobCreated)[-1].model_copy(
        update={"job_id": uid("refused"), "attempt": 2, "status": "invalidIntegration", "created_at": scene.world.now}
    )
    scene.record(made)
    assert scene.facts(RuleEvaluated)[-1].groups[0].look_again_at == scene.world.now + timedelta(seconds=60)


# --- pauses --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy, base, cap, pauses_s",
    [
        (None, None, None, [0, 0, 0, 0, 0]),
        (None, 30, None, [30, 30, 30, 30, 30]),
        ("linear", 30, None, [30, 30, 30, 30, 30]),
        ("linear", 30, 10, [30, 30, 30, 30, 30]),
        ("exponential", None, None, [0, 0, 0, 0, 0]),
        ("exponential", 0, 60, [0, 0, 0, 0, 0]),
        ("exponential", 30, None, [30, 60, 120, 240, 480]),
        ("exponential", 30, 100, [30, 60, 100, 100, 100]),
        ("exponential", 30, 120, [30, 60, 120, 120, 120]),
        ("exponential", 30, 10, [10, 10, 10, 10, 10]),
        ("exponential", 1, 2**31 - 1, [1, 2, 4, 8, 16]),
    ],
)
def test_retry_pause_golden_vectors(strategy: str | None, base: int | None, cap: int | None, pauses_s: list[int]) -> None:
    body = Retry.model_validate(
        {"max_retries": 9, "backoff_seconds": base, "backoff_strategy": strategy, "max_backoff_seconds": cap}
    )
    assert [pause_of(body, number) for number in range(1, 6)] == [timedelta(seconds=one) for one in pauses_s]


def test_retry_pauses_of_a_rollout_in_time_are_those_of_the_vectors() -> None:
    scene = Tried(Retry(max_retries=4, backoff_seconds=30, backoff_strategy="exponential", max_backoff_seconds=100))
    for pause in (30, 60, 100, 100):
        scene.dispatch("failure")
        assert scene.facts(RuleEvaluated)[-1].groups[0].look_again_at == scene.world.now + timedelta(seconds=pause)
        scene.advance(seconds=pause - 0.000001)
        assert not scene.again()
        scene.advance(seconds=0.000001)
        assert scene.again()
    scene.dispatch("failure")
    assert scene.facts(RuleEvaluated)[-1].groups[0].verdict == "blocked"
