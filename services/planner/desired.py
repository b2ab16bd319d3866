"""Decides the desired release of each target: the newest version that is cleared for it, may be deployed, and is not marked bad there.

It is made again where the version stays and its variables change: that needs no clearance, since nothing is dispatched without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts import tags
from contracts.envelope import Recorded
from contracts.facts.planner import (
    MarkLifted,
    PinReleased,
    RedeployRequested,
    ReleaseItem,
    ReleasesCreated,
    RollbackStarted,
    VersionPinned,
    VersionUpdated,
)
from contracts.facts.policy import TargetsCleared
from contracts.shapes import Target
from libs.eventlog.port import Condition
from libs.runtime.service import Draft
from services.planner.affected import Affected, affected
from services.planner.history import NO_PAST, NO_PASTS, past_key
from services.planner.pins import held_to
from services.planner.reading import size_of
from services.planner.resolution import Resolver, Variables
from services.planner.rollouts import NO_PAIR, NO_PAIRS, Clearance, Pair, Place, pair_of
from services.planner.state import PlannerState

ITEMS_PER_FACT: Final = 1_000
BYTES_PER_FACT: Final = 200_000
NOT_DEPLOYABLE: Final = frozenset({"building", "failed", "rejected", "unspecified"})
"""A version in one of these goes nowhere. `paused` is policy's to judge: it clears one only where a release of it exists."""

_ITEM_BYTES: Final = 160
"""JSON of an item, apart from its variables."""


class _Picked(NamedTuple):
    """A version for a target, and up to where the clearance knew the facts; 0: it is desired there already."""

    version_id: str
    at: int


class _Made(NamedTuple):
    """A release that became desired, and the fact that led to it."""

    item: ReleaseItem
    size: int
    cause: Recorded


def decide_releases(
    state: PlannerState, recorded: Sequence[Recorded], now: datetime, busy: frozenset[Target]
) -> tuple[Draft, ...]:
    """The releases that became desired.

    A target whose clearance went stale waits: policy clears again what still holds, and that is looked at.

    Args:
        busy: targets about which something else was decided in the same breath; they are looked at once that is folded.
    """
    drafts: list[Draft] = []
    resolver = Resolver(state)
    for (deployment_id, environment_id), touched in _touched(state, recorded).items():
        pair = pair_of(state.pairs, deployment_id, environment_id)
        if pair is None:
            continue
        pick = _picker(state, deployment_id, environment_id, pair, now)
        batches: dict[_Picked, list[_Made]] = {}
        for resource_id, cause in touched.items():
            place = pair.places.get(resource_id)
            target = Target(resource_id, environment_id, deployment_id)
            if place is None or target in busy:
                continue
            picked = pick(resource_id, place)
            if picked is None:
                continue
            release_id, variables = resolver.release_of(target, picked.version_id)
            if picked.at or release_id not in (place.release_id, place.resolved_id):
                batches.setdefault(picked, []).append(_made(resource_id, release_id, variables, cause))
        for (version_id, at), made in batches.items():
            rests_on = Condition(tags=(tags.clearance(deployment_id, environment_id), tags.GATE), after=at)
            for part in _parts(made):
                fact = ReleasesCreated(
                    deployment_id=deployment_id,
                    environment_id=environment_id,
                    version_id=version_id,
                    items=tuple(one.item for one in part),
                    cleared_at=at,
                    created_at=now,
                )
                drafts.append(Draft(fact, cause=part[0].cause, conditions=(rests_on,) if at else ()))
    return tuple(drafts)


def _made(resource_id: str, release_id: str, variables: Variables, cause: Recorded) -> _Made:
    omitted = variables.omitted
    item = ReleaseItem(resource_id=resource_id, release_id=release_id, variables=variables.values, omitted=omitted)
    return _Made(item, variables.size + (size_of(list(omitted)) if omitted else 0) + _ITEM_BYTES, cause)


