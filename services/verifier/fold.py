"""Folds one recorded fact into verifier's state; total, never refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceDeleted, ResourceSaved
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentSaved,
    EnvironmentDeleted,
    EnvironmentSaved,
    ReleasesCreated,
    RollbackStarted,
    TargetsChanged,
    VersionCreated,
    VersionUpdated,
)
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed, VerificationStarted
from services.verifier.state import KnownJob, KnownRelease, Running, State, Tally

KEPT = 4
"""Releases and jobs remembered per target: a verification belongs to one of the newest."""


def evolve(state: State, recorded: Recorded) -> State:
    """Return the state after one more fact."""
    fold = _FOLDS.get(recorded.type)
    return state if fold is None else fold(state, recorded.fact)


# --- verifications -------------------------------------------------------------------------------------------------------------


def _started(state: State, fact: VerificationStarted) -> State:
    running = Running(fact, tuple(Tally() for _ in fact.metrics))
    return state._replace(running=state.running.set(fact.verification_id, running))


def _measured(state: State, fact: MeasurementTaken) -> State:
    running = state.running[fact.verification_id].with_measurement(fact)
    return state._replace(running=state.running.set(fact.verification_id, running))


def _finished(state: State, fact: VerificationPassed | VerificationFailed) -> State:
    outcome = "passed" if isinstance(fact, VerificationPassed) else "failed"
    return state._replace(
        running=state.running.delete(fact.verification_id), finished=state.finished.set(fact.verification_id, outcome)
    )


# --- documents for templates ---------------------------------------------------------------------------------------------------


def _resource_saved(state: State, fact: ResourceSaved) -> State:
    return state._replace(resources=state.resources.set(fact.resource_id, fact))


def _resource_deleted(state: State, fact: ResourceDeleted) -> State:
    return state._replace(resources=_without(state.resources, fact.resource_id))


def _environment_saved(state: State, fact: EnvironmentSaved) -> State:
    return state._replace(environments=state.environments.set(fact.environment_id, fact))


def _environment_deleted(state: State, fact: EnvironmentDeleted) -> State:
    return state._replace(environments=_without(state.environments, fact.environment_id))


def _deployment_saved(state: State, fact: DeploymentSaved) -> State:
    return state._replace(deployments=state.deployments.set(fact.deployment_id, fact))


def _deployment_deleted(state: State, fact: DeploymentDeleted) -> State:
    return state._replace(deployments=_without(state.deployments, fact.deployment_id))


def _version_saved(state: State, fact: VersionCreated | VersionUpdated) -> State:
    # Both facts carry the whole document; kept as one type, so that a snapshot knows what to read back.
    document = fact if isinstance(fact, VersionCreated) else VersionCreated(**dict(fact))
    return state._replace(versions=state.versions.set(fact.version_id, document))


def _releases_created(state: State, fact: ReleasesCreated) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    releases = state.releases.mutate()
    for item in fact.items:
        key = item.resource_id + suffix
        new = KnownRelease(fact.version_id, fact.created_at, item)
        known = releases.get(key, ())
        releases[key] = (new, *(one for one in known if one.item.release_id != item.release_id))[:KEPT] if known else (new,)
    return state._replace(releases=releases.finish())


def _rollback_started(state: State, fact: RollbackStarted) -> State:
    """The release that a target returns to counts as its newest, so that it is not forgotten after several bad versions."""
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    known = state.releases.get(key, ())
    again = [one for one in known if one.item.release_id == fact.release_id]
    if not again:
        return state
    others = (one for one in known if one.item.release_id != fact.release_id)
    return state._replace(releases=state.releases.set(key, (*again, *others)))


def _targets_changed(state: State, fact: TargetsChanged) -> State:
    if not fact.removed:
        return state
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    releases, jobs = state.releases.mutate(), state.jobs.mutate()
    for resource_id in fact.removed:
        releases.pop(resource_id + suffix, None)
        jobs.pop(resource_id + suffix, None)
    return state._replace(releases=releases.finish(), jobs=jobs.finish())


def _job_created(state: State, fact: JobCreated) -> State:
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    job = KnownJob(
        job_id=fact.job_id,
        release_id=fact.release_id,
        agent_id=fact.agent_id,
        status=fact.status,
        message=fact.message,
        external_id=None,
        metadata=(),
        created_at=fact.created_at,
        updated_at=fact.created_at,
        started_at=None,
        completed_at=None if fact.status == "pending" else fact.created_at,
    )
    return state._replace(jobs=state.jobs.set(key, (job, *state.jobs.get(key, ()))[:KEPT]))


def _job_status_changed(state: State, fact: JobStatusChanged) -> State:
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    known = state.jobs.get(key, ())
    jobs = tuple(_moved(job, fact) if job.job_id == fact.job_id else job for job in known)
    return state._replace(jobs=state.jobs.set(key, jobs)) if known else state


def _moved(job: KnownJob, fact: JobStatusChanged) -> KnownJob:
    return KnownJob(
        job_id=job.job_id,
        release_id=job.release_id,
        agent_id=job.agent_id,
        status=fact.status,
        message=fact.message,
        external_id=fact.external_id,
        metadata=tuple(sorted(fact.metadata.items())),
        created_at=job.created_at,
        updated_at=fact.changed_at,
        started_at=fact.started_at,
        completed_at=fact.completed_at,
    )


def _without(items: Map[str, Any], key: str) -> Map[str, Any]:
    return items.delete(key) if key in items else items


_FOLDS: dict[str, Callable[[State, Any], State]] = {
    VerificationStarted.TYPE: _started,
    MeasurementTaken.TYPE: _measured,
    VerificationPassed.TYPE: _finished,
    VerificationFailed.TYPE: _finished,
    ResourceSaved.TYPE: _resource_saved,
    ResourceDeleted.TYPE: _resource_deleted,
    EnvironmentSaved.TYPE: _environment_saved,
    EnvironmentDeleted.TYPE: _environment_deleted,
    DeploymentSaved.TYPE: _deployment_saved,
    DeploymentDeleted.TYPE: _deployment_deleted,
    VersionCreated.TYPE: _version_saved,
    VersionUpdated.TYPE: _version_saved,
    ReleasesCreated.TYPE: _releases_created,
    RollbackStarted.TYPE: _rollback_started,
    TargetsChanged.TYPE: _targets_changed,
    JobCreated.TYPE: _job_created,
    JobStatusChanged.TYPE: _job_status_changed,
}
READS = frozenset(_FOLDS) | {VerificationRequired.TYPE}
"""Wire types that are read: folded, or only reacted to."""
