"""What planner remembers of a workspace: the fold of the facts it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from immutables import Map

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.dispatcher import JobCreated, JobStatusChanged, PlanRequested
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import (
    DeploymentDeleted,
    EnvironmentDeleted,
    MarkLifted,
    PinReleased,
    RedeployRequested,
    ReleasesCreated,
    RollbackStarted,
    TargetsChanged,
    VersionPinned,
)
from contracts.facts.policy import (
    ClearanceWithdrawn,
    PolicyDeleted,
    PolicySaved,
    RollbackRequired,
    TargetsCleared,
    VerificationRequired,
)
from contracts.facts.verifier import (
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from libs.runtime.codec import derived
from services.planner import catalog_fold, history, inputs_fold, pins, rollout_fold
from services.planner.catalog import Catalog
from services.planner.history import NO_PAST, NO_PASTS, Outcome, Past, past_key
from services.planner.inputs import Inputs
from services.planner.rollouts import Pair, pair_of
from services.planner.whereabouts import NOWHERE, Whereabouts, after, whereabouts


@dataclass(frozen=True, slots=True)
class PlannerState:
    """The fold of a workspace.

    Attributes:
        catalog: entities, links, versions and matches.
        pairs: what is desired and cleared, by deployment id, then environment id.
        gate_at: position of the newest fact that closed the gate of the whole workspace; older clearances count no more.
        pasts: what was tried on each target.
        pins: the versions that people chose (`pins.py`).
        inputs: what variables are made from (`inputs.py`).
        pairs_of: for each resource that is part of a target, where: keys of the pairs (`past_key`).
        remembered_in: for each resource with a past or a pin, in which pairs (`whereabouts.py`).
    """

    catalog: Catalog = field(default_factory=Catalog)
    pairs: Map[str, Map[str, Pair]] = field(default_factory=Map)
    gate_at: int = 0
    pasts: Map[str, Map[str, Past]] = field(default_factory=Map)
    pins: Map[str, Map[str, str]] = field(default_factory=Map)
    inputs: Inputs = field(default_factory=lambda: Inputs(""))
    pairs_of: Map[str, tuple[str, ...]] = field(default_factory=Map)
    remembered_in: Whereabouts = field(default=NOWHERE, metadata=derived(lambda state: whereabouts(state.pasts, state.pins)))


def initial(workspace_id: str) -> PlannerState:
    """The memory of a workspace in which nothing happened yet."""
    return PlannerState(inputs=Inputs(workspace_id))


def evolve(state: PlannerState, recorded: Recorded) -> PlannerState:
    """Fold one recorded fact; total, never refuses."""
    fact = recorded.fact
    kind = type(fact)
    if (describe := catalog_fold.FOLDS.get(kind)) is not None:
        state = replace(state, catalog=describe(state.catalog, fact))
    if kind in inputs_fold.READ:
        inputs = inputs_fold.evolve(state.inputs, state.catalog, fact, recorded.position)
        # Spelled out, since every resource passes here.
        state = PlannerState(
            state.catalog, state.pairs, state.gate_at, state.pasts, state.pins, inputs, state.pairs_of, state.remembered_in
        )
    fold = _FOLDS.get(kind)
    return fold(state, fact, recorded.position) if fold is not None else state


def past_of(state: PlannerState, deployment_id: str, environment_id: str, resource_id: str) -> Past:
    """The history of a target; an empty one when there is none."""
    return state.pasts.get(past_key(deployment_id, environment_id), NO_PASTS).get(resource_id, NO_PAST)


# --- entities that end, as far as their targets are concerned ----------------------------------------------------------------------


def _deployment_deleted(state: PlannerState, fact: DeploymentDeleted, _position: int) -> PlannerState:
    for environment_id in state.pairs.get(fact.deployment_id, ()):
        state = _forget_pair(state, fact.deployment_id, environment_id)
    return _forget_pins(state, fact.deployment_id)


def _environment_deleted(state: PlannerState, fact: EnvironmentDeleted, _position: int) -> PlannerState:
    for deployment_id, of_deployment in state.pairs.items():
        if fact.environment_id in of_deployment:
            state = _forget_pair(state, deployment_id, fact.environment_id)
    return _forget_pins(state, fact.environment_id)


def _forget_pair(state: PlannerState, deployment_id: str, environment_id: str) -> PlannerState:
    key = past_key(deployment_id, environment_id)
    state = replace(state, pairs=rollout_fold.without_unused(state.pairs, state.catalog, deployment_id, environment_id))
    over = state.pasts.get(key)
    if over is None:
        return state
    pasts = state.pasts.delete(key)
    return replace(state, pasts=pasts, remembered_in=after(state.remembered_in, over, key, pasts, state.pins))


def _forget_pins(state: PlannerState, entity_id: str) -> PlannerState:
    pinned, remembered_in = state.pins, state.remembered_in
    for key in pins.pairs_with(state.pins, entity_id):
        over, pinned = pinned[key], pinned.delete(key)
        remembered_in = after(remembered_in, over, key, state.pasts, pinned)
    return replace(state, pins=pinned, remembered_in=remembered_in)


def _resource_deleted(state: PlannerState, fact: ResourceDeleted, _position: int) -> PlannerState:
    one = fact.resource_id
    keys = state.remembered_in.get(one)
    if keys is None:
        return state
    return replace(
        state,
        pasts=history.without_resource(state.pasts, one, keys),
        pins=pins.without_resource(state.pins, one, keys),
        remembered_in=state.remembered_in.delete(one),
    )


# --- targets, clearances, desired releases -----------------------------------------------------------------------------------------


def _targets_changed(state: PlannerState, fact: TargetsChanged, _position: int) -> PlannerState:
    state = replace(
        state,
        pairs=rollout_fold.targets_changed(state.pairs, state.catalog, fact),
        pairs_of=rollout_fold.located(state.pairs_of, past_key(fact.deployment_id, fact.environment_id), fact),
    )
    return _forget_pair(state, fact.deployment_id, fact.environment_id) if _is_over(state, fact) else state


def _is_over(state: PlannerState, fact: TargetsChanged) -> bool:
    return pair_of(state.pairs, fact.deployment_id, fact.environment_id) is None


def _targets_cleared(state: PlannerState, fact: TargetsCleared, _position: int) -> PlannerState:
    return replace(state, pairs=rollout_fold.targets_cleared(state.pairs, state.catalog, state.gate_at, fact))


def _clearance_withdrawn(state: PlannerState, fact: ClearanceWithdrawn, position: int) -> PlannerState:
    return replace(state, pairs=rollout_fold.clearance_withdrawn(state.pairs, state.catalog, fact, position))


def _gate_closed(state: PlannerState, _fact: PolicySaved | PolicyDeleted, position: int) -> PlannerState:
    return replace(state, gate_at=position)


def _releases_created(state: PlannerState, fact: ReleasesCreated, _position: int) -> PlannerState:
    return replace(state, pairs=rollout_fold.releases_created(state.pairs, state.catalog, fact))


def _rollback_started(state: PlannerState, fact: RollbackStarted, _position: int) -> PlannerState:
    past = past_of(state, fact.deployment_id, fact.environment_id, fact.resource_id)
    key = past_key(fact.deployment_id, fact.environment_id)
    pasts = history.with_past(state.pasts, key, fact.resource_id, history.marked(past, fact))
    return replace(
        state,
        pairs=rollout_fold.rollback_started(state.pairs, state.catalog, fact),
        pasts=pasts,
        remembered_in=after(state.remembered_in, (fact.resource_id,), key, pasts, state.pins),
    )


def _pin_changed(state: PlannerState, fact: VersionPinned | PinReleased, _position: int) -> PlannerState:
    key, pinned = past_key(fact.deployment_id, fact.environment_id), pins.changed(state.pins, fact)
    remembered_in = after(state.remembered_in, (fact.resource_id or pins.WHOLE,), key, state.pasts, pinned)
    state = replace(state, pins=pinned, remembered_in=remembered_in)
    if isinstance(fact, PinReleased) or fact.resource_id is None:
        return state
    past = past_of(state, fact.deployment_id, fact.environment_id, fact.resource_id)
    if fact.version_id not in past.marked:
        return state
    wanted = history.unmarked(past, fact.version_id)
    return replace(state, pasts=history.with_past(state.pasts, key, fact.resource_id, wanted))


def _redeploy_requested(state: PlannerState, fact: RedeployRequested, _position: int) -> PlannerState:
    return _unmarked(state, fact, ((item.resource_id, item.version_id) for item in fact.items))


def _mark_lifted(state: PlannerState, fact: MarkLifted, _position: int) -> PlannerState:
    return _unmarked(state, fact, ((one, fact.version_id) for one in fact.resource_ids))


def _unmarked(state: PlannerState, about: RedeployRequested | MarkLifted, lifted: Iterable[tuple[str, str]]) -> PlannerState:
    """Versions are bad no more on these resources of a pair; each is named with its version."""
    key = past_key(about.deployment_id, about.environment_id)
    of_pair = state.pasts.get(key, NO_PASTS)
    marked = ((one, version_id) for one, version_id in lifted if version_id in of_pair.get(one, NO_PAST).marked)
    wanted = {one: history.unmarked(of_pair[one], version_id) for one, version_id in marked}
    return replace(state, pasts=state.pasts.set(key, of_pair.update(wanted))) if wanted else state


# --- how it went -------------------------------------------------------------------------------------------------------------------

_Ended = VerificationPassed | VerificationFailed | VerificationInconclusive | VerificationCancelled
_AboutJob = JobCreated | JobStatusChanged | VerificationRequired | VerificationStarted | _Ended

_OUTCOMES: Final[Mapping[type[Fact], Outcome]] = {
    VerificationPassed: "passed",
    VerificationFailed: "failed",
    VerificationInconclusive: "none",
    VerificationCancelled: "none",
}


def _job_created(state: PlannerState, fact: JobCreated, _position: int) -> PlannerState:
    return _with_past(state, fact, lambda past: history.begun(past, fact))


def _job_status_changed(state: PlannerState, fact: JobStatusChanged, _position: int) -> PlannerState:
    return _with_past(state, fact, lambda past: history.moved(past, fact))


def _verification_required(state: PlannerState, fact: VerificationRequired, _position: int) -> PlannerState:
    return _with_past(state, fact, lambda past: history.verification_required(past, fact))


def _verification_started(state: PlannerState, fact: VerificationStarted, _position: int) -> PlannerState:
    return _with_past(state, fact, lambda past: history.verification_started(past, fact))


def _verification_ended(state: PlannerState, fact: _Ended, _position: int) -> PlannerState:
    outcome = _OUTCOMES[type(fact)]
    return _with_past(state, fact, lambda past: history.verification_ended(past, fact.job_id, fact.verification_id, outcome))


def _with_past(state: PlannerState, about: _AboutJob, change: Callable[[Past], Past]) -> PlannerState:
    key = past_key(about.deployment_id, about.environment_id)
    before = state.pasts.get(key, NO_PASTS).get(about.resource_id)
    if before is None:
        # History begins while the target exists; what is told of one that is gone for good is let go.
        pair = pair_of(state.pairs, about.deployment_id, about.environment_id)
        if pair is None or about.resource_id not in pair.places:
            return state
    past = change(before or NO_PAST)
    if past is before:
        return state
    pasts, remembered_in = history.with_past(state.pasts, key, about.resource_id, past), state.remembered_in
    if before is None:
        # The one text that all resources of the pair share: there are as many pasts as targets.
        key = next((known for known in state.pairs_of.get(about.resource_id, ()) if known == key), key)
        remembered_in = after(remembered_in, (about.resource_id,), key, pasts, state.pins)
    # Spelled out, since this runs for every step of every job, and `replace` takes as long as all the rest.
    return PlannerState(state.catalog, state.pairs, state.gate_at, pasts, state.pins, state.inputs, state.pairs_of, remembered_in)


_FOLDS: Final[Mapping[type[Fact], Callable[[PlannerState, Any, int], PlannerState]]] = {
    DeploymentDeleted: _deployment_deleted,
    EnvironmentDeleted: _environment_deleted,
    ResourceDeleted: _resource_deleted,
    TargetsChanged: _targets_changed,
    TargetsCleared: _targets_cleared,
    ClearanceWithdrawn: _clearance_withdrawn,
    PolicySaved: _gate_closed,
    PolicyDeleted: _gate_closed,
    ReleasesCreated: _releases_created,
    RollbackStarted: _rollback_started,
    VersionPinned: _pin_changed,
    PinReleased: _pin_changed,
    RedeployRequested: _redeploy_requested,
    MarkLifted: _mark_lifted,
    JobCreated: _job_created,
    JobStatusChanged: _job_status_changed,
    VerificationRequired: _verification_required,
    VerificationStarted: _verification_started,
    **dict.fromkeys(_OUTCOMES, _verification_ended),
}

_ONLY_DECIDED_ON: Final[tuple[type[Fact], ...]] = (RollbackRequired, PlanRequested)

READS: Final = frozenset(kind.TYPE for kind in (*catalog_fold.FOLDS, *inputs_fold.READ, *_FOLDS, *_ONLY_DECIDED_ON))
"""Wire types of the facts that are folded or decided on."""
