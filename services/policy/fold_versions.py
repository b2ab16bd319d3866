"""How versions and pins change what policy knows."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace

from contracts.facts.planner import PinReleased, VersionCreated, VersionPinned, VersionUpdated
from contracts.facts.policy import ApprovalRecorded
from services.policy import fold_pair
from services.policy.state import NOWHERE, WHOLE, Approval, Pair, Pin, State, Version, pair_key

KEPT_BELOW = 10
"""Versions kept, with their jobs, below the oldest one that any target still runs, wants or is pinned to: what a fall-back may ask about."""


KEPT_DECISIONS = 50
"""How often a person may renew an approval before its beginning moves on."""


def save(state: State, fact: VersionCreated | VersionUpdated, position: int, by: str) -> State:
    """A version was posted or changed. `by` is who did it, as the log names people."""
    before = state.versions.get(fact.version_id)
    same = before is not None and _content(before) == _content_of(fact)
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
        config=fact.config,
        job_agent_config=fact.job_agent_config,
        content_at=before.content_at if before is not None and same else position,
        authors=_authors(before, by, same),
    )
    versions = state.versions.set(fact.version_id, version)
    state = _index(replace(state, versions=versions), version)
    known = state.newest.get(fact.deployment_id, ())
    if fact.version_id in known:
        return state
    ascending = list(reversed(known))
    insort(ascending, fact.version_id, key=lambda one: versions[one].rank)
    return _prune(replace(state, newest=state.newest.set(fact.deployment_id, tuple(reversed(ascending)))), fact.deployment_id)


def decide(state: State, fact: ApprovalRecorded, records: tuple[Approval, ...], position: int) -> tuple[Approval, ...]:
    """The approvals of a version for an environment after a person decided: one per person, the newest decision last."""
    before = next((one for one in records if one.user_id == fact.user_id), None)
    others = tuple(one for one in records if one.user_id != fact.user_id)
    if fact.status == "withdrawn":
        return others
    approved = fact.status == "approved"
    version = state.versions.get(fact.version_id)
    person = (approved, fact.user_name, fact.roles)
    goes_on = before is not None and (before.approved, before.name, before.roles) == person and is_of_content(before, version)
    earlier = (*before.earlier, before.decided_at)[-KEPT_DECISIONS:] if before is not None and goes_on else ()
    record = Approval(
        fact.user_id, approved, fact.reason, fact.decided_at, position, fact.user_name, fact.roles, fact.version_at, earlier
    )
    return (*others, record)


def is_of_content(record: Approval, version: Version | None) -> bool:
    """Whether a decision is on what the version holds now."""
    return not record.version_at or version is None or record.version_at >= version.content_at


def pin(state: State, fact: VersionPinned, position: int, by: str) -> State:
    """A person chose a version, in place of what was chosen before for the same target or pair."""
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = state.pairs.get(key) or Pair(fact.deployment_id, fact.environment_id)
    chosen = Pin(fact.version_id, by, fact.reason, position, fact.pinned_at)
    pair = pair._replace(pins=pair.pins.set(fact.resource_id or WHOLE, chosen))
    if fact.resource_id is not None:
        pair = fold_pair.lift(pair, (fact.resource_id,), fact.version_id)
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


def _content(version: Version) -> tuple[object, ...]:
    """What would be deployed."""
    return (version.tag, version.config, version.job_agent_config, version.metadata, version.dependencies)


def _content_of(fact: VersionCreated | VersionUpdated) -> tuple[object, ...]:
    return (fact.tag, fact.config, fact.job_agent_config, fact.metadata, tuple(sorted(fact.dependencies.items())))


def _authors(before: Version | None, by: str, same: bool) -> tuple[str, ...]:
    known = before.authors if before is not None else ()
    return known if same or by in known else (*known, by)


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
