"""What a planned version would be given on each target, for the dry runs that dispatcher makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.dispatcher import PlanRequested
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from contracts.shapes import Target
from libs.runtime.service import Draft
from services.planner.resolution import Resolver
from services.planner.rollouts import NO_PAIRS
from services.planner.state import PlannerState, past_of

TARGETS_PER_FACT: Final = 500
BYTES_PER_FACT: Final = 200_000
_TARGET_BYTES: Final = 320
"""JSON of a target, apart from its variables."""


def decide_plans(state: PlannerState, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """The targets of every plan that was just asked for, as they are now; a plan without targets is told so."""
    return tuple(
        Draft(
            PlanTargetsResolved(
                plan_id=one.fact.plan_id,
                deployment_id=one.fact.deployment_id,
                targets=tuple(part),
                last=last,
                resolved_at=now,
            ),
            cause=one,
        )
        for one in recorded
        if isinstance(one.fact, PlanRequested)
        for part, last in _parts(state, one.fact.deployment_id)
    )


def _parts(state: PlannerState, deployment_id: str) -> Iterator[tuple[list[PlanTarget], bool]]:
    """Targets that fit into one fact, and whether they are the last ones."""
    part: list[PlanTarget] = []
    size = 0
    resolver = Resolver(state)
    for environment_id, pair in sorted(state.pairs.get(deployment_id, NO_PAIRS).items()):
        for resource_id in sorted(pair.places):
            variables = resolver.variables_of(Target(resource_id, environment_id, deployment_id))
            if part and (len(part) == TARGETS_PER_FACT or size + variables.size + _TARGET_BYTES > BYTES_PER_FACT):
                yield part, False
                part, size = [], 0
            runs = past_of(state, deployment_id, environment_id, resource_id).runs
            current = next((run for run in reversed(runs) if run.succeeded), None)
            part.append(
                PlanTarget(
                    environment_id=environment_id,
                    resource_id=resource_id,
                    variables=variables.values,
                    current_version_id=current.version_id if current is not None else None,
                    current_release_id=current.release_id if current is not None else None,
                )
            )
            size += variables.size + _TARGET_BYTES
    yield part, True
