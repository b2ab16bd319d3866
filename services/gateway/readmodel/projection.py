"""What a projection is, and which one each type of fact has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.shapes import Json, Target
from services.gateway.rows import Patch, Put, Table

Patches = tuple[Patch, ...]
Projection = Callable[[Recorded, Any], Patches]
P = TypeVar("P", bound=Projection)

PROJECTIONS: dict[str, Projection] = {}
"""By wire type; filled as the modules of this package are imported."""


def projects(*types: type[Fact]) -> Callable[[P], P]:
    """Make a function the projection of these facts."""

    def register(function: P) -> P:
        for one in types:
            assert one.TYPE not in PROJECTIONS, f"{one.TYPE} is projected twice"
            PROJECTIONS[one.TYPE] = function
        return function

    return register


def patches_of(recorded: Recorded) -> Patches:
    """What a fact does to the read tables, in order; nothing for a type that no table shows (it is then not even decoded)."""
    projection = PROJECTIONS.get(recorded.type)
    return projection(recorded, recorded.fact) if projection is not None else ()


def saved(recorded: Recorded, table: Table, doc: Json, created_at: str) -> Patches:
    """A whole document: the row as it is now, and one for ever under its position, for what was made from it and for what it was."""
    kept = {**doc, "$of": f"{table}/{doc['id']}", "$position": recorded.position}
    return Put(table, doc["id"], {**doc, "$createdAt": created_at}), Put("history", str(recorded.position), kept)


def pair_key(deployment_id: str, environment_id: str) -> str:
    """How the targets of a deployment in an environment are found."""
    return f"{deployment_id}/{environment_id}"


def pin_key(deployment_id: str, environment_id: str, resource_id: str | None) -> str:
    """Where the pin of a target is, or that of all targets of a deployment in an environment."""
    if resource_id is None:
        return pair_key(deployment_id, environment_id)
    return Target(resource_id, environment_id, deployment_id).key


def target_ids(target: Target) -> Json:
    """A release target, as the API writes it."""
    return {
        "resourceId": target.resource_id,
        "environmentId": target.environment_id,
        "deploymentId": target.deployment_id,
    }
