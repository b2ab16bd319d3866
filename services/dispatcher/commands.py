"""What dispatcher is asked about job agents."""

from __future__ import annotations

from contracts.agents import config_problems
from contracts.command import Asked, Refused
from contracts.commands.dispatcher import DeleteJobAgent, SaveJobAgent
from contracts.facts.dispatcher import JobAgentDeleted, JobAgentSaved
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Decided, Draft
from services.dispatcher.state import State


def save_job_agent(wish: SaveJobAgent, state: State, asked: Asked) -> Decided:
    """Create or replace an agent; one that is the same already appends nothing.

    Raises:
        Refused: another agent has the name, the configuration does not fit the type, or the agent is too large.
    """
    answer = {"id": wish.agent_id}
    for _, other in state.todays_agents():
        if other.name == wish.name and other.agent_id != wish.agent_id:
            raise Refused(
                "conflict", f"A job agent named '{wish.name}' exists already ({other.agent_id}).", code="DUPLICATE_NAME"
            )
    if problems := config_problems(wish.type, wish.config, whole=False):
        raise Refused(
            "invalid",
            f"Invalid configuration of a {wish.type} agent: {problems[0]['path']}: {problems[0]['message']}",
            details=[{**one, "path": f"/body/config/{one['path']}"} for one in problems],
        )
    position = state.agents.get(wish.agent_id)
    known = state.agent(position) if position is not None else None
    fact = JobAgentSaved(
        agent_id=wish.agent_id,
        name=wish.name,
        type=wish.type,
        config=wish.config,
        metadata=wish.metadata,
        created_at=known.created_at if known is not None else asked.now,
    )
    if (size := len(fact.to_json())) > MAX_FACT_BYTES:
        message = f"The job agent is too large: {size} bytes of JSON, at most {MAX_FACT_BYTES}; shorten its configuration."
        raise Refused("invalid", message)
    return Decided(answer=answer) if fact == known else Decided((Draft(fact),), answer)


def delete_job_agent(wish: DeleteJobAgent, state: State, asked: Asked) -> Decided:
    """Delete an agent; its jobs stay.

    Raises:
        Refused: there is no such agent.
    """
    if wish.agent_id not in state.agents:
        raise Refused("not_found", f"There is no job agent {wish.agent_id}.")
    return Decided((Draft(JobAgentDeleted(agent_id=wish.agent_id)),), {"id": wish.agent_id})
