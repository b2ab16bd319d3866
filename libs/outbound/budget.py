"""Budgets: how many calls to one place may be under way, and how many may start in a minute; whoever asked first goes first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

WINDOW_S: Final = 60.0


class Alarm(Protocol):
    """A call-back that was set for later."""

    def cancel(self) -> None:
        """Forget it."""


class Clock(Protocol):
    """Time that only goes forward, in seconds; an event loop is one."""

    def time(self) -> float:
        """Now."""

    def call_at(self, when: float, callback: Callable[[], None], /) -> Alarm:
        """Call back at an instant."""


class Budget:
    """What may be asked of one place.

    Args:
        max_in_flight: calls under way at a time, 1 or more; None for any number.
        per_minute: calls begun in any 60 seconds, 1 or more; None for any number.
        clock: the running event loop when none is given.
    """

    def __init__(self, max_in_flight: int | None = None, per_minute: int | None = None, *, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or asyncio.get_running_loop()
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._begun: deque[float] = deque()
        self._paused_until = 0.0
        self._alarm: tuple[float, Alarm] | None = None
        self.limit(max_in_flight, per_minute)

    def limit(self, max_in_flight: int | None, per_minute: int | None) -> None:
        """Change the limits; what is under way goes on."""
        assert max_in_flight is None or max_in_flight >= 1, "a budget lets at least one call be under way"
        assert per_minute is None or per_minute >= 1, "a budget lets at least one call begin in a minute"
        self._max_in_flight = max_in_flight
        self._per_minute = per_minute
        self._grant()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it inside."""
        await self._enter()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._grant()

    def pause(self, seconds: float) -> None:
        """Let nothing begin for so long, from now; an earlier, longer pause stays."""
        self._paused_until = max(self._paused_until, self._clock.time() + max(0.0, seconds))

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether a new budget would be no different."""
        self._forget()
        return not (self._in_flight or self._waiting or self._begun or self._paused_until > self._clock.time())

    async def _enter(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                # The turn was granted in the very moment in which its caller gave up.
                self._in_flight -= 1
            self._grant()
            raise

    def _grant(self) -> None:
        """Give out every turn that is free now, and have us called again when time alone frees the next one."""
        while self._waiting and (self._max_in_flight is None or self._in_flight < self._max_in_flight):
            turn = self._waiting[0]
            if turn.done():
                # Its caller has given up already, but has not run yet to say so.
                self._waiting.popleft()
                continue
            if (at := self._next_at()) > self._clock.time():
                self._wake(at)
                return
            self._waiting.popleft()
            self._in_flight += 1
            if self._per_minute is not None:
                self._begun.append(self._clock.time())
            turn.set_result(None)

    def _next_at(self) -> float:
        self._forget()
        if self._per_minute is None or len(self._begun) < self._per_minute:
            return self._paused_until
        return max(self._paused_until, self._begun[-self._per_minute] + WINDOW_S)

    def _forget(self) -> None:
        while self._begun and self._begun[0] + WINDOW_S <= self._clock.time():
            self._begun.popleft()

    def _wake(self, at: float) -> None:
        if self._alarm is not None:
            if self._alarm[0] <= at:
                return
            self._alarm[1].cancel()
        self._alarm = (at, self._clock.call_at(at, self._woken))

    def _woken(self) -> None:
        self._alarm = None
        self._grant()


class Budgets:
    """One budget per key (an agent's id, a provider's host).

    Args:
        clock: the running event loop when none is given.
        most: how many are kept before idle ones are forgotten.
    """

    def __init__(self, *, clock: Clock | None = None, most: int = 1000) -> None:
        self._clock = clock
        self._most = most
        self._budgets: dict[str, Budget] = {}

    def of(self, key: str, max_in_flight: int | None = None, per_minute: int | None = None) -> Budget:
        """The budget of a key, from now on with these limits."""
        budget = self._budgets.get(key)
        if budget is None:
            if len(self._budgets) >= self._most:
                self._budgets = {name: one for name, one in self._budgets.items() if not one.idle}
            budget = self._budgets[key] = Budget(max_in_flight, per_minute, clock=self._clock)
        else:
            budget.limit(max_in_flight, per_minute)
        return budget
