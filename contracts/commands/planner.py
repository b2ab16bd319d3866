"""What planner can be asked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.command import Wish, wish
from contracts.shapes import Json, VersionStatus


class _Planner(Wish):
    SERVICE: ClassVar[str] = "planner"


@wish
class SaveSystem(_Planner):
    """Create a system (no id), or create or replace the one with this id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_system"
    system_id: str | None = None
    name: str
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteSystem(_Planner):
    """Delete a system and its links. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_system"
    system_id: str


@wish
class LinkDeployment(_Planner):
    """Put a deployment into a system; again changes nothing. Answers `{id}` (the system's)."""

    NAME: ClassVar[str] = "link_deployment"
    system_id: str
    deployment_id: str


@wish
class UnlinkDeployment(_Planner):
    """Take a deployment out of a system. Answers `{id}` (the system's)."""

    NAME: ClassVar[str] = "unlink_deployment"
    system_id: str
    deployment_id: str


@wish
class LinkEnvironment(_Planner):
    """Put an environment into a system; again changes nothing. Answers `{id}` (the system's)."""

    NAME: ClassVar[str] = "link_environment"
    system_id: str
    environment_id: str


@wish
class UnlinkEnvironment(_Planner):
    """Take an environment out of a system. Answers `{id}` (the system's)."""

    NAME: ClassVar[str] = "unlink_environment"
    system_id: str
    environment_id: str


@wish
class SaveDeployment(_Planner):
    """Create a deployment (no id), or create or replace the one with this id. Answers `{id}`.

    `job_agent_selector` None leaves selector and config of an existing deployment as they are.
    """

    NAME: ClassVar[str] = "save_deployment"
    deployment_id: str | None = None
    name: str
    description: str = ""
    resource_selector: str = "false"
    job_agent_selector: str | None = None
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteDeployment(_Planner):
    """Delete a deployment. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_deployment"
    deployment_id: str


@wish
class SaveEnvironment(_Planner):
    """Create an environment (no id), or create or replace the one with this id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_environment"
    environment_id: str | None = None
    name: str
    description: str = ""
    resource_selector: str = "false"
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteEnvironment(_Planner):
    """Delete an environment. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_environment"
    environment_id: str


@wish
class CreateVersion(_Planner):
    """CI posts a version of a deployment; its tag is unique there. Answers `{id}`."""

    NAME: ClassVar[str] = "create_version"
    deployment_id: str
    tag: str
    name: str = ""
    status: VersionStatus = "ready"
    message: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class UpdateVersion(_Planner):
    """Change a version; None leaves a field as it is. Answers `{id}`."""

    NAME: ClassVar[str] = "update_version"
    version_id: str
    tag: str | None = None
    name: str | None = None
    status: VersionStatus | None = None
    message: str | None = None
    config: Json | None = None
    job_agent_config: Json | None = None
    metadata: dict[str, str] | None = None
