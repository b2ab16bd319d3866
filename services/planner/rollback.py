"""Decides what a target goes back to, whether policy requires it or a person wants it: an earlier good release, that very release again."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired
from contracts.shapes import Target
from libs.runtime.service import Draft
from services.planner.history import Past, Run, last_good
from services.planner.resolution import Resolver
from services.planner.rollouts import EMPTY_PLACE, NO_PAIR, Place, pair_of
from services.planner.state import PlannerState, past_of

MOST_BETWEEN: Final = 500
"""So many versions are marked bad at once on a target when a person goes back further than one: every such rollback names them all."""


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """What was decided: the facts, and the targets they are about."""

    drafts: tuple[Draft, ...] = ()
    targets: frozenset[Target] = frozenset()


def decide_rollbacks(state: PlannerState, recorded: Sequence[Recorded], now: datetime) -> Rollbacks:
    """Mark the version bad on the target and go back, once for each target and version.

    The failure of a rollback's own job starts no other one: it would go in circles.
    """
    drafts: list[Draft] = []
    decided: dict[Target, set[str]] = {}
    resolver = Resolver(state)
    for one in recorded:
        if not isinstance(fact := one.fact, RollbackRequired):
            continue
        target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
        past = past_of(state, fact.deployment_id, fact.environment_id, fact.resource_id)
        left = decided.setdefault(target, set())
        of_rollback = any(run.job_id == fact.job_id and run.rollback for run in past.runs)
        if of_rollback or fact.version_id in past.marked or fact.version_id in left:
            continue
        started = _required(state, resolver, fact, target, past.marked | left, now)
        if started is not None:
            left.add(fact.version_id)
            drafts.append(Draft(started, one))
    return Rollbacks(tuple(drafts), frozenset(target for target, left in decided.items() if left))


def _required(
    state: PlannerState, resolver: Resolver, fact: RollbackRequired, target: Target, bad: AbstractSet[str], now: datetime
) -> RollbackStarted | None:
    """What follows; None when the target is on its way to another release of the version, which is not marked then."""
    pair = pair_of(state.pairs, fact.deployment_id, fact.environment_id) or NO_PAIR
    place = pair.places.get(fact.resource_id)
    back = None
    if place is not None:  # a target that vanished meanwhile gets the mark alone, which holds when it comes back
        past = past_of(state, fact.deployment_id, fact.environment_id, fact.resource_id)
        back = _way_back(state, past, fact.release_id, bad)
        if _moved_on(past, place, fact, back):
            if place.version_id == fact.version_id:
                return None
            back = None
    return RollbackStarted(
        deployment_id=fact.deployment_id,
        environment_id=fact.environment_id,
        resource_id=fact.resource_id,
        version_id=fact.version_id,
        job_id=fact.job_id,
        release_id=back.release_id if back else None,
        to_version_id=back.version_id if back else None,
        reason=fact.reason,
        policy_id=fact.policy_id,
        rule_id=fact.rule_id,
        resolved_id=_resolved(resolver, target, place or EMPTY_PLACE, fact.version_id, fact.release_id, back) if back else None,
        started_at=now,
    )


def _moved_on(past: Past, place: Place, fact: RollbackRequired, back: Run | None) -> bool:
    """Whether something else than what failed is under way already: going back would deploy that twice, or undo it.

    Either the target goes back to that very release because somebody wanted so, or the newest job is of the release that is desired.
    """
    if place.release_id is None or place.release_id == fact.release_id:
        return False
    if place.resolved_id is not None and back is not None and back.release_id == place.release_id:
        return True
    return any(run.release_id == place.release_id and not run.bad for run in past.runs[-1:])


def _resolved(resolver: Resolver, target: Target, place: Place, version_id: str, leaving: str, back: Run) -> str:
    """While the variables give this release, what is gone back to stays.

    Back within a version, that is the release that is left. Variables that changed since it was made are another release, untried, and
    may have been changed to mend it.
    """
    if back.version_id == version_id:
        return place.resolved_id or leaving
    return resolver.release_of(target, back.version_id)[0]


class Between:
    """What lies between a version that is gone back to and one that is left, found once for all targets that go the same way."""

    def __init__(self, state: PlannerState) -> None:
        self._catalog = state.catalog
        self._newer: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def of(self, to_version_id: str, from_version_id: str) -> tuple[str, ...]:
        """Versions newer than the one that is gone back to, other than the one that is left, oldest first."""
        found = self._found.get((to_version_id, from_version_id))
        if found is None:
            newer = self._newer.get(to_version_id)
            if newer is None:
                newer = self._newer[to_version_id] = self._newer_than(to_version_id)
            found = tuple([one for one in newer if one != from_version_id])
            self._found[to_version_id, from_version_id] = found
        return found

    def _newer_than(self, version_id: str) -> tuple[str, ...]:
        catalog = self._catalog
        least = catalog.age_of(version_id)
        assert least is not None, "only a known version is gone back to"
        known = catalog.version_ids[catalog.versions[version_id].deployment_id].values()
        ages = sorted(age for one in known if (age := catalog.age_of(one)) is not None and age > least)
        return tuple([newer for _, newer in ages])


def by_hand(
    state: PlannerState,
    resolver: Resolver,
    between: Between,
    target: Target,
    place: Place,
    to_version_id: str | None,
    reason: str,
    now: datetime,
) -> RollbackStarted | None:
    """A person's way back from what is desired on a target; None when there is none.

    Args:
        resolver, between: of this state.
        to_version_id: where to; None for the last good release. Versions between are marked bad too, else the next of them would
            be deployed at once.
    """
    if place.version_id is None or place.release_id is None:
        return None
    past = past_of(state, target.deployment_id, target.environment_id, target.resource_id)
    if to_version_id is not None and not _is_older(state, to_version_id, place.version_id):
        return None
    back = _way_back(state, _earlier(past, place), place.release_id, past.marked, to_version_id)
    if back is None:
        return None
    return RollbackStarted(
        deployment_id=target.deployment_id,
        environment_id=target.environment_id,
        resource_id=target.resource_id,
        version_id=place.version_id,
        job_id="",
        release_id=back.release_id,
        to_version_id=back.version_id,
        reason=reason,
        policy_id="",
        rule_id="",
        also_marked=between.of(back.version_id, place.version_id) if to_version_id is not None else (),
        resolved_id=_resolved(resolver, target, place, place.version_id, place.release_id, back),
        started_at=now,
    )


def _way_back(
    state: PlannerState, past: Past, leaving: str, bad: AbstractSet[str], to_version_id: str | None = None
) -> Run | None:
    """The newest good run whose release may return.

    Args:
        past: what was tried on the target.
        leaving: the release that is left. An earlier one of the same version, with other variables, may return.
        bad: versions that are marked.
    """

    def allowed(run: Run) -> bool:
        version = state.catalog.versions.get(run.version_id)
        wanted = to_version_id is None or run.version_id == to_version_id
        if version is None or version.status == "rejected" or run.version_id in bad or not wanted:
            return False
        return run.release_id != leaving

    return last_good(past, allowed)


def _earlier(past: Past, place: Place) -> Past:
    """What was tried before what a target is on; where that is what it went back to, without what was left by that."""
    if place.resolved_id is None:
        return past
    ends = [end for end, run in enumerate(past.runs) if run.release_id == place.release_id and not run.rollback]
    return Past(past.runs[: ends[-1]], past.marked) if ends else past


def _is_older(state: PlannerState, version_id: str, than: str) -> bool:
    age, least = state.catalog.age_of(version_id), state.catalog.age_of(than)
    return age is not None and (least is None or age < least)
