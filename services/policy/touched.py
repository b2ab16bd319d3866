"""From facts to what must be looked at: pairs as a whole, or some targets of them. Work stays proportional to what changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from contracts.envelope import Recorded
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from contracts.shapes import ACTIVE
from services.policy.dependents import waiting_on, waiting_on_target
from services.policy.finding import ROLLOUT
from services.policy.freezes import reads_resources as frozen_by_resource
from services.policy.gate import PROGRESSION, Judge
from services.policy.outcome import outcome_of
from services.policy.own_causes import CheckFact, depending, moved_by_document, moved_by_job, moved_by_policy, moved_by_targets
from services.policy.progression_steps import progression_moved
from services.policy.selector import asks, reads_resources
from services.policy.state import NOWHERE, Pair, State, pair_key
from services.policy.wave_steps import held_by_waves, wave_moved

_JOB_ENDS = dispatcher.JobStatusChanged | CheckFact


@dataclass(slots=True)
class Touched:
    """What must be looked at, and the newest fact that says so.

    Attributes:
        whole: pairs, by key.
        some: targets of pairs, by key of the pair.
        upstream: (deployment, environment) whose jobs or targets changed, for the version, or for all (empty).
        retold: those of them in which something else happened than a success: it may take one away, or is to be told of.
        looks_at_resources: whether any policy's selector does; worked out at the first resource.
    """

    whole: dict[str, Recorded] = field(default_factory=dict)
    some: dict[str, dict[str, Recorded]] = field(default_factory=dict)
    upstream: dict[tuple[str, str, str], Recorded] = field(default_factory=dict)
    retold: set[tuple[str, str, str]] = field(default_factory=set)
    looks_at_resources: bool | None = None

    def target(self, key: str, resource_id: str, because: Recorded) -> None:
        self.some.setdefault(key, {})[resource_id] = because


def touched(judge: Judge, recorded: Sequence[Recorded]) -> Touched:
    """What facts that were just folded make necessary to look at."""
    found = Touched()
    for one in recorded:
        _touch(judge, one, found)
    _downstream(judge, found)
    return found


def _downstream(judge: Judge, found: Touched) -> None:
    """Pairs that wait for what happened in another environment. Of most deployments nothing waits, which is looked up once."""
    state = judge.state
    holding: dict[str, bool] = {}
    beside: dict[str, tuple[str, ...]] = {}
    for upstream, because in found.upstream.items():
        deployment_id, environment_id, version_id = upstream
        if deployment_id not in holding:
            holding[deployment_id] = any(pair.held or pair.open for pair in _pairs_at(state, deployment_id))
        if not holding[deployment_id]:
            continue
        if environment_id not in beside:
            beside[environment_id] = state.environments_beside(environment_id)
        for other_id in beside[environment_id]:
            pair = state.pairs.get(pair_key(deployment_id, other_id))
            if other_id != environment_id and pair is not None and pair.key not in found.whole:
                versions = (version_id,) if version_id else tuple(pair.held)
                retold = upstream in found.retold
                if any(progression_moved(judge, pair, one, retold) for one in versions):
                    found.whole[pair.key] = because
                elif retold and asks(state, "environment_progression") and version_id in pair.open.values():
                    found.whole[pair.key] = (
                        because  # what is cleared, and has no job yet, may rest on a success that is none any more
                    )


def _own_moved(state: State, one: Recorded, found: Touched) -> None:
    """Targets that answer rules for themselves, and may now answer otherwise."""
    fact = one.fact
    places: Iterable[tuple[str, str]] = ()
    match fact:
        case dispatcher.JobCreated() | dispatcher.JobStatusChanged():
            places = moved_by_job(state, fact)
        case _ if isinstance(fact, CheckFact) and not _is_first(fact):
            places = moved_by_job(state, fact)
        case planner.TargetsChanged():
            places = moved_by_targets(state, fact)
        case planner.VersionUpdated():
            places = moved_by_document(state, fact.deployment_id, fact.version_id)
        case planner.DeploymentSaved():
            places = moved_by_document(state, fact.deployment_id)
        case planner.DeploymentDeleted() | planner.EnvironmentDeleted():
            found.whole.update((pair.key, one) for pair in depending(state))
        case policy.PolicySaved():
            places = moved_by_policy(state, fact)
        case _:
            pass
    for key, resource_id in places:
        found.target(key, resource_id, one)


def _touch(judge: Judge, one: Recorded, found: Touched) -> None:
    state, fact = judge.state, one.fact
    _own_moved(state, one, found)
    match fact:
        case dispatcher.JobStatusChanged():
            _job_ended(judge, one, fact, found)
        case _ if isinstance(fact, CheckFact):
            if not _is_first(fact):
                _job_ended(judge, one, fact, found)
        case dispatcher.JobCreated():
            _in_order(state, one, fact, found)
            _in_waves(judge, one, fact, found)
            if fact.status not in ACTIVE or _is_made_again(state, fact):
                _paced(judge, pair_key(fact.deployment_id, fact.environment_id), fact.resource_id, one, found)
        case planner.TargetsChanged():
            _targets_changed(state, one, fact, found)
        case planner.VersionCreated():
            found.whole.update(dict.fromkeys(state.places.get(fact.deployment_id, ()), one))
        case planner.VersionUpdated():
            found.whole.update(dict.fromkeys(state.places.get(fact.deployment_id, ()), one))
            _dependents(state, fact.deployment_id, one, found)
        case planner.VersionPinned() | planner.PinReleased():
            key = pair_key(fact.deployment_id, fact.environment_id)
            if fact.resource_id is None:
                found.whole[key] = one
            else:
                found.target(key, fact.resource_id, one)
                _wave_changed(state, key, one, found)
        case planner.ReleasesCreated():
            _released(judge, one, fact, found)
        case planner.RedeployRequested():
            for item in fact.items:
                found.target(pair_key(fact.deployment_id, fact.environment_id), item.resource_id, one)
            _wave_changed(state, pair_key(fact.deployment_id, fact.environment_id), one, found)
        case planner.RollbackStarted():
            key = pair_key(fact.deployment_id, fact.environment_id)
            found.target(key, fact.resource_id, one)
            _mark_moved(state, key, one, found)
        case planner.MarkLifted():
            key = pair_key(fact.deployment_id, fact.environment_id)
            for resource_id in fact.resource_ids:
                found.target(key, resource_id, one)
            upstream = (fact.deployment_id, fact.environment_id, fact.version_id)
            found.upstream[upstream] = one
            found.retold.add(upstream)
            _mark_moved(state, key, one, found)
        case policy.ApprovalRecorded():
            version = state.versions.get(fact.version_id)
            if version is not None:
                found.whole[pair_key(version.deployment_id, fact.environment_id)] = one
        case policy.TargetsCleared():
            _overtaken(judge, one, fact, found)
        case policy.ClearanceWithdrawn():
            found.whole[pair_key(fact.deployment_id, fact.environment_id)] = one
        case policy.PolicySaved() | policy.PolicyDeleted() | policy.FreezeSaved() | policy.SkipDeleted():
            _all_undecided(state.pairs.values(), one, found)
        case policy.FreezeThawed():
            _all_frozen(state.pairs.values(), fact.freeze_id, one, found)
        case policy.FreezeOverridden():
            version = state.versions.get(fact.version_id)
            _all_frozen(_pairs_at(state, version.deployment_id) if version is not None else (), fact.freeze_id, one, found)
        case policy.SkipCreated():
            _skipped(state, one, fact, found)
        case planner.DeploymentSaved():
            _all_undecided(_pairs_at(state, fact.deployment_id), one, found)
            _dependents(state, fact.deployment_id, one, found)
        case planner.DeploymentDeleted():
            _dependents(state, fact.deployment_id, one, found)
        case planner.EnvironmentSaved():
            _all_undecided(_pairs_at(state, fact.environment_id), one, found)
            _all_progressing(state, one, found)
        case planner.EnvironmentDeleted():
            _all_progressing(state, one, found)
            for upstream_id in sorted(state.dependents):
                _dependents(state, upstream_id, one, found)
        case (
            planner.EnvironmentLinked()
            | planner.EnvironmentUnlinked()
            | planner.DeploymentLinked()
            | planner.DeploymentUnlinked()
            | planner.SystemDeleted()
        ):
            _all_progressing(state, one, found)
            if any(freeze.saved.scope_id == fact.system_id for freeze in state.freezes.values()):
                _all_undecided(state.pairs.values(), one, found)
        case inventory.ResourceSaved():
            if found.looks_at_resources is None:
                found.looks_at_resources = reads_resources(state) or frozen_by_resource(state.freezes)
            if found.looks_at_resources:
                for pair in _pairs_at(state, fact.resource_id):
                    if pair.held or fact.resource_id in pair.open:
                        found.target(pair.key, fact.resource_id, one)
            for pair in _pairs_at(state, fact.resource_id):
                if held_by_waves(state, pair, selected=True):
                    found.whole[pair.key] = one
        case _:
            pass


def _job_ended(judge: Judge, one: Recorded, fact: _JOB_ENDS, found: Touched) -> None:
    key = pair_key(fact.deployment_id, fact.environment_id)
    upstream = (fact.deployment_id, fact.environment_id, fact.version_id)
    found.upstream[upstream] = one
    if not isinstance(fact, dispatcher.JobStatusChanged | verifier.VerificationPassed) or _is_taken_back(fact):
        found.retold.add(upstream)
    if isinstance(fact, dispatcher.JobStatusChanged) and "successful" in (fact.status, fact.previous):
        for waiting in waiting_on_target(judge.state, fact.deployment_id, fact.resource_id):
            found.target(waiting.key, fact.resource_id, one)
    _in_order(judge.state, one, fact, found)
    _in_waves(judge, one, fact, found)
    if isinstance(fact, dispatcher.JobStatusChanged) and fact.previous in ACTIVE:
        pair = judge.state.pairs.get(key)
        came_to = outcome_of(pair, fact.resource_id, fact.version_id) if pair is not None else None
        if fact.status in ACTIVE or (came_to is not None and came_to[0] == "running"):
            return  # it is still to end, or to be verified: no rollout goes on or stops with it
    _paced(judge, key, fact.resource_id, one, found)


def _in_order(state: State, one: Recorded, fact: dispatcher.JobCreated | _JOB_ENDS, found: Touched) -> None:
    """Where every version goes in order, the one after a job's version may have its turn, or has it no more."""
    deployment = state.deployments.get(fact.deployment_id)
    if deployment is None or deployment.supersession != "every":
        return
    if isinstance(fact, dispatcher.JobStatusChanged) and fact.status in ACTIVE and fact.previous in ACTIVE:
        return
    found.target(pair_key(fact.deployment_id, fact.environment_id), fact.resource_id, one)


