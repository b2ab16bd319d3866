"""Systems and links, deployments and their variables, environments, versions."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from contracts.shapes import Json, Supersession, VersionStatus
from services.gateway.http.answers.form import AnswerModel, Timestamp


class System(AnswerModel):
    """A group of deployments and environments."""

    id: str
    workspace_id: str
    name: str
    slug: str
    description: str = ""
    metadata: dict[str, str]


class Deployment(AnswerModel):
    """Something that is deployed."""

    id: str
    name: str
    slug: str
    description: str = ""
    resource_selector: str
    job_agent_selector: str
    job_agent_config: Json
    supersession: Supersession | None = None
    metadata: dict[str, str]


class Environment(AnswerModel):
    """Where things are deployed to."""

    id: str
    name: str
    description: str = ""
    resource_selector: str = ""
    metadata: dict[str, str]
    created_at: Timestamp


class SystemWithLinkedEntities(System):
    """A system with what is linked to it."""

    deployments: list[Deployment]
    environments: list[Environment]


class DeploymentLink(AnswerModel):
    """A deployment in a system."""

    system_id: str
    deployment_id: str


class EnvironmentLink(AnswerModel):
    """An environment in a system."""

    system_id: str
    environment_id: str


class DeploymentAndSystems(AnswerModel):
    """A deployment with its systems."""

    deployment: Deployment
    systems: list[System]


class DeploymentVariable(AnswerModel):
    """A variable of a deployment."""

    id: str
    deployment_id: str
    key: str
    description: str = ""


class DeploymentVariableValue(AnswerModel):
    """A value of a deployment variable; without a selector it holds everywhere."""

    id: str
    deployment_variable_id: str
    value: Any
    resource_selector: str = ""
    priority: int


class DeploymentVariableWithValues(AnswerModel):
    """A variable of a deployment with its values, the greatest priority first."""

    variable: DeploymentVariable
    values: list[DeploymentVariableValue]


class DeploymentWithVariablesAndSystems(DeploymentAndSystems):
    """A deployment with its systems and variables."""

    variables: list[DeploymentVariableWithValues]


class EnvironmentWithSystems(Environment):
    """An environment with its systems."""

    systems: list[System]


class Version(AnswerModel):
    """A version of a deployment."""

    id: str
    deployment_id: str
    tag: str
    name: str
    status: VersionStatus
    message: str = ""
    config: Json
    job_agent_config: Json
    metadata: dict[str, str]
    created_at: Timestamp


class VersionSelector(AnswerModel):
    """Which versions of a deployment will do."""

    version_selector: str


class VersionWithDependencies(Version):
    """A version with what it depends on."""

    dependencies: dict[str, VersionSelector]


class VersionDependency(AnswerModel):
    """Which versions of another deployment a version needs on the same resource."""

    deployment_version_id: str
    dependency_deployment_id: str
    version_selector: str


class VersionDependencies(RootModel[list[VersionDependency]]):
    """All that a version depends on, by id of the deployment."""
