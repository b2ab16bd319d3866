"""What the stories share: a yard with guarded production, and what is asked of a yard at the stages of a story."""

from __future__ import annotations

from typing import Any

from contracts.shapes import (
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    Rollback,
    Target,
    Verification,
)
from tests.simulation.yard import Yard, metric

STAGING = 'environment.metadata["stage"] == "staging"'


def progression(selector: str = STAGING, **more: Any) -> EnvironmentProgression:
    return EnvironmentProgression(depends_on_environment_selector=selector, **more)


def guarded(*, approvals: int = 0, interval_s: int = 5, third: bool = False) -> Yard:
    """Everything is verified and rolled back; production follows staging, approved, one by one."""
    yard = Yard()
    if third:
        yard.place("r4", "production")
    yard.policy(
        "watched", Verification(metrics=(metric(),)), Rollback(on_job_statuses=("failure",), on_verification_failure=True)
    )
    yard.policy(
        "careful",
        AnyApproval(min_approvals=approvals),
        progression(require_verification_passed=True),
        GradualRollout(rollout_type="linear", time_scale_interval=interval_s),
        stage="production",
    )
    return yard


def message(yard: Yard, stage: str, name: str = "") -> str:
    """What is said of a target of a stage."""
    pair = (yard.deployments["api"], yard.stages[stage])
    ids = sorted(yard.ledger.targets[pair])
    one = next(one for one in ids if name in ("", yard.ledger.resources[one]))
    return str(yard.explain(Target(one, pair[1], pair[0])).message)


def started(yard: Yard, tag: str, stage: str) -> list[float]:
    """When the jobs of a version were made in a stage, in seconds since the first one."""
    times = [job.created_at for job in yard.jobs(tag, stage=stage)]
    return [(one - times[0]).total_seconds() for one in times]


def all_run(yard: Yard, tag: str) -> bool:
    stages = [stage for stage in yard.stages if (yard.deployments["api"], yard.stages[stage]) in yard.ledger.targets]
    return all(set(yard.runs("api", stage).values()) <= {tag} for stage in stages)
