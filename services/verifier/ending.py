"""How a verification ends, once its metrics are decided or one of them ends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.facts.verifier import (
    DroppedMeasurement,
    NextMeasurement,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import MetricSpec
from services.verifier.about import about_of
from services.verifier.recording import message_of
from services.verifier.state import Running
from services.verifier.tally import Tally
from services.verifier.verdict import Standing, least_told, metric_verdict

Ended = VerificationPassed | VerificationFailed | VerificationInconclusive
NAMED: Final = 10
"""Metrics that a note names."""


class Decided(NamedTuple):
    """A metric, its measurements and what they come to."""

    spec: MetricSpec
    tally: Tally
    verdict: Standing


def ending(running: Running, now: datetime) -> Ended | None:
    """How a verification ends now; None when it goes on.

    A metric that fails ends it at once, unless its failure only holds: then the others are decided first, as one of them may send the
    target back. Metrics that are only observed are not waited for, but where there are no others.
    """
    metrics = [
        Decided(spec, tally, metric_verdict(spec, tally))
        for spec, tally in zip(running.fact.metrics, running.tallies, strict=True)
    ]
    counting = [one for one in metrics if one.spec.reaction != "observe"]
    failed = [one for one in counting if one.verdict == "failed"]
    strong = next((one for one in failed if one.spec.reaction != "hold"), None)
    if strong is not None:
        return failure(running, strong.spec, strong.tally, now)
    if any(one.verdict == "running" for one in counting or metrics):
        return None
    if failed:
        return failure(running, failed[0].spec, failed[0].tally, now)
    unclear = next((one for one in counting if one.verdict == "inconclusive"), None)
    if unclear is not None:
        return VerificationInconclusive(
            **about_of(running.fact, running.fact.verification_id),
            metric=unclear.spec.name,
            message=_unclear(unclear.spec, unclear.tally),
            finished_at=now,
            dropped=dropped(running),
        )
    return passed(running.fact, now, _note(metrics), running)


def passed(
    fact: VerificationStarted, now: datetime, note: str | None = None, running: Running | None = None
) -> VerificationPassed:
    """The verification passed; with `continue_seconds` its metrics are measured on."""
    watched = fact.continue_seconds if fact.metrics else None
    following = () if running is None or watched is None else zip(fact.metrics, running.tallies, strict=True)
    return VerificationPassed(
        **about_of(fact, fact.verification_id),
        finished_at=now,
        note=message_of(f"{fact.note} {note or ''}".strip()) if fact.note else note,
        watched_until=None if watched is None else now + timedelta(seconds=watched),
        following=tuple(NextMeasurement(metric=spec.name, number=tally.asked + 1) for spec, tally in following),
        dropped=() if running is None or watched is not None else dropped(running),
    )


def failure(running: Running, spec: MetricSpec, tally: Tally, now: datetime) -> VerificationFailed:
    """The verification failed with a metric."""
    assert spec.reaction != "observe", f"{spec.name} is only observed"
    return VerificationFailed(
        **about_of(running.fact, running.fact.verification_id),
        metric=spec.name,
        message=_how(spec, tally),
        reaction=spec.reaction,
        after_passing=running.watched_until is not None,
        finished_at=now,
        dropped=dropped(running),
    )


def dropped(running: Running) -> tuple[DroppedMeasurement, ...]:
    """The measurements that are not taken any more when a verification ends."""
    pairs = zip(running.fact.metrics, running.tallies, strict=True)
    return tuple(
        DroppedMeasurement(metric=spec.name, number=tally.asked + 1) for spec, tally in pairs if is_due(running, spec, tally)
    )


def is_due(running: Running, spec: MetricSpec, tally: Tally) -> bool:
    """Whether a metric is measured again: until it is decided, and after passing until the time is over."""
    if running.watched_until is not None:
        return tally.due_at <= running.watched_until
    return metric_verdict(spec, tally) == "running"


def _how(spec: MetricSpec, tally: Tally) -> str:
    tolerated = max(spec.failure_threshold, 0)
    allowed = "none may fail" if tolerated == 0 else f"{tolerated} may fail"
    return f"{tally.failed} of {tally.measured} measurements failed, {allowed}. The last one: {tally.said}."


def _unclear(spec: MetricSpec, tally: Tally) -> str:
    told = tally.passed + tally.failed
    last = f" The last one that did not: {tally.unclear.rstrip('.')}." if tally.unclear else ""
    return message_of(
        f"{told} of {tally.measured} measurements passed or failed, at least {least_told(spec)} of {spec.count} must.{last}"
    )


def _note(metrics: Sequence[Decided]) -> str | None:
    """What a person should know of a verification that passed."""
    counting = [one for one in metrics if one.spec.reaction != "observe"]
    never = [one.spec.name for one in counting if one.tally.passed == 0]
    failed = [one.spec.name for one in metrics if one.spec.reaction == "observe" and one.verdict == "failed"]
    said = (
        *((f"Not one measurement passed of {_named(never)}.",) if never else ()),
        *((f"Failed, but only observed: {_named(failed)}.",) if failed else ()),
    )
    return message_of(" ".join(said)) if said else None


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
