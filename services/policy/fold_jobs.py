"""How jobs and their verifications change a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from immutables import Map

from contracts.facts.dispatcher import DispatchHeld, JobCreated, JobDelayed, JobLeased, JobStatusChanged
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import (
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import ACTIVE
from services.policy.fold_pair import stop_retry, use
from services.policy.state import (
    LONGEST_TOLD,
    NOWHERE,
    Check,
    CheckState,
    Delay,
    Job,
    Lease,
    Pair,
    Queued,
    Success,
    Successes,
    bounded,
)


def add_job(pair: Pair, fact: JobCreated, position: int, is_newer: Callable[[str, str], bool]) -> Pair:
    """A job was made; it uses the clearance of its target. `is_newer` compares two versions by their age."""
    one = fact.resource_id
    job = Job(
        job_id=fact.job_id,
        release_id=fact.release_id,
        version_id=fact.version_id,
        agent_id=fact.agent_id,
        attempt=fact.attempt,
        rollback=fact.rollback,
        status=fact.status,
        message=fact.message,
        completed_at=None if fact.status in ACTIVE else fact.created_at,
        position=position,
        made_at=position,
    )
    pair = _set_jobs(pair, one, fact.version_id, (*pair.jobs_of(one, fact.version_id), job))
    standing = pair.standings.get(one, NOWHERE)
    if standing.job_version != fact.version_id:
        standing = standing._replace(job_version=fact.version_id)
    if standing.again is not None or standing.queued is not None:
        standing = standing._replace(again=None, queued=None)
    if fact.version_id in standing.lifted:
        standing = standing._replace(lifted=tuple(version for version in standing.lifted if version != fact.version_id))
    if not fact.rollback and standing.taken != fact.version_id and is_newer(fact.version_id, standing.taken):
        standing = standing._replace(taken=fact.version_id)
    return use(pair, one, standing)


def succeed(pair: Pair, version_id: str, jobs: Iterable[tuple[str, Job]], is_newer: Callable[[str, str], bool]) -> Pair:
    """Jobs of one version were made, and succeeded, one a target: what `add_job` and `change_job` come to, for many at once.

    Args:
        jobs: by resource, as they are when they are over. None is a rollback; no clearance of these targets has an end.
    """
    by_resource: Map[str, tuple[Job, ...]] = pair.jobs.get(version_id, Map())
    counted = pair.successes.get(version_id, Successes())
    succeeded, verified = counted
    with by_resource.mutate() as made, pair.standings.mutate() as standings, pair.open.mutate() as open_:
        for one, job in jobs:
            assert job.completed_at is not None, "it is over"
            earlier = made.get(one, ())
            made[one] = (*earlier, job)
            before, after = _success(earlier), _success(made[one])
            succeeded += after.jobs - before.jobs
            verified += after.verified - before.verified
            standing = standings.get(one, NOWHERE)
            current, taken, lifted = standing.current, standing.taken, standing.lifted
            if current is None or job.completed_at >= current.completed_at:
                current = Success(job.job_id, job.release_id, version_id, job.completed_at)
            if taken != version_id and is_newer(version_id, taken):
                taken = version_id
            if version_id in lifted:
                lifted = tuple(version for version in lifted if version != version_id)
            standings[one] = standing._replace(
                current=current, job_version=version_id, taken=taken, again=None, queued=None, lifted=lifted
            )
            desired = standing.desired
            if open_.get(one) == version_id and desired is not None and desired.release_id == job.release_id:
                del open_[one]
        pair = pair.moved(standings.finish(), pair.jobs.set(version_id, made.finish()), open_.finish())
    if (succeeded, verified) == counted:
        return pair
    return pair._replace(successes=pair.successes.set(version_id, Successes(succeeded, verified)))


def change_job(pair: Pair, fact: JobStatusChanged, position: int) -> Pair:
    """A job moved on; a success is what runs on the target now."""
    completed_at = fact.completed_at
    if completed_at is None and fact.status not in ACTIVE:
        completed_at = fact.changed_at

    def moved(job: Job) -> Job:
        return job._replace(
            status=fact.status,
            message=fact.message,
            completed_at=completed_at,
            position=position,
            delay=None,
            lease=job.lease if fact.status == "inProgress" else None,
        )

    one = fact.resource_id
    pair = _change_job(pair, one, fact.version_id, fact.job_id, moved)
    if one in pair.open:
        pair = stop_retry(pair, one)
    standing = pair.standings.get(one, NOWHERE)
    current = standing.current
    if fact.status == "successful":
        assert completed_at is not None
        if current is None or completed_at >= current.completed_at:
            current = Success(fact.job_id, fact.release_id, fact.version_id, completed_at)
    elif current is not None and current.job_id == fact.job_id:
        current = _newest_success(pair, one)
    if current is standing.current:
        return pair
    return pair.moved(pair.standings.set(one, standing._replace(current=current)), pair.jobs, pair.open)


def delay_job(pair: Pair, fact: JobDelayed, position: int) -> Pair:
    """A job's agent did not take it; it is tried again."""
    if fact.call != "dispatch":
        return pair
    delay = Delay(fact.agent_name, fact.message[:LONGEST_TOLD], fact.next_at, position)
    return _change_job(pair, fact.resource_id, fact.version_id, fact.job_id, lambda job: job._replace(delay=delay))


