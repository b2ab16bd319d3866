"""What dispatcher can be asked."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from contracts.command import Wish, wish
from contracts.shapes import JobStatus, Json


class _Dispatcher(Wish):
    SERVICE: ClassVar[str] = "dispatcher"


@wish
class SaveJobAgent(_Dispatcher):
    """Create or replace a job agent under the caller's id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_job_agent"
    agent_id: str
    name: str
    type: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteJobAgent(_Dispatcher):
    """Delete a job agent; its jobs stay. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_job_agent"
    agent_id: str


@wish
class ClaimJob(_Dispatcher):
    """A pull agent takes a queued job; exactly one of several claims wins. Answers `{id}`."""

    NAME: ClassVar[str] = "claim_job"
    agent_id: str
    job_id: str


@wish
class SetJobStatus(_Dispatcher):
    """Tell how a job stands. A person may set anything, an agent may not move a finished job. Answers `{id}`."""

    NAME: ClassVar[str] = "set_job_status"
    job_id: str
    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