def _in_waves(judge: Judge, one: Recorded, fact: dispatcher.JobCreated | _JOB_ENDS, found: Touched) -> None:
    """A rollout in waves goes on, or stops, with what a job came to."""
    pair = judge.state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
    if pair is None or pair.key in found.whole or (fact.version_id not in pair.held and not pair.open):
        return
    # What it had come to before counts no more.
    again = isinstance(fact, verifier.VerificationStarted) or (
        isinstance(fact, dispatcher.JobStatusChanged) and fact.previous not in ACTIVE
    )
    if wave_moved(judge, pair, fact.version_id, fact.resource_id, again=again):
        found.whole[pair.key] = one


def _is_taken_back(fact: _JOB_ENDS) -> bool:
    """Whether a job that had succeeded did not after all."""
    return isinstance(fact, dispatcher.JobStatusChanged) and fact.previous == "successful" and fact.status != "successful"


def _is_first(fact: CheckFact) -> bool:
    """Whether a verification began that was only just required: nothing is known of it that was not before."""
    return isinstance(fact, verifier.VerificationStarted) and fact.attempt == 1


def _mark_moved(state: State, key: str, one: Recorded, found: Touched) -> None:
    """A version was marked bad on targets, or is no longer: the others of its rollout are held, or go on. A clearance may be void as well."""
    pair = state.pairs.get(key)
    if pair is not None and (_waits_in_rollout(pair) or (pair.open and asks(state, "gradual_rollout"))):
        found.whole[key] = one


