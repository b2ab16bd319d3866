"""What a choice names: a target, or all targets of a deployment in an environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contracts.command import Refused
from contracts.commands.planner import LiftMark, PinVersion, Redeploy, ReleasePin, RollBack
from services.planner.documents import require
from services.planner.rollouts import NO_PAIR, Pair, Place, pair_of
from services.planner.state import PlannerState

LONGEST_REASON: Final = 2_000
"""Characters of a reason: it is repeated wherever the choice is shown."""

Choice = PinVersion | ReleasePin | Redeploy | RollBack | LiftMark


def check_reason(reason: str) -> None:
    """Raises: Refused: it is too long."""
    if len(reason) > LONGEST_REASON:
        raise Refused("invalid", f"The reason is {len(reason)} characters long, at most {LONGEST_REASON}; shorten it")


def require_known(wish: Choice, state: PlannerState) -> None:
    """Raises: Refused: the reason is too long, or there is no such deployment or environment."""
    check_reason(wish.reason)
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    require(state.catalog.environments, wish.environment_id, "Environment")


def named_pair(wish: Choice, state: PlannerState) -> Pair:
    """The pair that is named, once everything named is known to exist. Raises: Refused."""
    require_known(wish, state)
    pair = pair_of(state.pairs, wish.deployment_id, wish.environment_id) or NO_PAIR
    if wish.resource_id is not None and wish.resource_id not in pair.places:
        raise Refused(
            "not_found", f"{scope(wish)} is not known: the selectors of deployment and environment do not both match it"
        )
    return pair


def named_places(wish: Choice, state: PlannerState) -> Iterator[tuple[str, Place]]:
    """The targets that are named, by resource id. Raises: Refused."""
    places = named_pair(wish, state).places
    for one in sorted(places) if wish.resource_id is None else (wish.resource_id,):
        yield one, places[one]


def require_version_of(state: PlannerState, version_id: str, deployment_id: str) -> str:
    """The tag of a version of a deployment. Raises: Refused: it is unknown, or another deployment's."""
    version = require(state.catalog.versions, version_id, "Deployment version")
    if version.deployment_id != deployment_id:
        raise Refused("invalid", f"Version '{version.tag}' belongs to another deployment; name one of this deployment's versions")
    return version.tag


def scope(wish: Choice) -> str:
    """What is named, in words."""
    if wish.resource_id is None:
        return f"Deployment {wish.deployment_id} in environment {wish.environment_id}"
    return f"Release target {wish.resource_id}-{wish.environment_id}-{wish.deployment_id}"
