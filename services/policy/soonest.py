"""The earliest of many instants, without a look at all of them each time: of a rollout of 10,000 targets one goes after the other."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection
from datetime import datetime
from typing import Final

from immutables import Map

from libs.runtime.kept import Kept

Instants = Map[datetime, int]

KEPT: Final = 64
FEW: Final = 50
"""So many instants are looked at as quickly as a list of them is kept."""


class _Ahead:
    """The instants of a map, ascending from `first` on; among them may be some that it no longer has, or some twice."""

    __slots__ = ("ascending", "first", "of")

    def __init__(self, of: Instants) -> None:
        self.of = of
        self.ascending = sorted(of)
        self.first = 0

    def follow(self, now: Instants, added: Collection[datetime]) -> None:
        """The map is another one now, in which these are new, or are there once more."""
        if len(added) > FEW:
            self.ascending = sorted((*self.ascending[self.first :], *added))
            self.first = 0
        else:
            for instant in added:
                # One that comes before all others takes the place of one that is gone.
                insort(self.ascending, instant, lo=self.first)
        self.of = now


_ahead: Kept[str, _Ahead] = Kept(KEPT)


def soonest(key: str, before: Instants, now: Instants, added: Collection[datetime]) -> datetime | None:
    """The earliest instant of a map; None of an empty one.

    Args:
        key: whose instants these are: a list of them is kept, as long as one map is made of the other.
        before: the map that it was made of.
        added: everything that is in it and was not in that one; may hold more of what is in it.
    """
    if len(now) <= FEW:
        return min(now, default=None)
    ahead = _ahead.get(key)
    if ahead is None or ahead.of is not before:
        ahead = _ahead.keep(key, _Ahead(now))
    else:
        ahead.follow(now, added)
    while ahead.ascending[ahead.first] not in now:
        ahead.first += 1
    if ahead.first > len(now):
        del ahead.ascending[: ahead.first]
        ahead.first = 0
    return ahead.ascending[ahead.first]
