"""Creates and changes versions."""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.planner import CreateVersion, DeleteVersionDependency, SaveVersionDependency, UpdateVersion
from contracts.facts.planner import VersionCreated, VersionUpdated
from contracts.shapes import Json
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.runtime.service import Decided
from services.planner.documents import require, saved
from services.planner.state import PlannerState


def create_version(wish: CreateVersion, state: PlannerState, asked: Asked) -> Decided:
    """Take a version from CI; without a name it is named like its tag.

    Raises:
        Refused: the deployment is unknown, the tag is taken there, it is too large, or a dependency is on an unknown deployment, on its
            own one, or has no readable selector.
    """
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    for dependency_id, selector in sorted(wish.dependencies.items()):
        path = f"/body/dependencies/{dependency_id}/versionSelector"
        _check_dependency(state, wish.deployment_id, dependency_id, selector, path)
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
        dependencies=wish.dependencies,
        created_at=asked.now,
    )
    return Decided(saved(version, None), {"id": version_id})


def update_version(wish: UpdateVersion, state: PlannerState, asked: Asked) -> Decided:
    """Change what the wish names of a version.

    Raises:
        Refused: the version or its deployment is unknown, the tag is taken, or it is too large.
    """
    before = _version(state, wish.version_id)
    changes = wish.model_dump(exclude={"version_id"}, exclude_none=True)
    version = before.model_copy(update=changes)
    if not version.name:
        version = version.model_copy(update={"name": version.tag})
    _check_tag(state, version.deployment_id, version.tag, version.version_id)
    return Decided(saved(version, before), {"id": version.version_id})


def save_version_dependency(wish: SaveVersionDependency, state: PlannerState, asked: Asked) -> Decided:
    """Say which version of another deployment must run on the same resource.

    Raises:
        Refused: the version or the deployment is unknown, the deployment is the version's own, or the selector is not readable.
    """
    before = _version(state, wish.version_id)
    path = "/body/versionSelector"
    _check_dependency(state, before.deployment_id, wish.dependency_deployment_id, wish.version_selector, path)
    dependencies = {**before.dependencies, wish.dependency_deployment_id: wish.version_selector}
    return Decided(saved(before.model_copy(update={"dependencies": dependencies}), before), {"id": wish.version_id})


def delete_version_dependency(wish: DeleteVersionDependency, state: PlannerState, asked: Asked) -> Decided:
    """A version no longer depends on a deployment. Raises: Refused: the version is unknown, or does not depend on it."""
    before = _version(state, wish.version_id)
    if wish.dependency_deployment_id not in before.dependencies:
        raise Refused("not_found", f"Version '{before.tag}' does not depend on deployment {wish.dependency_deployment_id}")
    left = {one: selector for one, selector in before.dependencies.items() if one != wish.dependency_deployment_id}
    return Decided(saved(before.model_copy(update={"dependencies": left}), before), {"id": wish.version_id})


def _version(state: PlannerState, version_id: str) -> VersionUpdated:
    """A version that may be changed. Raises: Refused: it or its deployment is unknown."""
    version = require(state.catalog.versions, version_id, "Deployment version")
    if version.deployment_id not in state.catalog.deployments:
        raise Refused("not_found", f"Deployment version {version_id} not found: its deployment was deleted")
    return version


def _check_dependency(state: PlannerState, own_id: str, dependency_id: str, selector: str, path: str) -> None:
    if dependency_id == own_id:
        raise Refused(
            "invalid", "A version can not depend on its own deployment", details=_at(path, "names the version's own deployment")
        )
    if not selector.strip():
        raise Refused(
            "invalid",
            "A version selector is blank; write an expression, or `true` for any version",
            details=_at(path, "is blank"),
        )
    check_selector(contexts.DEPENDENCY, selector, path=path, what="version selector")
    require(state.catalog.deployments, dependency_id, "Deployment")


def _at(path: str, message: str) -> list[Json]:
    return [{"path": path, "message": message, "errorCode": "dependency"}]


def _check_tag(state: PlannerState, deployment_id: str, tag: str, own_id: str) -> None:
    tags = state.catalog.version_ids.get(deployment_id)
    taken_by = tags.get(tag) if tags is not None else None
    if taken_by is not None and taken_by != own_id:
        raise Refused("conflict", f"There is a version with tag '{tag}' in this deployment already; choose another tag")
