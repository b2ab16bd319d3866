"""How freezes and skips change what policy knows."""

from __future__ import annotations

from dataclasses import replace

from contracts.facts.policy import FreezeOverridden, FreezeSaved, FreezeThawed, SkipCreated, SkipDeleted
from services.policy.state import Freeze, Override, Skip, State

KEPT_OVERRIDES = 200
"""Overrides of one freeze that are remembered; those that ended first are forgotten first."""


def save(state: State, fact: FreezeSaved, position: int) -> State:
    """A freeze was made or changed; what people let pass still may."""
    before = state.freezes.get(fact.freeze_id)
    overrides = before.overrides if before is not None else ()
    return replace(state, freezes=state.freezes.set(fact.freeze_id, Freeze(fact, position, overrides)))


def thaw(state: State, fact: FreezeThawed) -> State:
    """A freeze is over."""
    freezes = state.freezes.delete(fact.freeze_id) if fact.freeze_id in state.freezes else state.freezes
    return replace(state, freezes=freezes, thawed=state.thawed.set(fact.freeze_id, fact.thawed_at))


def override(state: State, fact: FreezeOverridden, position: int) -> State:
    """A version may pass a freeze."""
    freeze = state.freezes.get(fact.freeze_id)
    if freeze is None:
        return state
    kept = sorted((*freeze.overrides, Override(fact, position)), key=lambda one: (one.saved.expires_at, one.position))
    return replace(state, freezes=state.freezes.set(fact.freeze_id, freeze._replace(overrides=tuple(kept[-KEPT_OVERRIDES:]))))


def skip(state: State, fact: SkipCreated, position: int) -> State:
    """A version may pass a rule."""
    known = state.skips.get(fact.version_id, ())
    return replace(
        state,
        skips=state.skips.set(fact.version_id, (*known, Skip(fact, position))),
        skipped=state.skipped.set(fact.skip_id, fact.version_id),
    )


def unskip(state: State, fact: SkipDeleted) -> State:
    """A skip was taken back."""
    version_id = state.skipped.get(fact.skip_id)
    if version_id is None:
        return state
    left = tuple(one for one in state.skips[version_id] if one.saved.skip_id != fact.skip_id)
    skips = state.skips.set(version_id, left) if left else state.skips.delete(version_id)
    return replace(state, skips=skips, skipped=state.skipped.delete(fact.skip_id))
