"""Systems, deployments and their variables, environments, versions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.shapes import Json, Supersession, VersionStatus
from services.gateway.http.bodies.form import INT64, Body, Instant, Value


class SystemBody(Body):
    """A system; a slug is accepted and ignored."""

    name: str
    slug: str = ""
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)


class DeploymentBody(Body):
    """A deployment; a slug is required and ignored.

    Attributes:
        supersession: which of its versions a target takes; left out it stays as it is ("latest" at first).
    """

    name: str
    slug: str
    description: str = ""
    resource_selector: str = "false"
    job_agent_selector: str | None = None
    job_agent_config: Json = Field(default_factory=dict)
    supersession: Supersession | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class DeploymentVariableBody(Body):
    """A variable of a deployment."""

    deployment_id: str
    key: str
    description: str | None = None


class DeploymentVariableValueBody(Body):
    """A value of a deployment variable."""

    deployment_variable_id: str
    value: Value
    resource_selector: str | None = None
    priority: int = Field(ge=-INT64, le=INT64)


class EnvironmentBody(Body):
    """An environment."""

    name: str
    description: str = ""
    resource_selector: str = "false"
    metadata: dict[str, str] = Field(default_factory=dict)


PublicVersionStatus = Literal["unspecified", "building", "ready", "failed", "rejected"]


class DependencyBody(Body):
    """Which versions of another deployment a version needs on the same resource."""

    version_selector: str


class CreateVersion(Body):
    """A version from CI; an empty name stands for the tag. `createdAt` is accepted and ignored.

    Attributes:
        dependencies: by id of the deployment that is needed.
    """

    name: str
    tag: str
    status: PublicVersionStatus
    message: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: Instant | None = None
    dependencies: dict[str, DependencyBody] = Field(default_factory=dict)


class UpdateVersion(Body):
    """Changes of a version; what is left out stays. `id` and `createdAt` are accepted and ignored."""

    id: str | None = None
    tag: str | None = None
    name: str | None = None
    status: PublicVersionStatus | None = None
    message: str | None = None
    config: Json | None = None
    job_agent_config: Json | None = None
    metadata: dict[str, str] | None = None
    created_at: Instant | None = None


class VersionStatusBody(Body):
    """What a person says of a version; `message` says why, and stays as it is when it is left out."""

    status: VersionStatus
    message: str | None = Field(None, max_length=2_000)


class ApprovalBody(Body):
    """A person's word on a version for some environments, or for all when the list is empty; `withdrawn` takes it back."""

    status: Literal["approved", "rejected", "withdrawn"]
    environment_ids: tuple[str, ...]
    reason: str | None = None