def _waits_in_rollout(pair: Pair) -> bool:
    return any(rule.rule_type == ROLLOUT for by_rule in pair.held.values() for rule in by_rule)


def _wave_changed(state: State, key: str, one: Recorded, found: Touched) -> None:
    """Who counts in a wave, or what is known of it, changed."""
    pair = state.pairs.get(key)
    if pair is not None and key not in found.whole and held_by_waves(state, pair):
        found.whole[key] = one


def _is_made_again(state: State, fact: dispatcher.JobCreated) -> bool:
    """Whether the target had a job of the version before: what that came to, a failure that stopped a rollout as well, is past.

    Else nothing moves with a job that is made: the target was already under way when it was cleared.
    """
    pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
    if pair is None or fact.rollback:
        return False
    return any(job.job_id != fact.job_id and not job.rollback for job in pair.jobs_of(fact.resource_id, fact.version_id))


def _paced(judge: Judge, key: str, resource_id: str, one: Recorded, found: Touched) -> None:
    """A covered rollout goes on, or stops, with what a job came to; or a clearance without a job may no longer stand."""
    pair = judge.state.pairs.get(key)
    if pair is None or key in found.whole or resource_id not in pair.targets:
        return
    if (_waits_in_rollout(pair) or pair.open) and judge.any_covered(pair):
        found.whole[key] = one


