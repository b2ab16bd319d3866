"""The fold: how each fact changes what policy knows of a workspace. Pure and total; never refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from immutables import Map

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from services.policy import fold_freezes, fold_jobs, fold_pair, fold_versions
from services.policy.state import Pair, Policy, State, approval_key, pair_key

F = TypeVar("F", bound=Fact)
_Handler = Callable[[State, Any, int], State]
_PairHandler = Callable[[State, Pair, Any, int], Pair]
_HANDLERS: dict[str, _Handler] = {}
_PAIR_HANDLERS: dict[str, _PairHandler] = {}


def evolve(state: State, recorded: Recorded) -> State:
    """Fold one recorded fact."""
    fact = recorded.fact
    if isinstance(fact, planner.VersionPinned):
        # Only the envelope tells who it was.
        state = fold_versions.pin(state, fact, recorded.position, recorded.auth_id)
        return state.moved(recorded.position, state.pairs)
    if isinstance(fact, planner.VersionCreated | planner.VersionUpdated):
        state = fold_versions.save(state, fact, recorded.position, recorded.auth_id)
        return state.moved(recorded.position, state.pairs)
    return apply(state, fact, recorded.position)


def apply(state: State, fact: Fact, position: int) -> State:
    """Fold a fact at a position; a decision uses this to look at the state that its own facts will make."""
    change = _PAIR_HANDLERS.get(fact.TYPE)
    if change is None:
        changed = _HANDLERS[fact.TYPE](state, fact, position)
        return changed.moved(position, changed.pairs)
    deployment_id, environment_id = _place(fact)
    key = pair_key(deployment_id, environment_id)
    pair = state.pairs.get(key)
    return state.moved(position, state.pairs if pair is None else state.pairs.set(key, change(state, pair, fact, position)))


def reads() -> frozenset[str]:
    """Wire types that the fold knows."""
    of_people = (planner.VersionPinned, planner.VersionCreated, planner.VersionUpdated)
    return frozenset(_HANDLERS) | frozenset(_PAIR_HANDLERS) | {one.TYPE for one in of_people}


def _folds(*kinds: type[Fact]) -> Callable[[Callable[[State, F, int], State]], Callable[[State, F, int], State]]:
    def register(handler: Callable[[State, F, int], State]) -> Callable[[State, F, int], State]:
        for kind in kinds:
            _HANDLERS[kind.TYPE] = handler
        return handler

    return register


def _folds_in_pair(
    *kinds: type[Fact],
) -> Callable[[Callable[[State, Pair, F, int], Pair]], Callable[[State, Pair, F, int], Pair]]:
    """Register the fold of facts about one pair; those about a pair without targets change nothing."""

    def register(handler: Callable[[State, Pair, F, int], Pair]) -> Callable[[State, Pair, F, int], Pair]:
        for kind in kinds:
            _PAIR_HANDLERS[kind.TYPE] = handler
        return handler

    return register


def _place(fact: Any) -> tuple[str, str]:
    return fact.deployment_id, fact.environment_id


# --- what exists ---------------------------------------------------------------------------------------------------------------


@_folds(inventory.ResourceSaved)
def _resource_saved(state: State, fact: inventory.ResourceSaved, position: int) -> State:
    return replace(state, resources=state.resources.set(fact.resource_id, fact))


@_folds(inventory.ResourceDeleted)
def _resource_deleted(state: State, fact: inventory.ResourceDeleted, position: int) -> State:
    one = fact.resource_id
    # Targets that it still has vanish with facts of their own; those that vanished before are remembered for nothing now.
    pairs, places = state.pairs, state.places
    for key in state.places.get(one, ()):
        pair = pairs.get(key)
        if pair is not None and one not in pair.targets:
            pairs = pairs.set(key, fold_pair.forget(pair, (one,)))
            places = _displace(places, (one,), key)
    return replace(state, resources=fold_pair.without(state.resources, (one,)), pairs=pairs, places=places)


@_folds(planner.DeploymentSaved)
def _deployment_saved(state: State, fact: planner.DeploymentSaved, position: int) -> State:
    return replace(state, deployments=state.deployments.set(fact.deployment_id, fact))


@_folds(planner.DeploymentDeleted)
def _deployment_deleted(state: State, fact: planner.DeploymentDeleted, position: int) -> State:
    state = _forget_pairs(state, fact.deployment_id)
    # Its versions stay: they belong to it again when a deployment is created under the same id.
    return replace(
        state,
        deployments=fold_pair.without(state.deployments, (fact.deployment_id,)),
        links=_unlink_all(state.links, fact.deployment_id),
    )


@_folds(planner.EnvironmentSaved)
def _environment_saved(state: State, fact: planner.EnvironmentSaved, position: int) -> State:
    return replace(state, environments=state.environments.set(fact.environment_id, fact))


@_folds(planner.EnvironmentDeleted)
def _environment_deleted(state: State, fact: planner.EnvironmentDeleted, position: int) -> State:
    state = _forget_pairs(state, fact.environment_id)
    return replace(
        state,
        environments=fold_pair.without(state.environments, (fact.environment_id,)),
        links=_unlink_all(state.links, fact.environment_id),
    )


@_folds(planner.SystemSaved)
def _system_saved(state: State, fact: planner.SystemSaved, position: int) -> State:
    return replace(state, systems=state.systems.set(fact.system_id, fact.name))


@_folds(planner.SystemDeleted)
def _system_deleted(state: State, fact: planner.SystemDeleted, position: int) -> State:
    systems = fold_pair.without(state.systems, (fact.system_id,))
    return replace(state, links=_unlink_all(state.links, fact.system_id), systems=systems)


@_folds(planner.DeploymentLinked)
def _deployment_linked(state: State, fact: planner.DeploymentLinked, position: int) -> State:
    return replace(state, links=_link(state.links, fact.system_id, fact.deployment_id))


@_folds(planner.EnvironmentLinked)
def _environment_linked(state: State, fact: planner.EnvironmentLinked, position: int) -> State:
    return replace(state, links=_link(state.links, fact.system_id, fact.environment_id))


@_folds(planner.DeploymentUnlinked)
def _deployment_unlinked(state: State, fact: planner.DeploymentUnlinked, position: int) -> State:
    return replace(state, links=_unlink(state.links, fact.system_id, fact.deployment_id))


@_folds(planner.EnvironmentUnlinked)
def _environment_unlinked(state: State, fact: planner.EnvironmentUnlinked, position: int) -> State:
    return replace(state, links=_unlink(state.links, fact.system_id, fact.environment_id))


# --- versions, targets, releases -----------------------------------------------------------------------------------------------


@_folds(planner.PinReleased)
def _pin_released(state: State, fact: planner.PinReleased, position: int) -> State:
    return fold_versions.unpin(state, fact)


@_folds(planner.TargetsChanged)
def _targets_changed(state: State, fact: planner.TargetsChanged, position: int) -> State:
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = state.pairs.get(key)
    if pair is None:
        if not fact.added:
            return state
        pair = Pair(fact.deployment_id, fact.environment_id)
    pair = fold_pair.vanish(pair, fact.removed, lambda one: one in state.resources)
    pair = fold_pair.appear(pair, fact.added, position)
    with state.places.mutate() as places:
        for one in (fact.deployment_id, fact.environment_id, *fact.added):
            known = places.get(one, ())
            if key not in known:
                places[one] = (*known, key)
        for one in fact.removed:
            if one not in state.resources and one in places:
                left = tuple(known for known in places[one] if known != key)
                if left:
                    places[one] = left
                else:
                    del places[one]
        places_now = places.finish()
    return replace(state, pairs=state.pairs.set(key, pair), places=places_now)


@_folds_in_pair(planner.ReleasesCreated)
def _releases_created(state: State, pair: Pair, fact: planner.ReleasesCreated, position: int) -> Pair:
    return fold_pair.want(pair, fact)


@_folds_in_pair(planner.RollbackStarted)
def _rollback_started(state: State, pair: Pair, fact: planner.RollbackStarted, position: int) -> Pair:
    return fold_pair.go_back(pair, fact, position)


@_folds_in_pair(planner.RedeployRequested)
def _redeploy_requested(state: State, pair: Pair, fact: planner.RedeployRequested, position: int) -> Pair:
    return fold_pair.deploy_again(pair, fact, position)


@_folds_in_pair(planner.MarkLifted)
def _mark_lifted(state: State, pair: Pair, fact: planner.MarkLifted, position: int) -> Pair:
    return fold_pair.lift(pair, fact.resource_ids, fact.version_id)


# --- jobs and verifications ----------------------------------------------------------------------------------------------------


@_folds_in_pair(dispatcher.JobCreated)
def _job_created(state: State, pair: Pair, fact: dispatcher.JobCreated, position: int) -> Pair:
    return fold_jobs.add_job(pair, fact, position, state.is_newer)


@_folds_in_pair(dispatcher.JobStatusChanged)
def _job_status_changed(state: State, pair: Pair, fact: dispatcher.JobStatusChanged, position: int) -> Pair:
    return fold_jobs.change_job(pair, fact, position)


@_folds_in_pair(dispatcher.JobDelayed)
def _job_delayed(state: State, pair: Pair, fact: dispatcher.JobDelayed, position: int) -> Pair:
    return fold_jobs.delay_job(pair, fact, position)


@_folds_in_pair(dispatcher.JobLeased)
def _job_leased(state: State, pair: Pair, fact: dispatcher.JobLeased, position: int) -> Pair:
    return fold_jobs.lease_job(pair, fact, position)


@_folds_in_pair(dispatcher.DispatchHeld)
def _dispatch_held(state: State, pair: Pair, fact: dispatcher.DispatchHeld, position: int) -> Pair:
    return fold_jobs.queue(pair, fact, position)


@_folds_in_pair(policy.VerificationRequired)
def _verification_required(state: State, pair: Pair, fact: policy.VerificationRequired, position: int) -> Pair:
    return fold_jobs.add_check(pair, fact, position)


@_folds_in_pair(verifier.VerificationStarted)
def _verification_started(state: State, pair: Pair, fact: verifier.VerificationStarted, position: int) -> Pair:
    return fold_jobs.start_check(pair, fact, position)


@_folds_in_pair(
    verifier.VerificationPassed,
    verifier.VerificationFailed,
    verifier.VerificationInconclusive,
    verifier.VerificationCancelled,
)
def _verification_ended(state: State, pair: Pair, fact: fold_jobs.Ended, position: int) -> Pair:
    return fold_jobs.end_check(pair, fact, position)


# --- our own facts -------------------------------------------------------------------------------------------------------------


@_folds(policy.PolicySaved)
def _policy_saved(state: State, fact: policy.PolicySaved, position: int) -> State:
    return replace(state, policies=state.policies.set(fact.policy_id, Policy(fact, position)), gate=position)


@_folds(policy.PolicyDeleted)
def _policy_deleted(state: State, fact: policy.PolicyDeleted, position: int) -> State:
    return replace(state, policies=fold_pair.without(state.policies, (fact.policy_id,)), gate=position)


@_folds(policy.ApprovalRecorded)
def _approval_recorded(state: State, fact: policy.ApprovalRecorded, position: int) -> State:
    key = approval_key(fact.version_id, fact.environment_id)
    return replace(
        state, approvals=state.approvals.set(key, fold_versions.decide(state, fact, state.approvals.get(key, ()), position))
    )


@_folds(policy.FreezeSaved)
def _freeze_saved(state: State, fact: policy.FreezeSaved, position: int) -> State:
    return replace(fold_freezes.save(state, fact, position), gate=position)


@_folds(policy.FreezeThawed)
def _freeze_thawed(state: State, fact: policy.FreezeThawed, position: int) -> State:
    return fold_freezes.thaw(state, fact)


@_folds(policy.FreezeOverridden)
def _freeze_overridden(state: State, fact: policy.FreezeOverridden, position: int) -> State:
    return fold_freezes.override(state, fact, position)


@_folds(policy.SkipCreated)
def _skip_created(state: State, fact: policy.SkipCreated, position: int) -> State:
    return fold_freezes.skip(state, fact, position)


@_folds(policy.SkipDeleted)
def _skip_deleted(state: State, fact: policy.SkipDeleted, position: int) -> State:
    return replace(fold_freezes.unskip(state, fact), gate=position)


@_folds_in_pair(policy.RuleEvaluated)
def _rule_evaluated(state: State, pair: Pair, fact: policy.RuleEvaluated, position: int) -> Pair:
    return fold_pair.evaluate(pair, fact)


@_folds_in_pair(policy.TargetsCleared)
def _targets_cleared(state: State, pair: Pair, fact: policy.TargetsCleared, position: int) -> Pair:
    cleared = state.versions.get(fact.version_id)

    def superseded(version_id: str) -> bool:
        version = state.versions.get(version_id)
        return version is None or cleared is None or version.rank < cleared.rank

    return fold_pair.clear(pair, fact, superseded)


@_folds_in_pair(policy.ClearanceWithdrawn)
def _clearance_withdrawn(state: State, pair: Pair, fact: policy.ClearanceWithdrawn, position: int) -> Pair:
    return fold_pair.withdraw(pair, fact.version_id, fact.resource_ids, position)


@_folds_in_pair(policy.RollbackRequired)
def _rollback_required(state: State, pair: Pair, fact: policy.RollbackRequired, position: int) -> Pair:
    return fold_pair.ask_rollback(pair, fact.resource_id, fact.version_id)


# --- parts ---------------------------------------------------------------------------------------------------------------------


def _link(links: Map[str, frozenset[str]], system_id: str, member: str) -> Map[str, frozenset[str]]:
    links = links.set(system_id, links.get(system_id, frozenset()) | {member})
    return links.set(member, links.get(member, frozenset()) | {system_id})


def _unlink(links: Map[str, frozenset[str]], one: str, other: str) -> Map[str, frozenset[str]]:
    for here, there in ((one, other), (other, one)):
        left = links.get(here, frozenset()) - {there}
        links = links.set(here, left) if left else fold_pair.without(links, (here,))
    return links


def _unlink_all(links: Map[str, frozenset[str]], entity_id: str) -> Map[str, frozenset[str]]:
    for other in sorted(links.get(entity_id, frozenset())):
        links = _unlink(links, entity_id, other)
    return links


def _forget_pairs(state: State, entity_id: str) -> State:
    """Drop the pairs of a deleted deployment or environment."""
    pairs, places = state.pairs, state.places
    for key in state.places.get(entity_id, ()):
        pair = pairs.get(key)
        if pair is None:
            continue
        pairs = pairs.delete(key)
        places = _displace(places, (pair.deployment_id, pair.environment_id, *pair.targets, *pair.standings, *pair.pins), key)
    return replace(state, pairs=pairs, places=places)


def _displace(places: Map[str, tuple[str, ...]], entity_ids: Iterable[str], key: str) -> Map[str, tuple[str, ...]]:
    left = places.mutate()
    for one in entity_ids:
        known = left.get(one)
        if known is None or key not in known:
            continue
        others = tuple(other for other in known if other != key)
        if others:
            left[one] = others
        else:
            del left[one]
    return left.finish()
