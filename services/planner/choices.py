"""What people choose by hand: a version that stays, a dispatch once more, a way back (`ways_back.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.planner import PinVersion, Redeploy, ReleasePin
from contracts.facts.planner import PinReleased, RedeployItem, RedeployRequested, VersionPinned
from libs.runtime.service import Command, Decided, Draft
from services.planner.desired import NOT_DEPLOYABLE
from services.planner.named import Choice, named_pair, named_places, require_version_of, scope
from services.planner.pins import pin_of
from services.planner.state import PlannerState, past_of
from services.planner.ways_back import WAYS_BACK

ITEMS_PER_FACT: Final = 1_000


def pin_version(wish: PinVersion, state: PlannerState, asked: Asked) -> Decided:
    """Pin a target, whose mark on the version is lifted, or a deployment in an environment; the same pin again appends nothing.

    Raises:
        Refused: what is named is unknown, or the version belongs to another deployment.
    """
    named_pair(wish, state)
    require_version_of(state, wish.version_id, wish.deployment_id)
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
    named_pair(wish, state)
    pinned = _pin(wish, state)
    if pinned is None:
        raise Refused("not_found", f"{scope(wish)} is not pinned")
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
    wanted = [(one, place) for one, place in named_places(wish, state) if place.release_id is not None]
    if not wanted:
        raise Refused("conflict", f"{scope(wish)} has no desired release yet: there is nothing to deploy again")
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


def _is_deployable(state: PlannerState, version_id: str) -> bool:
    version = state.catalog.versions.get(version_id)
    return version is not None and version.status not in NOT_DEPLOYABLE


def _pin(wish: Choice, state: PlannerState) -> str | None:
    return pin_of(state.pins, wish.deployment_id, wish.environment_id, wish.resource_id)


def _is_marked(wish: PinVersion, state: PlannerState) -> bool:
    if wish.resource_id is None:
        return False
    return wish.version_id in past_of(state, wish.deployment_id, wish.environment_id, wish.resource_id).marked


CHOICES: Final[Mapping[str, Command[PlannerState, Any]]] = {
    PinVersion.NAME: Command(PinVersion, pin_version),
    ReleasePin.NAME: Command(ReleasePin, release_pin),
    Redeploy.NAME: Command(Redeploy, redeploy),
    **WAYS_BACK,
}
