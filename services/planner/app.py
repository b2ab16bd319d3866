"""Planner, wired: what the host or the simulation runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.commands.planner import PreviewResource, PreviewRollback
from contracts.envelope import Recorded
from libs.runtime.service import Draft, QueryHandler, Service
from services.planner.commands import COMMANDS
from services.planner.desired import decide_releases
from services.planner.plans import decide_plans
from services.planner.preview import preview_resource
from services.planner.preview_rollback import preview_rollback
from services.planner.rollback import decide_rollbacks
from services.planner.state import READS, PlannerState, evolve, initial
from services.planner.targets import decide_targets


def react(state: PlannerState, recorded: Sequence[Recorded], now: datetime) -> tuple[Draft, ...]:
    """Targets first, then rollbacks, then releases: each leaves alone what the one before it decided about. Plans change nothing."""
    targets = decide_targets(state, recorded)
    rollbacks = decide_rollbacks(state, recorded, now)
    releases = decide_releases(state, recorded, now, busy=targets.vanishing | rollbacks.targets)
    return (*targets.drafts, *rollbacks.drafts, *releases, *decide_plans(state, recorded, now))


service: Final[Service[PlannerState]] = Service(
    name="planner",
    state_version=4,
    reads=READS,
    initial=initial,
    evolve=evolve,
    react=react,
    commands=COMMANDS,
    queries={
        PreviewResource.NAME: QueryHandler(PreviewResource, preview_resource),
        PreviewRollback.NAME: QueryHandler(PreviewRollback, preview_rollback),
    },
)
