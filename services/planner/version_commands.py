"""Creates and changes versions."""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.planner import CreateVersion, UpdateVersion
from contracts.facts.planner import VersionCreated
from libs.runtime.service import Decided
from services.planner.documents import require, saved
from services.planner.state import PlannerState


def create_version(wish: CreateVersion, state: PlannerState, asked: Asked) -> Decided:
    """Take a version from CI; without a name it is named like its tag.

    Raises:
        Refused: the deployment is unknown, the tag is taken there, or it is too large.
    """
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    version_id = str(uuid5(UUID(asked.id), "version"))
    _check_tag(state, wish.deployment_id, wish.tag, version_id)
    version = VersionCreated(
        version_id=version_id,
        deployment_id=wish.deployment_id,
        tag=wish.tag,
        name=wish.name or wish.tag,
        status=wish.status,
        message=wish.message,
        config=wish.config,
        job_agent_config=wish.job_agent_config,
        metadata=wish.metadata,
        created_at=asked.now,
    )
    return Decided(saved(version, None), {"id": version_id})


def update_version(wish: UpdateVersion, state: PlannerState, asked: Asked) -> Decided:
    """Change what the wish names of a version.

    Raises:
        Refused: the version or its deployment is unknown, the tag is taken, or it is too large.
    """
    before = require(state.catalog.versions, wish.version_id, "Deployment version")
    if before.deployment_id not in state.catalog.deployments:
        raise Refused("not_found", f"Deployment version {wish.version_id} not found: its deployment was deleted")
    changes = wish.model_dump(exclude={"version_id"}, exclude_none=True)
    version = before.model_copy(update=changes)
    if not version.name:
        version = version.model_copy(update={"name": version.tag})
    _check_tag(state, version.deployment_id, version.tag, version.version_id)
    return Decided(saved(version, before), {"id": version.version_id})


def _check_tag(state: PlannerState, deployment_id: str, tag: str, own_id: str) -> None:
    tags = state.catalog.version_ids.get(deployment_id)
    taken_by = tags.get(tag) if tags is not None else None
    if taken_by is not None and taken_by != own_id:
        raise Refused("conflict", f"There is a version with tag '{tag}' in this deployment already; choose another tag")
