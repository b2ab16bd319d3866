"""How a job stands, as people, agents and webhooks tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.agents import ManualConfig
from contracts.command import Asked, Refused
from contracts.commands.dispatcher import CancelJob, CompleteJob, SetJobStatus, TellRun
from contracts.shapes import ACTIVE
from libs.runtime.service import Decided, Draft
from services.dispatcher.adapters.job_links import joined
from services.dispatcher.agent_config import config_of, may_run_on
from services.dispatcher.state import NOWHERE, Job, State, outside_key
from services.dispatcher.status import MAX_MESSAGE, MAX_TOLD_BYTES, JobMoved, handed_over, moved

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_ERROR: Final = timedelta(days=1)
"""How far the clock of whoever tells a time may be ahead of ours."""
LOOK_S: Final = 30.0
"""Before an agent is asked about a job of which we heard before its own answer, which nobody waits for any more."""
EVIDENCE: Final = "evidence/"
"""Under names that begin so, a job's metadata holds what a person gave as evidence."""


def set_job_status(wish: SetJobStatus, state: State, asked: Asked) -> Decided:
    """Record how a job stands. People may set anything; what changes nothing appends nothing.

    Raises:
        Refused: the job is not known, the claim holds no longer, an agent moves a finished job, a time has no zone or lies far from
            now, a reopened job would run beside another one on its target, or what is told of the job is too large.
    """
    job = _job_of(wish.job_id, state)
    if wish.claim_id is not None and (job.lease is None or job.lease.claim_id != wish.claim_id):
        raise Refused("conflict", f"Claim {wish.claim_id} of job {wish.job_id} holds no longer: the job is {job.status}.")
    started_at = _told_time("startedAt", wish.started_at, asked.now)
    completed_at = _told_time("completedAt", wish.completed_at, asked.now)
    if not job.is_active and wish.status != job.status and asked.auth_id.startswith("agent:"):
        raise Refused("conflict", f"Job {wish.job_id} ended as {job.status}; only a person may change that.")
    if wish.status in ACTIVE and not job.is_active:
        _refuse_second_active(wish.job_id, job, state)
    # The agent is still asked about a job whose status nobody changed.
    look_again_at = job.look_again_at if wish.status == job.status else None
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
        look_again_at=look_again_at,
        observation=_asked_anew(job, look_again_at),
        cancel=wish.status == "cancelled" and job.is_active and may_run_on(state, job),
    )
    decided = _decided(wish.job_id, job, fact)
    if wish.status not in ACTIVE or wish.status == "pending" or job.run is None or wish.job_id not in state.held:
        return decided
    # It waits for a place no longer: somebody has seen to it.
    return Decided((Draft(handed_over(wish.job_id, job, job.run, asked.now)), *decided.drafts), decided.answer)


def cancel_job(wish: CancelJob, state: State, asked: Asked) -> Decided:
    """End a job, and have its agent stop what runs.

    Raises:
        Refused: the job is not known, or has ended.
    """
    job = _job_of(wish.job_id, state)
    if not job.is_active:
        raise Refused("conflict", f"Job {wish.job_id} ended as {job.status}; there is nothing to cancel.")
    said = f"Cancelled: {wish.reason}" if wish.reason else "Cancelled."
    fact = moved(wish.job_id, job, "cancelled", asked.now, message=said[:MAX_MESSAGE], cancel=may_run_on(state, job))
    return Decided((Draft(fact),), {"id": wish.job_id})


def complete_job(wish: CompleteJob, state: State, asked: Asked) -> Decided:
    """Complete a job that waits for a person.

    Raises:
        Refused: the job is not known (not_found), waits for nobody (conflict), or evidence is missing or too large (invalid).
    """
    job = _job_of(wish.job_id, state)
    if job.status != "actionRequired":
        raise Refused("conflict", f"Job {wish.job_id} is {job.status}; only one that waits for a person can be completed.")
    if wish.status in ACTIVE:
        raise Refused("invalid", f"A job is completed by an end, for example successful or failure; {wish.status} is none.")
    needs_evidence = ManualConfig.model_fields["require_evidence"].alias
    if wish.status == "successful" and not wish.evidence and config_of(state, job).get(needs_evidence or "") in (True, "true"):
        raise Refused(
            "invalid",
            f"Job {wish.job_id} can not be completed without evidence; say for example what was checked and where.",
            details=[{"path": "/body/evidence", "message": "evidence is required", "errorCode": "required"}],
        )
    evidence = {EVIDENCE + name: text for name, text in wish.evidence.items()}
    who = {"completed-by": asked.auth_id}
    fact = moved(wish.job_id, job, wish.status, asked.now, message=wish.message, metadata={**evidence, **who})
    return _decided(wish.job_id, job, fact)


