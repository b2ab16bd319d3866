"""Puts changed targets into a cell and keeps its counts: work per changed target, never per target of the cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from immutables import Map

from services.gateway.board.standing import APPROVAL, Standing, is_settled, standing_of
from services.gateway.board.state import STATUSES, Held, Pair, Status, Target, Version, Why

K = TypeVar("K")

_STANDS: Final = Target._fields.index("why")
"""Where in a target the fields begin that say how it stands."""


class _Change:
    """What some targets add to the counts of their cell, and take away.

    Many targets that one fact names are alike; these are counted together before any count is touched.
    """

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.whys: Counter[Why] = Counter()
        self.untils: Counter[tuple[Why, datetime]] = Counter()
        self.wanted: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        self.held: Counter[Held] = Counter()
        # One of those that are alike is kept with their number, so that what the key names by identity stays.
        self._alike: dict[tuple[Any, ...], tuple[int, Target]] = {}

    def note(self, target: Target, by: int) -> None:
        """Count a target, or count it no more."""
        key = (id(target.why), target.until, target.desired, target.running, target.settled, *map(id, target.holds))
        known = self._alike.get(key)
        self._alike[key] = (by, target) if known is None else (known[0] + by, known[1])

    def sum_up(self) -> None:
        for by, target in self._alike.values():
            if by:
                self._count(target, by)

    def _count(self, target: Target, by: int) -> None:
        self.statuses[target.why.status] += by
        self.whys[target.why] += by
        if target.until is not None:
            self.untils[target.why, target.until] += by
        if target.desired:
            self.wanted[target.desired] += by
        if target.running:
            self.running[target.running] += by
            if target.settled:
                self.settled[target.running] += by
        for one in target.holds:
            self.held[Held(one.version_id, one.rule_type, one.policy_id, one.rule_id)] += by


class _Standings:
    """How targets stand; of those that are alike it is found once."""

    def __init__(self, versions: Map[str, Version]) -> None:
        self._versions = versions
        self._known: dict[tuple[Any, ...], tuple[Standing, bool, Target]] = {}

    def of(self, target: Target) -> tuple[Standing, bool]:
        """How it stands, and whether what runs was found healthy."""
        if target.back is not None or target.checks or target.place is not None or len(target.jobs) > 1:
            return standing_of(target, self._versions), is_settled(target)
        release = target.release
        of_job = [(job.status, job.version_id, job.rollback, job.release_id == release) for job in target.jobs]
        key = (target.desired, not release, target.running, *of_job, None, *map(id, target.holds))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = standing_of(target, self._versions), is_settled(target), target
        return known[0], known[1]


def put(pair: Pair, targets: Mapping[str, Target | None], versions: Map[str, Version], position: int, time: datetime) -> Pair:
    """The cell with some targets changed (None: gone). How each stands is found anew.

    Args:
        position, time: of the fact because of which they changed.
    """
    change, standings = _Change(), _Standings(versions)
    with pair.targets.mutate() as kept:
        for one, target in targets.items():
            before = kept.get(one)
            if before is not None:
                change.note(before, -1)
            if target is None:
                kept.pop(one, None)
                continue
            (why, until), settled = standings.of(target)
            since = time
            if before is not None and before.why == why:
                why, since = before.why, before.since or time
            now = Target._make((position, *target[1:_STANDS], why, until, since, settled))
            kept[one] = now
            change.note(now, 1)
        left = kept.finish()
    change.sum_up()
    statuses = _counted(pair.statuses, change.statuses)
    status = status_of(statuses)
    held = _counted(pair.held, change.held)
    return pair._replace(
        targets=left,
        statuses=statuses,
        whys=_counted(pair.whys, change.whys),
        untils=_untils(pair.untils, change.untils),
        wanted=_counted(pair.wanted, change.wanted),
        running=_counted(pair.running, change.running),
        settled=_counted(pair.settled, change.settled),
        held=held,
        asked_since=_since(pair.asked_since, held, change.held, time),
        status=status,
        since=time if status != pair.status or pair.since is None else pair.since,
    )


def status_of(statuses: Map[str, int]) -> Status:
    """How a cell stands of which so many targets stand so."""
    return next((one for one in STATUSES if one in statuses), "empty")


def _counted(counts: Map[K, int], change: Counter[K]) -> Map[K, int]:
    for key, by in change.items():
        if by:
            now = counts.get(key, 0) + by
            counts = counts.set(key, now) if now else counts.delete(key)
    return counts


def _untils(untils: Map[Why, Map[datetime, int]], change: Counter[tuple[Why, datetime]]) -> Map[Why, Map[datetime, int]]:
    by_why: dict[Why, Counter[datetime]] = {}
    for (why, at), by in change.items():
        by_why.setdefault(why, Counter())[at] = by
    for why, instants in by_why.items():
        before: Map[datetime, int] = untils.get(why, Map())
        now = _counted(before, instants)
        if now:
            untils = untils.set(why, now)
        elif why in untils:
            untils = untils.delete(why)
    return untils


def _since(since: Map[Held, datetime], held: Map[Held, int], changed: Counter[Held], time: datetime) -> Map[Held, datetime]:
    """Since when approvals are asked for."""
    for one in changed:
        if one.rule_type != APPROVAL:
            continue
        if one not in held:
            since = since.delete(one) if one in since else since
        elif one not in since:
            since = since.set(one, time)
    return since
