"""Query parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.shapes import JobStatus
from services.gateway.http.bodies.form import MAX_OFFSET, Body, QueryBool, QueryInt, Uuid


class NoQuery(Body):
    """No parameters."""


class Paging(Body):
    """Which part of a list."""

    limit: QueryInt = Field(50, ge=1, le=1000)
    offset: QueryInt = Field(0, ge=0, le=MAX_OFFSET)


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
    """Which facts: after and before a position, of these types (comma-separated)."""

    after: QueryInt = Field(0, ge=0, le=MAX_OFFSET)
    before: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    limit: QueryInt = Field(50, ge=1, le=1000)
    types: str | None = None
    order: Literal["asc", "desc"] = "asc"


class StreamQuery(Body):
    """From where the stream of facts goes on: after a position, else after the newest."""

    after: QueryInt | None = Field(None, ge=0, le=MAX_OFFSET)
    types: str | None = None
