"""When dispatcher looks again by itself: at the deadlines of jobs, leases and plans, and when freezes let go what waits without a clearance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from libs.runtime.service import Draft
from services.dispatcher.claims import LEASE, Leases
from services.dispatcher.deadline import Deadlines
from services.dispatcher.fold import WAITING_MOVES
from services.dispatcher.job import JobMaker
from services.dispatcher.plan_expiry import EXPIRY, Expiries
from services.dispatcher.state import State

THAW: Final = "thaw"
"""The one timer for all that waits for the end of freezes; jobs' timers are named by their ids."""


class Timers:
    """The deadlines, the leases, the ends of plans, and the next instant at which a freeze lets go a target."""

    def __init__(self) -> None:
        self._deadlines = Deadlines()
        self._leases = Leases()
        self._expiries = Expiries()

    def keys(self, state: State) -> Iterable[str]:
        """Every active job, every lease, every plan that is being computed, and the end of freezes."""
        return (*self._deadlines.keys(state), *self._leases.keys(state), *self._expiries.keys(state), THAW)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The job that was created, taken or moved, the plan that went on, and the end of freezes where it may have moved."""
        of_one = (*self._deadlines.touched(recorded), *self._leases.touched(recorded), *self._expiries.touched(recorded))
        return (*of_one, THAW) if recorded.type in WAITING_MOVES else of_one

    def at(self, state: State, key: str) -> datetime | None:
        """When a job fails, a lease or a plan is over, or the first waiting target is let go."""
        if key == THAW:
            return min(state.instants, default=None)
        if key.startswith(EXPIRY):
            return self._expiries.at(state, key)
        return (self._leases if key.startswith(LEASE) else self._deadlines).at(state, key)

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Fail the jobs whose time is over, take back those whose lease is, end plans that are over, and dispatch what is let go."""
        over = [key for key in keys if key != THAW and not key.startswith((LEASE, EXPIRY))]
        failed = {key for key in over if state.jobs[key].is_active}
        drafts = list(self._deadlines.fire(state, over, now))
        leases = [key for key in keys if key.startswith(LEASE) and key.removeprefix(LEASE) not in failed]
        drafts += self._leases.fire(state, leases, now)
        drafts += self._expiries.fire(state, [key for key in keys if key.startswith(EXPIRY)], now)
        if THAW in keys:
            maker = JobMaker(state, now)
            for target in sorted(state.waiting):
                free = state.waiting[target]
                if free is not None and free <= now:
                    drafts += maker.create(target, None)
            drafts += maker.holds()
        return drafts
