"""Job agents, and the queue from which pull agents take their jobs."""

from __future__ import annotations

from contracts.commands.dispatcher import ClaimJob, DeleteJobAgent, SaveJobAgent
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.jobs import job_answer
from services.gateway.http.lists import page_of, page_of_rows
from services.gateway.http.operation import Routes
from services.gateway.store import NEWEST_FIRST

routes = Routes("job agents")


def _agent_id(call: Call) -> str:
    return call.id("jobAgentId", "Job agent")


@routes.add("GET", "/job-agents", answers={200: answers.Page[answers.JobAgent]}, query=bodies.Paging)
async def list_job_agents(call: Call) -> Reply:
    """Job agents, newest first."""
    return await page_of_rows(call, "agent")


@routes.add("GET", "/job-agents/{jobAgentId}", answers={200: answers.JobAgent})
async def get_job_agent(call: Call) -> Reply:
    """A job agent."""
    return Reply(200, await call.row("agent", _agent_id(call), "Job agent"))


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
    page = await call.deps.store.find(
        call.workspace_id, "job", where=where, order=NEWEST_FIRST, limit=query.limit, offset=query.offset
    )
    jobs = await call.views.jobs(page.items, with_context=query.include_dispatch_context)
    return page_of(jobs, page.total, query)


@routes.add("POST", "/job-agents/{jobAgentId}/jobs/{jobId}/claim", answers={200: answers.Job})
async def claim_job(call: Call) -> Reply:
    """Take a queued job; exactly one of several claims wins."""
    claimed = await call.ask(ClaimJob(agent_id=_agent_id(call), job_id=call.id("jobId", "Job")))
    return await job_answer(call, claimed["id"])
