"""All calls of dispatcher to the outside: those about jobs, those of dry runs, and those that report plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from libs.runtime.service import Draft, Intent, Outcome
from services.dispatcher.dispatching import AgentCalls
from services.dispatcher.plan_reports import REPORT, PlanReports
from services.dispatcher.plans import PLAN, PlanCalls
from services.dispatcher.state import State


class Calls:
    """All kinds, told apart by their keys."""

    def __init__(self) -> None:
        self._jobs = AgentCalls()
        self._plans = PlanCalls()
        self._reports = PlanReports()

    def keys(self, state: State) -> Iterable[str]:
        """Every call that is to be made."""
        return (*self._jobs.keys(state), *self._plans.keys(state), *self._reports.keys(state))

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The calls that a fact may have opened or closed."""
        return (*self._jobs.touched(recorded), *self._plans.touched(recorded), *self._reports.touched(recorded))

    def intent(self, state: State, key: str) -> Intent | None:
        """The call behind a key."""
        return self._of(key).intent(state, key)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """What follows from the answers."""
        return [
            draft
            for calls in (self._jobs, self._plans, self._reports)
            for draft in calls.settle(state, [one for one in outcomes if self._of(one.key) is calls], now)
        ]

    def _of(self, key: str) -> AgentCalls | PlanCalls | PlanReports:
        if key.startswith(PLAN):
            return self._plans
        return self._reports if key.startswith(REPORT) else self._jobs
