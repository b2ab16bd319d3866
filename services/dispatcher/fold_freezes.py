"""How freezes, and what waits for their end, change what dispatcher knows."""

from __future__ import annotations

from datetime import datetime

from immutables import Map

from contracts.facts.planner import DeploymentLinked, DeploymentUnlinked, EnvironmentLinked, EnvironmentUnlinked, SystemDeleted
from contracts.facts.policy import FreezeOverridden, FreezeSaved, FreezeThawed
from services.dispatcher.freezes import by_hand, free_at
from services.dispatcher.state import Freeze, State

KEPT_OVERRIDES = 200
"""Overrides of one freeze that are remembered; those that ended first are forgotten first. Policy keeps as many."""


def save(state: State, fact: FreezeSaved) -> State:
    """A freeze was made or changed; what people let pass still may."""
    before = state.freezes.get(fact.freeze_id)
    return state._replace(freezes=state.freezes.set(fact.freeze_id, Freeze(fact, before.overrides if before is not None else ())))


def thaw(state: State, fact: FreezeThawed) -> State:
    """A freeze is over."""
    return state._replace(freezes=state.freezes.delete(fact.freeze_id)) if fact.freeze_id in state.freezes else state


def override(state: State, fact: FreezeOverridden) -> State:
    """A version may pass a freeze."""
    freeze = state.freezes.get(fact.freeze_id)
    if freeze is None:
        return state
    kept = sorted((*freeze.overrides, fact), key=lambda one: one.expires_at)[-KEPT_OVERRIDES:]
    return state._replace(freezes=state.freezes.set(fact.freeze_id, freeze._replace(overrides=tuple(kept))))


def link(state: State, fact: DeploymentLinked | EnvironmentLinked) -> State:
    """A deployment or an environment joined a system."""
    member = _member(fact)
    links = state.links.set(member, state.links.get(member, frozenset()) | {fact.system_id})
    return state._replace(links=links.set(fact.system_id, links.get(fact.system_id, frozenset()) | {member}))


def unlink(state: State, fact: DeploymentUnlinked | EnvironmentUnlinked) -> State:
    """A deployment or an environment left a system."""
    return state._replace(links=_without(_without(state.links, _member(fact), fact.system_id), fact.system_id, _member(fact)))


def forget_system(state: State, fact: SystemDeleted) -> State:
    """A system is gone, and its links with it."""
    links = state.links
    for member in sorted(links.get(fact.system_id, frozenset())):
        links = _without(links, member, fact.system_id)
    return state._replace(links=links.delete(fact.system_id) if fact.system_id in links else links)


def _member(fact: DeploymentLinked | EnvironmentLinked | DeploymentUnlinked | EnvironmentUnlinked) -> str:
    return fact.deployment_id if isinstance(fact, DeploymentLinked | DeploymentUnlinked) else fact.environment_id


def _without(links: Map[str, frozenset[str]], one: str, other: str) -> Map[str, frozenset[str]]:
    left = links.get(one, frozenset()) - {other}
    if left:
        return links.set(one, left)
    return links.delete(one) if one in links else links


def look(state: State, key: str, now: datetime) -> State:
    """See whether something waits for a target without a clearance, and when a freeze lets it go."""
    desired = by_hand(state, key)
    known = state.waiting.get(key)
    if desired is None:
        return _noted(state, key, known, None, waits=False) if key in state.waiting else state
    return _noted(state, key, known, free_at(state, key, desired, now), waits=True)


def _noted(state: State, key: str, before: datetime | None, at: datetime | None, *, waits: bool) -> State:
    instants = state.instants
    if before != at:
        if before is not None:
            left = instants[before] - 1
            instants = instants.set(before, left) if left else instants.delete(before)
        if at is not None:
            instants = instants.set(at, instants.get(at, 0) + 1)
    waiting = state.waiting.set(key, at) if waits else state.waiting.delete(key)
    return state._replace(waiting=waiting, instants=instants)
