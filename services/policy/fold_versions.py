"""How versions and pins change what policy knows."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace

from contracts.facts.planner import PinReleased, VersionCreated, VersionPinned, VersionUpdated
from services.policy import fold_pair
from services.policy.state import NOWHERE, WHOLE, Pair, Pin, State, Version, pair_key

KEPT_BELOW = 10
"""Versions kept, with their jobs, below the oldest one that any target still runs, wants or is pinned to: what a fall-back may ask about."""


def save(state: State, fact: VersionCreated | VersionUpdated, position: int) -> State:
    """A version was posted or changed."""
    before = state.versions.get(fact.version_id)
    version = Version(
        version_id=fact.version_id,
        deployment_id=fact.deployment_id,
        tag=fact.tag,
        status=fact.status,
        created_at=fact.created_at,
        position=position,
        known_since=before.known_since if before is not None else position,
        name=fact.name,
        message=fact.message,
        metadata=fact.metadata,
        dependencies=tuple(sorted(fact.dependencies.items())),
    )
    versions = state.versions.set(fact.version_id, version)
    state = _index(replace(state, versions=versions), version)
    known = state.newest.get(fact.deployment_id, ())
    if fact.version_id in known:
        return state
    ascending = list(reversed(known))
    insort(ascending, fact.version_id, key=lambda one: versions[one].rank)
    return _prune(replace(state, newest=state.newest.set(fact.deployment_id, tuple(reversed(ascending)))), fact.deployment_id)


def pin(state: State, fact: VersionPinned, position: int, by: str) -> State:
    """A person chose a version, in place of what was chosen before for the same target or pair."""
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = state.pairs.get(key) or Pair(fact.deployment_id, fact.environment_id)
    chosen = Pin(fact.version_id, by, fact.reason, position)
    pair = pair._replace(pins=pair.pins.set(fact.resource_id or WHOLE, chosen))
    if fact.resource_id is not None:
        pair = fold_pair.lift(pair, fact.resource_id, fact.version_id)
    places = state.places
    # A pair may be pinned before it has any target, and is then to be found again when one of the two is deleted.
    for one in (fact.deployment_id, fact.environment_id, *((fact.resource_id,) if fact.resource_id else ())):
        known = places.get(one, ())
        if key not in known:
            places = places.set(one, (*known, key))
    return replace(state, pairs=state.pairs.set(key, pair), places=places)


def unpin(state: State, fact: PinReleased) -> State:
    """A pin ended."""
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = state.pairs.get(key)
    if pair is None:
        return state
    pair = pair._replace(pins=fold_pair.without(pair.pins, (fact.resource_id or WHOLE,)))
    return replace(state, pairs=state.pairs.set(key, pair))


def _index(state: State, version: Version) -> State:
    """Find a version's deployment by what it depends on."""
    dependents = state.dependents
    for upstream_id, _ in version.dependencies:
        known = dependents.get(upstream_id, ())
        if version.deployment_id not in known:
            dependents = dependents.set(upstream_id, tuple(sorted((*known, version.deployment_id))))
    return state if dependents is state.dependents else replace(state, dependents=dependents)


def _prune(state: State, deployment_id: str) -> State:
    """Forget the jobs of versions far below the oldest one that any target still runs, wants or is pinned to."""
    pairs = [state.pairs[key] for key in state.places.get(deployment_id, ()) if key in state.pairs]
    newest = state.newest[deployment_id]
    if len(newest) <= KEPT_BELOW + 1:
        return state
    used: set[str] = set()
    for pair in pairs:
        used.update(chosen.version_id for chosen in pair.pins.values())
        for one in pair.targets:
            standing = pair.standings.get(one, NOWHERE)
            if standing.desired is None:
                return state  # such a target may still take any version
            used.add(standing.desired.version_id)
            if standing.current is not None:
                used.add(standing.current.version_id)
    oldest = max((newest.index(one) for one in used if one in newest), default=len(newest))
    dropped = newest[oldest + 1 + KEPT_BELOW :]
    if not any(one in pair.jobs for pair in pairs for one in dropped):
        return state
    with state.pairs.mutate() as left:
        for pair in pairs:
            left[pair.key] = fold_pair.forget_versions(pair, dropped)
        rest = left.finish()
    return replace(state, pairs=rest)
