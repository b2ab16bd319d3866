"""Facts that only planner appends: what should go where."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import Json, Supersession, VersionStatus


class _System(Fact):
    system_id: str

    @property
    def stream(self) -> str:
        return f"system/{self.system_id}"


class _Deployment(Fact):
    deployment_id: str

    @property
    def stream(self) -> str:
        return f"deployment/{self.deployment_id}"


class _Environment(Fact):
    environment_id: str

    @property
    def stream(self) -> str:
        return f"environment/{self.environment_id}"


class _Pair(Fact):
    deployment_id: str
    environment_id: str

    @property
    def stream(self) -> str:
        return f"rollout/{self.deployment_id}/{self.environment_id}"


@fact
class SystemSaved(_System):
    """A system was created or changed; the whole document."""

    TYPE: ClassVar[str] = "planner.system_saved.v1"
    name: str
    description: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime


@fact
class SystemDeleted(_System):
    """A system and its links are gone."""

    TYPE: ClassVar[str] = "planner.system_deleted.v1"


@fact
class DeploymentLinked(_System):
    """A deployment joined a system."""

    TYPE: ClassVar[str] = "planner.deployment_linked.v1"
    deployment_id: str


@fact
class DeploymentUnlinked(_System):
    """A deployment left a system."""

    TYPE: ClassVar[str] = "planner.deployment_unlinked.v1"
    deployment_id: str


@fact
class EnvironmentLinked(_System):
    """An environment joined a system."""

    TYPE: ClassVar[str] = "planner.environment_linked.v1"
    environment_id: str


@fact
class EnvironmentUnlinked(_System):
    """An environment left a system."""

    TYPE: ClassVar[str] = "planner.environment_unlinked.v1"
    environment_id: str


@fact
class DeploymentSaved(_Deployment):
    """A deployment was created or changed; the whole document."""

    TYPE: ClassVar[str] = "planner.deployment_saved.v1"
    name: str
    description: str = ""
    resource_selector: str = "false"
    job_agent_selector: str = "false"
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    supersession: Supersession = "latest"
    created_at: datetime


@fact
class DeploymentDeleted(_Deployment):
    """A deployment is gone."""

    TYPE: ClassVar[str] = "planner.deployment_deleted.v1"


@fact
class DeploymentVariableSaved(_Deployment):
    """A variable of a deployment was declared or changed; its key is unique there."""

    TYPE: ClassVar[str] = "planner.deployment_variable_saved.v1"
    variable_id: str
    key: str
    description: str | None = None
    created_at: datetime


@fact
class DeploymentVariableDeleted(_Deployment):
    """A variable of a deployment and its values are gone."""

    TYPE: ClassVar[str] = "planner.deployment_variable_deleted.v1"
    variable_id: str


@fact
class DeploymentVariableValueSaved(_Deployment):
    """A value of a deployment variable was created or changed; `value` is as `contracts.values` describes it.

    Without a selector it holds for every resource. Of several that hold, the greatest priority wins, then the lowest id.
    """

    TYPE: ClassVar[str] = "planner.deployment_variable_value_saved.v1"
    value_id: str
    variable_id: str
    value: Any
    resource_selector: str | None = None
    priority: int
    created_at: datetime


@fact
class DeploymentVariableValueDeleted(_Deployment):
    """A value of a deployment variable is gone."""

    TYPE: ClassVar[str] = "planner.deployment_variable_value_deleted.v1"
    value_id: str
    variable_id: str


@fact
class EnvironmentSaved(_Environment):
    """An environment was created or changed; the whole document."""

    TYPE: ClassVar[str] = "planner.environment_saved.v1"
    name: str
    description: str = ""
    resource_selector: str = "false"
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime


@fact
class EnvironmentDeleted(_Environment):
    """An environment is gone."""

    TYPE: ClassVar[str] = "planner.environment_deleted.v1"


class _Version(Fact):
    version_id: str
    deployment_id: str
    tag: str
    name: str
    status: VersionStatus = "ready"
    message: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    dependencies: dict[str, str] = Field(default_factory=dict)
    """Of what must run on the same resource: selectors of its version, by deployment id."""
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"version/{self.version_id}"


@fact
class VersionCreated(_Version):
    """CI posted a version."""

    TYPE: ClassVar[str] = "planner.version_created.v1"


@fact
class VersionUpdated(_Version):
    """A version was changed, for example rejected; the whole document."""

    TYPE: ClassVar[str] = "planner.version_updated.v1"


@fact
class TargetsChanged(_Pair):
    """Release targets of a deployment in an environment appeared or vanished; resource ids. At most 2,000 ids in one fact."""

    TYPE: ClassVar[str] = "planner.targets_changed.v1"
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class ReleaseItem(BaseModel):
    """One release of a batch: its id is made from target, version and variables, so equal content is the same release.

    `omitted` are the keys of variables whose value was too large to fit into it, in order; of many the first 20.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    release_id: str
    variables: dict[str, Any] = Field(default_factory=dict)
    omitted: tuple[str, ...] = ()


