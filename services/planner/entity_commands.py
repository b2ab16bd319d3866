"""Saves and deletes deployments and environments."""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.planner import DeleteDeployment, DeleteEnvironment, SaveDeployment, SaveEnvironment
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved, VersionUpdated
from contracts.shapes import Json
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.runtime.service import Decided, Draft
from services.planner.documents import require, saved
from services.planner.state import PlannerState


def save_deployment(wish: SaveDeployment, state: PlannerState, asked: Asked) -> Decided:
    """Create or replace a deployment.

    Raises:
        Refused: `INVALID_CEL`, `DUPLICATE_NAME`, or it is too large.
    """
    _check_resource_selector(wish.resource_selector)
    if wish.job_agent_selector:
        check_selector(contexts.AGENT, wish.job_agent_selector, path="/body/jobAgentSelector", what="job agent selector")
    deployment_id = wish.deployment_id or str(uuid5(UUID(asked.id), "deployment"))
    _check_name(state.catalog.deployment_ids.get(wish.name), deployment_id, "deployment", wish.name)
    before = state.catalog.deployments.get(deployment_id)
    agent_selector, agent_config = _agent(wish, before)
    deployment = DeploymentSaved(
        deployment_id=deployment_id,
        name=wish.name,
        description=wish.description,
        resource_selector=wish.resource_selector,
        job_agent_selector=agent_selector,
        job_agent_config=agent_config,
        metadata=wish.metadata,
        supersession=wish.supersession or (before.supersession if before else "latest"),
        created_at=before.created_at if before else asked.now,
    )
    return Decided(saved(deployment, before), {"id": deployment_id})


def delete_deployment(wish: DeleteDeployment, state: PlannerState, asked: Asked) -> Decided:
    """Delete a deployment; its versions are kept, and nobody depends on it any more. Raises: Refused: unknown."""
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    freed = [_independent(one, wish.deployment_id) for one in _dependents(state, wish.deployment_id)]
    gone = DeploymentDeleted(deployment_id=wish.deployment_id)
    return Decided((*(Draft(one) for one in freed), Draft(gone)), {"id": wish.deployment_id})


def _dependents(state: PlannerState, deployment_id: str) -> list[VersionUpdated]:
    """Versions that depend on a deployment, by id."""
    versions = state.catalog.versions
    return [versions[one] for one in sorted(versions) if deployment_id in versions[one].dependencies]


def _independent(version: VersionUpdated, of: str) -> VersionUpdated:
    left = {one: selector for one, selector in version.dependencies.items() if one != of}
    return version.model_copy(update={"dependencies": left})


def save_environment(wish: SaveEnvironment, state: PlannerState, asked: Asked) -> Decided:
    """Create or replace an environment.

    Raises:
        Refused: `INVALID_CEL`, `DUPLICATE_NAME`, or it is too large.
    """
    _check_resource_selector(wish.resource_selector)
    environment_id = wish.environment_id or str(uuid5(UUID(asked.id), "environment"))
    _check_name(state.catalog.environment_ids.get(wish.name), environment_id, "environment", wish.name)
    before = state.catalog.environments.get(environment_id)
    environment = EnvironmentSaved(
        environment_id=environment_id,
        name=wish.name,
        description=wish.description,
        resource_selector=wish.resource_selector,
        metadata=wish.metadata,
        created_at=before.created_at if before else asked.now,
    )
    return Decided(saved(environment, before), {"id": environment_id})


def delete_environment(wish: DeleteEnvironment, state: PlannerState, asked: Asked) -> Decided:
    """Delete an environment. Raises: Refused: unknown."""
    require(state.catalog.environments, wish.environment_id, "Environment")
    return Decided((Draft(EnvironmentDeleted(environment_id=wish.environment_id)),), {"id": wish.environment_id})


def _check_resource_selector(source: str) -> None:
    check_selector(contexts.SELECTOR, source, path="/body/resourceSelector", what="resource selector")


def _check_name(taken_by: str | None, own_id: str, what: str, name: str) -> None:
    if taken_by is not None and taken_by != own_id:
        raise Refused("conflict", f"The name '{name}' is taken by another {what}; choose another name", code="DUPLICATE_NAME")


def _agent(wish: SaveDeployment, before: DeploymentSaved | None) -> tuple[str, Json]:
    """Selector and config come together: a config without a selector changes nothing, except on a deployment that is created anew."""
    if wish.job_agent_selector is not None:
        return wish.job_agent_selector, wish.job_agent_config
    if before is not None:
        return before.job_agent_selector, before.job_agent_config
    return "false", wish.job_agent_config if wish.deployment_id is None else {}
