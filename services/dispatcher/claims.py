"""Jobs that pull agents take: one claim wins, for good or for a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.agents import HttpPullConfig
from contracts.command import Asked, Refused
from contracts.commands.dispatcher import ClaimJob, ExtendLease
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobLeased, JobStatusChanged, WorkflowJobStatusChanged
from contracts.shapes import Json
from libs.runtime.ids import derived
from libs.runtime.service import Decided, Draft
from services.dispatcher.agent_config import config_of
from services.dispatcher.deadline import duration_text
from services.dispatcher.state import Job, State
from services.dispatcher.status import MAX_MESSAGE, about, moved

LEASE: Final = "lease/"
"""Timers of leases are named by this and the job's id."""
MAX_INSTANCE: Final = 200
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
    lease_s = wish.lease_seconds or _seconds(config_of(state, job).get("leaseSeconds"))
    if lease_s is None:
        return Decided((taken,), {"id": wish.job_id})
    lease = JobLeased(
        job_id=wish.job_id,
        **about(job),
        claim_id=derived(asked.id, "claim"),
        instance=wish.instance[:MAX_INSTANCE],
        claims=job.claims + 1,
        leased_at=asked.now,
        expires_at=asked.now + timedelta(seconds=lease_s),
    )
    return Decided((taken, Draft(lease)), _answer(lease))


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
    fact = JobLeased(
        job_id=wish.job_id,
        **about(job),
        claim_id=lease.claim_id,
        instance=lease.instance,
        claims=job.claims,
        leased_at=asked.now,
        expires_at=asked.now + timedelta(seconds=lease.seconds),
    )
    return Decided((Draft(fact),), _answer(fact))


def _job_of(agent_id: str, job_id: str, state: State) -> Job:
    if agent_id not in state.agents:
        raise Refused("not_found", f"There is no job agent {agent_id}.")
    job = state.jobs.get(job_id)
    if job is None or job.agent_id != agent_id:
        raise Refused("not_found", f"Job agent {agent_id} has no job {job_id}.")
    return job


def _answer(lease: JobLeased) -> Json:
    return {"id": lease.job_id, "claimId": lease.claim_id, "leaseExpiresAt": lease.expires_at.isoformat()}


def _seconds(value: object) -> float | None:
    """A number of seconds as a configuration may hold it; what can not be read counts as not given."""
    known = not isinstance(value, bool) and isinstance(value, int | float) and 0 < value <= 86_400
    return float(value) if known and isinstance(value, int | float) else None


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
                fact = moved(job_id, job, "queued", now, message=f"{silence}: it is back in the queue."[:MAX_MESSAGE])
            drafts.append(Draft(fact))
        return drafts


def _claims(config: Json) -> int:
    value = config.get("maxClaims", HttpPullConfig.model_fields["max_claims"].default)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else DEFAULT_CLAIMS
