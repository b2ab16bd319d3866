"""How hard one party is asked by all workspaces of this process together: so many questions at a time, and so many a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

AT_ONCE: Final = 50
"""Questions to one party that are under way."""
PER_SECOND: Final = 500
"""Questions to one party begun in a second: what piled up while nobody could ask is not asked in one moment."""
REMEMBERED: Final = 1_000
"""Parties that are remembered before those are forgotten whom nobody asks."""


class Busy(Exception):
    """So much is asked of the party already as may be. It is not waited for, because who waits would keep others from asking somebody else."""


class Parties:
    """Everybody who is asked.

    Args:
        at_once: questions to one party under way.
        per_second: of one party begun.
    """

    def __init__(self, *, at_once: int = AT_ONCE, per_second: int = PER_SECOND) -> None:
        self._at_once = at_once
        self._apart_s = 1 / per_second
        self._known: dict[str, _Party] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Ask a party inside, a moment later where others were first; nobody in particular is asked as often as wanted. Raises: Busy."""
        if not name:
            yield
            return
        party = self._party(name)
        if party.under_way >= self._at_once:
            raise Busy(name)
        now = asyncio.get_running_loop().time()
        begin = max(now, party.free_at)
        party.free_at = begin + self._apart_s
        party.under_way += 1
        try:
            # Never long: no more than those wait here who may be under way.
            if begin > now:
                await asyncio.sleep(begin - now)
            yield
        finally:
            party.under_way -= 1

    def _party(self, name: str) -> _Party:
        party = self._known.get(name)
        if party is None:
            if len(self._known) >= REMEMBERED:
                self._known = {key: one for key, one in self._known.items() if one.under_way}
            party = self._known[name] = _Party()
        return party


class _Party:
    """How many questions are under way, and when the next one may begin (the loop's time)."""

    __slots__ = ("free_at", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.free_at = 0.0
