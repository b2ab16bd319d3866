"""What people choose by hand: a version that stays, a dispatch once more, a way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.planner import PinVersion, Redeploy, ReleasePin, RollBack
from contracts.facts.planner import PinReleased, RedeployItem, RedeployRequested, RollbackStarted, VersionPinned
from contracts.shapes import Target
from libs.runtime.service import Command, Decided, Draft
from services.planner.desired import NOT_DEPLOYABLE
from services.planner.documents import require
from services.planner.pins import held_to, pin_of
from services.planner.resolution import Resolver
from services.planner.rollback import MOST_BETWEEN, Between, by_hand
from services.planner.rollouts import NO_PAIR, Pair, Place, pair_of
from services.planner.state import PlannerState, past_of

ITEMS_PER_FACT: Final = 1_000
LONGEST_REASON: Final = 2_000
"""Characters of a reason: it is repeated wherever the choice is shown."""

_Choice = PinVersion | ReleasePin | Redeploy | RollBack


def pin_version(wish: PinVersion, state: PlannerState, asked: Asked) -> Decided:
    """Pin a target, whose mark on the version is lifted, or a deployment in an environment; the same pin again appends nothing.

    Raises:
        Refused: what is named is unknown, or the version belongs to another deployment.
    """
    _pair(wish, state)
    version = require(state.catalog.versions, wish.version_id, "Deployment version")
    if version.deployment_id != wish.deployment_id:
        raise Refused("invalid", f"Version '{version.tag}' belongs to another deployment; pin one of this deployment's versions")
    answer = {"id": wish.version_id}
    if _pin(wish, state) == wish.version_id and not _is_marked(wish, state):
        return Decided(answer=answer)
    pinned = VersionPinned(
        deployment_id=wish.deployment_id,
        environment_id=wish.environment_id,
        resource_id=wish.resource_id,
        version_id=wish.version_id,
        reason=wish.reason,
        pinned_at=asked.now,
    )
    return Decided((Draft(pinned),), answer)


def release_pin(wish: ReleasePin, state: PlannerState, asked: Asked) -> Decided:
    """End a pin. Raises: Refused: there is none of this scope."""
    _pair(wish, state)
    pinned = _pin(wish, state)
    if pinned is None:
        raise Refused("not_found", f"{_scope(wish)} is not pinned")
    released = PinReleased(
        deployment_id=wish.deployment_id,
        environment_id=wish.environment_id,
        resource_id=wish.resource_id,
        version_id=pinned,
        reason=wish.reason,
        released_at=asked.now,
    )
    return Decided((Draft(released),), {"id": pinned})


def redeploy(wish: Redeploy, state: PlannerState, asked: Asked) -> Decided:
    """Have the desired releases dispatched once more.

    Raises:
        Refused: what is named is unknown, nothing is desired there, or only versions that may not be deployed (rejected, failed …).
    """
    wanted = [(one, place) for one, place in _places(wish, state) if place.release_id is not None]
    if not wanted:
        raise Refused("conflict", f"{_scope(wish)} has no desired release yet: there is nothing to deploy again")
    items = [
        RedeployItem(resource_id=one, release_id=place.release_id, version_id=place.version_id)
        for one, place in wanted
        if place.release_id is not None and place.version_id is not None and _is_deployable(state, place.version_id)
    ]
    if not items:
        tag = state.catalog.versions[wanted[0][1].version_id or ""].tag
        raise Refused("conflict", f"Version '{tag}' may not be deployed (again): set its status to ready first")
    drafts = [
        Draft(
            RedeployRequested(
                deployment_id=wish.deployment_id,
                environment_id=wish.environment_id,
                items=tuple(items[start : start + ITEMS_PER_FACT]),
                reason=wish.reason,
                requested_at=asked.now,
            )
        )
        for start in range(0, len(items), ITEMS_PER_FACT)
    ]
    return Decided(tuple(drafts), {"targets": len(items)})


def roll_back(wish: RollBack, state: PlannerState, asked: Asked) -> Decided:
    """Return targets to their last good release, or to the newest good one of a named version.

    Raises:
        Refused: unknown; the target is pinned; too many versions lie between; or nothing that may be gone back to ever succeeded
            there.
    """
    if wish.version_id is not None:
        version = require(state.catalog.versions, wish.version_id, "Deployment version")
        if version.deployment_id != wish.deployment_id:
            raise Refused("invalid", f"Version '{version.tag}' belongs to another deployment")
    drafts, pinned = [], 0
    resolver, between = Resolver(state), Between(state)
    for one, place in _places(wish, state):
        if held_to(state.pins, wish.deployment_id, wish.environment_id, one) is not None:
            pinned += 1
            continue
        target = Target(one, wish.environment_id, wish.deployment_id)
        started = by_hand(state, resolver, between, target, place, wish.version_id, wish.reason, asked.now)
        if started is not None:
            _require_near(started, state)
            drafts.append(Draft(started))
    if not drafts:
        if pinned:
            raise Refused(
                "conflict", f"{_scope(wish)} is pinned to a version; release the pin before rolling back, or pin another one"
            )
        which = "no earlier release" if wish.version_id is None else "no earlier release of that version"
        raise Refused("conflict", f"{_scope(wish)} has {which} that succeeded there and may be gone back to")
    return Decided(tuple(drafts), {"targets": len(drafts)})


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


# --- what is chosen ----------------------------------------------------------------------------------------------------------------


def _pair(wish: _Choice, state: PlannerState) -> Pair:
    """The pair that is named, once everything named is known to exist. Raises: Refused."""
    if len(wish.reason) > LONGEST_REASON:
        raise Refused("invalid", f"The reason is {len(wish.reason)} characters long, at most {LONGEST_REASON}; shorten it")
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    require(state.catalog.environments, wish.environment_id, "Environment")
    pair = pair_of(state.pairs, wish.deployment_id, wish.environment_id) or NO_PAIR
    if wish.resource_id is not None and wish.resource_id not in pair.places:
        raise Refused(
            "not_found", f"{_scope(wish)} is not known: the selectors of deployment and environment do not both match it"
        )
    return pair


def _places(wish: Redeploy | RollBack, state: PlannerState) -> Iterator[tuple[str, Place]]:
    """The targets that are named, by resource id."""
    places = _pair(wish, state).places
    for one in sorted(places) if wish.resource_id is None else (wish.resource_id,):
        yield one, places[one]


def _is_deployable(state: PlannerState, version_id: str) -> bool:
    version = state.catalog.versions.get(version_id)
    return version is not None and version.status not in NOT_DEPLOYABLE


def _pin(wish: _Choice, state: PlannerState) -> str | None:
    return pin_of(state.pins, wish.deployment_id, wish.environment_id, wish.resource_id)


def _is_marked(wish: PinVersion, state: PlannerState) -> bool:
    if wish.resource_id is None:
        return False
    return wish.version_id in past_of(state, wish.deployment_id, wish.environment_id, wish.resource_id).marked


def _scope(wish: _Choice) -> str:
    if wish.resource_id is None:
        return f"Deployment {wish.deployment_id} in environment {wish.environment_id}"
    return f"Release target {wish.resource_id}-{wish.environment_id}-{wish.deployment_id}"


CHOICES: Final[Mapping[str, Command[PlannerState, Any]]] = {
    PinVersion.NAME: Command(PinVersion, pin_version),
    ReleasePin.NAME: Command(ReleasePin, release_pin),
    Redeploy.NAME: Command(Redeploy, redeploy),
    RollBack.NAME: Command(RollBack, roll_back),
}
