"""What a version would change."""

from __future__ import annotations

from pydantic import Field

from contracts.shapes import Json
from services.gateway.http.bodies.form import Body


class PlannedVersion(Body):
    """The version that is asked about; without a name, or with an empty one, its tag is its name."""

    tag: str
    name: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


class PlanBody(Body):
    """A plan; `metadata` is its own, not the version's."""

    version: PlannedVersion
    metadata: dict[str, str] = Field(default_factory=dict)
