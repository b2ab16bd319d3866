"""Workflows, their runs, and the jobs of these, which are jobs like any other but for what they were made from."""

from __future__ import annotations

from contracts.documents import stamp, workflow_document
from contracts.envelope import Recorded
from contracts.facts import dispatcher
from contracts.shapes import ACTIVE, Json
from services.gateway.readmodel.jobs import moved
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete, Merge, Put


@projects(dispatcher.WorkflowSaved)
def _workflow_saved(recorded: Recorded, fact: dispatcher.WorkflowSaved) -> Patches:
    return saved(recorded, "workflow", workflow_document(fact), stamp(fact.created_at))


@projects(dispatcher.WorkflowDeleted)
def _workflow_deleted(recorded: Recorded, fact: dispatcher.WorkflowDeleted) -> Patches:
    return (Delete("workflow", fact.workflow_id),)


@projects(dispatcher.WorkflowRunStarted)
def _run_started(recorded: Recorded, fact: dispatcher.WorkflowRunStarted) -> Patches:
    at = stamp(fact.started_at)
    doc: Json = {
        "id": fact.run_id,
        "workflowId": fact.workflow_id,
        "inputs": fact.inputs,
        "status": "inProgress",
        "startedAt": at,
        "$createdAt": at,
        "$workflow": fact.workflow,
    }
    return (Put("workflow_run", fact.run_id, doc),)


@projects(dispatcher.WorkflowRunEnded)
def _run_ended(recorded: Recorded, fact: dispatcher.WorkflowRunEnded) -> Patches:
    doc: Json = {"status": fact.status, "endedAt": stamp(fact.ended_at), "leftOut": list(fact.left_out)}
    if fact.message is not None:
        doc["message"] = fact.message
    return (Merge("workflow_run", fact.run_id, doc),)


@projects(dispatcher.WorkflowJobCreated)
def _job_created(recorded: Recorded, fact: dispatcher.WorkflowJobCreated) -> Patches:
    at = stamp(fact.created_at)
    doc: Json = {
        "id": fact.job_id,
        "releaseId": "",
        "jobAgentId": fact.agent_id,
        "jobAgentConfig": fact.job_agent_config,
        "status": fact.status,
        "metadata": {},
        "createdAt": at,
        "updatedAt": at,
        "deadlineAt": stamp(fact.deadline_at),
        "$createdAt": at,
        "$run": fact.run_id,
        "$step": fact.step,
        "$waits": fact.waits,
        "$snapshot": {"workflow": fact.workflow, "agent": fact.agent, "resource": fact.resource},
    }
    if fact.message is not None:
        doc["message"] = fact.message
    if fact.status not in ACTIVE:
        doc["completedAt"] = at
    return (Put("job", fact.job_id, doc),)


@projects(dispatcher.WorkflowJobStatusChanged)
def _job_status_changed(recorded: Recorded, fact: dispatcher.WorkflowJobStatusChanged) -> Patches:
    doc = moved(fact)
    if fact.status not in ACTIVE:
        doc["$waits"] = False
    return (Merge("job", fact.job_id, doc),)


@projects(dispatcher.WorkflowJobDispatched)
def _job_dispatched(recorded: Recorded, fact: dispatcher.WorkflowJobDispatched) -> Patches:
    at = stamp(fact.dispatched_at)
    doc: Json = {
        "message": None,
        "updatedAt": at,
        "deadlineAt": stamp(fact.deadline_at),
        "$waits": False,
        "$dispatchedAt": at,
    }
    return (Merge("job", fact.job_id, doc),)
