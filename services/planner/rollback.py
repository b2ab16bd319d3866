"""Decides what a target goes back to when policy requires a rollback: its last good release, that very release again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired
from contracts.shapes import Target
from libs.runtime.service import Draft
from services.planner.history import last_good
from services.planner.rollouts import NO_PAIR, pair_of
from services.planner.state import PlannerState, past_of


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """What was decided: the facts, and the targets they are about."""

    drafts: tuple[Draft, ...] = ()
    targets: frozenset[Target] = frozenset()


def decide_rollbacks(state: PlannerState, recorded: Sequence[Recorded], now: datetime) -> Rollbacks:
    """Mark the version bad on the target and go back, once for each target and version.

    The failure of a rollback's own job starts no other one: it would go in circles.
    """
    drafts: list[Draft] = []
    decided: dict[tuple[Target, str], None] = {}
    for one in recorded:
        if not isinstance(fact := one.fact, RollbackRequired):
            continue
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        past = past_of(state, fact.deployment_id, fact.environment_id, fact.resource_id)
        of_rollback = any(run.job_id == fact.job_id and run.rollback for run in past.runs)
        if of_rollback or fact.version_id in past.marked or (target, fact.version_id) in decided:
            continue
        bad = {*past.marked, fact.version_id, *(version for known, version in decided if known == target)}
        decided[target, fact.version_id] = None
        drafts.append(Draft(_started(state, fact, bad, now), one))
    return Rollbacks(tuple(drafts), frozenset(target for target, _ in decided))


def _started(state: PlannerState, required: RollbackRequired, bad: set[str], now: datetime) -> RollbackStarted:
    pair = pair_of(state.pairs, required.deployment_id, required.environment_id) or NO_PAIR
    past = past_of(state, required.deployment_id, required.environment_id, required.resource_id)

    def allowed(version_id: str) -> bool:
        version = state.catalog.versions.get(version_id)
        return version is not None and version.status != "rejected" and version_id not in bad

    # A target that vanished meanwhile gets the mark alone, which holds when it comes back.
    back = last_good(past, allowed) if required.resource_id in pair.places else None
    return RollbackStarted(
        deployment_id=required.deployment_id,
        environment_id=required.environment_id,
        resource_id=required.resource_id,
        version_id=required.version_id,
        job_id=required.job_id,
        release_id=back.release_id if back else None,
        to_version_id=back.version_id if back else None,
        reason=required.reason,
        policy_id=required.policy_id,
        rule_id=required.rule_id,
        started_at=now,
    )
