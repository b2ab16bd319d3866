"""What should be where: for each release target what is desired there, and what policy cleared for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from immutables import Map


@dataclass(frozen=True, slots=True)
class Clearance:
    """Policy's word that a version may go to a target.

    Attributes:
        version_id: the version.
        at: the position up to which policy knew the facts.
        valid_until: the instant at which time alone may end it; None for never.
    """

    version_id: str
    at: int
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """One release target that exists now.

    Attributes:
        release_id: the desired release; None until a version was first cleared.
        version_id: its version.
        clearances: at most one for each version, none of a version older than the desired one was when that became desired.
        resolved_id: where the target went back to a release: the one that its version had with the variables of that time. While they
            still give that one, what was gone back to stays. None elsewhere.
    """

    release_id: str | None = None
    version_id: str | None = None
    clearances: tuple[Clearance, ...] = ()
    resolved_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A deployment in an environment.

    Attributes:
        places: its targets, by resource id.
        withdrawn_at: position of the newest withdrawal of a clearance here; what was cleared before it counts no more.
    """

    places: Map[str, Place] = field(default_factory=Map)
    withdrawn_at: int = 0


Pairs = Map[str, Map[str, Pair]]
"""By deployment id, then by environment id."""

NO_PAIRS: Final[Map[str, Pair]] = Map()
NO_PAIR: Final = Pair()
EMPTY_PLACE: Final = Place()


def pair_of(pairs: Pairs, deployment_id: str, environment_id: str) -> Pair | None:
    """A deployment in an environment; None when the two never combined since both exist."""
    return pairs.get(deployment_id, NO_PAIRS).get(environment_id)


def with_pair(pairs: Pairs, deployment_id: str, environment_id: str, pair: Pair | None) -> Pairs:
    """Put a pair, or with None take it out."""
    of_deployment = pairs.get(deployment_id, NO_PAIRS)
    if pair is not None:
        of_deployment = of_deployment.set(environment_id, pair)
    elif environment_id in of_deployment:
        of_deployment = of_deployment.delete(environment_id)
    if of_deployment:
        return pairs.set(deployment_id, of_deployment)
    return pairs.delete(deployment_id) if deployment_id in pairs else pairs


def all_pairs(pairs: Pairs) -> Iterator[tuple[str, str]]:
    """Deployment and environment of every pair, sorted."""
    for deployment_id in sorted(pairs):
        for environment_id in sorted(pairs[deployment_id]):
            yield deployment_id, environment_id
