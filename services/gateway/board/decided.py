"""Approvals that were decided: who said what about which version, as rows."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.facts.policy import ApprovalRecorded
from contracts.shapes import Json
from services.gateway.board.state import Board


def row_of(board: Board, position: int, fact: ApprovalRecorded) -> Json:
    """A decision. What was deleted since has no name any more, which leaves the name empty."""
    version = board.versions.get(fact.version_id)
    deployment = board.deployments.get(version.deployment_id) if version is not None else None
    environment = board.environments.get(fact.environment_id)
    return {
        "position": position,
        "versionId": fact.version_id,
        "tag": version.tag if version is not None else "",
        "deployment": {
            "id": version.deployment_id if version is not None else "",
            "name": deployment.name if deployment is not None else "",
        },
        "environment": {"id": fact.environment_id, "name": environment.name if environment is not None else ""},
        "userId": fact.user_id,
        "name": fact.user_name,
        "status": fact.status,
        "reason": fact.reason or "",
        "decidedAt": stamp(fact.decided_at),
    }
