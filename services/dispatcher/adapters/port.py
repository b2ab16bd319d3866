"""The port to job agents: what an agent is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from contracts.shapes import JobStatus, Json


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """A job as its agent is told.

    Attributes:
        job_id: the job's id, also the idempotency key: the same job may be handed over again after a crash.
        type: the agent's type.
        config: the merged configuration of agent, deployment and version.
        external_id: what the agent called the job when it answered, if it did.
    """

    job_id: str
    type: str
    config: Json
    external_id: str | None = None


class AgentAnswer(BaseModel):
    """How the job stands now, as the agent says.

    Attributes:
        status: the status that the job takes.
        message: for people; None leaves the job's message as it is.
        external_id: what the agent calls the job; None leaves it as it is.
        metadata: added to the job's metadata.
        look_again_s: seconds after which the agent is to be asked again; None when somebody will tell us.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    look_again_s: float | None = Field(None, ge=0)


class Agent(Protocol):
    """One type of agent.

    Both methods answer, whatever the outside does: an error there, or a configuration that can not be used, is an answer with a
    failed status and a message that says what to mend.
    """

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        """Hand a job over. Handing the same job over twice has the effect of doing so once."""

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        """Say how a job stands that was handed over; asked only where an answer said so by `look_again_s`."""
