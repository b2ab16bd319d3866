"""Measuring: which questions are open and when, and what follows from each answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from immutables import Map

from contracts.envelope import Recorded
from contracts.facts.verifier import (
    DroppedMeasurement,
    MeasurementTaken,
    VerificationFailed,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import Json, MetricSpec, SleepProvider
from libs.runtime.service import Draft, Intent, Outcome
from libs.secrets.problem import SecretProblem
from libs.secrets.references import references
from services.verifier.documents import context_of, rendered
from services.verifier.judgement import bounded, complete, judge
from services.verifier.state import Running, State, Tally
from services.verifier.verdict import aggregate, metric_verdict


class Measuring:
    """Each measurement is an intent `<verification>/<number>/<metric>`: the first at once, each next one an interval after the last."""

    def keys(self, state: State) -> Iterable[str]:
        """The next measurement of every metric that is not decided."""
        for verification_id in sorted(state.running):
            running = state.running[verification_id]
            for spec, tally in zip(running.fact.metrics, running.tallies, strict=True):
                if metric_verdict(spec, tally) == "running":
                    yield _key(verification_id, tally.asked + 1, spec.name)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The measurements that a start opened, a measurement closed and opened, a failure dropped."""
        match recorded.fact:
            case VerificationStarted() as fact:
                return [_key(fact.verification_id, 1, spec.name) for spec in fact.metrics]
            case MeasurementTaken() as fact:
                return [_key(fact.verification_id, number, fact.metric) for number in (fact.number, fact.number + 1)]
            case VerificationFailed() as fact:
                return [_key(fact.verification_id, one.number, one.metric) for one in fact.dropped]
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """The question behind a key; None when it was answered or is not asked any more."""
        found = _open(state.running, key)
        if found is None:
            return None
        running, spec, tally = found
        context = context_of(state, running.fact)
        not_before = (
            running.fact.started_at if tally.last_at is None else tally.last_at + timedelta(seconds=spec.interval_seconds)
        )
        if isinstance(spec.provider, SleepProvider):
            # Waiting needs nobody who waits: the result is simply not due before.
            not_before += timedelta(seconds=spec.provider.duration_seconds)
        return Intent(key, _request(spec, context, state.workspace_id), not_before)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Judge the answers, and decide the verifications whose metrics are decided thereby."""
        drafts: list[Draft] = []
        running = state.running
        for outcome in outcomes:
            found = _open(running, outcome.key)
            if found is None:
                continue
            before, spec, tally = found
            measured = _measurement(before, spec, tally, outcome.result, now)
            drafts.append(Draft(measured))
            after = before.with_measurement(measured)
            end = _end(after, spec, measured, now)
            if end is None:
                running = running.set(before.fact.verification_id, after)
            else:
                drafts.append(Draft(end))
                running = running.delete(before.fact.verification_id)
        return drafts


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
    if number != str(tally.asked + 1) or metric_verdict(spec, tally) != "running":
        return None
    return known, spec, tally


def _request(spec: MetricSpec, context: Json, workspace_id: str) -> Json:
    provider = spec.provider
    if isinstance(provider, SleepProvider):
        return {"type": "sleep", "durationSeconds": provider.duration_seconds}
    headers = provider.headers or {}
    return {
        "type": "http",
        "method": provider.method,
        "url": rendered(provider.url, context),
        "headers": {name: rendered(value, context) for name, value in headers.items()},
        "body": None if provider.body is None else rendered(provider.body, context),
        "timeout": provider.timeout,
        "insecure": bool(provider.insecure),
        # What templates bring in may look like a reference to a secret; only those are opened that the metric itself names.
        "secrets": _secrets(provider.url, *headers.values(), provider.body or ""),
        "workspace_id": workspace_id,
    }


def _secrets(*texts: str) -> list[str]:
    """The references to secrets in texts, each once; what only begins like one stays a text."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found |= dict.fromkeys(map(str, references(text)))
        except SecretProblem:
            continue
    return list(found)


def _measurement(running: Running, spec: MetricSpec, tally: Tally, answer: Json, now: datetime) -> MeasurementTaken:
    result = complete(answer)
    judgement = judge(spec, result, tally.errors)
    return MeasurementTaken(
        **_about(running.fact),
        metric=spec.name,
        number=tally.asked + 1,
        status=judgement.status,
        message=judgement.message,
        data={} if "error" in result and "ok" not in result else bounded(result),
        measured_at=now,
        error=judgement.error,
    )


def _end(
    running: Running, spec: MetricSpec, last: MeasurementTaken, now: datetime
) -> VerificationPassed | VerificationFailed | None:
    """How the verification ended with this measurement; None when it goes on."""
    pairs = list(zip(running.fact.metrics, running.tallies, strict=True))
    verdicts = {one.name: metric_verdict(one, tally) for one, tally in pairs}
    match aggregate(verdicts.values()):
        case "passed":
            return VerificationPassed(**_about(running.fact), finished_at=now)
        case "failed":
            tally = next(tally for one, tally in pairs if one.name == spec.name)
            undecided = (
                DroppedMeasurement(metric=one.name, number=tally.asked + 1)
                for one, tally in pairs
                if verdicts[one.name] == "running"
            )
            return VerificationFailed(
                **_about(running.fact),
                metric=spec.name,
                message=_how(spec, tally, last.message or ""),
                finished_at=now,
                dropped=tuple(undecided),
            )
        case _:
            return None


def _how(spec: MetricSpec, tally: Tally, last: str) -> str:
    tolerated = max(spec.failure_threshold, 0)
    allowed = "none may fail" if tolerated == 0 else f"{tolerated} may fail"
    return f"{tally.failed} of {tally.measured} measurements failed, {allowed}. The last one: {last}."


def _about(fact: VerificationStarted) -> dict[str, str]:
    return {
        "verification_id": fact.verification_id,
        "job_id": fact.job_id,
        "release_id": fact.release_id,
        "resource_id": fact.resource_id,
        "environment_id": fact.environment_id,
        "deployment_id": fact.deployment_id,
        "version_id": fact.version_id,
    }
