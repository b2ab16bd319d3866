"""Decides the desired release of each target: the newest version that is cleared for it, may be deployed, and is not marked bad there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import orjson

from contracts import tags
from contracts.envelope import Recorded
from contracts.facts.planner import PinReleased, ReleaseItem, ReleasesCreated, RollbackStarted, VersionPinned, VersionUpdated
from contracts.facts.policy import TargetsCleared
from contracts.shapes import Json, Target
from libs.eventlog.port import Condition
from libs.runtime.ids import derived
from libs.runtime.service import Draft
from services.planner.history import NO_PAST, NO_PASTS, past_key
from services.planner.pins import held_to
from services.planner.rollouts import NO_PAIR, NO_PAIRS, Clearance, Pair, Place, pair_of
from services.planner.state import PlannerState

ITEMS_PER_FACT: Final = 1_000
NOT_DEPLOYABLE: Final = frozenset({"building", "failed", "rejected", "unspecified"})
"""A version in one of these goes nowhere. `paused` is policy's to judge: it clears one only where a release of it exists."""

_RELEASES: Final = "6f2c8f0e-3f0b-5f6b-9d43-7a1c52e0b9d4"
"""The namespace of release ids; it never changes."""

_Touched = dict[tuple[str, str], dict[str, Recorded]]
"""By deployment and environment: resource ids, each with the fact that says to look."""


def release_id(target: Target, version_id: str, variables: Json) -> str:
    """The id of a release is made from its content: the same content is the same release."""
    content = {"target": target.key, "version": version_id, "variables": variables}
    return derived(_RELEASES, orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode())


def decide_releases(
    state: PlannerState, recorded: Sequence[Recorded], now: datetime, busy: frozenset[Target]
) -> tuple[Draft, ...]:
    """The releases that became desired.

    A target whose clearance went stale waits: policy clears again what still holds, and that is looked at.

    Args:
        busy: targets about which something else was decided in the same breath; they are looked at once that is folded.
    """
    drafts: list[Draft] = []
    for (deployment_id, environment_id), touched in _touched(state, recorded).items():
        pair = pair_of(state.pairs, deployment_id, environment_id)
        if pair is None:
            continue
        pick = _picker(state, deployment_id, environment_id, pair, now)
        batches: dict[tuple[str, int], list[tuple[ReleaseItem, Recorded]]] = {}
        for resource_id, cause in touched.items():
            place = pair.places.get(resource_id)
            target = Target(resource_id, environment_id, deployment_id)
            if place is None or target in busy:
                continue
            picked = pick(resource_id, place)
            if picked is not None and picked.version_id != place.version_id:
                item = ReleaseItem(resource_id=resource_id, release_id=release_id(target, picked.version_id, {}))
                batches.setdefault((picked.version_id, picked.at), []).append((item, cause))
        for (version_id, at), items in batches.items():
            rests_on = Condition(tags=(tags.clearance(deployment_id, environment_id), tags.GATE), after=at)
            for start in range(0, len(items), ITEMS_PER_FACT):
                part = items[start : start + ITEMS_PER_FACT]
                fact = ReleasesCreated(
                    deployment_id=deployment_id,
                    environment_id=environment_id,
                    version_id=version_id,
                    items=tuple(item for item, _ in part),
                    cleared_at=at,
                    created_at=now,
                )
                drafts.append(Draft(fact, cause=part[0][1], conditions=(rests_on,)))
    return tuple(drafts)


def _touched(state: PlannerState, recorded: Sequence[Recorded]) -> _Touched:
    touched: _Touched = {}
    for one in recorded:
        match one.fact:
            case TargetsCleared() as fact:
                of_pair = touched.setdefault((fact.deployment_id, fact.environment_id), {})
                of_pair.update(dict.fromkeys(fact.resource_ids, one))
            case RollbackStarted() as fact:
                touched.setdefault((fact.deployment_id, fact.environment_id), {})[fact.resource_id] = one
            case VersionPinned() | PinReleased() as fact:
                pair = pair_of(state.pairs, fact.deployment_id, fact.environment_id) or NO_PAIR
                named = sorted(pair.places) if fact.resource_id is None else [fact.resource_id]
                touched.setdefault((fact.deployment_id, fact.environment_id), {}).update(dict.fromkeys(named, one))
            case VersionUpdated() as fact:
                # A version that may be deployed again may still be cleared, and one that may not makes room for another.
                for environment_id, pair in sorted(state.pairs.get(fact.deployment_id, NO_PAIRS).items()):
                    waiting = sorted(key for key, place in pair.places.items() if place.clearances)
                    touched.setdefault((fact.deployment_id, environment_id), {}).update(dict.fromkeys(waiting, one))
    return touched


def _picker(
    state: PlannerState, deployment_id: str, environment_id: str, pair: Pair, now: datetime
) -> Callable[[str, Place], Clearance | None]:
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

    def pick(resource_id: str, place: Place) -> Clearance | None:
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
        return best

    return pick
