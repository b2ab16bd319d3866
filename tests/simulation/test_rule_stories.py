"""Stories of what a rule may say: shares, ages, statuses, paces and metrics, told to all five services."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.facts.dispatcher import JobCreated
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed
from contracts.shapes import (
    AnyApproval,
    GradualRollout,
    MetricProvider,
    MetricSpec,
    Rollback,
    Verification,
)
from tests.simulation.stories import message, progression, started
from tests.simulation.yard import Yard, metric


def test_half_of_the_targets_upstream() -> None:
    yard = Yard()
    for name in ("r3", "r4"):
        yard.place(name, "staging")
    yard.policy("half", progression(minimum_success_percentage=50), stage="production")
    yard.lost = True
    yard.post("api", "v1")
    first, second, _ = yard.jobs("v1")
    yard.set_job(first.job_id, "successful")
    assert "v1 is deployed on 1 of 3 targets in staging; the rule asks for 50 % of its targets." in message(yard, "production")
    yard.set_job(second.job_id, "successful")
    assert len(yard.jobs("v1", stage="production")) == 1


def test_success_that_is_too_old_no_longer_counts() -> None:
    yard = Yard()
    yard.policy("fresh", progression(maximum_age_hours=1), AnyApproval(min_approvals=1), stage="production")
    version = yard.post("api", "v1")
    yard.advance(3700)
    yard.approve(version, "production")
    yard.advance(60)
    assert not yard.jobs("v1", stage="production")
    assert "What ends it: a new success of v1 in staging." in message(yard, "production")


def test_other_statuses_count_where_a_rule_says_so() -> None:
    yard = Yard()
    yard.failing.add("v1")
    yard.policy("odd", progression(success_statuses=("failure",)), stage="production")
    yard.post("api", "v1")
    yard.advance(10)
    assert len(yard.jobs("v1", stage="production")) == 2


def test_a_normalized_rollout_takes_its_interval_altogether() -> None:
    yard = Yard()
    yard.place("r4", "production")
    yard.policy("slow", GradualRollout(rollout_type="linear-normalized", time_scale_interval=60), stage="production")
    yard.post("api", "v1")
    yard.advance(60)
    assert started(yard, "v1", "production") == [0, 20, 40]


@pytest.mark.parametrize("trigger", ["jobCreated", "jobStarted", "jobSuccess", "jobFailure"])
def test_a_verification_starts_with_its_trigger(trigger: Any) -> None:
    yard = Yard()
    yard.policy("watched", Verification(trigger_on=trigger, metrics=(metric(),)))
    yard.post("api", "v1")
    yard.failing.add("v1") if trigger == "jobFailure" else yard.failing.clear()
    yard.advance(1)
    assert bool(yard.facts(MeasurementTaken)) == (trigger in ("jobCreated", "jobStarted"))
    yard.advance(20)
    assert len(yard.facts(VerificationPassed)) == 3


def test_thresholds_and_failure_conditions() -> None:
    yard = Yard()
    patient = metric(count=10, success_threshold=2, failure_threshold=1, failure_condition="result.json.rate > 0.4")
    yard.policy("watched", Verification(metrics=(patient,)), Rollback(on_verification_failure=True))
    yard.post("api", "v1")
    yard.advance(20)
    assert max(one.number for one in yard.facts(MeasurementTaken)) == 2
    yard.sick.add(("v2", "r1"))
    yard.post("api", "v2")
    yard.advance(20)
    (failed,) = yard.facts(VerificationFailed)
    assert "2 of 2 measurements failed, 1 may fail" in failed.message
    assert yard.runs("api", "staging") == {"r1": "v1"}


def test_a_sleep_is_a_verification_that_takes_its_time() -> None:
    yard = Yard()
    provider = MetricProvider(type="sleep", durationSeconds=30)
    nap = MetricSpec(name="nap", interval_seconds=1, count=1, provider=provider, success_condition="result.ok")
    yard.policy("watched", Verification(metrics=(nap,)))
    yard.post("api", "v1")
    yard.advance(32)
    assert not yard.facts(VerificationPassed)
    yard.advance(2)
    assert len(yard.facts(VerificationPassed)) == 3


def test_disp_specs_merge_dedupe_policy_first() -> None:
    """Of two policies with a metric of the same name the first in order measures it; the later saved one goes first."""
    yard = Yard()
    yard.policy("older", Verification(metrics=(metric("errors", count=5), metric("other", count=1))))
    yard.advance(1)
    yard.policy("newer", Verification(metrics=(metric("errors", count=3),)))
    yard.post("api", "v1")
    yard.advance(30)
    of_one = [one for one in yard.facts(MeasurementTaken) if one.resource_id == yard.facts(JobCreated)[0].resource_id]
    assert [one.number for one in of_one if one.metric == "errors"] == [1, 2, 3]
    assert [one.number for one in of_one if one.metric == "other"] == [1]