def tell_run(wish: TellRun, state: State, asked: Asked) -> Decided:
    """Move a job as a webhook says, unless it is late, repeated, or about a job that it does not belong to. Never refuses."""
    job_id = wish.job_id or _named_outside(wish, state)
    job = state.jobs.get(job_id or "")
    if job_id is None or job is None:
        return _ignored("no job here has this id")
    answer = {"id": job_id}
    why = _why_not(wish, job, state) if job_id not in state.held else "the job waits for a place and was not handed over"
    if why:
        return _ignored(why, **answer)
    status = wish.status or job.status
    look_again_at = job.look_again_at
    if job.dispatched and not job.observation and status != "pending":
        look_again_at = asked.now + timedelta(seconds=LOOK_S)
    observation = _asked_anew(job, look_again_at)
    fact = moved(
        job_id,
        job,
        status,
        asked.now,
        message=wish.message[:MAX_MESSAGE] if wish.message is not None else None,
        external_id=wish.external_id,
        metadata=joined(dict(job.metadata), wish.metadata),
        started_at=_plausible(wish.started_at, asked.now),
        completed_at=_plausible(wish.completed_at, asked.now),
        look_again_at=look_again_at,
        observation=observation,
        told_at=_plausible(wish.told_at, asked.now),
    )
    if len(fact.to_json()) > MAX_TOLD_BYTES:
        fact = moved(job_id, job, status, asked.now, look_again_at=look_again_at, observation=observation)
    return _decided(job_id, job, fact)


def _asked_anew(job: Job, look_again_at: datetime | None) -> int | None:
    """The number of the next question to the agent: the one that is under way was asked of the job as it stood before."""
    return job.observation + 1 if look_again_at is not None else None


_ORDER: Final = {"pending": 0, "queued": 1, "inProgress": 2, "actionRequired": 2}


def _why_not(wish: TellRun, job: Job, state: State) -> str:
    """Why a webhook moves the job not; empty when it does."""
    agent_type = state.agent(job.documents.agent).type if job.documents.agent else ""
    if agent_type != wish.type or wish.agent_id not in (None, job.agent_id):
        return "the job is another agent's"
    if wish.external_id is not None and job.external_id not in (None, wish.external_id):
        return f"the job is run {job.external_id}"
    if not job.is_active:
        return f"the job ended as {job.status}"
    if wish.told_at is not None and job.told_at is not None and wish.told_at < job.told_at:
        return f"it is older than what was told at {job.told_at.isoformat()}"
    if wish.status is not None and _ORDER.get(wish.status, 3) < _ORDER[job.status]:
        return f"the job is {job.status} already"
    return ""


def _named_outside(wish: TellRun, state: State) -> str | None:
    if wish.external_id is None:
        return None
    agents = [wish.agent_id] if wish.agent_id else [one.agent_id for _, one in state.todays_agents() if one.type == wish.type]
    found = (state.outside.get(outside_key(agent_id, wish.external_id)) for agent_id in agents)
    return next((one for one in found if one is not None), None)


def _ignored(reason: str, **answer: str) -> Decided:
    return Decided(answer={**answer, "ignored": reason})


def _plausible(at: datetime | None, now: datetime) -> datetime | None:
    """A time that the outside told, unless it can not be: its clock must not lose its news."""
    return at.astimezone(UTC) if at is not None and at.tzinfo is not None and EARLIEST <= at <= now + CLOCK_ERROR else None


def _decided(job_id: str, job: Job, fact: JobMoved) -> Decided:
    """The fact, unless it changes nothing. Raises: Refused when too much is told."""
    if (size := len(fact.to_json())) > MAX_TOLD_BYTES:
        raise Refused(
            "invalid",
            f"Too much is told of job {job_id}: {size} bytes of JSON with what was told before, at most {MAX_TOLD_BYTES}; "
            "shorten its message or metadata.",
        )
    unchanged = (
        fact.status == job.status
        and fact.message == job.message
        and fact.external_id == job.external_id
        and fact.metadata == dict(job.metadata)
        and fact.started_at == job.started_at
        and fact.completed_at == job.completed_at
    )
    return Decided(() if unchanged else (Draft(fact),), {"id": job_id})


def _job_of(job_id: str, state: State) -> Job:
    job = state.jobs.get(job_id)
    if job is None:
        raise Refused("not_found", f"There is no job {job_id}.")
    return job


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
