"""Versions as rows: what a deployment has, and how far each of them came."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.board.order import environments_in_order
from services.gateway.board.state import Board, Version


def page(
    board: Board, *, deployment_id: str | None, status: str | None, text: str, limit: int, offset: int
) -> tuple[list[Json], int]:
    """A part of the versions of deployments that exist, newest first, and how many there are.

    Args:
        deployment_id, status: those of this deployment, or of this status alone; None for any.
        text: what their tag, their name or the name of their deployment contains, in whatever case; '' for any.
    """
    looked_for = text.lower()

    def wanted(one: Version) -> bool:
        deployment = board.deployments.get(one.deployment_id)
        return (
            deployment is not None
            and deployment_id in (None, one.deployment_id)
            and status in (None, one.status)
            and any(looked_for in name.lower() for name in (one.tag, one.name, deployment.name))
        )

    found = sorted((one for one in board.versions.values() if wanted(one)), key=lambda one: one.rank, reverse=True)
    order = {id_: place for place, id_ in enumerate(environments_in_order(board))}
    return [_row(board, one, order) for one in found[offset : offset + limit]], len(found)


def _row(board: Board, version: Version, order: dict[str, int]) -> Json:
    pairs = [board.pairs[key] for key in board.places.get(version.deployment_id, ()) if key in board.pairs]
    there = sorted(
        (one for one in pairs if one.environment_id in order and one.targets), key=lambda one: order[one.environment_id]
    )
    return {
        "version": {
            "versionId": version.version_id,
            "tag": version.tag,
            "name": version.name,
            "status": version.status,
            "createdAt": stamp(version.created_at),
        },
        "deployment": {"id": version.deployment_id, "name": board.deployments[version.deployment_id].name},
        "reach": [
            {
                "environmentId": one.environment_id,
                "name": board.environments[one.environment_id].name,
                "targets": len(one.targets),
                "running": one.running.get(version.version_id, 0),
                "desired": one.wanted.get(version.version_id, 0),
            }
            for one in there
        ],
    }
