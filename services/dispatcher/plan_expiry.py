"""Plans that are over: what has no answer by then gets none, whatever it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.dispatcher import PlanRequested, PlanResultRecorded, PlanResultsStarted
from libs.runtime.service import Draft
from services.dispatcher.plan_state import OpenPlan
from services.dispatcher.state import State

EXPIRY: Final = "expiry/"
"""The timers of plans are named by this and the plan's id."""


class Expiries:
    """One timer for each plan with results that are to come."""

    def keys(self, state: State) -> Iterable[str]:
        """Every plan that is being computed."""
        return (EXPIRY + plan_id for plan_id in sorted(state.planning.plans))

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The plan whose dry runs were started, or ended."""
        match recorded.fact:
            case (PlanRequested() | PlanResultsStarted() | PlanResultRecorded()) as fact:
                return (EXPIRY + fact.plan_id,)
            case _:
                return ()

    def at(self, state: State, key: str) -> datetime | None:
        """When its open dry runs end; None when there are none."""
        plan = state.planning.plans.get(key.removeprefix(EXPIRY))
        return plan.expires_at if plan is not None and plan.open else None

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """End the open dry runs of these plans. (A call that is under way comes to nothing.)"""
        over = {key.removeprefix(EXPIRY) for key in keys}
        if not over:
            return ()
        open_ = [(result_id, one.plan_id) for result_id, one in state.planning.results.items() if one.plan_id in over]
        return [Draft(_expired(result_id, plan_id, state.planning.plans[plan_id], now)) for result_id, plan_id in sorted(open_)]


def expired_said(plan: OpenPlan) -> str:
    """Why there is no result."""
    return (
        f"The plan expired at {plan.expires_at:%Y-%m-%dT%H:%M:%SZ}, before the agent was asked or gave an answer. Plan it again."
    )


def _expired(result_id: str, plan_id: str, plan: OpenPlan, now: datetime) -> PlanResultRecorded:
    return PlanResultRecorded(
        plan_id=plan_id,
        deployment_id=plan.deployment_id,
        result_id=result_id,
        status="errored",
        message=expired_said(plan),
        recorded_at=now,
    )
