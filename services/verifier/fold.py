"""Folds one recorded fact into verifier's state; total, never refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobStatusChanged
from contracts.facts.planner import RollbackStarted, TargetsChanged
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
    WatchEnded,
)
from services.verifier import fold_documents
from services.verifier.baseline import Good, GoodMetric, with_good
from services.verifier.cancelling import overtaken
from services.verifier.slots import first_times
from services.verifier.state import Ending, Known, Running, State, begun, key_of, target_key
from services.verifier.watching import next_round, watched
from services.verifier.who_is_asked import parties_of


def evolve(state: State, recorded: Recorded) -> State:
    """Return the state after one more fact."""
    for fold in _FOLDS.get(recorded.type, ()):
        state = fold(state, recorded.fact)
    return state


# --- verifications -------------------------------------------------------------------------------------------------------------


def _started(state: State, fact: VerificationStarted) -> State:
    key = key_of(fact)
    known = state.known.set(
        fact.verification_id, Known(key, fact.job_id, fact.release_id, fact.rule_id, fact.attempt, fact.version_id)
    )
    slots, _ = first_times(state.slots, parties_of(fact.metrics, state, fact), fact.started_at)
    state = state._replace(running=state.running.set(fact.verification_id, begun(fact)), known=known, slots=slots)
    return _remembered(state, key, (fact.verification_id, *state.by_target.get(key, ())))


def _remembered(state: State, key: str, ids: tuple[str, ...]) -> State:
    """Of the verifications of a target those are known that are measured, or of one of the newest dispatches."""
    newest = {job.job_id for job in state.jobs.get(key, ())}
    kept = tuple(one for one in ids if one in state.running or state.known[one].job_id in newest)
    known = state.known
    if len(kept) < len(ids):
        changes = known.mutate()
        for one in ids:
            if one not in kept:
                del changes[one]
        known = changes.finish()
    return state._replace(known=known, by_target=state.by_target.set(key, kept))


def _measured(state: State, fact: MeasurementTaken) -> State:
    running = next_round(state.running[fact.verification_id].with_measurement(fact), fact.metric)
    return state._replace(running=state.running.set(fact.verification_id, running))


def _passed(state: State, fact: VerificationPassed) -> State:
    running = state.running[fact.verification_id]
    until = fact.watched_until
    return _good(_ended(state, running, "passed", None if until is None else watched(running, until)), running)


def _failed(state: State, fact: VerificationFailed) -> State:
    running = state.running[fact.verification_id]
    return _not_good(_ended(state, running, "failed"), key_of(running.fact), lambda one: one.release_id == fact.release_id)


def _inconclusive(state: State, fact: VerificationInconclusive) -> State:
    return _ended(state, state.running[fact.verification_id], "inconclusive")


def _cancelled(state: State, fact: VerificationCancelled) -> State:
    return _ended(state, state.running[fact.verification_id], "cancelled")


def _watch_ended(state: State, fact: WatchEnded) -> State:
    running = state.running[fact.verification_id]
    return _good(_ended(state, running, "passed"), running)


def _ended(state: State, running: Running, how: Ending, goes_on: Running | None = None) -> State:
    """A verification was decided; `goes_on` is how it is measured on."""
    about = running.fact
    id_ = about.verification_id
    state = state._replace(running=state.running.delete(id_) if goes_on is None else state.running.set(id_, goes_on))
    known = state.known.get(about.verification_id)
    if known is None:
        return state
    if known.key not in state.jobs:
        return _forgotten(state, known.key)
    again = not overtaken(state, known.key, known.job_id, known.release_id)
    known = known._replace(ending=how, document=about.model_dump_json() if again else "")
    return state._replace(known=state.known.set(about.verification_id, known))


def _forgotten(state: State, key: str) -> State:
    """The target is gone: what was measured there is forgotten, but for what ends yet."""
    ids = state.by_target.get(key, ())
    kept = tuple(one for one in ids if one in state.running)
    known, by_target, good = state.known.mutate(), state.by_target, state.good
    for one in ids:
        if one not in kept:
            known.pop(one, None)
    if ids:
        by_target = by_target.set(key, kept) if kept else by_target.delete(key)
    if key in good:
        good = good.delete(key)
    return state._replace(known=known.finish(), by_target=by_target, good=good)


# --- good releases -------------------------------------------------------------------------------------------------------------


def _good(state: State, running: Running) -> State:
    """The release of a verification that passed is one to compare with, unless another verification of it failed."""
    about = running.fact
    key = key_of(about)
    if key not in state.jobs or _has_failed(state, key, about.release_id):
        return state
    pairs = zip(about.metrics, running.tallies, strict=True)
    metrics = tuple(GoodMetric(spec.name, spec.provider.type, tally.series) for spec, tally in pairs if tally.series.last.numbers)
    good = with_good(state.good.get(key, ()), Good(about.release_id, about.version_id, metrics))
    return state._replace(good=state.good.set(key, good))


def _has_failed(state: State, key: str, release_id: str) -> bool:
    """Whether one of the newest verifications of the release failed: for each rule those of its newest dispatch, one for each job."""
    attempts = {job.job_id: job.attempt for job in state.jobs.get(key, ())}
    dispatched: dict[str, int | None] = {}
    newest: dict[tuple[str, str], Known] = {}
    for one in state.by_target.get(key, ()):
        known = state.known[one]
        if known.release_id == release_id:
            attempt = attempts.get(known.job_id)
            if dispatched.setdefault(known.rule_id, attempt) == attempt:
                newest.setdefault((known.rule_id, known.job_id), known)
    return any(known.ending == "failed" for known in newest.values())


def _not_good(state: State, key: str, is_bad: Callable[[Good], bool]) -> State:
    known = state.good.get(key, ())
    kept = tuple(one for one in known if not is_bad(one))
    if len(kept) == len(known):
        return state
    return state._replace(good=state.good.set(key, kept) if kept else state.good.delete(key))


def _rollback_started(state: State, fact: RollbackStarted) -> State:
    bad = (fact.version_id, *fact.also_marked)
    key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
    return _not_good(state, key, lambda one: one.version_id in bad)


# --- targets -------------------------------------------------------------------------------------------------------------------


def _targets_changed(state: State, fact: TargetsChanged) -> State:
    for resource_id in fact.removed:
        key = target_key(resource_id, fact.environment_id, fact.deployment_id)
        if key in state.by_target or key in state.good:
            state = _forgotten(state, key)
    return state


def _job_status_changed(state: State, fact: JobStatusChanged) -> State:
    """What was measured of a release is not measured again once another one has run."""
    key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
    for one in state.by_target.get(key, ()):
        known = state.known[one]
        if known.document and overtaken(state, key, known.job_id, known.release_id):
            state = state._replace(known=state.known.set(one, known._replace(document="")))
    return state


Fold = Callable[[State, Any], State]

_OWN: Final[dict[str, Fold]] = {
    VerificationStarted.TYPE: _started,
    MeasurementTaken.TYPE: _measured,
    VerificationPassed.TYPE: _passed,
    VerificationFailed.TYPE: _failed,
    VerificationInconclusive.TYPE: _inconclusive,
    VerificationCancelled.TYPE: _cancelled,
    WatchEnded.TYPE: _watch_ended,
    RollbackStarted.TYPE: _rollback_started,
    TargetsChanged.TYPE: _targets_changed,
    JobStatusChanged.TYPE: _job_status_changed,
}
_FOLDS: Final[dict[str, tuple[Fold, ...]]] = {
    # The documents first: what becomes of verifications depends on today's.
    type_: tuple(fold for folds in (fold_documents.FOLDS, _OWN) if (fold := folds.get(type_)) is not None)
    for type_ in (*fold_documents.FOLDS, *_OWN)
}
READS: Final = frozenset(_FOLDS) | {VerificationRequired.TYPE}
"""Wire types that are read: folded, or only reacted to."""
