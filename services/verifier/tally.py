"""What the measurements of one metric came to so far."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.facts.verifier import MeasurementTaken
from contracts.shapes import MetricSpec
from services.verifier.due import due_after
from services.verifier.series import Series


class Tally(NamedTuple):
    """What the measurements of one metric came to so far; while it is watched: those of its round.

    Attributes:
        due_at: when it is measured next.
        asked: how often the provider was asked, ever; the next question has the number after it.
        measured: measurements that count: passed, failed or inconclusive.
        passed, failed: those of them that did.
        streak: passed measurements since the last one that was not.
        errors: questions in a row that brought no result.
        held: measurements that had nothing to judge and count for nothing.
        said: what the last failed one said. unclear: what the last inconclusive one said.
        series: its numbers since the verification began.
    """

    due_at: datetime
    asked: int = 0
    measured: int = 0
    passed: int = 0
    failed: int = 0
    streak: int = 0
    errors: int = 0
    held: int = 0
    said: str = ""
    unclear: str = ""
    series: Series = Series()

    def with_measurement(self, spec: MetricSpec, first_at: datetime, fact: MeasurementTaken) -> Tally:
        """The tally after one more answer of the provider; `first_at` is when the metric was due first."""
        told = self._replace(
            due_at=due_after(spec, fact),
            asked=fact.number,
            errors=self.errors + 1 if fact.error else 0,
            held=self.held + fact.held,
            series=self.series
            if fact.value is None
            else self.series.with_number(_seconds(fact.measured_at - first_at), fact.value),
        )
        if fact.held or (fact.error and fact.status == "inconclusive"):
            return told
        failed = fact.status == "failed"
        return told._replace(
            measured=self.measured + 1,
            passed=self.passed + (fact.status == "passed"),
            failed=self.failed + failed,
            streak=self.streak + 1 if fact.status == "passed" else 0,
            said=fact.message or "" if failed else self.said,
            unclear=fact.message or "" if fact.status == "inconclusive" else self.unclear,
        )

    def anew(self) -> Tally:
        """The tally of the next round: the count begins again, the numbers and what is due go on."""
        return Tally(due_at=self.due_at, asked=self.asked, errors=self.errors, series=self.series)


def _seconds(duration: timedelta) -> float:
    return max(0.0, duration.total_seconds())
