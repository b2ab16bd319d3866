"""When a freeze holds, and where: read from its document alone.

Policy judges by it what may be cleared, and dispatcher what is dispatched without a clearance: rollbacks and redeployments.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from contracts.facts.policy import FreezeSaved
from libs.recurrence import MalformedRule, read_recurrence


class Spell(NamedTuple):
    """How a freeze stands at an instant.

    Attributes:
        holds: whether it holds.
        until: when it stops, if it holds; None for not by itself.
        next_start: when it holds next, if it does not; None for never again.
        problem: what can not be read in it; it holds then, since nobody knows when it should not.
    """

    holds: bool
    until: datetime | None = None
    next_start: datetime | None = None
    problem: str = ""

    @property
    def next_change(self) -> datetime | None:
        """When time alone changes whether it holds."""
        return self.until if self.holds else self.next_start


def spell_of(saved: FreezeSaved, now: datetime) -> Spell:
    """How a freeze stands at an instant: from its start (inclusive) until its end (exclusive), in its recurring times if it has any.

    A recurring time that has begun before the start counts from the start, and one that lasts beyond the end stops with it.
    """
    if saved.ends_at is not None and (now >= saved.ends_at or saved.starts_at >= saved.ends_at):
        return Spell(holds=False)
    if not saved.rrule:
        if now < saved.starts_at:
            return Spell(holds=False, next_start=saved.starts_at)
        return Spell(holds=True, until=saved.ends_at)
    try:
        recurrence = read_recurrence(saved.rrule, saved.timezone, saved.duration_minutes or 0, saved.starts_at)
    except MalformedRule as malformed:
        if now < saved.starts_at:
            return Spell(holds=False, next_start=saved.starts_at)
        return Spell(holds=True, until=saved.ends_at, problem=malformed.message)
    moment = recurrence.at(max(now, saved.starts_at))
    if moment.holds is not None and now >= saved.starts_at:
        return Spell(holds=True, until=min(moment.holds.end, saved.ends_at or moment.holds.end))
    coming = saved.starts_at if moment.holds is not None else moment.coming
    return Spell(holds=False, next_start=coming if saved.ends_at is None or (coming and coming < saved.ends_at) else None)


def covers(saved: FreezeSaved, deployment_id: str, environment_id: str, systems: Collection[str]) -> bool:
    """Whether the scope of a freeze takes in a deployment in an environment, which share these systems."""
    match saved.scope:
        case "workspace":
            return True
        case "system":
            return saved.scope_id in systems
        case "environment":
            return saved.scope_id == environment_id
        case "deployment":
            return saved.scope_id == deployment_id
