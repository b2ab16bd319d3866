"""Compares a metric with what it was for the previous good release of the same target, over the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import Final, NamedTuple

from contracts.facts.verifier import Comparison
from contracts.shapes import Baseline
from services.verifier.series import Point, Series

KEPT_GOOD: Final = 3
"""Good releases remembered per target: when the newest turns out bad, or is measured again, an earlier one is what it is compared with."""

MetricKey = tuple[str, str]
"""Name and type of provider: with another provider it is another metric."""


class GoodMetric(NamedTuple):
    """The numbers of one metric of a good release."""

    name: str
    provider: str
    series: Series


class Good(NamedTuple):
    """A release whose verification passed on a target."""

    release_id: str
    version_id: str
    metrics: tuple[GoodMetric, ...]


def with_good(known: Sequence[Good], new: Good) -> tuple[Good, ...]:
    """The good releases of a target, newest first, after one passed; numbers of other verifications of the same release stay."""
    measured = {(one.name, one.provider) for one in new.metrics}
    same = next((one for one in known if one.release_id == new.release_id), None)
    kept = () if same is None else tuple(one for one in same.metrics if (one.name, one.provider) not in measured)
    others = (one for one in known if one.release_id != new.release_id)
    return (new._replace(metrics=(*new.metrics, *kept)), *others)[:KEPT_GOOD]


def previous(known: Sequence[Good], release_id: str, metric: MetricKey) -> Series | None:
    """The numbers of a metric of the newest good release that is another one; None when it has none."""
    good = next((one for one in known if one.release_id != release_id), None)
    found = () if good is None else (one.series for one in good.metrics if (one.name, one.provider) == metric)
    return next(iter(found), None)


def compare(now: Point, earlier: Series, baseline: Baseline, interval_s: int) -> Comparison | None:
    """Both means, at the moment that this side's measurements have come to; None with too few numbers on the other side.

    Nothing is measured to the second: what the other side measured until half an interval later belongs to the same moment.
    """
    then = earlier.until(now.offset_s + interval_s / 2)
    if then is None or then.numbers < baseline.minimum_samples:
        return None
    mean, before = now.total / now.numbers, then.total / then.numbers
    ratio = _ratio(mean, before)
    return Comparison(
        mean=mean,
        baseline=before,
        ratio=ratio if before and isfinite(ratio) else None,
        change=mean - before,
        samples=then.numbers,
    )


def outside(found: Comparison, baseline: Baseline) -> str | None:
    """Which bounds the comparison is outside of, for people; None when it is inside of all."""
    ratio = _ratio(found.mean, found.baseline)
    broken = [
        *_outside("ratio", ratio, baseline.min_ratio, baseline.max_ratio),
        *_outside("change", found.change, baseline.min_change, baseline.max_change),
    ]
    if not broken:
        return None
    return f"the mean {found.mean:g} beside {found.baseline:g} of the previous good release: {' and '.join(broken)}"


def _ratio(mean: float, before: float) -> float:
    """This mean by that one. Beside nothing, nothing is the same and anything else without bound."""
    if before == 0:
        return 1.0 if mean == 0 else inf if mean > 0 else -inf
    return mean / before


def _outside(what: str, value: float, least: float | None, most: float | None) -> Iterator[str]:
    if least is not None and value < least:
        yield f"the {what} {value:g} is below {least:g}"
    if most is not None and value > most:
        yield f"the {what} {value:g} is above {most:g}"
