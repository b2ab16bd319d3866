"""Folds what templates see: the documents of the workspace, and the newest releases and jobs of each target; total, never refuses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, islice, takewhile
from typing import Any, Final

from immutables import Map

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
from contracts.shapes import ACTIVE
from services.verifier.fold_versions import deployment_gone, version_saved
from services.verifier.state import KnownJob, KnownRelease, State, target_key

KEPT: Final = 4
"""Releases, and dispatches with all their jobs, remembered per target: a verification belongs to one of the newest."""
MOST_JOBS: Final = 64
"""Jobs remembered per target, however many agents a dispatch has."""
_BEGUN: Final = frozenset({"inProgress", "successful", "failure", "externalRunNotFound"})
"""A job in one of these runs or ran; one that ended otherwise did so if it says when it began."""


def _resource_saved(state: State, fact: ResourceSaved) -> State:
    return state._replace(resources=state.resources.set(fact.resource_id, fact))


def _resource_deleted(state: State, fact: ResourceDeleted) -> State:
    one = fact.resource_id
    return state._replace(resources=_without(state.resources, one), dropped=_without(state.dropped, one))


def _environment_saved(state: State, fact: EnvironmentSaved) -> State:
    return state._replace(environments=state.environments.set(fact.environment_id, fact))


def _environment_deleted(state: State, fact: EnvironmentDeleted) -> State:
    return state._replace(environments=_without(state.environments, fact.environment_id))


def _deployment_saved(state: State, fact: DeploymentSaved) -> State:
    return state._replace(deployments=state.deployments.set(fact.deployment_id, fact))


def _deployment_deleted(state: State, fact: DeploymentDeleted) -> State:
    state = state._replace(deployments=_without(state.deployments, fact.deployment_id))
    return deployment_gone(state, fact.deployment_id)


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
    key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
    known = state.releases.get(key, ())
    again = [one for one in known if one.item.release_id == fact.release_id]
    if not again:
        return state
    others = (one for one in known if one.item.release_id != fact.release_id)
    return state._replace(releases=state.releases.set(key, (*again, *others)))


def _targets_changed(state: State, fact: TargetsChanged) -> State:
    state = state._replace(dropped=_dropped(state, fact))
    if not fact.removed:
        return state
    releases, jobs = state.releases.mutate(), state.jobs.mutate()
    for resource_id in fact.removed:
        key = target_key(resource_id, fact.environment_id, fact.deployment_id)
        releases.pop(key, None)
        jobs.pop(key, None)
    return state._replace(releases=releases.finish(), jobs=jobs.finish())


def _dropped(state: State, fact: TargetsChanged) -> Map[str, tuple[tuple[str, str], ...]]:
    """What of existing things was dropped. Of what is gone for good nothing is remembered: of deleted resources at once, of the others with
    the next change."""
    pair = (fact.environment_id, fact.deployment_id)
    dropped = state.dropped.mutate()

    def put(resource_id: str, pairs: tuple[tuple[str, str], ...]) -> None:
        if pairs:
            dropped[resource_id] = pairs
        else:
            dropped.pop(resource_id, None)

    for one in fact.added:
        if one in dropped:
            put(one, tuple(known for known in dropped[one] if known != pair))
    for one in fact.removed if _exists(state, pair) else ():
        if one in state.resources:
            put(one, (*(known for known in dropped.get(one, ()) if known != pair and _exists(state, known)), pair))
    return dropped.finish()


def _exists(state: State, pair: tuple[str, str]) -> bool:
    environment_id, deployment_id = pair
    return environment_id in state.environments and deployment_id in state.deployments


def _job_created(state: State, fact: JobCreated) -> State:
    if state.is_dropped(fact.resource_id, fact.environment_id, fact.deployment_id):
        return state  # it was decided on before, and nothing is measured of it
    key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
    job = KnownJob(
        job_id=fact.job_id,
        release_id=fact.release_id,
        version_id=fact.version_id,
        agent_id=fact.agent_id,
        status=fact.status,
        message=fact.message,
        external_id=None,
        metadata=(),
        created_at=fact.created_at,
        updated_at=fact.created_at,
        started_at=None,
        completed_at=None if fact.status == "pending" else fact.created_at,
        attempt=fact.attempt,
    )
    return state._replace(jobs=state.jobs.set(key, _newest((job, *state.jobs.get(key, ())))))


def _newest(jobs: tuple[KnownJob, ...]) -> tuple[KnownJob, ...]:
    """Of the jobs of a target, newest first, those of the newest dispatches: several agents make several jobs of one."""
    if len(jobs) <= KEPT:
        return jobs
    dispatches = (found for found, _ in groupby(jobs, key=lambda job: (job.release_id, job.attempt)))
    newest = set(islice(dispatches, KEPT))
    return tuple(takewhile(lambda job: (job.release_id, job.attempt) in newest, jobs[:MOST_JOBS]))


def _job_status_changed(state: State, fact: JobStatusChanged) -> State:
    key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
    known = state.jobs.get(key, ())
    jobs = tuple(_moved(job, fact) if job.job_id == fact.job_id else job for job in known)
    return state._replace(jobs=state.jobs.set(key, jobs)) if known else state


def _moved(job: KnownJob, fact: JobStatusChanged) -> KnownJob:
    return KnownJob(
        job_id=job.job_id,
        release_id=job.release_id,
        version_id=job.version_id,
        agent_id=job.agent_id,
        status=fact.status,
        message=fact.message,
        external_id=fact.external_id,
        metadata=tuple(sorted(fact.metadata.items())),
        created_at=job.created_at,
        updated_at=fact.changed_at,
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        begun=job.begun or fact.status in _BEGUN or (fact.status not in ACTIVE and fact.started_at is not None),
        attempt=job.attempt,
    )


def _without(items: Map[str, Any], key: str) -> Map[str, Any]:
    return items.delete(key) if key in items else items


FOLDS: Final[dict[str, Callable[[State, Any], State]]] = {
    ResourceSaved.TYPE: _resource_saved,
    ResourceDeleted.TYPE: _resource_deleted,
    EnvironmentSaved.TYPE: _environment_saved,
    EnvironmentDeleted.TYPE: _environment_deleted,
    DeploymentSaved.TYPE: _deployment_saved,
    DeploymentDeleted.TYPE: _deployment_deleted,
    VersionCreated.TYPE: version_saved,
    VersionUpdated.TYPE: version_saved,
    ReleasesCreated.TYPE: _releases_created,
    RollbackStarted.TYPE: _rollback_started,
    TargetsChanged.TYPE: _targets_changed,
    JobCreated.TYPE: _job_created,
    JobStatusChanged.TYPE: _job_status_changed,
}
"""By wire type."""
