"""Query parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.shapes import JobStatus, VersionStatus
from services.gateway.http.bodies.form import MAX_OFFSET, Body, QueryBool, QueryInt, Uuid


class NoQuery(Body):
    """No parameters."""


class Paging(Body):
    """Which part of a list."""

    limit: QueryInt = Field(50, ge=1, le=1000)
    offset: QueryInt = Field(0, ge=0, le=MAX_OFFSET)


class Cel(Body):
    """What an expression picks; all when it is left out."""

    cel: str | None = None


class CelPaging(Paging):
    """Which part of a list that a CEL expression picks."""

    cel: str | None = None


class VersionPaging(CelPaging):
    """Which versions, in which order of age."""

    order: Literal["asc", "desc"] = "desc"


class AgentJobs(Paging):
    """Which jobs of an agent, and whether with what they were made from."""

    status: JobStatus | None = None
    include_dispatch_context: QueryBool = False


class StateQuery(Body):
    """`bypassCache` is accepted for older clients; there is no cache."""

    bypass_cache: QueryBool = False


class EvaluationsQuery(Body):
    """The version that rules are asked about; the newest when it is left out."""

    version_id: Uuid | None = None


class EventsQuery(Body):
    """Which facts: after and before a position, of these types (comma-separated; `policy.*` is all of a service), about one thing, with a
    text somewhere in them.

    Attributes:
        subject: the thing, as in `subject` of facts: `job/<id>`.
        text: in type, subject, author or payload, in whatever case.
        names: whether to tell what the things that facts name are called.
    """

    after: QueryInt = Field(0, ge=0, le=MAX_OFFSET)
    before: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    limit: QueryInt = Field(50, ge=1, le=1000)
    types: str | None = None
    subject: str | None = None
    text: str | None = Field(None, max_length=200)
    order: Literal["asc", "desc"] = "asc"
    names: QueryBool = False


class JobBoardQuery(Paging):
    """Which jobs: how they stand in short or exactly, whose, of which deployment, where."""

    state: Literal["queued", "running", "finished"] | None = None
    status: JobStatus | None = None
    job_agent_id: Uuid | None = None
    deployment_id: Uuid | None = None
    environment_id: Uuid | None = None


class StreamQuery(Body):
    """From where the stream of facts goes on: after a position, else after the newest."""

    after: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    types: str | None = None


class RolloutQuery(Paging):
    """Which targets of a cell; and where which version stands on each, that which it is about when none is named."""

    status: Literal["failed", "blocked", "progressing", "pending", "paused", "healthy"] | None = None
    version_id: Uuid | None = None


class ApprovalsQuery(Paging):
    """Which part of the inbox; a thousand rows when nothing is said, which is all of nearly any."""

    limit: QueryInt = Field(1000, ge=1, le=1000)


class RollbackQuery(Body):
    """Which way back is asked about, as in the body of the rollback."""

    version_id: Uuid | None = None
    from_version_id: Uuid | None = None


class HistoryQuery(Body):
    """How much of what happened, and before which position; the newest where it is left out."""

    limit: QueryInt = Field(50, ge=1, le=200)
    before: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)


class BoardVersionsQuery(Paging):
    """Versions of which deployment and status, and what their names contain."""

    deployment_id: Uuid | None = None
    status: VersionStatus | None = None
    text: str | None = Field(None, max_length=200)


class BoardStreamQuery(Body):
    """What a page listens to (comma-separated), and the position of what it shows; from now on when it is left out."""

    topics: str
    since: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
