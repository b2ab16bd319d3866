"""The port to job agents: what an agent is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from contracts.shapes import JobStatus, Json, MetricSpec


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """A job as its agent is told.

    Attributes:
        job_id: the job's id, also the idempotency key: the same job may be handed over again after a crash.
        type: the agent's type.
        config: the merged configuration of agent, deployment and version, with its secrets in clear.
        external_id: what the agent called the job when it answered, if it did.
        workspace_id, agent_id: whose job it is.
        context: what the job was made from, the root of all templates (`.resource`, `.version`, `.job.id` …).
        metadata: what was told of the job so far.
        again: the call may have been made before, by a process that did not live to record it: look before you start anything.
        status: how the job stands on our side, which others may have told us.
    """

    job_id: str
    type: str
    config: Json
    external_id: str | None = None
    workspace_id: str = ""
    agent_id: str = ""
    context: Json = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    status: JobStatus = "pending"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AgentAnswer(_Answer):
    """How the job stands now, as the agent says.

    Attributes:
        status: the status that the job takes.
        message: for people; None leaves the job's message as it is.
        external_id: what the agent calls the job; None leaves it as it is.
        metadata: added to the job's metadata.
        look_again_s: seconds after which the agent is to be asked again; None when somebody will tell us.
        metrics: what is to be verified beside what policies ask for; taken from the answer by which the job succeeds.
    """

    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    look_again_s: float | None = Field(None, ge=0)
    metrics: tuple[MetricSpec, ...] = ()


class Delayed(_Answer):
    """Nothing happened outside, for certain; the same call is to be made again.

    Attributes:
        message: why, for people.
        retry_after_s: as long as the outside wants us to wait; None: as long as we think right.
    """

    message: str
    retry_after_s: float | None = Field(None, ge=0)


class CancelAnswer(_Answer):
    """Whether a job that was to be stopped is, or will be; a run that is gone or has ended counts as stopped."""

    stopped: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A dry run as its agent is asked for it; the fields are those of `AgentRequest`. `result_id` is the key of it."""

    result_id: str
    type: str
    config: Json
    workspace_id: str = ""
    agent_id: str = ""
    context: Json = field(default_factory=dict)
    again: bool = False


class PlanAnswer(_Answer):
    """What a dry run found. `has_changes` is None where nobody can tell; `content_hash` is made of the texts where it is empty."""

    status: Literal["completed", "errored", "unsupported"]
    has_changes: bool | None = None
    current: str = ""
    proposed: str = ""
    message: str = ""
    content_hash: str = ""


class Agent(Protocol):
    """One type of agent.

    Every method answers, whatever the outside does: an error there, or a configuration that can not be used, is an answer that says
    what to mend. Where it is certain that nothing happened outside, and trying again may help, the answer is `Delayed`; where it is
    not certain, the method finds out (`observe` may be asked to look for the run) and never starts a second run.
    """

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Hand a job over. Handing the same job over twice has the effect of doing so once."""

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Say how a job stands that was handed over; asked only where an answer said so by `look_again_s`."""

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Stop what runs of a job that has ended on our side."""

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        """Say what a job would change, without changing anything."""
