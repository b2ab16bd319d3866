"""Folds workflows and their runs."""

from __future__ import annotations

from contracts.facts.dispatcher import WorkflowDeleted, WorkflowJobCreated, WorkflowRunEnded, WorkflowRunStarted, WorkflowSaved
from services.dispatcher import fold_jobs
from services.dispatcher.state import Run, State


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
    jobs = run.jobs.set(fact.step, (*run.jobs.get(fact.step, ()), fact.job_id))
    return state._replace(runs=state.runs.set(fact.run_id, run._replace(jobs=jobs)))
