"""How one result is judged: by what it lacks, by the conditions of its metric, and by what the metric was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from contracts.facts.verifier import Comparison
from contracts.shapes import Json, MetricSpec
from libs.cel import CelError, CelProblems, Outcome, contexts
from services.verifier.baseline import Good, compare, outside, previous
from services.verifier.recording import message_of, storable
from services.verifier.series import number_of
from services.verifier.tally import Tally

SHOWN_ANSWER: Final = 160
"""Characters of an answer that a message repeats; the whole is with the measurement."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one answer of a provider counts.

    Attributes:
        error: there was no result, or none that could be judged.
        held: there was nothing to judge, and it counts for nothing.
        conditions: what each condition that was looked at came to.
        value: the number of the result.
    """

    status: Literal["passed", "failed", "inconclusive"]
    message: str | None = None
    error: bool = False
    held: bool = False
    conditions: dict[str, str] = field(default_factory=dict)
    value: float | None = None
    comparison: Comparison | None = None


def no_result(spec: MetricSpec, tally: Tally, why: str) -> Judgement:
    """How a question counts that brought no result: asked again, or a failed measurement after too many in a row."""
    again = tally.errors + 1
    if again > spec.error_limit:
        times = f"{again} times in a row" if again > 1 else "at all"
        return Judgement("failed", message_of(f"no result {times}: {why}"), error=True)
    return Judgement("inconclusive", message_of(f"no result, asked again after an interval: {why}"), error=True)


def judge(spec: MetricSpec, tally: Tally, good: Sequence[Good], release_id: str, offset_s: float, result: Json) -> Judgement:
    """Judge what a provider answered.

    A result without data first, if the metric says what that is; then the failure condition, then the success condition. A missing key
    makes a condition false; any other error of it fails the measurement. When neither is true the measurement failed, unless there is a
    failure condition to say so: then it is inconclusive. What passed so far is compared, if the metric asks for it.

    Args:
        spec: the metric, its conditions rendered.
        tally: what was measured before.
        good: the good releases of the target, newest first.
        release_id: of what is measured.
        offset_s: seconds since the metric was due first.
        result: as `complete` made it.
    """
    try:
        value = _value(spec, result)
        if result.get("noData") is True and spec.no_data is not None:
            return replace(_without_data(spec, tally), value=value)
        judged = _by_conditions(spec, result)
    except CelProblems as refused:
        return no_result(spec, tally, f"a condition can not be read: {refused}")
    judged = replace(judged, value=value)
    if judged.status == "passed" and spec.baseline is not None:
        return _compared(judged, spec, tally, good, release_id, offset_s)
    return judged


def _value(spec: MetricSpec, result: Json) -> float | None:
    if spec.baseline is None:
        return number_of(result.get("value"))
    try:
        return number_of(contexts.RESULT.compile(spec.baseline.value).value(result=result))
    except CelError:
        return None


def _without_data(spec: MetricSpec, tally: Tally) -> Judgement:
    match spec.no_data:
        case "pass":
            return Judgement("passed", "the answer holds no data, which is good")
        case "fail":
            return Judgement("failed", "the answer holds no data")
        case _:
            return _held(spec, tally, "the answer holds no data")


def _held(spec: MetricSpec, tally: Tally, why: str, then: str = "; ") -> Judgement:
    """Nothing to judge. A metric waits no more often than it is to be measured, so that it ends."""
    if tally.held >= spec.count:
        return Judgement("inconclusive", f"{why}, and it was waited for {tally.held} times")
    return Judgement("inconclusive", f"{why}{then}it is waited for", held=True)


def _by_conditions(spec: MetricSpec, result: Json) -> Judgement:
    told: dict[str, str] = {}
    if spec.failure_condition:
        verdict = contexts.RESULT.compile(spec.failure_condition).verdict(result=result)
        told["failureCondition"] = _told(verdict.outcome, verdict.message)
        if verdict.is_error:
            broke = f"the failure condition `{spec.failure_condition}` broke: {verdict.message}"
            return Judgement("failed", _said(broke, result), conditions=told)
        if verdict.outcome is Outcome.MATCH:
            return Judgement(
                "failed", _said(f"the failure condition `{spec.failure_condition}` is true", result), conditions=told
            )
    verdict = contexts.RESULT.compile(spec.success_condition).verdict(result=result)
    told["successCondition"] = _told(verdict.outcome, verdict.message)
    if verdict.outcome is Outcome.MATCH:
        return Judgement("passed", conditions=told)
    if verdict.is_error:
        broke = f"the success condition `{spec.success_condition}` broke: {verdict.message}"
        return Judgement("failed", _said(broke, result), conditions=told)
    if spec.failure_condition:
        return Judgement("inconclusive", _said("neither the success nor the failure condition is true", result), conditions=told)
    return Judgement("failed", _said(f"the success condition `{spec.success_condition}` is not true", result), conditions=told)


def _compared(
    judged: Judgement, spec: MetricSpec, tally: Tally, good: Sequence[Good], release_id: str, offset_s: float
) -> Judgement:
    assert spec.baseline is not None, "only a metric with a baseline is compared"
    if judged.value is None:
        return _without_baseline(judged, spec, tally, f"`{spec.baseline.value}` gives no number to compare")
    earlier = previous(good, release_id, (spec.name, spec.provider.type))
    if earlier is None:
        return _without_baseline(judged, spec, tally, _nothing_earlier(good, release_id))
    found = compare(tally.series.with_number(offset_s, judged.value).last, earlier, spec.baseline, spec.interval_seconds)
    if found is None:
        least = spec.baseline.minimum_samples
        few = "no numbers" if least == 1 else f"fewer than {least} numbers"
        return _without_baseline(judged, spec, tally, f"of this metric the previous good release has {few} by the same time")
    judged = replace(judged, comparison=found)
    far = outside(found, spec.baseline)
    return judged if far is None else replace(judged, status="failed", message=message_of(far))


def _nothing_earlier(good: Sequence[Good], release_id: str) -> str:
    if all(one.release_id == release_id for one in good):
        return "there is no earlier good release here to compare with"
    return "the previous good release has no numbers of this metric to compare with"


def _without_baseline(judged: Judgement, spec: MetricSpec, tally: Tally, why: str) -> Judgement:
    assert spec.baseline is not None, "only a metric with a baseline is compared"
    missing = spec.baseline.when_missing
    told = f"{why}; whenMissing says {missing}"
    match missing:
        case "pass":
            return replace(judged, message=message_of(f"{told}: it is judged by its conditions alone"))
        case "fail":
            return replace(judged, status="failed", message=message_of(told))
        case _:
            waits = _held(spec, tally, told, ": ")
            return replace(judged, status=waits.status, message=waits.message, held=waits.held)


def _told(outcome: Outcome, message: str | None) -> str:
    match outcome:
        case Outcome.MATCH:
            return "true"
        case Outcome.NO_MATCH:
            return "false"
        case _:
            return message_of(message or outcome.value)


def _said(text: str, result: Json) -> str:
    told = message_of(text)
    body = result.get("body")
    if "json" in result and isinstance(body, str):  # a page of HTML would explain nothing
        told = f"{told}; the answer was {storable(body[:SHOWN_ANSWER])}{'…' if len(body) > SHOWN_ANSWER else ''}"
    return f"{told} (HTTP {result['statusCode']})" if "statusCode" in result else told
