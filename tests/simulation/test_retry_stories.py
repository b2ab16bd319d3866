"""Stories of retries before rollbacks, told to all five services."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.commands.policy.freezes import SaveFreeze
from contracts.facts.dispatcher import JobStatusChanged
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired
from contracts.shapes import Retry, Rollback, Verification
from services.policy.instants import spoken
from tests.simulation.stories import all_run, message
from tests.simulation.yard import Yard, metric


def netted(*, most: int = 2, pause_s: int = 60) -> Yard:
    """v1 runs everywhere; a failure is tried again, and rolled back after that."""
    yard = Yard()
    yard.policy(
        "net",
        Verification(metrics=(metric(),)),
        Rollback(on_job_statuses=("failure",), on_verification_failure=True),
        Retry(max_retries=most, backoff_seconds=pause_s),
    )
    yard.post("api", "v1")
    yard.advance(30)
    return yard


def failures(yard: Yard, stage: str) -> list[datetime]:
    """When jobs failed in a stage."""
    return [
        fact.changed_at
        for fact in yard.facts(JobStatusChanged)
        if fact.status == "failure" and yard.stage_of(fact.environment_id) == stage
    ]


def test_a_failure_is_retried_and_rolled_back_after_the_last_attempt() -> None:
    yard = netted()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    (failed,) = failures(yard, "staging")
    due = spoken(failed + timedelta(minutes=1))
    assert f"retry 1 of 2 is made at {due}" in message(yard, "staging")
    assert "It is rolled back after the last attempt." in message(yard, "staging")
    assert yard.facts(RollbackRequired) == []
    yard.advance(60)
    assert "retry 2 of 2" in message(yard, "staging")
    yard.advance(120)
    assert len(failures(yard, "staging")) == 3
    last = {job.resource_id: job.job_id for job in yard.jobs("v2")}
    assert {one.resource_id: one.job_id for one in yard.facts(RollbackRequired)} == last
    assert all_run(yard, "v1")
    assert len(yard.facts(RollbackStarted)) == 3
    assert "v2 failed here and was marked bad" in message(yard, "staging")
    yard.check()
    yard.check_memory()
    yard.check_decisions()


def test_a_failure_that_mends_itself_is_never_rolled_back() -> None:
    yard = netted()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    yard.failing.discard("v2")
    yard.advance(120)
    assert all_run(yard, "v2")
    assert yard.facts(RollbackRequired) == []
    assert len(yard.jobs("v2", stage="staging")) == 2


def test_an_unhealthy_version_is_rolled_back_without_a_retry() -> None:
    yard = netted()
    yard.sick |= {("v2", name) for name in ("r1", "r2", "r3")}
    yard.post("api", "v2")
    yard.advance(30)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v2", stage="staging")) == 1


def test_a_line_that_is_stopped_brings_what_waits_for_a_retry_back() -> None:
    """A freeze lets rollbacks pass, so nothing stays broken for as long as it lasts."""
    yard = netted()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    yard.do(SaveFreeze(reason="stop the line"))
    yard.advance(120)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v2", stage="staging")) == 1
    assert len(yard.facts(RollbackStarted)) == 3
    yard.check()
    yard.check_memory()
    yard.check_decisions()


def test_a_retry_rule_that_goes_leaves_the_rollback() -> None:
    yard = netted()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    yard.policy("net", Verification(metrics=(metric(),)), Rollback(on_job_statuses=("failure",)))
    yard.advance(10)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v2", stage="staging")) == 1
    yard.check_decisions()
