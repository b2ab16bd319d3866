"""What dispatcher is asked: job agents, claims, and how jobs stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.agents import config_problems
from contracts.command import Asked, Refused
from contracts.commands.dispatcher import ClaimJob, DeleteJobAgent, SaveJobAgent, SetJobStatus
from contracts.facts.dispatcher import JobAgentDeleted, JobAgentSaved
from contracts.shapes import ACTIVE
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Decided, Draft
from services.dispatcher.state import NOWHERE, Job, State
from services.dispatcher.status import moved

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_ERROR: Final = timedelta(days=1)
"""How far the clock of whoever tells a time may be ahead of ours."""
MAX_TOLD_BYTES: Final = MAX_FACT_BYTES - 64 * 1024
"""What is told of a job is kept in each further fact about it, which must have room for what we say ourselves."""


def save_job_agent(wish: SaveJobAgent, state: State, asked: Asked) -> Decided:
    """Create or replace an agent; one that is the same already appends nothing.

    Raises:
        Refused: another agent has the name, or the configuration does not fit the type.
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
    return Decided(answer=answer) if fact == known else Decided((Draft(fact),), answer)


def delete_job_agent(wish: DeleteJobAgent, state: State, asked: Asked) -> Decided:
    """Delete an agent; its jobs stay.

    Raises:
        Refused: there is no such agent.
    """
    if wish.agent_id not in state.agents:
        raise Refused("not_found", f"There is no job agent {wish.agent_id}.")
    return Decided((Draft(JobAgentDeleted(agent_id=wish.agent_id)),), {"id": wish.agent_id})


def claim_job(wish: ClaimJob, state: State, asked: Asked) -> Decided:
    """Hand a queued job to its agent: of several claims the first one wins.

    Raises:
        Refused: not_found when it is not this agent's job, conflict when it is not queued.
    """
    job = state.jobs.get(wish.job_id)
    if wish.agent_id not in state.agents:
        raise Refused("not_found", f"There is no job agent {wish.agent_id}.")
    if job is None or job.agent_id != wish.agent_id:
        raise Refused("not_found", f"Job agent {wish.agent_id} has no job {wish.job_id}.")
    if job.status != "queued":
        raise Refused("conflict", f"Job {wish.job_id} is {job.status}; only a queued job can be claimed.")
    fact = moved(wish.job_id, job, "inProgress", asked.now, started_at=asked.now)
    return Decided((Draft(fact),), {"id": wish.job_id})


def set_job_status(wish: SetJobStatus, state: State, asked: Asked) -> Decided:
    """Record how a job stands. People may set anything; what changes nothing appends nothing.

    Raises:
        Refused: the job is not known, an agent moves a finished job, a time has no zone or lies far from now, a reopened job would
            run beside another one on its target, or what is told of the job is too large.
    """
    job = state.jobs.get(wish.job_id)
    if job is None:
        raise Refused("not_found", f"There is no job {wish.job_id}.")
    started_at = _told_time("startedAt", wish.started_at, asked.now)
    completed_at = _told_time("completedAt", wish.completed_at, asked.now)
    if not job.is_active and wish.status != job.status and asked.auth_id.startswith("agent:"):
        raise Refused("conflict", f"Job {wish.job_id} ended as {job.status}; only a person may change that.")
    if wish.status in ACTIVE and not job.is_active:
        _refuse_second_active(wish.job_id, job, state)
    fact = moved(
        wish.job_id,
        job,
        wish.status,
        asked.now,
        message=wish.message,
        external_id=wish.external_id,
        metadata=wish.metadata,
        started_at=started_at,
        completed_at=completed_at,
        # The agent is still asked about a job whose status nobody changed.
        look_again_at=job.look_again_at if wish.status == job.status else None,
    )
    if (size := len(fact.to_json())) > MAX_TOLD_BYTES:
        raise Refused(
            "invalid",
            f"Too much is told of job {wish.job_id}: {size} bytes of JSON with what was told before, at most {MAX_TOLD_BYTES}; "
            "shorten its message or metadata.",
        )
    answer = {"id": wish.job_id}
    unchanged = (
        fact.status == job.status
        and fact.message == job.message
        and fact.external_id == job.external_id
        and fact.metadata == dict(job.metadata)
        and fact.started_at == job.started_at
        and fact.completed_at == job.completed_at
    )
    return Decided(answer=answer) if unchanged else Decided((Draft(fact),), answer)


def _told_time(name: str, at: datetime | None, now: datetime) -> datetime | None:
    """A time as it was told, in UTC; other rules count from it, so it must be one at which a job can have run."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise Refused("invalid", f"{name} has no time zone; write it as 2026-01-02T03:04:05Z.")
    if not EARLIEST <= at <= now + CLOCK_ERROR:
        raise Refused("invalid", f"{name} is {at.isoformat()}: a job runs after 1970 and not in the future.")
    return at.astimezone(UTC)


def _refuse_second_active(job_id: str, job: Job, state: State) -> None:
    """Several agents may execute one dispatch of a release side by side; anything else would be two dispatches at once."""
    for other_id in state.targets.get(job.target, NOWHERE).active:
        other = state.jobs[other_id]
        if (other.release_id, other.attempt) != (job.release_id, job.attempt):
            raise Refused(
                "conflict",
                f"Job {job_id} can not be reopened: job {other_id} is {other.status} on the same release target. End that one first.",
            )
