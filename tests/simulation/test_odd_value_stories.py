"""Stories of values that nobody should send, told to all five services: nothing stops."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.facts.planner import RollbackStarted
from contracts.facts.verifier import VerificationFailed, VerificationPassed
from contracts.shapes import (
    AnyApproval,
    GradualRollout,
    MetricProvider,
    Rollback,
    Verification,
)
from tests.simulation.stories import guarded, progression
from tests.simulation.yard import Yard, metric


@pytest.mark.parametrize(
    "body",
    [
        progression(maximum_age_hours=2**31 - 1, minimum_soak_time_minutes=2**31 - 1),
        progression(maximum_age_hours=2**31 - 1),
        GradualRollout(rollout_type="linear", time_scale_interval=2**31 - 1),
        GradualRollout(rollout_type="linear-normalized", time_scale_interval=2**31 - 1),
        Verification(metrics=(metric(interval_seconds=2**31 - 1, count=2**31 - 1, failure_threshold=2**31 - 1),)),
        Verification(metrics=(metric(count=1, success_threshold=-5, failure_threshold=-5),)),
        AnyApproval(min_approvals=2**31 - 1),
        AnyApproval(min_approvals=-(2**31)),
    ],
)
def test_huge_numbers_stop_nothing(body: Any) -> None:
    yard = Yard()
    for number in range(130):  # 68 years each: the last places lie past the end of the calendar
        yard.place(f"x{number}", "production")
    yard.policy("huge", body, stage="production")
    yard.post("api", "v1")
    yard.advance(10)
    yard.check()
    yard.check_memory()


def test_odd_names_stop_nothing() -> None:
    yard = Yard()
    metrics = (metric("a/b/c"), metric(" . "), metric("é😀"))
    yard.policy("watched", Verification(metrics=metrics), Rollback(on_verification_failure=True))
    yard.post("api", "v\u2028/é😀")
    yard.advance(30)
    assert len(yard.facts(VerificationPassed)) == 3


def test_names_without_end_stop_nothing() -> None:
    yard = guarded()
    tag = "v" * 100_000
    yard.failing.add(tag)
    yard.post("api", tag)
    yard.advance(60)
    yard.check()
    assert len(yard.facts(RollbackStarted)) == 1


def test_a_provider_that_can_not_be_asked_fails_the_verification() -> None:
    yard = Yard()
    nowhere = metric(provider=MetricProvider(type="http", url="http://monitoring/?v={{.no.such}}&r={{.resource.name}}"))
    yard.policy("watched", Verification(metrics=(nowhere,)))
    yard.mute.add("<no value>")
    yard.post("api", "v1")
    yard.advance(30)
    assert len(yard.facts(VerificationFailed)) == 3
