"""Job agents, and the queue from which pull agents take their jobs."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.commands.dispatcher import ClaimJob, DeleteJobAgent, ExtendLease, SaveJobAgent
from contracts.documents import instant, stamp
from contracts.shapes import Json
from services.gateway.configs.keeping import reads_back
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.jobs import job_document
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("job agents")


def _agent_id(call: Call) -> str:
    return call.id("jobAgentId", "Job agent")


async def _shown(call: Call, agents: Sequence[Json]) -> list[Json]:
    """Agents, with the secrets in clear of those types whose clients read them back."""
    clear = {one["id"]: one for one in await call.as_sent([one for one in agents if reads_back(one["type"])], "config")}
    return [clear.get(one["id"], one) for one in agents]


@routes.add("GET", "/job-agents", answers={200: answers.Page[answers.JobAgent]}, query=bodies.Paging)
async def list_job_agents(call: Call) -> Reply:
    """Job agents, newest first."""
    paging: bodies.Paging = call.query
    page = await call.store.find(call.workspace_id, "agent", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await _shown(call, [shown(one) for one in page.items]), page.total, paging)


@routes.add("GET", "/job-agents/{jobAgentId}", answers={200: answers.JobAgent})
async def get_job_agent(call: Call) -> Reply:
    """A job agent."""
    (found,) = await _shown(call, [await call.row("agent", _agent_id(call), "Job agent")])
    return Reply(200, found)


@routes.add("PUT", "/job-agents/{jobAgentId}", answers={202: answers.Accepted}, body=bodies.AgentBody)
async def upsert_job_agent(call: Call) -> Reply:
    """Create or replace a job agent under the caller's id."""
    body: bodies.AgentBody = call.body
    agent_id = await call.own_id("jobAgentId", "agent", "Job agent")
    wish = SaveJobAgent(agent_id=agent_id, name=body.name, type=body.type, config=body.config, metadata=body.metadata)
    saved = await call.ask(wish)
    return accepted(saved["id"], "Job agent update requested")


@routes.add("DELETE", "/job-agents/{jobAgentId}", answers={202: answers.Accepted})
async def delete_job_agent(call: Call) -> Reply:
    """Delete a job agent; its jobs stay."""
    gone = await call.ask(DeleteJobAgent(agent_id=_agent_id(call)))
    return accepted(gone["id"], "Job agent deletion requested")


@routes.add("GET", "/job-agents/{jobAgentId}/jobs", answers={200: answers.Page[answers.Job]}, query=bodies.AgentJobs)
async def list_agent_jobs(call: Call) -> Reply:
    """Jobs of an agent, newest first; what they were made from is told on request."""
    agent_id = _agent_id(call)
    await call.row("agent", agent_id, "Job agent")
    query: bodies.AgentJobs = call.query
    where = {"jobAgentId": agent_id}
    if query.status is not None:
        where["status"] = query.status
    page = await call.store.find(
        call.workspace_id, "job", where=where, order=NEWEST_FIRST, limit=query.limit, offset=query.offset
    )
    jobs = await call.views.jobs(page.items, with_context=query.include_dispatch_context)
    return page_of(jobs, page.total, query)


@routes.add("POST", "/job-agents/{jobAgentId}/jobs/{jobId}/claim", answers={200: answers.ClaimedJob}, body=bodies.ClaimBody)
async def claim_job(call: Call) -> Reply:
    """Take a queued job, for good or for a time; exactly one of several claims wins."""
    body: bodies.ClaimBody = call.body
    wish = ClaimJob(
        agent_id=_agent_id(call), job_id=call.id("jobId", "Job"), instance=body.instance, lease_seconds=body.lease_seconds
    )
    claimed = await call.ask(wish)
    return Reply(200, {**await job_document(call, claimed["id"]), **_lease(claimed)})


@routes.add(
    "POST",
    "/job-agents/{jobAgentId}/jobs/{jobId}/heartbeat",
    answers={200: answers.Heartbeat},
    body=bodies.HeartbeatBody,
)
async def extend_lease(call: Call) -> Reply:
    """Say that a job that was taken for a time is still worked on."""
    body: bodies.HeartbeatBody = call.body
    wish = ExtendLease(agent_id=_agent_id(call), job_id=call.id("jobId", "Job"), claim_id=body.claim_id)
    extended = await call.ask(wish)
    return Reply(200, {"id": extended["id"], **_lease(extended)})


def _lease(answer: Json) -> Json:
    """The claim and its end, where a job was taken for a time."""
    if "claimId" not in answer:
        return {}
    return {"claimId": answer["claimId"], "leaseExpiresAt": stamp(instant(answer["leaseExpiresAt"]))}
