"""What clients get: the shape of every answer. Answers are made as plain JSON; these models document them, and tests hold every answer
against them."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from contracts.shapes import JobStatus, Json, VersionStatus

Timestamp = str
"""RFC 3339 in UTC with milliseconds and `Z`."""

T = TypeVar("T")


def _by_wire_names(extra: Literal["forbid", "allow"]) -> ConfigDict:
    return ConfigDict(extra=extra, strict=True, alias_generator=to_camel)


class AnswerModel(BaseModel):
    """A JSON object with camelCase names; a property that is not required is absent rather than null."""

    model_config = _by_wire_names("forbid")


class ErrorAnswer(AnswerModel):
    """Why it could not be done."""

    message: str
    error: str
    code: str = ""
    details: Any = None


class Accepted(AnswerModel):
    """The change was made; the thing can be read at once."""

    id: str
    message: str


class Page(AnswerModel, Generic[T]):
    """A part of a list; `total` counts all of it."""

    items: list[T]
    total: int
    limit: int
    offset: int


class Workspace(AnswerModel):
    """A tenant."""

    id: str
    name: str
    slug: str
    created_at: Timestamp


class WorkspaceList(AnswerModel):
    """All workspaces that the caller may see."""

    workspaces: list[Workspace]
    total: int


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


class DeploymentWithVariablesAndSystems(DeploymentAndSystems):
    """A deployment with its systems and variables."""

    variables: list[Json]


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


class VersionWithDependencies(Version):
    """A version with what it depends on."""

    dependencies: dict[str, Json]


class Resource(AnswerModel):
    """Something that can be deployed to."""

    id: str
    workspace_id: str
    identifier: str
    name: str
    kind: str
    version: str
    config: Json
    metadata: dict[str, str]
    provider_id: str = ""
    created_at: Timestamp
    updated_at: Timestamp


class ResourceList(AnswerModel):
    """All resources of a provider."""

    items: list[Resource]
    total: int
    limit: int
    offset: int


class Provider(AnswerModel):
    """Who tells of resources."""

    id: str
    workspace_id: str
    name: str
    metadata: dict[str, str]
    created_at: Timestamp


class SetAccepted(AnswerModel):
    """A provider's resources were set; the counts are additive."""

    ok: bool
    method: str
    saved: int = 0
    deleted: int = 0
    skipped: int = 0


class JobAgent(AnswerModel):
    """Who executes jobs."""

    id: str
    workspace_id: str = ""
    name: str
    type: str
    config: Json
    metadata: dict[str, str]


class ReleaseTarget(AnswerModel):
    """A resource in an environment, for a deployment."""

    resource_id: str
    environment_id: str
    deployment_id: str


class Release(AnswerModel):
    """A version with its variables, for a target."""

    id: str
    release_target: ReleaseTarget
    version: Version
    variables: Json
    encrypted_variables: list[str]
    created_at: Timestamp


class ContextEnvironment(Environment):
    """An environment as jobs see it."""

    workspace_id: str


class DispatchContext(AnswerModel):
    """What a job was made from, as it was then."""

    release: Release | None = None
    deployment: Deployment | None = None
    environment: ContextEnvironment | None = None
    resource: Resource | None = None
    version: Version | None = None
    variables: Json = Field(default_factory=dict)
    job_agent: JobAgent
    job_agent_config: Json


class Job(AnswerModel):
    """One execution of a release by an agent."""

    id: str
    release_id: str
    job_agent_id: str
    job_agent_config: Json
    status: JobStatus
    message: str = ""
    external_id: str = ""
    metadata: dict[str, str]
    created_at: Timestamp
    updated_at: Timestamp
    deadline_at: Timestamp
    started_at: Timestamp = ""
    completed_at: Timestamp = ""
    dispatch_context: DispatchContext | None = None


class JobWithRelease(AnswerModel):
    """A job beside its release."""

    job: Job
    release: Release
    deployment: Deployment
    environment: ContextEnvironment
    resource: Resource


class Measurement(AnswerModel):
    """One answer of a metric."""

    status: Literal["passed", "failed", "inconclusive"]
    measured_at: Timestamp
    message: str = ""
    data: Json


class MetricStatus(AnswerModel):
    """A metric with its measurements."""

    model_config = _by_wire_names("allow")
    name: str
    interval_seconds: int
    count: int
    provider: Json
    success_condition: str
    measurements: list[Measurement]


class Verification(AnswerModel):
    """Whether what a job deployed is healthy."""

    id: str
    job_id: str
    metrics: list[MetricStatus]
    created_at: Timestamp
    status: Literal["passed", "running", "failed"]
    message: str = ""


class LatestJob(AnswerModel):
    """The newest job of a target with its verifications."""

    job: Job
    verifications: list[Verification]


class TargetState(AnswerModel):
    """What a target should run, what it runs, and its newest job."""

    desired_release: Release | None = None
    current_release: Release | None = None
    latest_job: LatestJob | None = None


class PlainTargetState(AnswerModel):
    """As `TargetState`, with a plain job."""

    desired_release: Release | None = None
    current_release: Release | None = None
    latest_job: Job | None = None


class TargetWithState(AnswerModel):
    """A target and its state."""

    release_target: ReleaseTarget
    state: PlainTargetState


class DesiredRelease(AnswerModel):
    """What a target should run."""

    desired_release: Release


class PolicyRule(AnswerModel):
    """One rule of a policy."""

    id: str
    policy_id: str
    created_at: Timestamp
    any_approval: Json | None = None
    environment_progression: Json | None = None
    gradual_rollout: Json | None = None
    verification: Json | None = None
    rollback: Json | None = None


class Policy(AnswerModel):
    """Rules for the targets that a selector picks."""

    id: str
    workspace_id: str
    created_at: Timestamp
    name: str
    description: str = ""
    selector: str
    priority: int
    enabled: bool
    metadata: dict[str, str]
    rules: list[PolicyRule]


class Reason(AnswerModel):
    """A rule's verdict on a version for a target."""

    rule_type: str
    rule_id: str
    policy_id: str
    policy_name: str
    verdict: Literal["allowed", "waiting", "blocked"]
    message: str
    ended_by: str
    satisfied_at: Timestamp = ""
    look_again_at: Timestamp = ""
    facts: list[int]


class VersionStanding(AnswerModel):
    """Where a version stands on a target."""

    version_id: str
    tag: str
    cleared: bool
    message: str
    reasons: list[Reason]


class ReleaseRef(AnswerModel):
    """A release by its id and version."""

    release_id: str
    version_id: str
    tag: str


class Explanation(AnswerModel):
    """Why a target is where it is."""

    resource_id: str
    environment_id: str
    deployment_id: str
    position: int
    desired: ReleaseRef | None = None
    current: ReleaseRef | None = None
    message: str
    versions: list[VersionStanding]


class CloudEvent(AnswerModel):
    """A recorded fact."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: Timestamp
    datacontenttype: str
    dataschema: str
    position: int
    recordedtime: Timestamp
    correlationid: str
    causationid: str
    authid: str
    traceparent: str
    data: Json


class EventPage(AnswerModel):
    """Facts, and the newest position there is."""

    items: list[CloudEvent]
    position: int
