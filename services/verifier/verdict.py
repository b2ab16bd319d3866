"""What the measurements of a metric come to."""

from __future__ import annotations

from typing import Literal

from contracts.shapes import MetricSpec
from services.verifier.tally import Tally

Standing = Literal["running", "passed", "failed", "inconclusive"]


def metric_verdict(spec: MetricSpec, tally: Tally) -> Standing:
    """Decide a metric; asked after each measurement.

    The failure threshold counts all failures, not those in a row: it is how many are tolerated, and 0 tolerates none. The success
    threshold counts passes in a row and ends a metric early; unset (or not above 0) the metric runs to its count. With `minimum_samples`
    so many must have passed or failed, or nothing can be said; a metric that holds where there is nothing to judge wants one at least. A metric is not measured on when that could not change what is said of it.
    """
    if tally.measured == 0:
        return "running"
    tolerated = max(spec.failure_threshold, 0)
    if tally.failed > tolerated:
        return "failed"
    told, left = tally.passed + tally.failed, max(spec.count - tally.measured, 0)
    least = least_told(spec)
    enough = told >= least
    wanted = spec.success_threshold or 0
    if enough and (0 < wanted <= tally.streak or tally.failed + left <= tolerated):
        return "passed"
    if told + left < least and tally.failed + left <= tolerated:
        return "inconclusive"
    return "running"


def least_told(spec: MetricSpec) -> int:
    """How many measurements must have passed or failed, or nothing can be said of a metric."""
    return spec.minimum_samples or (1 if _holds(spec) else 0)


def _holds(spec: MetricSpec) -> bool:
    return spec.no_data == "hold" or (spec.baseline is not None and spec.baseline.when_missing == "hold")
