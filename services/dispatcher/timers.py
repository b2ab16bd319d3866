"""When dispatcher looks again by itself: at the deadlines of jobs, and when freezes let go what waits without a clearance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from libs.runtime.service import Draft
from services.dispatcher.deadline import Deadlines
from services.dispatcher.fold import WAITING_MOVES
from services.dispatcher.job import JobMaker
from services.dispatcher.state import State

THAW: Final = "thaw"
"""The one timer for all that waits for the end of freezes; jobs' timers are named by their ids."""


class Timers:
    """The deadlines, and the next instant at which a freeze lets go a target."""

    def __init__(self) -> None:
        self._deadlines = Deadlines()

    def keys(self, state: State) -> Iterable[str]:
        """Every active job, and the end of freezes."""
        return (*self._deadlines.keys(state), THAW)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The job that was created or moved, and the end of freezes where it may have moved."""
        deadlines = tuple(self._deadlines.touched(recorded))
        return (*deadlines, THAW) if recorded.type in WAITING_MOVES else deadlines

    def at(self, state: State, key: str) -> datetime | None:
        """When a job fails, or the first waiting target is let go."""
        return min(state.instants, default=None) if key == THAW else self._deadlines.at(state, key)

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Fail the jobs whose time is over, and dispatch what is let go."""
        drafts = list(self._deadlines.fire(state, [key for key in keys if key != THAW], now))
        if THAW in keys:
            maker = JobMaker(state, now)
            for target in sorted(state.waiting):
                free = state.waiting[target]
                if free is not None and free <= now:
                    drafts += maker.create(target, None)
        return drafts