def _overtaken(judge: Judge, one: Recorded, fact: policy.TargetsCleared, found: Touched) -> None:
    """A target that was to go next in the rollout of another version goes to this one: the covered rollout it held up goes on.

    One that had this version before went out of turn, and the rollout of this version waits for it.
    """
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = judge.state.pairs.get(key)
    if pair is None:
        return
    waiting = {version_id for version_id, by_rule in pair.held.items() if any(rule.rule_type == ROLLOUT for rule in by_rule)}
    again = any(pair.jobs_of(target, fact.version_id) for target in fact.resource_ids)
    moves = bool(waiting - {fact.version_id}) or (bool(waiting) and again)
    if moves and judge.any_covered(pair):
        found.whole[key] = one


def _targets_changed(state: State, one: Recorded, fact: planner.TargetsChanged, found: Touched) -> None:
    key = pair_key(fact.deployment_id, fact.environment_id)
    pair = state.pairs.get(key)
    if pair is None:
        return
    found.upstream[(fact.deployment_id, fact.environment_id, "")] = one
    if _waits_in_rollout(pair) or (pair.open and asks(state, "gradual_rollout")):
        found.whole[key] = one  # places in a rollout moved
    for resource_id in fact.added:
        found.target(key, resource_id, one)
    if fact.deployment_id in state.dependents:
        for resource_id in (*fact.added, *fact.removed):
            for waiting in waiting_on_target(state, fact.deployment_id, resource_id):
                found.target(waiting.key, resource_id, one)


def _released(judge: Judge, one: Recorded, fact: planner.ReleasesCreated, found: Touched) -> None:
    """A release that replaces another one of the same version, made with other variables, needs a clearance of its own.

    Where there is one already, its job is to be made: a covered rollout waits for that.
    """
    pair = judge.state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
    if pair is None:
        return
    for item in fact.items:
        resource_id = item.resource_id
        if resource_id not in pair.targets:
            continue  # it vanished meanwhile
        standing = pair.standings.get(resource_id, NOWHERE)
        if resource_id in pair.open:
            if standing.current is not None and standing.current.version_id == fact.version_id:
                _paced(judge, pair.key, resource_id, one, found)
        elif not pair.is_used(resource_id, standing):
            found.target(pair.key, resource_id, one)


def _dependents(state: State, upstream_id: str, one: Recorded, found: Touched) -> None:
    """What is known of a deployment's versions changed, or they are gone with it."""
    for pair in waiting_on(state, upstream_id):
        found.whole[pair.key] = one


def _all_undecided(pairs: Iterable[Pair], one: Recorded, found: Touched) -> None:
    """Pairs in which a target waits for something, or is cleared and not yet dispatched. In all others every target has its newest."""
    for pair in pairs:
        if pair.held or pair.open:
            found.whole[pair.key] = one


def _all_frozen(pairs: Iterable[Pair], freeze_id: str, one: Recorded, found: Touched) -> None:
    """Pairs in which a freeze was recorded as holding a target."""
    for pair in pairs:
        if any(key.rule_id == freeze_id for by_rule in pair.held.values() for key in by_rule):
            found.whole[pair.key] = one


def _skipped(state: State, one: Recorded, fact: policy.SkipCreated, found: Touched) -> None:
    """A version may pass a rule where the skip says."""
    version = state.versions.get(fact.version_id)
    for pair in _pairs_at(state, version.deployment_id) if version is not None else ():
        if fact.environment_id not in (None, pair.environment_id):
            continue
        if fact.resource_id is None:
            found.whole[pair.key] = one
        elif fact.resource_id in pair.targets:
            found.target(pair.key, fact.resource_id, one)


def _all_progressing(state: State, one: Recorded, found: Touched) -> None:
    """Pairs that wait for another environment, when environments or systems change, which is rare."""
    for pair in state.pairs.values():
        if any(key.rule_type == PROGRESSION for by_rule in pair.held.values() for key in by_rule):
            found.whole[pair.key] = one


def _pairs_at(state: State, entity_id: str) -> list[Pair]:
    return [state.pairs[key] for key in state.places.get(entity_id, ()) if key in state.pairs]
