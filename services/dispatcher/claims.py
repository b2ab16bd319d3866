"""Jobs that pull agents take: one claim wins, for good or for a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.command import Asked, Refused
from contracts.commands.dispatcher import ClaimJob, ExtendLease, SetJobStatus
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobLeased, JobStatusChanged, WorkflowJobStatusChanged
from contracts.shapes import Json
from libs.runtime.ids import derived
from libs.runtime.service import Decided, Draft
from services.dispatcher.agent_config import config_of, seconds_in
from services.dispatcher.deadline import duration_text
from services.dispatcher.places import number_in
from services.dispatcher.state import Job, Lease, State
from services.dispatcher.status import BACK, MAX_MESSAGE, about, moved

LEASE: Final = "lease/"
"""Timers of leases are named by this and the job's id."""
MAX_INSTANCE: Final = 200
MAX_LEASE_S: Final = 86_400
DEFAULT_CLAIMS: Final = 3


def claim_job(wish: ClaimJob, state: State, asked: Asked) -> Decided:
    """Hand a queued job to its agent: of several claims the first one wins.

    Raises:
        Refused: not_found when it is not this agent's job, conflict when it is not queued.
    """
    job = _job_of(wish.agent_id, wish.job_id, state)
    if job.status != "queued":
        raise Refused("conflict", f"Job {wish.job_id} is {job.status}; only a queued job can be claimed.")
    taken = Draft(moved(wish.job_id, job, "inProgress", asked.now, started_at=asked.now))
    lease_s = wish.lease_seconds or seconds_in(config_of(state, job), "leaseSeconds", MAX_LEASE_S)
    if lease_s is None:
        return Decided((taken,), {"id": wish.job_id})
    end = asked.now + timedelta(seconds=lease_s)
    lease = Lease(derived(asked.id, "claim"), wish.instance[:MAX_INSTANCE], lease_s, end)
    fact = _leased(wish.job_id, job, lease, job.claims + 1, asked.now)
    return Decided((taken, Draft(fact)), _answer(fact))


def target_of(wish: ClaimJob | ExtendLease | SetJobStatus, state: State) -> str:
    """What such a wish is about. Of other jobs they ask only which are active on the same target; one without a target is alone."""
    job = state.jobs.get(wish.job_id)
    return job.target or wish.job_id if job is not None else wish.job_id


def extend_lease(wish: ExtendLease, state: State, asked: Asked) -> Decided:
    """A pull agent is still at it: its lease lasts as long again from now.

    Raises:
        Refused: not_found when it is not this agent's job, conflict when the claim holds no longer.
    """
    job = _job_of(wish.agent_id, wish.job_id, state)
    lease = job.lease
    if lease is None or lease.claim_id != wish.claim_id:
        raise Refused(
            "conflict",
            f"Claim {wish.claim_id} of job {wish.job_id} holds no longer: the job is {job.status}. Stop working on it.",
        )
    longer = lease._replace(expires_at=asked.now + timedelta(seconds=lease.seconds))
    fact = _leased(wish.job_id, job, longer, job.claims, asked.now)
    return Decided((Draft(fact),), _answer(fact))


def _job_of(agent_id: str, job_id: str, state: State) -> Job:
    if agent_id not in state.agents:
        raise Refused("not_found", f"There is no job agent {agent_id}.")
    job = state.jobs.get(job_id)
    if job is None or job.agent_id != agent_id:
        raise Refused("not_found", f"Job agent {agent_id} has no job {job_id}.")
    return job


def _leased(job_id: str, job: Job, lease: Lease, claims: int, now: datetime) -> JobLeased:
    return JobLeased(
        job_id=job_id,
        **about(job),
        claim_id=lease.claim_id,
        instance=lease.instance,
        claims=claims,
        leased_at=now,
        expires_at=lease.expires_at,
    )


def _answer(lease: JobLeased) -> Json:
    return {"id": lease.job_id, "claimId": lease.claim_id, "leaseExpiresAt": lease.expires_at.isoformat()}


class Leases:
    """One timer per lease: when it is over, the job goes back to the queue, or fails after so many claims."""

    def keys(self, state: State) -> Iterable[str]:
        """Every job with a lease."""
        return (LEASE + job_id for job_id in sorted(state.jobs) if state.jobs[job_id].lease is not None)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The job that was taken, or moved on."""
        match recorded.fact:
            case (JobLeased() | JobStatusChanged() | WorkflowJobStatusChanged()) as fact:
                return (LEASE + fact.job_id,)
            case _:
                return ()

    def at(self, state: State, key: str) -> datetime | None:
        """When the lease is over."""
        job = state.jobs.get(key.removeprefix(LEASE))
        return job.lease.expires_at if job is not None and job.lease is not None else None

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Take the jobs back whose leases are over."""
        drafts = []
        for key in keys:
            job_id = key.removeprefix(LEASE)
            job = state.jobs[job_id]
            lease = job.lease
            if lease is None or lease.expires_at > now:
                continue
            who = f" by {lease.instance}" if lease.instance else ""
            silence = f"It was taken{who}, and nobody was heard of for {duration_text(timedelta(seconds=lease.seconds))}"
            most = _claims(config_of(state, job))
            if job.claims >= most:
                said = f"{silence}; so it went {job.claims} times, and no more are allowed (`maxClaims`). Look at the agent."
                fact = moved(job_id, job, "failure", now, message=said[:MAX_MESSAGE])
            else:
                fact = moved(job_id, job, "queued", now, message=f"{silence}{BACK}")
            drafts.append(Draft(fact))
        return drafts


def _claims(config: Json) -> int:
    return number_in(config, "maxClaims") or DEFAULT_CLAIMS
