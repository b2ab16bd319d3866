"""What runs behind releases, as pages list it: jobs, agents, providers, and how far the services are."""

from __future__ import annotations

from pydantic import Field

from contracts.shapes import JobStatus, Json
from services.gateway.http.answers.board import BoardNamed, BoardVersion
from services.gateway.http.answers.form import AnswerModel, Timestamp
from services.gateway.http.answers.jobs import JobDelay, JobLease


class JobAgentInShort(BoardNamed):
    """Who executes."""

    type: str


class JobResource(BoardNamed):
    """Where a job does its work."""

    identifier: str


class JobOfRun(AnswerModel):
    """The workflow's run that a job is a step of."""

    id: str
    workflow: str
    step: str


class JobInShort(AnswerModel):
    """A job by the names of what it is of. What was deleted since is null.

    Attributes:
        target: key of the release target; null for a job of a workflow's run, which has `run` instead.
        deadline_at: as of the job itself.
    """

    id: str
    status: JobStatus
    message: str
    created_at: Timestamp
    started_at: Timestamp | None
    completed_at: Timestamp | None
    deadline_at: Timestamp | None
    agent: JobAgentInShort | None
    target: str | None
    deployment: BoardNamed | None
    environment: BoardNamed | None
    resource: JobResource | None
    version: BoardVersion | None
    run: JobOfRun | None
    lease: JobLease | None
    delay: JobDelay | None


class JobCounts(AnswerModel):
    """How many jobs stand so, of those that the other filters pick."""

    queued: int
    running: int
    finished: int


class JobBoard(AnswerModel):
    """Jobs, newest first, a part of them."""

    items: list[JobInShort]
    total: int
    limit: int
    offset: int
    counts: JobCounts


class AgentError(AnswerModel):
    """A job that did not end well."""

    job_id: str
    status: JobStatus
    message: str
    at: Timestamp


class AgentAtWork(AnswerModel):
    """An agent and what it has to do. `last_error` is its newest job that did not end well, null when there is none."""

    id: str
    name: str
    type: str
    config: Json
    metadata: dict[str, str]
    queued: int
    running: int
    finished: int
    last_error: AgentError | None


class AgentsAtWork(AnswerModel):
    """Agents, newest first, a part of them."""

    items: list[AgentAtWork]
    total: int
    limit: int
    offset: int


class ProviderInShort(AnswerModel):
    """A provider. `changed_at` is when it last told of a resource that was new or different; null when it owns none."""

    id: str
    name: str
    created_at: Timestamp
    metadata: dict[str, str]
    resources: int
    changed_at: Timestamp | None


class ProvidersInShort(AnswerModel):
    """Providers, newest first, a part of them."""

    items: list[ProviderInShort]
    total: int
    limit: int
    offset: int


class ServiceStanding(AnswerModel):
    """How far a service is with the workspace's facts.

    Attributes:
        position: up to where it has folded; null where another process has it.
        decided: up to where it has recorded what follows. It moves only when something follows, so that it may lie far back.
        stopped: why it no longer goes on with this workspace; empty when it does.
    """

    name: str
    position: int | None
    decided: int
    stopped: str


class ParkedFact(AnswerModel):
    """A fact that somebody could not handle and passed over: it waits for a person."""

    consumer: str
    position: int
    error: str


class SystemStanding(AnswerModel):
    """How the installation is, as far as this workspace sees it.

    Attributes:
        position: the newest fact.
        recorded_at: when that was recorded; null in an empty workspace.
        rows: up to where reads show facts.
    """

    version: str
    position: int
    recorded_at: Timestamp | None
    rows: int
    services: list[ServiceStanding]
    parked: list[ParkedFact] = Field(default_factory=list)
