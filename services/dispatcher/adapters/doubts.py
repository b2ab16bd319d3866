"""What a process that died may have started: whoever hands a job over after it looks first, and once what it started had time to appear."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Final

MAX_JOBS: Final = 100_000
MAX_PLACES: Final = 10_000
TOGETHER: Final = timedelta(seconds=30)
"""What is handed over again within so long of each other was taken over together, and waits together."""


class Doubts:
    """Jobs that may have been started before.

    Args:
        clock: tells the time.
        appears_within: what was started can be found after so long.
    """

    def __init__(self, clock: Callable[[], datetime], appears_within: timedelta) -> None:
        self._clock = clock
        self._appears_within = appears_within
        self._jobs: OrderedDict[str, None] = OrderedDict()
        self._taken_over: OrderedDict[Hashable, tuple[datetime, datetime]] = OrderedDict()

    def about(self, job_id: str, again: bool) -> bool:
        """Whether a job may have been started before; it stays so until that is settled."""
        # Whoever calls again after a delay no longer says that a process died over this job.
        if again:
            self._jobs[job_id] = None
            if len(self._jobs) > MAX_JOBS:
                self._jobs.popitem(last=False)
        return job_id in self._jobs

    def settled(self, job_id: str) -> None:
        """It was found, or it was handed over."""
        self._jobs.pop(job_id, None)

    def wait_s(self, place: Hashable) -> float:
        """How much longer to wait, in seconds, before what is not found at a place was not started there; 0 or less: no longer."""
        at = self._clock()
        first, last = self._taken_over.pop(place, (at, at))
        if at - last > TOGETHER:
            first = at
        self._taken_over[place] = (first, at)
        if len(self._taken_over) > MAX_PLACES:
            self._taken_over.popitem(last=False)
        return (first + self._appears_within - at).total_seconds()
