"""Workflows and their runs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from contracts.shapes import JobStatus, Json
from services.gateway.http.answers.form import AnswerModel, Timestamp


class WorkflowInput(AnswerModel):
    """One input that a run may be given."""

    key: str
    type: str
    default: Any = None
    selector: Json = Field(default_factory=dict)
    required: bool = False


class WorkflowStep(AnswerModel):
    """One step."""

    name: str
    ref: str
    config: Json
    selector: str
    needs: list[str] = Field(default_factory=list)


class Workflow(AnswerModel):
    """A workflow."""

    id: str
    name: str
    slug: str
    inputs: list[WorkflowInput]
    job_agents: list[WorkflowStep]


class RunJob(AnswerModel):
    """A job that a run began with."""

    job_id: str
    job_agent_id: str


class StartedRun(AnswerModel):
    """A run that was just begun."""

    id: str
    workflow_id: str
    inputs: Json
    jobs: list[RunJob]


class StepJob(AnswerModel):
    """How a job of a step stands."""

    job_id: str
    job_agent_id: str
    status: JobStatus
    resource_id: str = ""
    message: str = ""


class StepState(AnswerModel):
    """How a step of a run stands; without jobs and not left out, it waits, or nothing matched it."""

    name: str
    needs: list[str]
    left_out: bool
    jobs: list[StepJob]


class Run(AnswerModel):
    """A run, as far as it has come."""

    id: str
    workflow_id: str
    inputs: Json
    status: JobStatus
    message: str = ""
    started_at: Timestamp
    ended_at: Timestamp = ""


class RunWithSteps(Run):
    """A run with its steps, in the order of the workflow as it was when the run began."""

    steps: list[StepState]
