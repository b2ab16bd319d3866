"""Job agents and jobs."""

from __future__ import annotations

from pydantic import Field

from contracts.shapes import JobStatus, Json
from services.gateway.http.bodies.form import Body, Instant


class AgentBody(Body):
    """A job agent."""

    name: str
    type: str
    config: Json
    metadata: dict[str, str] = Field(default_factory=dict)


class JobStatusBody(Body):
    """How a job stands."""

    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: Instant | None = None
    completed_at: Instant | None = None
