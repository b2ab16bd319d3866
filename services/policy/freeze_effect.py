"""What a freeze holds, or would hold: its targets, and the rollouts under way among them."""

from __future__ import annotations

from collections import Counter

from contracts.command import Asked, Refused
from contracts.commands.policy.freezes import FreezeEffect, HeldRollout, HeldTargets
from contracts.facts.policy import FreezeSaved
from libs.freezes import Spell, spell_of
from services.policy.freeze_commands import check_scope, check_selector
from services.policy.freezes import PairFreezes, is_dead
from services.policy.state import Freeze, Pair, State


def freeze_effect(wish: FreezeEffect, state: State, asked: Asked, position: int) -> HeldTargets:
    """Count what a freeze takes in, whether or not it holds at this moment.

    A target waits when a version is cleared for it and not on its way yet, or is held by any rule: it would go now or soon.

    Raises:
        Refused: `not_found`, when there never was such a freeze; `invalid`, when scope or selector make no sense.
    """
    if wish.freeze_id in state.thawed:
        return HeldTargets(targets=0, waiting=0)
    freeze, spell = _freeze(wish, state, asked)
    dead = is_dead(state, freeze.saved.scope, freeze.saved.scope_id)
    targets = waiting = 0
    rollouts: list[HeldRollout] = []
    for key in sorted(state.pairs):
        pair = state.pairs[key]
        taken = PairFreezes(state, pair, {freeze.saved.freeze_id: freeze}, {freeze.saved.freeze_id: Spell(holds=True)})
        if dead or not taken.any:
            continue
        held = [one for one in pair.targets if taken.of(one)]
        targets += len(held)
        versions = _under_way(state, pair, held)
        waiting += versions.total()
        for version_id in sorted(versions, key=lambda one: state.versions[one].rank, reverse=True):
            rollouts.append(
                HeldRollout(
                    deployment_id=pair.deployment_id,
                    environment_id=pair.environment_id,
                    version_id=version_id,
                    targets=versions[version_id],
                )
            )
    return HeldTargets(
        targets=targets,
        waiting=waiting,
        active=spell.holds and not dead,
        dead=dead,
        next_change=spell.next_change,
        rollouts=tuple(rollouts),
    )


def _freeze(wish: FreezeEffect, state: State, asked: Asked) -> tuple[Freeze, Spell]:
    if wish.freeze_id is not None:
        known = state.freezes.get(wish.freeze_id)
        if known is None:
            raise Refused("not_found", f"The freeze {wish.freeze_id} is not there.")
        return known, spell_of(known.saved, asked.now)
    check_scope(wish.scope, wish.scope_id, state)
    selector = (wish.selector or "").strip() or None
    if selector is not None:
        check_selector(selector)
    saved = FreezeSaved(
        freeze_id=asked.id,
        scope=wish.scope,
        scope_id=wish.scope_id,
        selector=selector,
        reason="preview",
        starts_at=asked.now,
        created_by=asked.auth_id,
        created_at=asked.now,
    )
    return Freeze(saved, state.position), Spell(holds=False)


def _under_way(state: State, pair: Pair, held: list[str]) -> Counter[str]:
    """For how many of these targets a version would go now or soon; the newest such version of each."""
    left = set(held)
    versions: Counter[str] = Counter()
    for one in held:
        if (cleared := pair.open.get(one)) is not None and cleared in state.versions:
            versions[cleared] += 1
            left.discard(one)
    for version_id in sorted(
        (one for one in pair.held if one in state.versions), key=lambda one: state.versions[one].rank, reverse=True
    ):
        for verdicts in pair.held[version_id].values():
            against = [one for one in left if (known := verdicts.get(one)) is not None and known.verdict != "allowed"]
            versions[version_id] += len(against)
            left.difference_update(against)
    return +versions
