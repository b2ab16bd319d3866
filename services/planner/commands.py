"""What planner does when it is asked: systems and links here, the rest beside; and the table of it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from contracts.command import Asked, Refused
from contracts.commands.planner import (
    CreateVersion,
    DeleteDeployment,
    DeleteEnvironment,
    DeleteSystem,
    DeleteVersionDependency,
    LinkDeployment,
    LinkEnvironment,
    SaveDeployment,
    SaveEnvironment,
    SaveSystem,
    SaveVersionDependency,
    UnlinkDeployment,
    UnlinkEnvironment,
    UpdateVersion,
)
from contracts.facts.planner import (
    DeploymentLinked,
    DeploymentUnlinked,
    EnvironmentLinked,
    EnvironmentUnlinked,
    SystemDeleted,
    SystemSaved,
)
from libs.runtime.service import Command, Decided, Draft
from services.planner.catalog import NO_IDS
from services.planner.choices import CHOICES
from services.planner.documents import require, saved
from services.planner.entity_commands import delete_deployment, delete_environment, save_deployment, save_environment
from services.planner.state import PlannerState
from services.planner.variable_commands import VARIABLES
from services.planner.version_commands import create_version, delete_version_dependency, save_version_dependency, update_version


def save_system(wish: SaveSystem, state: PlannerState, asked: Asked) -> Decided:
    """Create or replace a system. Names need not be unique. Raises: Refused: it is too large."""
    system_id = wish.system_id or str(uuid5(UUID(asked.id), "system"))
    before = state.catalog.systems.get(system_id)
    system = SystemSaved(
        system_id=system_id,
        name=wish.name,
        description=wish.description,
        metadata=wish.metadata,
        created_at=before.created_at if before else asked.now,
    )
    return Decided(saved(system, before), {"id": system_id})


def delete_system(wish: DeleteSystem, state: PlannerState, asked: Asked) -> Decided:
    """Delete a system and its links; its members stay. Raises: Refused: unknown."""
    require(state.catalog.systems, wish.system_id, "System")
    return Decided((Draft(SystemDeleted(system_id=wish.system_id)),), {"id": wish.system_id})


def link_deployment(wish: LinkDeployment, state: PlannerState, asked: Asked) -> Decided:
    """Put a deployment into a system. Raises: Refused: either is unknown."""
    require(state.catalog.systems, wish.system_id, "System")
    require(state.catalog.deployments, wish.deployment_id, "Deployment")
    if wish.deployment_id in state.catalog.deployments_of.get(wish.system_id, NO_IDS):
        return Decided(answer={"id": wish.system_id})
    linked = DeploymentLinked(system_id=wish.system_id, deployment_id=wish.deployment_id)
    return Decided((Draft(linked),), {"id": wish.system_id})


def unlink_deployment(wish: UnlinkDeployment, state: PlannerState, asked: Asked) -> Decided:
    """Take a deployment out of a system. Raises: Refused: it is not in it."""
    if wish.deployment_id not in state.catalog.deployments_of.get(wish.system_id, NO_IDS):
        raise Refused("not_found", f"Deployment {wish.deployment_id} is not linked to system {wish.system_id}")
    unlinked = DeploymentUnlinked(system_id=wish.system_id, deployment_id=wish.deployment_id)
    return Decided((Draft(unlinked),), {"id": wish.system_id})


def link_environment(wish: LinkEnvironment, state: PlannerState, asked: Asked) -> Decided:
    """Put an environment into a system. Raises: Refused: either is unknown."""
    require(state.catalog.systems, wish.system_id, "System")
    require(state.catalog.environments, wish.environment_id, "Environment")
    if wish.environment_id in state.catalog.environments_of.get(wish.system_id, NO_IDS):
        return Decided(answer={"id": wish.system_id})
    linked = EnvironmentLinked(system_id=wish.system_id, environment_id=wish.environment_id)
    return Decided((Draft(linked),), {"id": wish.system_id})


def unlink_environment(wish: UnlinkEnvironment, state: PlannerState, asked: Asked) -> Decided:
    """Take an environment out of a system. Raises: Refused: it is not in it."""
    if wish.environment_id not in state.catalog.environments_of.get(wish.system_id, NO_IDS):
        raise Refused("not_found", f"Environment {wish.environment_id} is not linked to system {wish.system_id}")
    unlinked = EnvironmentUnlinked(system_id=wish.system_id, environment_id=wish.environment_id)
    return Decided((Draft(unlinked),), {"id": wish.system_id})


COMMANDS: Final[Mapping[str, Command[PlannerState, Any]]] = {
    SaveSystem.NAME: Command(SaveSystem, save_system),
    DeleteSystem.NAME: Command(DeleteSystem, delete_system),
    LinkDeployment.NAME: Command(LinkDeployment, link_deployment),
    UnlinkDeployment.NAME: Command(UnlinkDeployment, unlink_deployment),
    LinkEnvironment.NAME: Command(LinkEnvironment, link_environment),
    UnlinkEnvironment.NAME: Command(UnlinkEnvironment, unlink_environment),
    SaveDeployment.NAME: Command(SaveDeployment, save_deployment),
    DeleteDeployment.NAME: Command(DeleteDeployment, delete_deployment),
    SaveEnvironment.NAME: Command(SaveEnvironment, save_environment),
    DeleteEnvironment.NAME: Command(DeleteEnvironment, delete_environment),
    CreateVersion.NAME: Command(CreateVersion, create_version),
    UpdateVersion.NAME: Command(UpdateVersion, update_version),
    SaveVersionDependency.NAME: Command(SaveVersionDependency, save_version_dependency),
    DeleteVersionDependency.NAME: Command(DeleteVersionDependency, delete_version_dependency),
    **VARIABLES,
    **CHOICES,
}
