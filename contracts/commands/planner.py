"""What planner can be asked."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Query, Wish, wish
from contracts.commands.inventory import ResourceInput
from contracts.shapes import Json, Supersession, VersionStatus


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

    `job_agent_selector` None leaves selector and config of an existing deployment as they are; so does `supersession` None.
    """

    NAME: ClassVar[str] = "save_deployment"
    deployment_id: str | None = None
    name: str
    description: str = ""
    resource_selector: str = "false"
    job_agent_selector: str | None = None
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    supersession: Supersession | None = None


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
    """CI posts a version of a deployment; its tag is unique there. Answers `{id}`.

    `dependencies`: selectors of the version that must run on the same resource, by deployment id.
    """

    NAME: ClassVar[str] = "create_version"
    deployment_id: str
    tag: str
    name: str = ""
    status: VersionStatus = "ready"
    message: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    dependencies: dict[str, str] = Field(default_factory=dict)


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


@wish
class SaveVersionDependency(_Planner):
    """Say which version of another deployment must run on the same resource. Answers `{id}` (the version's)."""

    NAME: ClassVar[str] = "save_version_dependency"
    version_id: str
    dependency_deployment_id: str
    version_selector: str


@wish
class DeleteVersionDependency(_Planner):
    """A version no longer depends on a deployment. Answers `{id}` (the version's)."""

    NAME: ClassVar[str] = "delete_version_dependency"
    version_id: str
    dependency_deployment_id: str


@wish
class SaveDeploymentVariable(_Planner):
    """Declare a variable of a deployment under the caller's id, or change its key and description. Answers `{id}`."""

    NAME: ClassVar[str] = "save_deployment_variable"
    variable_id: str
    deployment_id: str
    key: str
    description: str | None = None


@wish
class DeleteDeploymentVariable(_Planner):
    """Delete a deployment variable and its values. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_deployment_variable"
    variable_id: str


@wish
class SaveDeploymentVariableValue(_Planner):
    """Create or replace a value of a deployment variable under the caller's id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_deployment_variable_value"
    value_id: str
    variable_id: str
    value: Any
    resource_selector: str | None = None
    priority: int


@wish
class DeleteDeploymentVariableValue(_Planner):
    """Delete a value of a deployment variable. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_deployment_variable_value"
    value_id: str


class _Choice(_Planner):
    """About one target (`resource_id`), or about every target of a deployment in an environment (None)."""

    deployment_id: str
    environment_id: str
    resource_id: str | None = None
    reason: str = ""


@wish
class PinVersion(_Choice):
    """Let no other version go there until the pin is released; the same pin again changes nothing. Answers `{id}` (the version's)."""

    NAME: ClassVar[str] = "pin_version"
    version_id: str


@wish
class ReleasePin(_Choice):
    """End a pin. Answers `{id}` (the version's)."""

    NAME: ClassVar[str] = "release_pin"


@wish
class Redeploy(_Choice):
    """Dispatch the desired release once more, whatever policies or retries say. Answers `{targets}`, how many."""

    NAME: ClassVar[str] = "redeploy"


@wish
class RollBack(_Choice):
    """Go back to the last good release, or to the newest good one of a named version. Answers `{targets}`, how many went back.

    What is desired now, and every version between the two, is marked bad there. Targets that have nothing to go back to are left as
    they are; refused with conflict when none has. With `from_version_id` only those targets go back on which that version is desired: the
    whole of one rollout.
    """

    NAME: ClassVar[str] = "roll_back"
    version_id: str | None = None
    from_version_id: str | None = None


@wish
class RollBackEnvironment(_Planner):
    """Go back to the last good release on every target of an environment, whatever its deployment. Answers `{targets}`, how many went back.

    Refused with conflict when none has anything to go back to.
    """

    NAME: ClassVar[str] = "roll_back_environment"
    environment_id: str
    reason: str = ""


@wish
class PreviewRollback(Query):
    """What going back would do at this moment, of a deployment in an environment or of all in it: answers a `RollbackPreview`.

    Refused as `roll_back` and `roll_back_environment` would be.
    """

    SERVICE: ClassVar[str] = "planner"
    NAME: ClassVar[str] = "preview_rollback"
    environment_id: str
    deployment_id: str | None = None
    version_id: str | None = None
    from_version_id: str | None = None


class WayBack(BaseModel):
    """Targets of a deployment that would go from one version to another, or within one to its release with other variables."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    deployment_id: str
    from_version_id: str
    to_version_id: str
    targets: int


class RollbackPreview(BaseModel):
    """What going back would do.

    Attributes:
        items: by the names of the deployments, then by most targets.
        targets: how many would go back.
        marked: versions that would be marked bad on some of them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[WayBack, ...]
    targets: int
    marked: tuple[str, ...]


@wish
class LiftMark(_Choice):
    """End the bad mark of a version on a target, or on all targets of a deployment in an environment. Answers `{targets}`, how many had it.

    Refused with not_found when none has it.
    """

    NAME: ClassVar[str] = "lift_mark"
    version_id: str


@wish
class PreviewResource(Query):
    """Where a resource would be deployed to if it were there. Answers `[{system_id, deployment_id, environment_id}]`, sorted by their
    names."""

    SERVICE: ClassVar[str] = "planner"
    NAME: ClassVar[str] = "preview_resource"
    resource: ResourceInput
