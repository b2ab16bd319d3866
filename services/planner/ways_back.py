"""What people ask of the past: targets that go back, and versions that are bad no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.planner import LiftMark, RollBack, RollBackEnvironment
from contracts.facts.planner import MarkLifted, RollbackStarted
from contracts.shapes import Target
from libs.runtime.service import Command, Decided, Draft
from services.planner.documents import require
from services.planner.history import NO_PAST, NO_PASTS, past_key
from services.planner.named import check_reason, named_places, require_known, require_version_of, scope
from services.planner.pins import held_to
from services.planner.resolution import Resolver
from services.planner.rollback import MOST_BETWEEN, Between, by_hand
from services.planner.rollouts import Place, pair_of
from services.planner.state import PlannerState

IDS_PER_FACT: Final = 1_000


def roll_back(wish: RollBack, state: PlannerState, asked: Asked) -> Decided:
    """Return targets to their last good release, or to the newest good one of a named version; all, or those of one rollout.

    Raises:
        Refused: unknown; no target has the version that is left; the targets are pinned; too many versions lie between; or nothing
            that may be gone back to ever succeeded there.
    """
    for version_id in (wish.version_id, wish.from_version_id):
        if version_id is not None:
            require_version_of(state, version_id, wish.deployment_id)
    places: Iterator[tuple[str, Place]] = named_places(wish, state)
    if wish.from_version_id is not None:
        leaving = [(one, place) for one, place in places if place.version_id == wish.from_version_id]
        if not leaving:
            tag = state.catalog.versions[wish.from_version_id].tag
            raise Refused("conflict", f"{scope(wish)} is not on version '{tag}': no target there is left to roll back from it")
        places = iter(leaving)
    targets = ((Target(one, wish.environment_id, wish.deployment_id), place) for one, place in places)
    drafts, pinned = _ways_back(state, targets, wish.version_id, wish.reason, asked)
    if not drafts:
        if pinned:
            raise Refused(
                "conflict", f"{scope(wish)} is pinned to a version; release the pin before rolling back, or pin another one"
            )
        which = "no earlier release" if wish.version_id is None else "no earlier release of that version"
        raise Refused("conflict", f"{scope(wish)} has {which} that succeeded there and may be gone back to")
    return Decided(drafts, {"targets": len(drafts)})


def roll_back_environment(wish: RollBackEnvironment, state: PlannerState, asked: Asked) -> Decided:
    """Return every target of an environment to its last good release; those that are pinned, or have none, stay.

    Raises:
        Refused: the environment is unknown, or no target of it can go back.
    """
    check_reason(wish.reason)
    environment = require(state.catalog.environments, wish.environment_id, "Environment")
    drafts, pinned = _ways_back(state, _targets_of(state, wish.environment_id), None, wish.reason, asked)
    if not drafts:
        but = f"; {pinned} of its targets are pinned, and their pins would have to be released first" if pinned else ""
        raise Refused(
            "conflict",
            f"No target of environment '{environment.name}' has an earlier release that succeeded there and may be gone back to{but}",
        )
    return Decided(drafts, {"targets": len(drafts)})


def _targets_of(state: PlannerState, environment_id: str) -> Iterator[tuple[Target, Place]]:
    """The targets of an environment, by the ids of deployment and resource."""
    for deployment_id in sorted(state.pairs):
        pair = pair_of(state.pairs, deployment_id, environment_id)
        if pair is not None:
            for one in sorted(pair.places):
                yield Target(one, environment_id, deployment_id), pair.places[one]


def _ways_back(
    state: PlannerState, targets: Iterator[tuple[Target, Place]], to_version_id: str | None, reason: str, asked: Asked
) -> tuple[tuple[Draft, ...], int]:
    """The rollbacks of the targets that have a way back, and how many were left alone since they are pinned."""
    resolver, between = Resolver(state), Between(state)
    drafts, pinned = [], 0
    for target, place in targets:
        if held_to(state.pins, target.deployment_id, target.environment_id, target.resource_id) is not None:
            pinned += 1
            continue
        started = by_hand(state, resolver, between, target, place, to_version_id, reason, asked.now)
        if started is not None:
            _require_near(started, state)
            drafts.append(Draft(started))
    return tuple(drafts), pinned


def _require_near(rollback: RollbackStarted, state: PlannerState) -> None:
    """Raises: Refused: the way back passes too many versions."""
    passed, back = len(rollback.also_marked), rollback.to_version_id
    if passed > MOST_BETWEEN and back is not None:
        tag = state.catalog.versions[back].tag
        raise Refused(
            "invalid",
            f"{passed} versions lie between version '{tag}' and what is desired now, and all would be marked bad; a rollback passes "
            f"at most {MOST_BETWEEN}; pin version '{tag}' instead",
        )


def lift_mark(wish: LiftMark, state: PlannerState, asked: Asked) -> Decided:
    """End the bad mark of a version; also on targets that are not there at the moment, since a mark outlives its target.

    Raises:
        Refused: what is named is unknown, or no target that is named has the mark.
    """
    require_known(wish, state)
    tag = require_version_of(state, wish.version_id, wish.deployment_id)
    of_pair = state.pasts.get(past_key(wish.deployment_id, wish.environment_id), NO_PASTS)
    named = sorted(of_pair) if wish.resource_id is None else [wish.resource_id]
    lifted = [one for one in named if wish.version_id in of_pair.get(one, NO_PAST).marked]
    if not lifted:
        raise Refused("not_found", f"Version '{tag}' is not marked bad: {scope(wish)} has no such mark to lift")
    drafts = [
        Draft(
            MarkLifted(
                deployment_id=wish.deployment_id,
                environment_id=wish.environment_id,
                version_id=wish.version_id,
                resource_ids=tuple(lifted[start : start + IDS_PER_FACT]),
                reason=wish.reason,
                lifted_at=asked.now,
            )
        )
        for start in range(0, len(lifted), IDS_PER_FACT)
    ]
    return Decided(tuple(drafts), {"targets": len(lifted)})


WAYS_BACK: Final[Mapping[str, Command[PlannerState, Any]]] = {
    RollBack.NAME: Command(RollBack, roll_back),
    RollBackEnvironment.NAME: Command(RollBackEnvironment, roll_back_environment),
    LiftMark.NAME: Command(LiftMark, lift_mark),
}
