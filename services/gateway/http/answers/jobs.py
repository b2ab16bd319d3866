"""Job agents, releases, jobs and what they were made from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.shapes import JobStatus, Json
from services.gateway.http.answers.catalog import Deployment, Environment, Version
from services.gateway.http.answers.form import AnswerModel, Timestamp
from services.gateway.http.answers.inventory import Resource


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


class ContextJob(AnswerModel):
    """A job as its own templates name it."""

    id: str


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
    job: ContextJob
    workflow: Json = Field(default_factory=dict)
    workflow_run: Json = Field(default_factory=dict)
    workflow_job: Json = Field(default_factory=dict)
    inputs: Json = Field(default_factory=dict)


class JobLease(AnswerModel):
    """Who has a job for a time: nobody else gets it before the lease is over, and who has it says again that it is still at it."""

    instance: str = ""
    claims: int
    leased_at: Timestamp
    expires_at: Timestamp


class JobDelay(AnswerModel):
    """A call to the agent that did not get through for certain, and when it is made again."""

    call: Literal["dispatch", "cancel"]
    calls: int
    message: str
    next_at: Timestamp


class JobCancellation(AnswerModel):
    """What the agent said when it was told to stop."""

    stopped: bool
    message: str = ""
    answered_at: Timestamp


class Job(AnswerModel):
    """One execution of a release, or of a workflow's step, by an agent.

    Attributes:
        deadline_at: when it fails unless it ended before; left out while it waits for a free place.
    """

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
    deadline_at: Timestamp = ""
    started_at: Timestamp = ""
    completed_at: Timestamp = ""
    dispatch_context: DispatchContext | None = None
    lease: JobLease | None = None
    delay: JobDelay | None = None
    cancellation: JobCancellation | None = None


class ClaimedJob(Job):
    """A job that was taken; with a claim and its end when it was taken for a time."""

    claim_id: str = ""
    lease_expires_at: Timestamp = ""


class Heartbeat(AnswerModel):
    """How long a claim holds now."""

    id: str
    claim_id: str
    lease_expires_at: Timestamp


class JobWithRelease(AnswerModel):
    """A job beside its release."""

    job: Job
    release: Release
    deployment: Deployment
    environment: ContextEnvironment
    resource: Resource
