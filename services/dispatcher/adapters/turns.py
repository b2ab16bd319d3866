"""How often one agent may be called: so many calls a minute, and none while it asked to be left alone.

A call that has to wait is told for how long, and comes back then; nothing is held meanwhile, neither a task nor a place among the calls
that are under way. Who asked first goes first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

MINUTE_S: Final = 60.0
MIN_WAIT_S: Final = 0.05
LATE_S: Final = 30.0
"""Who does not come back for so long after his time has lost his turn: his job ended meanwhile, most likely."""


class _Waiting(NamedTuple):
    number: int
    back_at: float


class Turns:
    """The calls of one agent.

    Args:
        clock: seconds, only going forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun: deque[float] = deque()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._came = 0
        self._paused_until = 0.0

    def wait_s(self, key: str, per_minute: int | None) -> float:
        """Begin a call, or wait: 0 when it begins now, else the seconds after which the same key is to ask again.

        Args:
            key: names the call.
            per_minute: calls that may begin in any 60 seconds; None for any number.
        """
        now = self._clock()
        self._forget(now)
        if self._paused_until > now:
            return self._back(key, now, self._paused_until - now)
        if per_minute is None:
            self._waiting.pop(key, None)
            return 0.0
        free = per_minute - len(self._begun)
        if free > 0 and self._is_among(key, free):
            self._waiting.pop(key, None)
            self._begun.append(now)
            return 0.0
        return self._back(key, now, self._until_turn(key, per_minute, now))

    def pause(self, seconds: float) -> None:
        """Let nothing begin for so long, from now; an earlier, longer pause stays."""
        self._paused_until = max(self._paused_until, self._clock() + max(0.0, seconds))

    @property
    def idle(self) -> bool:
        """Whether new turns would be no different."""
        now = self._clock()
        self._forget(now)
        return not self._waiting and not self._begun and self._paused_until <= now

    def _is_among(self, key: str, free: int) -> bool:
        """Whether a key is among the first so many; who did not wait yet comes after all that do."""
        return len(self._waiting) < free or key in islice(self._waiting, free)

    def _until_turn(self, key: str, per_minute: int, now: float) -> float:
        """When its turn may come, at the latest in a minute: by the calls that were begun, and how many wait before it."""
        known = self._waiting.get(key)
        first = next(iter(self._waiting.values()), None)
        before = known.number - first.number if known is not None and first is not None else len(self._waiting)
        # The next free place is that of the oldest call once its minute is over, the one after that of the second oldest …
        place = before - (per_minute - len(self._begun))
        return self._begun[max(place, 0)] + MINUTE_S - now if place < len(self._begun) else MINUTE_S

    def _back(self, key: str, now: float, wait_s: float) -> float:
        wait_s = max(wait_s, MIN_WAIT_S)
        known = self._waiting.get(key)
        if known is None:
            known = _Waiting(self._came, now)
            self._came += 1
        self._waiting[key] = known._replace(back_at=now + wait_s)
        return wait_s

    def _forget(self, now: float) -> None:
        while self._begun and self._begun[0] + MINUTE_S <= now:
            self._begun.popleft()
        while self._waiting:
            key, first = next(iter(self._waiting.items()))
            if max(first.back_at, self._paused_until) + LATE_S > now:
                return
            del self._waiting[key]


class AllTurns:
    """The turns of every agent; what is idle is forgotten.

    Args:
        clock: seconds, only going forward.
        most: how many are kept before idle ones are forgotten.
    """

    def __init__(self, clock: Callable[[], float], most: int = 1_000) -> None:
        self._clock = clock
        self._most = most
        self._turns: dict[tuple[str, str], Turns] = {}

    def of(self, workspace_id: str, agent_id: str) -> Turns:
        """The turns of an agent."""
        turns = self._turns.get((workspace_id, agent_id))
        if turns is None:
            if len(self._turns) >= self._most:
                self._turns = {name: one for name, one in self._turns.items() if not one.idle}
            turns = self._turns[workspace_id, agent_id] = Turns(self._clock)
        return turns
