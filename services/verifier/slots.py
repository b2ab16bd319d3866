"""Whoever is asked for many metrics that begin together is not asked for all of them at once: each party has slots for first questions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from immutables import Map

PER_SECOND: Final = 100
"""First measurements of one party a second; the later ones keep the distance that the first had."""
AT_ONCE: Final = 20
"""So many of them may be at the same instant."""
REMEMBERED: Final = 1_000
"""Parties that are remembered before those are forgotten whose slots are all free again."""

_SLOT: Final = timedelta(seconds=1 / PER_SECOND)
_AHEAD: Final = AT_ONCE * _SLOT

Slots = Map[str, datetime]
"""By party: until when its slots are taken."""


def first_times(slots: Slots, parties: Iterable[str], now: datetime) -> tuple[Slots, tuple[datetime, ...]]:
    """Take the next slot for each metric in turn; the slots afterwards, and when each metric is measured first, in the same order."""
    times: list[datetime] = []
    for party in parties:
        if not party:
            times.append(now)
            continue
        taken_until = max(slots.get(party, now), now) + _SLOT
        slots = slots.set(party, taken_until)
        times.append(max(now, taken_until - _AHEAD))
    return _remembered(slots, now), tuple(times)


def _remembered(slots: Slots, now: datetime) -> Slots:
    if len(slots) <= REMEMBERED:
        return slots
    return Map({party: until for party, until in slots.items() if until > now})
