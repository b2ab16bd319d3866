"""Who executes, and what was executed: job agents and jobs."""

from __future__ import annotations

from contracts.documents import agent_document, stamp
from contracts.envelope import Recorded
from contracts.facts import dispatcher as jobs
from contracts.shapes import ACTIVE, Json, Target
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete, Merge, Put


@projects(jobs.JobAgentSaved)
def _agent_saved(recorded: Recorded, fact: jobs.JobAgentSaved) -> Patches:
    return saved(recorded, "agent", agent_document(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(jobs.JobAgentDeleted)
def _agent_deleted(recorded: Recorded, fact: jobs.JobAgentDeleted) -> Patches:
    return (Delete("agent", fact.agent_id),)


@projects(jobs.JobCreated)
def _job_created(recorded: Recorded, fact: jobs.JobCreated) -> Patches:
    at = stamp(fact.created_at)
    doc: Json = {
        "id": fact.job_id,
        "releaseId": fact.release_id,
        "jobAgentId": fact.agent_id,
        "jobAgentConfig": fact.job_agent_config,
        "status": fact.status,
        "metadata": {},
        "createdAt": at,
        "updatedAt": at,
        "deadlineAt": stamp(fact.deadline_at),
        "$createdAt": at,
        "$target": Target(fact.resource_id, fact.environment_id, fact.deployment_id).key,
        "$deployment": fact.deployment_id,
        "$environment": fact.environment_id,
        "$version": fact.version_id,
        # Where the documents stand that the job was made from; they are put together when the job is read.
        "$snapshot": fact.snapshot.model_dump(),
    }
    if fact.message is not None:
        doc["message"] = fact.message
    if fact.status not in ACTIVE:
        doc["completedAt"] = at
    return (Put("job", fact.job_id, doc),)


@projects(jobs.JobStatusChanged)
def _job_status_changed(recorded: Recorded, fact: jobs.JobStatusChanged) -> Patches:
    return (Merge("job", fact.job_id, moved(fact)),)


def moved(fact: jobs.JobStatusChanged | jobs.WorkflowJobStatusChanged) -> Json:
    """What is true of a job after it moved. The fact tells all of it: what it leaves out is no longer so."""
    doc: Json = {
        "status": fact.status,
        "message": fact.message,
        "externalId": fact.external_id,
        "metadata": fact.metadata,
        "updatedAt": stamp(fact.changed_at),
        "startedAt": stamp(fact.started_at) if fact.started_at is not None else None,
        "completedAt": stamp(fact.completed_at) if fact.completed_at is not None else None,
    }
    if not _still_called(fact):
        doc["delay"] = None
    elif fact.status == "pending" and fact.message is None:
        del doc["message"]  # what the call came to, if it is made again
    if fact.status != "inProgress":
        doc["lease"] = None
    if fact.status in ACTIVE:
        doc["cancellation"] = None
        if fact.previous not in ACTIVE:
            doc["$reopenedAt"] = stamp(fact.changed_at)
    return doc


def _still_called(fact: jobs.JobStatusChanged | jobs.WorkflowJobStatusChanged) -> bool:
    """Whether the call to the job's agent that was under way before is so still: the agent has neither taken the job nor stopped it."""
    if fact.status == "pending":
        return fact.previous == "pending" and not fact.observation
    return fact.status not in ACTIVE and fact.previous not in ACTIVE and not fact.cancel
