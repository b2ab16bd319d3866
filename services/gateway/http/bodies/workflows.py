"""Workflows and their runs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.shapes import Json
from services.gateway.http.bodies.form import Body


class WorkflowInputSelector(Body):
    """Which entities an array input stands for."""

    entity_type: Literal["resource", "environment", "deployment"]
    default: str | None = None


class WorkflowInputBody(Body):
    """One input that a run may be given; `required` is ours."""

    key: str = Field(min_length=1)
    type: Literal["string", "number", "boolean", "object", "array"]
    default: Any = None
    selector: WorkflowInputSelector | None = None
    required: bool | None = None


class WorkflowStepBody(Body):
    """One step: an agent, its configuration, and what it runs for; `needs` is ours."""

    name: str = Field(min_length=1)
    ref: str
    config: Json
    selector: str
    needs: list[str] = Field(default_factory=list)


class WorkflowBody(Body):
    """A workflow. Without a slug it gets one, or keeps its own."""

    name: str = Field(min_length=1)
    inputs: list[WorkflowInputBody]
    job_agents: list[WorkflowStepBody]
    slug: str | None = None


class RunBody(Body):
    """The inputs of a run."""

    inputs: Json


class CancelRunBody(Body):
    """Why a run is stopped."""

    MAY_BE_ABSENT: ClassVar[bool] = True
    reason: str = ""
