"""What dispatcher remembers of plans, and the rules that judge them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from contracts.facts.dispatcher import PlannedVersion, PlanResultItem
from contracts.facts.policy import PolicySaved


class OpenPlan(NamedTuple):
    """A plan with results that are to come.

    Attributes:
        position: where it was asked for.
        open: how many results are to come, of those that were started.
        last: all of its results were started.
    """

    deployment_id: str
    position: int
    version: PlannedVersion
    expires_at: datetime
    open: int = 0
    last: bool = False


class OpenResult(NamedTuple):
    """A dry run that has not ended."""

    plan_id: str
    item: PlanResultItem
    started_at: datetime
    current_version_id: str | None


class Plans(NamedTuple):
    """Plans that are being computed, their open results, the targets that planner found, and the policies that judge plans, by id."""

    plans: Map[str, OpenPlan] = Map()
    results: Map[str, OpenResult] = Map()
    policies: Map[str, PolicySaved] = Map()
