"""Jobs."""

from __future__ import annotations

from contracts.commands.dispatcher import CancelJob, CompleteJob, SetJobStatus
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.store import NEWEST_FIRST

routes = Routes("jobs")


async def job_document(call: Call, job_id: str) -> Json:
    """One job with what it was made from. Raises: NotFound."""
    row = await call.store.get(call.workspace_id, "job", job_id)
    if row is None:
        raise NotFound("Job")
    (job,) = await call.views.jobs([row])
    return job


@routes.add("GET", "/jobs", answers={200: answers.Page[answers.JobWithRelease]}, query=bodies.Paging)
async def list_jobs(call: Call) -> Reply:
    """Jobs beside their releases, newest first; those of workflow runs have none, and are in their runs."""
    paging: bodies.Paging = call.query
    page = await call.store.find(
        call.workspace_id, "job", where={"$run": ""}, order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset
    )
    return page_of(await call.views.with_release(page.items), page.total, paging)


@routes.add("GET", "/jobs/{jobId}", answers={200: answers.Job})
async def get_job(call: Call) -> Reply:
    """A job."""
    return Reply(200, await job_document(call, call.id("jobId", "Job")))


@routes.add("GET", "/jobs/{jobId}/with-release", answers={200: answers.JobWithRelease})
async def get_job_with_release(call: Call) -> Reply:
    """A job beside its release."""
    row = await call.store.get(call.workspace_id, "job", call.id("jobId", "Job"))
    if row is None:
        raise NotFound("Job")
    if "$run" in row:
        raise NotFound("Release of the job")  # it is of a workflow run
    (found,) = await call.views.with_release([row])
    return Reply(200, found)


@routes.add("PUT", "/jobs/{jobId}/status", answers={202: answers.Accepted}, body=bodies.JobStatusBody)
async def set_job_status(call: Call) -> Reply:
    """Tell how a job stands."""
    body: bodies.JobStatusBody = call.body
    wish = SetJobStatus(
        job_id=call.id("jobId", "Job"),
        status=body.status,
        message=body.message,
        external_id=body.external_id,
        metadata=body.metadata,
        started_at=body.started_at,
        completed_at=body.completed_at,
        claim_id=body.claim_id,
    )
    saved = await call.ask(wish)
    return accepted(saved["id"], "Job status update requested")


@routes.add("POST", "/jobs/{jobId}/cancel", answers={202: answers.Accepted}, body=bodies.CancelJobBody)
async def cancel_job(call: Call) -> Reply:
    """Stop a job; its agent is told to stop what it runs."""
    body: bodies.CancelJobBody = call.body
    stopped = await call.ask(CancelJob(job_id=call.id("jobId", "Job"), reason=body.reason))
    return accepted(stopped["id"], "Job cancellation requested")


@routes.add("POST", "/jobs/{jobId}/complete", answers={202: answers.Accepted}, body=bodies.CompleteJobBody)
async def complete_job(call: Call) -> Reply:
    """Complete a job that waits for a person."""
    body: bodies.CompleteJobBody = call.body
    wish = CompleteJob(job_id=call.id("jobId", "Job"), status=body.status, message=body.message, evidence=body.evidence)
    ended = await call.ask(wish)
    return accepted(ended["id"], "Job completion requested")
