"""Facts as a forecast supposes them: what planner, dispatcher and verifier would record if all goes well, at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from contracts.fact import Fact
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.planner import ReleaseItem, ReleasesCreated, RollbackStarted
from contracts.facts.policy import RollbackRequired, TargetsCleared
from contracts.facts.verifier import VerificationPassed, VerificationStarted
from contracts.shapes import ACTIVE
from services.policy.fold import apply
from services.policy.fold_jobs import succeed
from services.policy.state import NOWHERE, Job, Pair, State

_SNAPSHOT: Final = DispatchSnapshot(resource=0, environment=0, deployment=0, version=0, release=0)


def ended_well(pair: Pair, resource_id: str, now: datetime) -> Iterator[Fact]:
    """The job that runs on a target succeeds, and so do the verifications that are still to come to an end."""
    newest = pair.newest_job(resource_id)
    if newest is None or newest.outcome != "running":
        return
    for job in pair.jobs_of(resource_id, newest.version_id):
        if job.outcome == "running":
            if job.status in ACTIVE:
                yield _succeeded(pair, resource_id, job, now)
            yield from _verified(pair, resource_id, job, now)


def deployed(pair: Pair, resource_id: str, version_id: str, now: datetime) -> Iterator[Fact]:
    """A target that is cleared gets its release, and a job that succeeds; none where the release runs there already.

    No verification is required of the job: one that passes at once changes nothing.
    """
    yield from _releases(pair, (resource_id,), version_id, now)
    yield from _job(pair, resource_id, version_id, now)


def deployed_in_turn(state: State, key: str, version_id: str, turns: Sequence[tuple[datetime, str]]) -> State:
    """Targets of a pair are cleared and deployed, each at its turn; ascending. What only their order matters to is taken in at once."""
    pair = state.pairs[key]
    last, ids = turns[-1][0], tuple(one for _, one in turns)
    cleared = TargetsCleared(
        deployment_id=pair.deployment_id,
        environment_id=pair.environment_id,
        version_id=version_id,
        resource_ids=ids,
        at=0,
        cleared_at=last,
    )
    for fact in (cleared, *_releases(pair, ids, version_id, last)):
        state = apply(state, fact, state.position + 1)
    jobs: list[tuple[str, Job]] = []
    position = state.position
    for at, one in turns:
        job = _next_job(pair, one, version_id)
        if job is not None:
            position += 2  # it is made, and it succeeds
            jobs.append((one, job._replace(status="successful", completed_at=at, made_at=position - 1, position=position)))
    return state.moved(position, state.pairs.set(key, succeed(state.pairs[key], version_id, jobs, state.is_newer)))


def gone_back(pair: Pair, required: Fact, now: datetime) -> Iterator[Fact]:
    """A rollback is required, and the target goes back to what runs there, if that is another version and none that is marked bad.

    The job that returns it is left out: it would make what runs there run there.
    """
    assert isinstance(required, RollbackRequired), "nothing else is required instead of a retry"
    yield required
    standing = pair.standings.get(required.resource_id, NOWHERE)
    current = standing.current
    if current is not None and current.version_id in (required.version_id, *standing.bad):
        current = None
    yield RollbackStarted(
        deployment_id=required.deployment_id,
        environment_id=required.environment_id,
        resource_id=required.resource_id,
        version_id=required.version_id,
        job_id=required.job_id,
        release_id=current.release_id if current is not None else None,
        to_version_id=current.version_id if current is not None else None,
        reason=required.reason,
        policy_id=required.policy_id,
        rule_id=required.rule_id,
        started_at=now,
    )


def _release_id(pair: Pair, resource_id: str, version_id: str) -> str:
    """The release of a version on a target: the one that it has there, if any."""
    standing = pair.standings.get(resource_id, NOWHERE)
    desired, current = standing.desired, standing.current
    if desired is not None and desired.version_id == version_id:
        return desired.release_id
    if current is not None and current.version_id == version_id:
        return current.release_id
    return f"{resource_id}/{version_id}"


def _releases(pair: Pair, resource_ids: Iterable[str], version_id: str, now: datetime) -> Iterator[Fact]:
    items = []
    for one in resource_ids:
        desired, release_id = pair.standings.get(one, NOWHERE).desired, _release_id(pair, one, version_id)
        if desired is None or desired.release_id != release_id:
            items.append(ReleaseItem(resource_id=one, release_id=release_id))
    if items:
        yield ReleasesCreated(
            deployment_id=pair.deployment_id,
            environment_id=pair.environment_id,
            version_id=version_id,
            items=tuple(items),
            cleared_at=0,
            created_at=now,
        )


def _job(pair: Pair, resource_id: str, version_id: str, now: datetime) -> Iterator[Fact]:
    """A job is made and succeeds, unless its release runs there already; the pair is as it was before the release was made."""
    job = _next_job(pair, resource_id, version_id)
    if job is None:
        return
    yield JobCreated(
        job_id=job.job_id,
        release_id=job.release_id,
        resource_id=resource_id,
        environment_id=pair.environment_id,
        deployment_id=pair.deployment_id,
        version_id=version_id,
        agent_id=job.agent_id,
        attempt=job.attempt,
        status=job.status,
        snapshot=_SNAPSHOT,
        created_at=now,
        deadline_at=now,
    )
    yield _succeeded(pair, resource_id, job, now)


def _next_job(pair: Pair, resource_id: str, version_id: str) -> Job | None:
    """The job that a release is to get on a target; None where it runs there already."""
    current, release_id = pair.standings.get(resource_id, NOWHERE).current, _release_id(pair, resource_id, version_id)
    if current is not None and current.release_id == release_id:
        return None
    tried = max((one.attempt for one in pair.jobs_of(resource_id, version_id) if one.release_id == release_id), default=0)
    return Job(f"{release_id}/job {tried + 1}", release_id, version_id, "agent", tried + 1, False, "pending", None, None, 0)


def _succeeded(pair: Pair, resource_id: str, job: Job, now: datetime) -> JobStatusChanged:
    return JobStatusChanged(
        job_id=job.job_id,
        release_id=job.release_id,
        resource_id=resource_id,
        environment_id=pair.environment_id,
        deployment_id=pair.deployment_id,
        version_id=job.version_id,
        agent_id=job.agent_id,
        status="successful",
        previous=job.status,
        completed_at=now,
        changed_at=now,
    )


def _verified(pair: Pair, resource_id: str, job: Job, now: datetime) -> Iterator[Fact]:
    for check in job.checks:
        if check.state != "running":
            continue
        about: dict[str, Any] = {
            "verification_id": check.verification_id or f"{job.job_id}/{check.rule_id}",
            "job_id": job.job_id,
            "release_id": job.release_id,
            "resource_id": resource_id,
            "environment_id": pair.environment_id,
            "deployment_id": pair.deployment_id,
            "version_id": job.version_id,
        }
        if not check.verification_id:
            yield VerificationStarted(**about, policy_id="", rule_id=check.rule_id, metrics=(), first_at=(), started_at=now)
        yield VerificationPassed(**about, finished_at=now)