def _parts(made: Sequence[_Made]) -> Iterator[Sequence[_Made]]:
    """Runs that fit into one fact."""
    start = size = 0
    for end, one in enumerate(made):
        if end > start and (end - start == ITEMS_PER_FACT or size + one.size > BYTES_PER_FACT):
            yield made[start:end]
            start, size = end, 0
        size += one.size
    if start < len(made):
        yield made[start:]


def _touched(state: PlannerState, recorded: Sequence[Recorded]) -> Affected:
    touched = affected(state, recorded)
    for one in recorded:
        match one.fact:
            case TargetsCleared() as fact:
                of_pair = touched.setdefault((fact.deployment_id, fact.environment_id), {})
                of_pair.update(dict.fromkeys(fact.resource_ids, one))
            case RedeployRequested() as fact:
                # It lifts the mark of the version, so that its variables count again.
                of_pair = touched.setdefault((fact.deployment_id, fact.environment_id), {})
                of_pair.update((item.resource_id, one) for item in fact.items)
            case MarkLifted() as fact:
                # The version may be the newest one cleared there, or the one that is desired, whose variables count again.
                touched.setdefault((fact.deployment_id, fact.environment_id), {}).update(dict.fromkeys(fact.resource_ids, one))
            case RollbackStarted() as fact:
                touched.setdefault((fact.deployment_id, fact.environment_id), {})[fact.resource_id] = one
            case VersionPinned() | PinReleased() as fact:
                pair = pair_of(state.pairs, fact.deployment_id, fact.environment_id) or NO_PAIR
                named = sorted(pair.places) if fact.resource_id is None else [fact.resource_id]
                touched.setdefault((fact.deployment_id, fact.environment_id), {}).update(dict.fromkeys(named, one))
            case VersionUpdated() as fact:
                # A version that may be deployed again may still be cleared, and one that may not makes room for another. What it would
                # have become meanwhile where it is desired, it becomes now.
                for environment_id, pair in sorted(state.pairs.get(fact.deployment_id, NO_PAIRS).items()):
                    places = pair.places.items()
                    waiting = sorted(key for key, place in places if place.clearances or place.version_id == fact.version_id)
                    touched.setdefault((fact.deployment_id, environment_id), {}).update(dict.fromkeys(waiting, one))
    return touched


def _picker(
    state: PlannerState, deployment_id: str, environment_id: str, pair: Pair, now: datetime
) -> Callable[[str, Place], _Picked | None]:
    """The choice of one target's version: `pick(resource_id, place)`."""
    catalog = state.catalog
    pasts = state.pasts.get(past_key(deployment_id, environment_id), NO_PASTS)
    stale_before = max(state.gate_at, pair.withdrawn_at)
    ages: dict[str, tuple[datetime, str] | None] = {}

    def age_of(version_id: str) -> tuple[datetime, str] | None:
        """The age of a version that may be deployed; None for another."""
        if version_id not in ages:
            version = catalog.versions.get(version_id)
            deployable = version is not None and version.status not in NOT_DEPLOYABLE
            ages[version_id] = catalog.age_of(version_id) if deployable else None
        return ages[version_id]

    def pick(resource_id: str, place: Place) -> _Picked | None:
        marked = pasts.get(resource_id, NO_PAST).marked
        chosen = held_to(state.pins, deployment_id, environment_id, resource_id)
        best: Clearance | None = None
        best_age: tuple[datetime, str] | None = None
        for one in place.clearances:
            if one.at < stale_before or (one.valid_until is not None and now >= one.valid_until):
                continue
            if chosen is not None and one.version_id != chosen:
                continue
            age = age_of(one.version_id)
            if age is not None and one.version_id not in marked and (best_age is None or age > best_age):
                best, best_age = one, age
        if best is not None and best.version_id != place.version_id:
            return _Picked(best.version_id, best.at)
        stays = place.version_id
        if stays is None or stays in marked or age_of(stays) is None or (chosen is not None and chosen != stays):
            return None
        return _Picked(stays, 0)

    return pick
