"""Folds one recorded fact into dispatcher's state; total, never refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobAgentDeleted, JobAgentSaved, JobCreated, JobDispatched, JobStatusChanged
from contracts.facts.inventory import ResourceDeleted, ResourceSaved
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentLinked,
    DeploymentSaved,
    DeploymentUnlinked,
    EnvironmentDeleted,
    EnvironmentLinked,
    EnvironmentSaved,
    EnvironmentUnlinked,
    RedeployRequested,
    ReleasesCreated,
    RollbackStarted,
    SystemDeleted,
    TargetsChanged,
    VersionCreated,
    VersionUpdated,
)
from contracts.facts.policy import (
    ClearanceWithdrawn,
    FreezeOverridden,
    FreezeSaved,
    FreezeThawed,
    PolicyDeleted,
    PolicySaved,
    SkipDeleted,
    TargetsCleared,
)
from services.dispatcher import fold_freezes
from services.dispatcher.state import NOWHERE, Cleared, Desired, Documents, Job, KnownResource, Standing, State, pair_key

KEPT_CLEARANCES = 4
"""Versions per target whose clearance is remembered: one may be cleared while the one before is still being released."""


def evolve(state: State, recorded: Recorded) -> State:
    """Return the state after one more fact."""
    state = _FOLDS[recorded.type](state, recorded.fact, recorded.position)
    if recorded.type in _MOVES_ONE:
        for key in _targets_of(recorded.fact) if state.waiting or recorded.type in _BEGINS_WAIT else ():
            state = fold_freezes.look(state, key, recorded.time)
    elif state.waiting and recorded.type in _MOVES_ALL:
        state = fold_freezes.look_at_all(state, recorded.time)
    return state


def _targets_of(fact: Any) -> list[str]:
    """The targets that a fact is about, as far as something may wait for them."""
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    match fact:
        case ReleasesCreated() | RedeployRequested():
            return [item.resource_id + suffix for item in fact.items]
        case TargetsChanged():
            return [one + suffix for one in (*fact.removed, *fact.added)]
        case _:
            return [fact.resource_id + suffix]


# --- documents -----------------------------------------------------------------------------------------------------------------


def _agent_saved(state: State, fact: JobAgentSaved, position: int) -> State:
    return state._replace(
        agents=state.agents.set(fact.agent_id, position),
        agent_documents=state.agent_documents.set(str(position), fact),
    )


def _agent_deleted(state: State, fact: JobAgentDeleted, position: int) -> State:
    return state._replace(agents=_without(state.agents, fact.agent_id))


def _deployment_saved(state: State, fact: DeploymentSaved, position: int) -> State:
    return state._replace(
        deployments=state.deployments.set(fact.deployment_id, position),
        deployment_documents=state.deployment_documents.set(str(position), fact),
    )


def _deployment_deleted(state: State, fact: DeploymentDeleted, position: int) -> State:
    state = _forget_targets(state, f"-{fact.deployment_id}")
    return state._replace(deployments=_without(state.deployments, fact.deployment_id))


def _environment_saved(state: State, fact: EnvironmentSaved, position: int) -> State:
    return state._replace(
        environments=state.environments.set(fact.environment_id, position),
        environment_documents=state.environment_documents.set(fact.environment_id, fact),
    )


def _environment_deleted(state: State, fact: EnvironmentDeleted, position: int) -> State:
    state = _forget_targets(state, f"-{fact.environment_id}-")
    return state._replace(
        environments=_without(state.environments, fact.environment_id),
        environment_documents=_without(state.environment_documents, fact.environment_id),
    )


def _forget_targets(state: State, ids: str) -> State:
    """The history of targets ends with their deployment or environment: under the same id again they start anew.

    A job that still runs there goes on, and blocks a new one until it ends.
    """
    targets, without_agent = state.targets.mutate(), state.without_agent
    for key, known in state.targets.items():
        if ids in key:
            targets[key] = Standing(known.exists, active=known.active)
            without_agent = _index_without_agent(without_agent, key[:36], key, waits=False)
    return state._replace(targets=targets.finish(), without_agent=without_agent)


def _version_saved(state: State, fact: VersionCreated | VersionUpdated, position: int) -> State:
    # Both facts carry the whole document; kept as one type, so that a snapshot knows what to read back.
    document = fact if isinstance(fact, VersionCreated) else VersionCreated(**dict(fact))
    return state._replace(
        versions=state.versions.set(fact.version_id, position),
        version_documents=state.version_documents.set(str(position), document),
    )


def _resource_saved(state: State, fact: ResourceSaved, position: int) -> State:
    return state._replace(resources=state.resources.set(fact.resource_id, KnownResource(position, fact)))


def _resource_deleted(state: State, fact: ResourceDeleted, position: int) -> State:
    return state._replace(resources=_without(state.resources, fact.resource_id))


# --- what should go where ------------------------------------------------------------------------------------------------------


def _targets_changed(state: State, fact: TargetsChanged, position: int) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    targets = state.targets.mutate()
    for resource_id in fact.added:
        key = resource_id + suffix
        targets[key] = targets.get(key, NOWHERE)._replace(exists=True)
    for resource_id in fact.removed:
        key = resource_id + suffix
        known = targets.get(key)
        if known is None:
            continue
        if known.newest_job is None and not known.active:
            del targets[key]
        else:
            targets[key] = known._replace(exists=False, desired=None, cleared=(), again=False)
    return state._replace(targets=targets.finish())


def _targets_cleared(state: State, fact: TargetsCleared, position: int) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    clearance = Cleared(fact.version_id, fact.at, fact.valid_until)
    targets = state.targets.mutate()
    for resource_id in fact.resource_ids:
        key = resource_id + suffix
        known = targets.get(key)
        if known is not None and known.exists:
            cleared = _with_clearance(known.cleared, clearance)
            targets[key] = Standing(True, known.desired, cleared, known.newest_job, known.active, known.again)
    return state._replace(targets=targets.finish())


def _with_clearance(kept: tuple[Cleared, ...], new: Cleared) -> tuple[Cleared, ...]:
    if not kept:
        return (new,)
    others = tuple(one for one in kept if one.version_id != new.version_id)
    return (*others, new)[-KEPT_CLEARANCES:]


def _clearance_withdrawn(state: State, fact: ClearanceWithdrawn, position: int) -> State:
    return state._replace(withdrawn=state.withdrawn.set(pair_key(fact.deployment_id, fact.environment_id), position))


def _gate_closed(state: State, fact: PolicySaved | PolicyDeleted | SkipDeleted, position: int) -> State:
    return state._replace(gate=position)


def _freeze_saved(state: State, fact: FreezeSaved, position: int) -> State:
    return fold_freezes.save(state, fact)._replace(gate=position)


def _releases_created(state: State, fact: ReleasesCreated, position: int) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    # A release that rests on no clearance waits for one.
    rested_on = (Cleared(fact.version_id, fact.cleared_at, None),) if fact.cleared_at else ()
    targets = state.targets.mutate()
    releases = state.releases.mutate()
    for item in fact.items:
        releases[item.release_id] = position
        key = item.resource_id + suffix
        known = targets.get(key)
        if known is None or not known.exists:
            continue
        # The clearance was folded before, with the end of its validity; it is only missing when it is older than our memory.
        mine = tuple(one for one in known.cleared if one.version_id == fact.version_id and one.at >= fact.cleared_at)
        cleared = tuple(one for one in known.cleared if one.at > fact.cleared_at and one.version_id != fact.version_id)
        targets[key] = Standing(
            True,
            Desired(item.release_id, fact.version_id, position, rollback=False),
            (*(mine or rested_on), *cleared),
            known.newest_job,
            known.active,
        )
    return state._replace(targets=targets.finish(), releases=releases.finish())


def _rollback_started(state: State, fact: RollbackStarted, position: int) -> State:
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    known = state.targets.get(key)
    if known is None or not known.exists:
        return state
    desired = None
    if fact.release_id is not None and fact.to_version_id is not None:
        desired = Desired(fact.release_id, fact.to_version_id, position, rollback=True)
    return state._replace(targets=state.targets.set(key, known._replace(desired=desired, again=False)))


def _redeploy_requested(state: State, fact: RedeployRequested, position: int) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    targets = state.targets.mutate()
    for item in fact.items:
        known = targets.get(item.resource_id + suffix)
        if known is not None and known.desired is not None and known.desired.release_id == item.release_id:
            targets[item.resource_id + suffix] = known._replace(again=True)
    return state._replace(targets=targets.finish())


# --- jobs ----------------------------------------------------------------------------------------------------------------------


def _job_created(state: State, fact: JobCreated, position: int) -> State:
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    job = Job(
        target=key,
        position=position,
        release_id=fact.release_id,
        version_id=fact.version_id,
        agent_id=fact.agent_id,
        documents=Documents(fact.snapshot.agent, fact.snapshot.deployment, fact.snapshot.version),
        attempt=fact.attempt,
        rollback=fact.rollback,
        status=fact.status,
        message=fact.message,
        external_id=None,
        metadata=(),
        created_at=fact.created_at,
        started_at=None,
        completed_at=None if fact.status == "pending" else fact.created_at,
        deadline_at=fact.deadline_at,
        dispatched=False,
        look_again_at=None,
        observation=0,
        moved_at=position,
    )
    known = state.targets.get(key, NOWHERE)
    active = (*known.active, fact.job_id) if job.is_active else known.active
    cleared = known.cleared
    of_desired = known.desired is not None and known.desired.release_id == fact.release_id
    if fact.agent_id and cleared and of_desired:
        # Whatever is dispatched after this one is judged anew; one that found no agent goes on with what it has. Where another release
        # took the place of this one while it was being dispatched, the clearance is that one's: policy saw nobody use it.
        cleared = tuple(one for one in cleared if one.version_id != fact.version_id)
    return state._replace(
        jobs=state.jobs.set(fact.job_id, job),
        targets=state.targets.set(
            key, Standing(known.exists, known.desired, cleared, fact.job_id, active, known.again and not fact.agent_id)
        ),
        attempts=state.attempts.set(fact.release_id, max(fact.attempt, state.attempts.get(fact.release_id, 0))),
        without_agent=_index_without_agent(state.without_agent, fact.resource_id, key, waits=not fact.agent_id),
    )


def _index_without_agent(
    index: Map[str, tuple[str, ...]], resource_id: str, target: str, *, waits: bool
) -> Map[str, tuple[str, ...]]:
    known = index.get(resource_id, ())
    if (target in known) == waits:
        return index
    if waits:
        return index.set(resource_id, (*known, target))
    rest = tuple(one for one in known if one != target)
    return index.set(resource_id, rest) if rest else index.delete(resource_id)


def _job_dispatched(state: State, fact: JobDispatched, position: int) -> State:
    return state._replace(jobs=state.jobs.set(fact.job_id, state.jobs[fact.job_id]._replace(dispatched=True)))


def _job_status_changed(state: State, fact: JobStatusChanged, position: int) -> State:
    before = state.jobs[fact.job_id]
    job = before._replace(
        status=fact.status,
        message=fact.message,
        external_id=fact.external_id,
        metadata=tuple(sorted(fact.metadata.items())),
        started_at=fact.started_at,
        completed_at=fact.completed_at,
        look_again_at=fact.look_again_at,
        observation=fact.observation,
        moved_at=position,
    )
    targets = state.targets
    if job.is_active != before.is_active:
        if job.is_active:
            job = job._replace(deadline_at=_new_deadline(before, fact.changed_at))
        known = targets.get(job.target, NOWHERE)
        known = known._replace(active=_with_active(known, fact.job_id, active=job.is_active))
        forgotten = not known.exists and known.newest_job is None and not known.active
        targets = _without(targets, job.target) if forgotten else targets.set(job.target, known)
    jobs = state.jobs.set(fact.job_id, job)
    newest_id = state.targets.get(job.target, NOWHERE).newest_job
    if newest_id is not None and newest_id != fact.job_id:
        newest = jobs[newest_id]
        if (newest.release_id, newest.attempt) == (job.release_id, job.attempt):
            jobs = jobs.set(newest_id, newest._replace(moved_at=position))
    return state._replace(jobs=jobs, targets=targets, succeeded=_with_success(state, fact.job_id, job))


def _new_deadline(job: Job, reopened_at: datetime) -> datetime:
    """A reopened job gets as much time as it had at first, else it would end at once."""
    return max(job.deadline_at, reopened_at + (job.deadline_at - job.created_at))


def _with_active(known: Standing, job_id: str, *, active: bool) -> tuple[str, ...]:
    return (*known.active, job_id) if active else tuple(one for one in known.active if one != job_id)


def _with_success(state: State, job_id: str, job: Job) -> Map[str, tuple[str, ...]]:
    if job.status != "successful":
        return state.succeeded
    known = state.succeeded.get(job.release_id, ())
    if job_id in known:
        return state.succeeded
    if known and state.jobs[known[0]].attempt == job.attempt:
        return state.succeeded.set(job.release_id, (*known, job_id))
    return state.succeeded.set(job.release_id, (job_id,))


def _without(items: Map[str, Any], key: str) -> Map[str, Any]:
    return items.delete(key) if key in items else items


_FOLDS: dict[str, Callable[[State, Any, int], State]] = {
    JobAgentSaved.TYPE: _agent_saved,
    JobAgentDeleted.TYPE: _agent_deleted,
    DeploymentSaved.TYPE: _deployment_saved,
    DeploymentDeleted.TYPE: _deployment_deleted,
    EnvironmentSaved.TYPE: _environment_saved,
    EnvironmentDeleted.TYPE: _environment_deleted,
    VersionCreated.TYPE: _version_saved,
    VersionUpdated.TYPE: _version_saved,
    ResourceSaved.TYPE: _resource_saved,
    ResourceDeleted.TYPE: _resource_deleted,
    TargetsChanged.TYPE: _targets_changed,
    TargetsCleared.TYPE: _targets_cleared,
    ClearanceWithdrawn.TYPE: _clearance_withdrawn,
    PolicySaved.TYPE: _gate_closed,
    PolicyDeleted.TYPE: _gate_closed,
    SkipDeleted.TYPE: _gate_closed,
    FreezeSaved.TYPE: _freeze_saved,
    FreezeThawed.TYPE: lambda state, fact, position: fold_freezes.thaw(state, fact),
    FreezeOverridden.TYPE: lambda state, fact, position: fold_freezes.override(state, fact),
    DeploymentLinked.TYPE: lambda state, fact, position: fold_freezes.link(state, fact),
    EnvironmentLinked.TYPE: lambda state, fact, position: fold_freezes.link(state, fact),
    DeploymentUnlinked.TYPE: lambda state, fact, position: fold_freezes.unlink(state, fact),
    EnvironmentUnlinked.TYPE: lambda state, fact, position: fold_freezes.unlink(state, fact),
    SystemDeleted.TYPE: lambda state, fact, position: fold_freezes.forget_system(state, fact),
    ReleasesCreated.TYPE: _releases_created,
    RollbackStarted.TYPE: _rollback_started,
    RedeployRequested.TYPE: _redeploy_requested,
    JobCreated.TYPE: _job_created,
    JobDispatched.TYPE: _job_dispatched,
    JobStatusChanged.TYPE: _job_status_changed,
}
READS = frozenset(_FOLDS)
"""Wire types of the facts that are folded."""

_BEGINS_WAIT = frozenset({RedeployRequested.TYPE, RollbackStarted.TYPE, JobStatusChanged.TYPE, TargetsChanged.TYPE})
_MOVES_ONE = _BEGINS_WAIT | {ReleasesCreated.TYPE, JobCreated.TYPE}
_MOVES_ALL = frozenset(
    one.TYPE
    for one in (
        FreezeSaved,
        FreezeThawed,
        FreezeOverridden,
        DeploymentLinked,
        EnvironmentLinked,
        DeploymentUnlinked,
        EnvironmentUnlinked,
        SystemDeleted,
        ResourceSaved,
        ResourceDeleted,
        DeploymentSaved,
        EnvironmentSaved,
        DeploymentDeleted,
        EnvironmentDeleted,
    )
)
WAITING_MOVES = _MOVES_ONE | _MOVES_ALL
"""Wire types of the facts with which it may change when a freeze lets go what waits."""
LETS_GO = _MOVES_ALL
"""Of those: what may let go all that waits."""