def lease_job(pair: Pair, fact: JobLeased, position: int) -> Pair:
    """Somebody has a job for a time."""
    lease = Lease(fact.instance, fact.expires_at, position)
    return _change_job(pair, fact.resource_id, fact.version_id, fact.job_id, lambda job: job._replace(lease=lease))


def queue(pair: Pair, fact: DispatchHeld, position: int) -> Pair:
    """Releases wait for a free place."""
    standings = pair.standings.mutate()
    for item in fact.items:
        known = standings.get(item.resource_id)
        if known is not None:
            queued = Queued(item.release_id, fact.agent_id, fact.agent_name, fact.limit, fact.held_at, position)
            standings[item.resource_id] = known._replace(queued=queued)
    return pair._replace(standings=standings.finish())


def add_check(pair: Pair, fact: VerificationRequired, position: int) -> Pair:
    """A verification of a job is required."""

    def checked(job: Job) -> Job:
        return job._replace(checks=(*job.checks, Check(fact.rule_id, "", "running", position, policy_id=fact.policy_id)))

    return _change_job(pair, fact.resource_id, fact.version_id, fact.job_id, checked)


def start_check(pair: Pair, fact: VerificationStarted, position: int) -> Pair:
    """A verification of a job began, or began anew: then it runs, whatever the one before came to."""

    def begun(check: Check) -> Check:
        if check.rule_id != fact.rule_id or fact.attempt < check.attempt:
            return check
        return Check(fact.rule_id, fact.verification_id, "running", position, policy_id=check.policy_id, attempt=fact.attempt)

    return _change_checks(pair, fact, begun)


Ended = VerificationPassed | VerificationFailed | VerificationInconclusive | VerificationCancelled


def end_check(pair: Pair, fact: Ended, position: int) -> Pair:
    """A verification ended, or failed after it had passed. One that another attempt took the place of changes nothing."""

    def ended(check: Check) -> Check:
        if check.verification_id != fact.verification_id:
            return check
        state, told = _came_to(fact)
        return check._replace(
            state=state,
            position=position,
            ended_at=fact.finished_at,
            told=bounded(told),
            reaction=fact.reaction if isinstance(fact, VerificationFailed) else None,
        )

    return _change_checks(pair, fact, ended)


def _came_to(fact: Ended) -> tuple[CheckState, str]:
    match fact:
        case VerificationPassed():
            return "passed", ""
        case VerificationFailed():
            return "failed", f"{fact.metric}: {fact.message}"
        case VerificationInconclusive():
            return "inconclusive", f"{fact.metric}: {fact.message}"
        case VerificationCancelled():
            return "cancelled", fact.reason


def _set_jobs(pair: Pair, resource_id: str, version_id: str, jobs: tuple[Job, ...]) -> Pair:
    by_resource: Map[str, tuple[Job, ...]] = pair.jobs.get(version_id, Map())
    before, after = _success(by_resource.get(resource_id, ())), _success(jobs)
    pair = pair.moved(pair.standings, pair.jobs.set(version_id, by_resource.set(resource_id, jobs)), pair.open)
    if before == after:
        return pair
    known = pair.successes.get(version_id, Successes())
    counted = Successes(known.jobs + after.jobs - before.jobs, known.verified + after.verified - before.verified)
    return pair._replace(successes=pair.successes.set(version_id, counted))


def _success(jobs: tuple[Job, ...]) -> Successes:
    """Whether a version succeeded on one target, as 0 or 1."""
    succeeded = [job for job in jobs if job.status == "successful"]
    return Successes(1 if succeeded else 0, 1 if any(job.verified for job in succeeded) else 0)


def _change_job(pair: Pair, resource_id: str, version_id: str, job_id: str, change: Callable[[Job], Job]) -> Pair:
    jobs = pair.jobs_of(resource_id, version_id)
    if not any(job.job_id == job_id for job in jobs):
        return pair
    return _set_jobs(pair, resource_id, version_id, tuple(change(job) if job.job_id == job_id else job for job in jobs))


def _change_checks(pair: Pair, fact: VerificationStarted | Ended, change: Callable[[Check], Check]) -> Pair:
    def changed(job: Job) -> Job:
        return job._replace(checks=tuple(change(check) for check in job.checks))

    return _change_job(pair, fact.resource_id, fact.version_id, fact.job_id, changed)


def _newest_success(pair: Pair, resource_id: str) -> Success | None:
    found = [
        Success(job.job_id, job.release_id, job.version_id, job.completed_at)
        for by_resource in pair.jobs.values()
        for job in by_resource.get(resource_id, ())
        if job.status == "successful" and job.completed_at is not None
    ]
    return max(found, key=lambda success: (success.completed_at, success.job_id), default=None)
