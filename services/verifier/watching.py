"""After passing: the metrics are measured on in rounds until the time is over, and one that fails in a round fails the verification."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    WatchEnded,
)
from libs.runtime.service import Draft
from services.verifier.about import about_of
from services.verifier.ending import Ended, dropped, ending, failure
from services.verifier.state import Running, State
from services.verifier.verdict import metric_verdict


def ended_by(running: Running, metric: str, now: datetime) -> Ended | None:
    """What follows from a measurement of a metric that was just counted: how the verification ends; None when it goes on."""
    if running.watched_until is None:
        return ending(running, now)
    found = running.find(metric)
    assert found is not None, f"{metric} was measured and is none of {running.fact.verification_id}"
    spec, tally = found
    if spec.reaction != "observe" and metric_verdict(spec, tally) == "failed":
        return failure(running, spec, tally, now)
    return None


def next_round(running: Running, metric: str) -> Running:
    """While it is watched, a metric that is decided begins its next round."""
    if running.watched_until is None:
        return running
    pairs = zip(running.fact.metrics, running.tallies, strict=True)
    tallies = tuple(
        tally.anew() if spec.name == metric and metric_verdict(spec, tally) != "running" else tally for spec, tally in pairs
    )
    return running._replace(tallies=tallies)


def watched(running: Running, until: datetime) -> Running:
    """A verification that passed, and is measured on until then."""
    return Running(running.fact, tuple(tally.anew() for tally in running.tallies), until)


def watch_ended(running: Running, now: datetime, reason: str = "") -> WatchEnded:
    """Nothing is measured any more of a verification that was watched."""
    return WatchEnded(
        **about_of(running.fact, running.fact.verification_id), reason=reason, finished_at=now, dropped=dropped(running)
    )


class WatchTimers:
    """Ends a watch when its time is over and no measurement that was due before is still to come."""

    def keys(self, state: State) -> Iterable[str]:
        """Every verification that is watched."""
        return [one for one in sorted(state.running) if state.running[one].watched_until is not None]

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The verification that a fact is about."""
        match recorded.fact:
            case (
                VerificationPassed()
                | MeasurementTaken()
                | VerificationFailed()
                | VerificationInconclusive()
                | VerificationCancelled()
                | WatchEnded()
            ) as fact:
                return (fact.verification_id,)
            case _:
                return ()

    def at(self, state: State, key: str) -> datetime | None:
        """When the time is over; None before the last measurement in it was taken."""
        running = state.running.get(key)
        if running is None or running.watched_until is None:
            return None
        until = running.watched_until
        return until if all(tally.due_at > until for tally in running.tallies) else None

    def fire(self, state: State, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """End the watches."""
        return [Draft(watch_ended(state.running[key], now)) for key in keys]
