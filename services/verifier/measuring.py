"""Measuring: which questions are open and when, and what follows from each answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
    WatchEnded,
)
from contracts.shapes import Json, MetricProvider, MetricSpec
from libs.metric_providers import provider_of
from libs.runtime.service import Draft, Intent, Outcome
from services.verifier.about import about_of
from services.verifier.asked import request_of
from services.verifier.due import party_of
from services.verifier.ending import Ended, is_due
from services.verifier.judgement import judge, no_result
from services.verifier.recording import bounded, complete
from services.verifier.state import Running, State, key_of
from services.verifier.tally import Tally
from services.verifier.verdict import metric_verdict
from services.verifier.watching import ended_by, next_round, watched

LONGEST_PAUSE_S: Final = 3600.0
"""A provider that wants to be left alone for longer is asked again after so long."""


class Measuring:
    """Each measurement is an intent `<verification>/<number>/<metric>`: the first at once, each next one an interval after the last."""

    def keys(self, state: State) -> Iterable[str]:
        """The next measurement of every metric that is measured again."""
        for verification_id in sorted(state.running):
            running = state.running[verification_id]
            for spec, tally in zip(running.fact.metrics, running.tallies, strict=True):
                if is_due(running, spec, tally):
                    yield _key(verification_id, tally.asked + 1, spec.name)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The measurements that a start opened, a measurement closed and opened, an end dropped or goes on with."""
        match recorded.fact:
            case VerificationStarted() as fact:
                return [_key(fact.verification_id, 1, spec.name) for spec in fact.metrics]
            case MeasurementTaken() as fact:
                return [_key(fact.verification_id, number, fact.metric) for number in (fact.number, fact.number + 1)]
            case VerificationPassed() as fact:
                following = [_key(fact.verification_id, one.number, one.metric) for one in fact.following]
                return [*following, *(_key(fact.verification_id, one.number, one.metric) for one in fact.dropped)]
            case VerificationFailed() | VerificationInconclusive() | VerificationCancelled() | WatchEnded() as fact:
                return [_key(fact.verification_id, one.number, one.metric) for one in fact.dropped]
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """The question behind a key; None when it was answered or is not asked any more."""
        found = _open(state.running, key)
        if found is None:
            return None
        running, spec, tally = found
        request = request_of(spec.provider, state, running.fact)
        asked = spec.provider
        # Of an address that only a template names, everybody's questions would else be to one party. An unknown type asks nobody.
        if request["provider"] != asked.given and provider_of(asked) is not None:
            asked = MetricProvider.model_validate(request["provider"])
        return Intent(key, request, tally.due_at, lane=party_of(asked))

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Judge the answers, and decide the verifications whose metrics are decided thereby."""
        drafts: list[Draft] = []
        running = state.running
        for outcome in outcomes:
            found = _open(running, outcome.key)
            if found is None:
                continue
            before, spec, tally = found
            measured = _measurement(state, before, spec, tally, outcome.result, now)
            after = before.with_measurement(measured)
            drafts.append(Draft(_with_standing(measured, after)))
            end = ended_by(after, spec.name, now)
            if end is not None:
                drafts.append(Draft(end))
            goes_on = _goes_on(after, spec.name, end)
            verification_id = before.fact.verification_id
            running = running.delete(verification_id) if goes_on is None else running.set(verification_id, goes_on)
        return drafts


def _goes_on(after: Running, metric: str, end: Ended | None) -> Running | None:
    """The verification as the fold will have it after a measurement and what follows from it; None when nothing is measured any more."""
    if end is None:
        return next_round(after, metric)
    if isinstance(end, VerificationPassed) and end.watched_until is not None:
        return watched(after, end.watched_until)
    return None


def _key(verification_id: str, number: int, metric: str) -> str:
    return f"{verification_id}/{number}/{metric}"


def _open(running: Map[str, Running], key: str) -> tuple[Running, MetricSpec, Tally] | None:
    """The verification, metric and tally that a question belongs to; None when it is not the next one."""
    verification_id, number, metric = key.split("/", 2)
    known = running.get(verification_id)
    found = known.find(metric) if known is not None else None
    if known is None or found is None:
        return None
    spec, tally = found
    if number != str(tally.asked + 1) or not is_due(known, spec, tally):
        return None
    return known, spec, tally


def _measurement(
    state: State, running: Running, spec: MetricSpec, tally: Tally, outcome: Json, now: datetime
) -> MeasurementTaken:
    """The measurement that an outcome is.

    Args:
        outcome: `result`, or `error` with perhaps `retry_after_s`; `asked`; and `measured_at` as ISO 8601, which is `now` where it is missing.
    """
    about = running.fact
    at = outcome.get("measured_at")
    measured_at = now if at is None else datetime.fromisoformat(at)
    pause = outcome.get("retry_after_s")
    if "error" in outcome:
        judged, data = no_result(spec, tally, str(outcome["error"])), {}
    else:
        result = complete(outcome["result"])
        offset_s = (measured_at - _first_at(running, spec)).total_seconds()
        judged = judge(spec, tally, state.good.get(key_of(about), ()), about.release_id, offset_s, result)
        data = bounded(result)
    return MeasurementTaken(
        **about_of(about, about.verification_id),
        metric=spec.name,
        number=tally.asked + 1,
        status=judged.status,
        message=judged.message,
        asked=bounded(outcome.get("asked", {})),
        data=data,
        conditions=judged.conditions,
        value=judged.value,
        comparison=judged.comparison,
        due_at=tally.due_at,
        measured_at=measured_at,
        error=judged.error,
        held=judged.held,
        retry_after_s=None if pause is None else min(max(0.0, float(pause)), LONGEST_PAUSE_S),
    )


def _with_standing(measured: MeasurementTaken, after: Running) -> MeasurementTaken:
    """The measurement with what its metric comes to by it, so that nobody else has to work that out."""
    found = after.find(measured.metric)
    assert found is not None, f"{measured.metric} is no metric of {measured.verification_id}"
    return measured.model_copy(update={"standing": metric_verdict(*found)})


def _first_at(running: Running, spec: MetricSpec) -> datetime:
    return next(at for one, at in zip(running.fact.metrics, running.fact.first_at, strict=True) if one.name == spec.name)
