"""Folds one recorded fact into dispatcher's state; total, never refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    DispatchHeld,
    JobAgentDeleted,
    JobAgentSaved,
    JobCancelAnswered,
    JobCreated,
    JobDelayed,
    JobDispatched,
    JobLeased,
    JobStatusChanged,
    PlanReported,
    PlanRequested,
    PlanResultRecorded,
    PlanResultsStarted,
    WorkflowDeleted,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
    WorkflowRunEnded,
    WorkflowRunStarted,
    WorkflowSaved,
)
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
    PlanTargetsResolved,
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
from services.dispatcher import fold_freezes, fold_jobs, fold_plans, fold_workflows, line, pairs
from services.dispatcher.state import NOWHERE, Cleared, Desired, KnownResource, Standing, State, pair_key

KEPT_CLEARANCES = 4
"""Versions per target whose clearance is remembered: one may be cleared while the one before is still being released."""


def evolve(state: State, recorded: Recorded) -> State:
    """Return the state after one more fact."""
    state = _FOLDS[recorded.type](state, recorded.fact, recorded.position)
    if recorded.type in _MOVES_ONE:
        for key in _targets_of(recorded.fact) if state.waiting or recorded.type in _BEGINS_WAIT else ():
            state = fold_freezes.look(state, key, recorded.time)
    elif state.waiting and recorded.type in _MOVES_ALL:
        for key in waiting_for(state, recorded):
            state = fold_freezes.look(state, key, recorded.time)
    return state


def waiting_for(state: State, recorded: Recorded) -> list[str]:
    """The waiting targets that such a fact may let go, in a fixed order: a resource lets go its own ones, anything else all of them."""
    match recorded.fact:
        case ResourceSaved() | ResourceDeleted() as fact:
            return sorted(key for key in state.waiting if key.startswith(fact.resource_id))
        case _:
            return sorted(state.waiting)


def _targets_of(fact: Any) -> list[str]:
    """The targets that a fact is about, as far as something may wait for them."""
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    match fact:
        case ReleasesCreated() | RedeployRequested() | DispatchHeld():
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
    state = _forget_targets(state, fact.deployment_id)
    return state._replace(deployments=_without(state.deployments, fact.deployment_id))


def _environment_saved(state: State, fact: EnvironmentSaved, position: int) -> State:
    return state._replace(
        environments=state.environments.set(fact.environment_id, position),
        environment_documents=state.environment_documents.set(fact.environment_id, fact),
    )


def _environment_deleted(state: State, fact: EnvironmentDeleted, position: int) -> State:
    state = _forget_targets(state, fact.environment_id)
    return state._replace(
        environments=_without(state.environments, fact.environment_id),
        environment_documents=_without(state.environment_documents, fact.environment_id),
    )


def _forget_targets(state: State, id_: str) -> State:
    """The history of targets ends with their deployment or environment: under the same id again they start anew.

    A job that still runs there goes on, and blocks a new one until it ends.
    """
    targets, without_agent = state.targets.mutate(), state.without_agent
    for key in pairs.targets_with(state, id_):
        known = targets[key]
        targets[key] = Standing(known.exists, active=known.active)
        state = line.let_go(state, key)
        without_agent = fold_jobs.index_without_agent(without_agent, key[:36], key, waits=False)
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
    for resource_id in fact.removed if state.held else ():
        state = line.let_go(state, resource_id + suffix)
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
    state = state._replace(targets=targets.finish())
    return pairs.all_noted(state, fact.deployment_id, fact.environment_id, (*fact.added, *fact.removed))


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
    fresh = line.cleared(state, pair_key(fact.deployment_id, fact.environment_id), fact.at, fact.valid_until)
    return state._replace(targets=targets.finish(), fresh=fresh)


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
        if item.release_id not in releases:  # else it is made again with the same content
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
        if key in state.held and known.newest_job is not None and state.jobs[known.newest_job].release_id == item.release_id:
            state = line.let_go(state, key)  # what it waited for is no longer wanted, and this one it had
    fresh = state.fresh
    if rested_on:
        fresh = line.cleared(state, pair_key(fact.deployment_id, fact.environment_id), fact.cleared_at, None)
    return state._replace(targets=targets.finish(), releases=releases.finish(), fresh=fresh)


def _rollback_started(state: State, fact: RollbackStarted, position: int) -> State:
    key = f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}"
    known = state.targets.get(key)
    if known is None or not known.exists:
        return state
    desired = None
    if fact.release_id is not None and fact.to_version_id is not None:
        desired = Desired(fact.release_id, fact.to_version_id, position, rollback=True)
    elif known.desired is not None and known.desired.version_id not in (fact.version_id, *fact.also_marked):
        return state  # the mark alone, of a version that gave way to another one before
    else:
        state = line.let_go(state, key)
    return state._replace(targets=state.targets.set(key, known._replace(desired=desired, again=False)))


def _redeploy_requested(state: State, fact: RedeployRequested, position: int) -> State:
    suffix = f"-{fact.environment_id}-{fact.deployment_id}"
    targets = state.targets.mutate()
    for item in fact.items:
        known = targets.get(item.resource_id + suffix)
        if known is not None and known.desired is not None and known.desired.release_id == item.release_id:
            targets[item.resource_id + suffix] = known._replace(again=True)
    return state._replace(targets=targets.finish())


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
    PolicySaved.TYPE: lambda state, fact, position: _gate_closed(fold_plans.policy_saved(state, fact), fact, position),
    PolicyDeleted.TYPE: lambda state, fact, position: _gate_closed(fold_plans.policy_deleted(state, fact), fact, position),
    PlanRequested.TYPE: fold_plans.requested,
    PlanResultsStarted.TYPE: fold_plans.started,
    PlanResultRecorded.TYPE: fold_plans.recorded,
    PlanReported.TYPE: fold_plans.reported,
    PlanTargetsResolved.TYPE: lambda state, fact, position: state,
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
    JobCreated.TYPE: fold_jobs.created,
    JobDispatched.TYPE: fold_jobs.dispatched,
    JobStatusChanged.TYPE: fold_jobs.moved,
    DispatchHeld.TYPE: line.held,
    JobDelayed.TYPE: fold_jobs.delayed,
    JobLeased.TYPE: fold_jobs.leased,
    JobCancelAnswered.TYPE: fold_jobs.cancel_answered,
    WorkflowSaved.TYPE: fold_workflows.saved,
    WorkflowDeleted.TYPE: fold_workflows.deleted,
    WorkflowRunStarted.TYPE: fold_workflows.started,
    WorkflowRunEnded.TYPE: fold_workflows.ended,
    WorkflowJobCreated.TYPE: fold_workflows.job_created,
    WorkflowJobDispatched.TYPE: fold_workflows.job_dispatched,
    WorkflowJobStatusChanged.TYPE: fold_workflows.job_moved,
}
READS = frozenset(_FOLDS)
"""Wire types of the facts that are folded."""

_BEGINS_WAIT = frozenset({RedeployRequested.TYPE, RollbackStarted.TYPE, JobStatusChanged.TYPE, TargetsChanged.TYPE})
_MOVES_ONE = _BEGINS_WAIT | {ReleasesCreated.TYPE, JobCreated.TYPE, DispatchHeld.TYPE}
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
"""Of those: what may let go more than one target (`waiting_for`)."""
