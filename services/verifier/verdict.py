"""What the measurements of a metric come to, and what its metrics come to for a verification."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from contracts.shapes import MetricSpec
from services.verifier.state import Tally

Standing = Literal["running", "passed", "failed"]


def metric_verdict(spec: MetricSpec, tally: Tally) -> Standing:
    """Decide a metric; asked after each measurement.

    The failure threshold counts all failures, not those in a row: it is how many are tolerated, and 0 tolerates none. The success
    threshold counts passes in a row and ends a metric early; unset (or not above 0) the metric runs to its count. A metric that
    reached its count without too many failures has passed, also when measurements were inconclusive.
    """
    if tally.measured == 0:
        return "running"
    if tally.failed > max(spec.failure_threshold, 0):
        return "failed"
    threshold = spec.success_threshold or 0
    if 0 < threshold <= tally.streak:
        return "passed"
    return "passed" if tally.measured >= spec.count else "running"


def aggregate(standings: Iterable[Standing]) -> Standing | None:
    """Decide a verification: failed as soon as one metric is, passed when all are; None without metrics."""
    known = list(standings)
    if not known:
        return None
    for standing in ("failed", "running"):
        if standing in known:
            return standing
    return "passed"
