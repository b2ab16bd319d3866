"""Job agents and jobs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.shapes import JobStatus, Json
from services.gateway.http.bodies.form import Body, Instant, Uuid


class AgentBody(Body):
    """A job agent."""

    name: str
    type: str
    config: Json
    metadata: dict[str, str] = Field(default_factory=dict)


class JobStatusBody(Body):
    """How a job stands. With `claimId` it is only taken from who has the job by this claim."""

    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: Instant | None = None
    completed_at: Instant | None = None
    claim_id: Uuid | None = None


class ClaimBody(Body):
    """Who takes a job, and for how long; without a time as its agent's configuration says, or for good."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    instance: str = Field("", max_length=200)
    lease_seconds: float | None = Field(None, gt=0, le=86_400)


class HeartbeatBody(Body):
    """The claim by which somebody is still at a job."""

    claim_id: Uuid


class CancelJobBody(Body):
    """Why a job is stopped."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    reason: str = ""


class CompleteJobBody(Body):
    """How a job ended that waited for a person, and what shows it."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    status: JobStatus = "successful"
    message: str | None = None
    evidence: dict[str, str] = Field(default_factory=dict)
