"""All calls of dispatcher to the outside: those about jobs, and those of dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from libs.runtime.service import Draft, Intent, Outcome
from services.dispatcher.dispatching import AgentCalls
from services.dispatcher.plans import PLAN, PlanCalls
from services.dispatcher.state import State


class Calls:
    """Both kinds, told apart by their keys."""

    def __init__(self) -> None:
        self._jobs = AgentCalls()
        self._plans = PlanCalls()

    def keys(self, state: State) -> Iterable[str]:
        """Every call that is to be made."""
        return (*self._jobs.keys(state), *self._plans.keys(state))

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The calls that a fact may have opened or closed."""
        return (*self._jobs.touched(recorded), *self._plans.touched(recorded))

    def intent(self, state: State, key: str) -> Intent | None:
        """The call behind a key."""
        return (self._plans if key.startswith(PLAN) else self._jobs).intent(state, key)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """What follows from the answers."""
        about_plans = [one for one in outcomes if one.key.startswith(PLAN)]
        about_jobs = [one for one in outcomes if not one.key.startswith(PLAN)]
        return (*self._jobs.settle(state, about_jobs, now), *self._plans.settle(state, about_plans, now))
