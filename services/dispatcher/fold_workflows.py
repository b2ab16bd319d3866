"""Folds workflows and their runs."""

from __future__ import annotations

from contracts.facts.dispatcher import (
    WorkflowDeleted,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
    WorkflowRunEnded,
    WorkflowRunStarted,
    WorkflowSaved,
)
from contracts.shapes import ACTIVE, JobStatus
from services.dispatcher import fold_jobs
from services.dispatcher.state import Run, State, StepJobs


def saved(state: State, fact: WorkflowSaved, position: int) -> State:
    """A workflow was created or changed; runs go on as it was when they began."""
    return state._replace(
        workflows=state.workflows.set(fact.workflow_id, position),
        workflow_documents=state.workflow_documents.set(str(position), fact),
    )


def deleted(state: State, fact: WorkflowDeleted, position: int) -> State:
    """A workflow is gone."""
    return state._replace(workflows=state.workflows.delete(fact.workflow_id)) if fact.workflow_id in state.workflows else state


def started(state: State, fact: WorkflowRunStarted, position: int) -> State:
    """A run began."""
    run = Run(fact.workflow_id, fact.workflow, fact.inputs, fact.resource_ids)
    return state._replace(runs=state.runs.set(fact.run_id, run))


def ended(state: State, fact: WorkflowRunEnded, position: int) -> State:
    """A run is through; nothing more follows from its jobs."""
    return state._replace(runs=state.runs.delete(fact.run_id)) if fact.run_id in state.runs else state


def job_created(state: State, fact: WorkflowJobCreated, position: int) -> State:
    """A step got a job."""
    state = fold_jobs.created_for_run(state, fact, position)
    run = state.runs.get(fact.run_id)
    if run is None:
        return state
    known = run.jobs.get(fact.step, StepJobs())
    known = _counted(known._replace(ids=(*known.ids, fact.job_id)), fact.status, 1)
    return state._replace(runs=state.runs.set(fact.run_id, run._replace(jobs=run.jobs.set(fact.step, known))))


def job_dispatched(state: State, fact: WorkflowJobDispatched, position: int) -> State:
    """A job of a step that waited for a place has one."""
    return fold_jobs.dispatched_of_run(state, fact, position)


def job_moved(state: State, fact: WorkflowJobStatusChanged, position: int) -> State:
    """A job of a step moved on."""
    before = state.jobs[fact.job_id]
    state = fold_jobs.moved_of_run(state, fact, position)
    run = state.runs.get(fact.run_id)
    if run is None or before.run is None:
        return state
    step = before.run.step
    known = _counted(_counted(run.jobs[step], before.status, -1), fact.status, 1)
    return state._replace(runs=state.runs.set(fact.run_id, run._replace(jobs=run.jobs.set(step, known))))


def _counted(known: StepJobs, status: JobStatus, by: int) -> StepJobs:
    """The counts with one job of a status more or less."""
    if status in ACTIVE:
        return known._replace(active=known.active + by)
    return known if status == "successful" else known._replace(bad=known.bad + by)