class RedeployItem(BaseModel):
    """One target of a redeployment, with its desired release."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    release_id: str
    version_id: str


@fact
class ReleasesCreated(_Pair):
    """The version became the desired one on these targets: their releases, new or the same as before. At most 1,000 items.

    `cleared_at` is the `at` of the clearance that each rests on; 0 where the version was desired before and only its variables changed:
    such a release waits for a clearance of its own before it is dispatched.
    """

    TYPE: ClassVar[str] = "planner.releases_created.v1"
    version_id: str
    items: tuple[ReleaseItem, ...]
    cleared_at: int
    created_at: datetime


@fact
class RollbackStarted(_Pair):
    """The version was marked bad on the target, and the target returns to its last good release (None: it has none, and stays).

    `release_id` is that very release again, `to_version_id` its version; `job_id` is the job that failed. A person who rolls back
    names no job, policy or rule (all empty).

    Attributes:
        also_marked: versions between the two that are marked bad as well, because a person went back further than one version.
        resolved_id: the release that `to_version_id` would have here with the variables of today; while that stays so, the release
            that was gone back to stays desired.
    """

    TYPE: ClassVar[str] = "planner.rollback_started.v1"
    resource_id: str
    version_id: str
    job_id: str
    release_id: str | None
    to_version_id: str | None
    reason: str
    policy_id: str
    rule_id: str
    also_marked: tuple[str, ...] = ()
    resolved_id: str | None = None
    started_at: datetime


@fact
class MarkLifted(_Pair):
    """A person ended the bad mark of a version on these targets: it may be deployed there again. At most 1,000."""

    TYPE: ClassVar[str] = "planner.mark_lifted.v1"
    version_id: str
    resource_ids: tuple[str, ...]
    reason: str = ""
    lifted_at: datetime


@fact
class VersionPinned(_Pair):
    """A person chose the version for a target (`resource_id`), or for all targets of the pair (None): no other one goes there.

    It replaces an earlier pin of the same scope; that of a target comes before that of its pair, and lifts the version's bad mark there.
    Policies apply as ever.
    """

    TYPE: ClassVar[str] = "planner.version_pinned.v1"
    resource_id: str | None = None
    version_id: str
    reason: str = ""
    pinned_at: datetime


@fact
class PinReleased(_Pair):
    """The pin of a target, or of the pair (None), ended: the newest cleared version goes there again."""

    TYPE: ClassVar[str] = "planner.pin_released.v1"
    resource_id: str | None = None
    version_id: str
    reason: str = ""
    released_at: datetime


@fact
class RedeployRequested(_Pair):
    """A person wants the desired releases of these targets dispatched once more, whatever policies or retries say.

    One that runs at the moment is waited for. The bad mark of a version, where there is one, is lifted. At most 1,000 items.
    """

    TYPE: ClassVar[str] = "planner.redeploy_requested.v1"
    items: tuple[RedeployItem, ...]
    reason: str = ""
    requested_at: datetime


class PlanTarget(BaseModel):
    """A target with the variables that the version would have there, and what it runs today (None: nothing yet)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    environment_id: str
    resource_id: str
    variables: dict[str, Any] = Field(default_factory=dict)
    current_version_id: str | None = None
    current_release_id: str | None = None


@fact
class PlanTargetsResolved(Fact):
    """Planner found the targets of a plan; several facts when they are many, the last one says so."""

    TYPE: ClassVar[str] = "planner.plan_targets_resolved.v1"
    plan_id: str
    deployment_id: str
    targets: tuple[PlanTarget, ...]
    last: bool
    resolved_at: datetime

    @property
    def stream(self) -> str:
        return f"plan/{self.plan_id}"
