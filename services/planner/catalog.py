"""What people and CI described: systems, deployments, environments, their links, versions; and what their selectors match."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from immutables import Map

from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, SystemSaved, VersionUpdated

Ids = Map[str, bool]
"""A set of ids that may grow: they are the keys."""

NO_IDS: Final[Ids] = Map()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Entities by id, and the ways between them.

    Attributes:
        systems, deployments, environments: the newest document of each, by id.
        deployment_ids, environment_ids: ids by name, which is unique in the workspace.
        deployments_of, environments_of: the members of each system that has any, by system id.
        systems_of: the systems of each deployment and environment that is in any, by `deployment/<id>` or `environment/<id>`.
        versions: the newest document of each version, by id, as the fact that would save it again.
        version_ids: for each deployment that has any, ids by tag.
        matches: for each deployment and environment, the resources its selector matches, keyed as in `systems_of`.
    """

    systems: Map[str, SystemSaved] = field(default_factory=Map)
    deployments: Map[str, DeploymentSaved] = field(default_factory=Map)
    environments: Map[str, EnvironmentSaved] = field(default_factory=Map)
    deployment_ids: Map[str, str] = field(default_factory=Map)
    environment_ids: Map[str, str] = field(default_factory=Map)
    deployments_of: Map[str, Map[str, bool]] = field(default_factory=Map)
    environments_of: Map[str, Map[str, bool]] = field(default_factory=Map)
    systems_of: Map[str, Map[str, bool]] = field(default_factory=Map)
    versions: Map[str, VersionUpdated] = field(default_factory=Map)
    version_ids: Map[str, Map[str, str]] = field(default_factory=Map)
    matches: Map[str, Map[str, bool]] = field(default_factory=Map)

    def age_of(self, version_id: str) -> tuple[datetime, str] | None:
        """What versions are ordered by, newest greatest: when it was created, then its id. None for an unknown one."""
        version = self.versions.get(version_id)
        return None if version is None else (version.created_at, version_id)

    def has(self, entity: str) -> bool:
        """Whether an entity (`<kind>/<id>`) is there, as far as planner owns its kind."""
        kind, _, id_ = entity.partition("/")
        return id_ in self.deployments if kind == "deployment" else kind != "environment" or id_ in self.environments

    def combines(self, deployment_id: str, environment_id: str) -> bool:
        """Whether both exist and share a system."""
        of_deployment = self.systems_of.get(deployment_key(deployment_id), NO_IDS)
        of_environment = self.systems_of.get(environment_key(environment_id), NO_IDS)
        return any(system in of_environment for system in of_deployment)

    def environments_beside(self, deployment_id: str) -> list[str]:
        """Environments that share a system with a deployment, sorted."""
        systems = self.systems_of.get(deployment_key(deployment_id), NO_IDS)
        return sorted({one for system in systems for one in self.environments_of.get(system, NO_IDS)})

    def deployments_beside(self, environment_id: str) -> list[str]:
        """Deployments that share a system with an environment, sorted."""
        systems = self.systems_of.get(environment_key(environment_id), NO_IDS)
        return sorted({one for system in systems for one in self.deployments_of.get(system, NO_IDS)})


def deployment_key(deployment_id: str) -> str:
    """The key of a deployment where deployments and environments share a map."""
    return f"deployment/{deployment_id}"


def environment_key(environment_id: str) -> str:
    """The key of an environment where deployments and environments share a map."""
    return f"environment/{environment_id}"
