"""How many effects are under way at once, and whose turn it is: who does not answer keeps its own calls waiting and nobody else's.

An effect takes a place from its beginning to its end. A lane (what is asked of one party) has its own bound; beyond that, the more places a
lane has, the more must be free for it to take another one. So a few lanes may take nearly everything while nobody else wants it,
and where many do not answer, what they can not take is left to those that have little or nothing under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

LANE: Final = 50
"""Effects of one lane that are under way at once."""
PLACES: Final = 320
"""Effects of a service that are under way at once."""
FEW: Final = 4
"""A lane with fewer places than that has few."""
SPARE: Final = 16
"""For each place that a lane has, `FEW` of them at most, so many must be free before it takes another one: 64 from its fifth on.

It takes forty parties that do not answer until there is no place left; then one of those that have none is next.
"""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Lane:
    """Effects that go to one party.

    Attributes:
        most: so many of them are under way at once; None for as many as there is room for.
        under_way: how many are.
        waiting: those that wait for a place, in the order in which they came.
        line: the line of lanes that it stands in, as long as one of its own may begin once there is room.
    """

    most: int | None = LANE
    under_way: int = 0
    waiting: dict[asyncio.Future[None], None] = field(default_factory=dict)
    line: dict[Lane, None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether none may begin before another one of it ended."""
        return self.most is not None and self.under_way >= self.most


class Lanes:
    """The places of all lanes of a service."""

    def __init__(self, places: int = PLACES) -> None:
        """All of them are free."""
        self._free = places
        # Lanes that wait, by how many places they have; those with `FEW` or more together.
        self._lines: tuple[dict[Lane, None], ...] = tuple({} for _ in range(FEW + 1))

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Have a place inside. Within a lane first come, first served; of the lanes, those that have the least."""
        if lane.waiting or lane.is_full or self._free <= SPARE * min(lane.under_way, FEW):
            await self._called(lane)
        else:
            self._take(lane)
        try:
            yield
        finally:
            self._give_back(lane)

    async def _called(self, lane: Lane) -> None:
        """Wait for a place, which is taken by whoever gives it."""
        call: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting[call] = None
        self._line_up(lane)
        try:
            await call
        except asyncio.CancelledError:
            if not call.cancelled():
                self._give_back(lane)  # it was called before it heard that it is not wanted any more
            elif call in lane.waiting:
                del lane.waiting[call]
                self._line_up(lane)
            raise

    def _take(self, lane: Lane) -> None:
        self._free -= 1
        lane.under_way += 1

    def _give_back(self, lane: Lane) -> None:
        self._free += 1
        lane.under_way -= 1
        self._line_up(lane)
        for few, line in enumerate(self._lines):
            while line and self._free > SPARE * few:
                self._call(next(iter(line)))

    def _call(self, lane: Lane) -> None:
        """The first one of a lane that waits has a place, unless it is not wanted any more."""
        call = next(iter(lane.waiting))
        del lane.waiting[call]
        if not call.cancelled():
            self._take(lane)
            call.set_result(None)
        self._line_up(lane)

    def _line_up(self, lane: Lane) -> None:
        """Stand at the end of the line that is a lane's now, if any."""
        if lane.line is not None:
            del lane.line[lane]
        lane.line = self._lines[min(lane.under_way, FEW)] if lane.waiting and not lane.is_full else None
        if lane.line is not None:
            lane.line[lane] = None
