"""How a verification ends when its metrics react differently to failure, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import MetricSpec
from tests.unit.verifier.verifier_scene import BAD, GOOD, Scene, metric

EMPTY: dict[str, Any] = {**GOOD, "noData": True}


@pytest.mark.parametrize("reaction", [None, "rollBack"])
def test_a_metric_that_fails_ends_the_verification_at_once_with_its_reaction(reaction: str | None) -> None:
    scene = Scene(bad=[BAD])
    scene.require(metric("long", count=5), metric("bad", reaction=reaction))
    (failed,) = scene.facts(VerificationFailed)
    assert (failed.metric, failed.reaction, failed.after_passing) == ("bad", reaction, False)
    assert [(one.metric, one.number) for one in failed.dropped] == [("long", 2)]


def test_a_metric_that_holds_lets_the_others_be_decided_first() -> None:
    scene = Scene(bad=[BAD])
    scene.require(metric("bad", reaction="hold"), metric("long", count=3))
    assert scene.outcome() == "running"
    scene.advance(120)
    (failed,) = scene.facts(VerificationFailed)
    assert (failed.metric, failed.reaction) == ("bad", "hold")
    assert failed.message.startswith("1 of 1 measurements failed, none may fail. The last one: the success condition `result.ok`")
    assert (scene.taken("bad"), scene.taken("long")) == (["failed"], ["passed"] * 3)


def test_a_stronger_failure_overrides_one_that_holds_and_ends_it_at_once() -> None:
    scene = Scene(held=[BAD], strong=[GOOD, BAD])
    scene.require(metric("held", reaction="hold"), metric("strong", count=9, reaction="rollBack"), metric("long", count=9))
    scene.advance(60)
    (failed,) = scene.facts(VerificationFailed)
    assert (failed.metric, failed.reaction) == ("strong", "rollBack")


def test_what_is_only_observed_is_recorded_and_counts_for_nothing() -> None:
    scene = Scene(seen=[BAD])
    scene.require(metric("seen", reaction="observe", count=1), metric("real", count=2))
    scene.advance(60)
    (passed,) = scene.facts(VerificationPassed)
    assert scene.taken("seen") == ["failed"]
    assert passed.note == "Failed, but only observed: `seen`."


def test_what_is_only_observed_is_not_waited_for() -> None:
    scene = Scene()
    scene.require(metric("seen", reaction="observe", count=100), metric("real", count=2))
    scene.advance(60)
    (passed,) = scene.facts(VerificationPassed)
    assert [(one.metric, one.number) for one in passed.dropped] == [("seen", len(scene.taken("seen")) + 1)]
    scene.advance(600)
    assert scene.next_due() is None
    assert len(scene.taken("seen")) <= 2


def test_where_everything_is_only_observed_it_passes_when_all_is_decided() -> None:
    scene = Scene(one=[BAD], two=[GOOD])
    scene.require(metric("one", reaction="observe"), metric("two", reaction="observe", count=3))
    assert scene.outcome() == "running"
    scene.advance(120)
    assert scene.outcome() == "passed"


LEFT_OUT = "Of the 2 metrics that the job's agent wants measured these are left out: 1 without a name."


@pytest.mark.parametrize("metrics", [(), (metric(count=1),)])
def test_what_is_left_out_of_a_verification_is_said_when_it_passes(metrics: tuple[MetricSpec, ...]) -> None:
    scene = Scene()
    scene.require(*metrics, rule=None, note=LEFT_OUT)
    (started,), (passed,) = scene.facts(VerificationStarted), scene.facts(VerificationPassed)
    assert started.note == passed.note == LEFT_OUT
    scene.again(started.verification_id)
    assert [one.note for one in scene.facts(VerificationPassed)] == [LEFT_OUT] * 2


def test_what_is_left_out_is_said_beside_what_else_is_to_be_known() -> None:
    scene = Scene(health=[BAD])
    scene.require(metric(count=1, failure_threshold=1), rule=None, note=LEFT_OUT)
    assert scene.facts(VerificationPassed)[0].note == f"{LEFT_OUT} Not one measurement passed of `health`."


def test_too_few_measurements_with_anything_to_judge_are_inconclusive() -> None:
    scene = Scene(quiet=[EMPTY])
    scene.require(metric("quiet", no_data="hold", count=2, minimum_samples=1), metric("long", count=6))
    scene.advance(180)
    assert scene.taken("quiet") == ["inconclusive"] * 4
    assert [one.held for one in scene.facts(MeasurementTaken) if one.metric == "quiet"] == [True, True, False, False]
    assert scene.outcome() == "running"  # one that fails would say more
    scene.advance(120)
    (ended,) = scene.facts(VerificationInconclusive)
    assert ended.metric == "quiet"
    assert ended.message == (
        "0 of 2 measurements passed or failed, at least 1 of 2 must. "
        "The last one that did not: the answer holds no data, and it was waited for 2 times."
    )


def test_a_failure_says_more_than_what_is_inconclusive() -> None:
    scene = Scene(quiet=[EMPTY], bad=[GOOD, BAD])
    scene.require(
        metric("quiet", no_data="hold", count=1, minimum_samples=1, interval_seconds=10), metric("bad", reaction="hold", count=3)
    )
    scene.advance(60)
    (failed,) = scene.facts(VerificationFailed)
    assert (failed.metric, failed.reaction) == ("bad", "hold")
    assert scene.taken("quiet") == ["inconclusive"] * 2


def test_a_metric_that_waits_for_data_ends_also_without_a_minimum() -> None:
    scene = Scene(quiet=[EMPTY])
    scene.require(metric("quiet", no_data="hold", count=3))
    scene.advance(3600)
    assert len(scene.taken("quiet")) == 6
    assert scene.facts(VerificationPassed) == []
    (ended,) = scene.facts(VerificationInconclusive)
    assert ended.metric == "quiet"


def test_a_metric_that_waits_goes_on_when_data_come() -> None:
    scene = Scene(quiet=[EMPTY, EMPTY, GOOD])
    scene.require(metric("quiet", no_data="hold", count=2))
    scene.advance(3600)
    assert scene.taken("quiet") == ["inconclusive", "inconclusive", "passed", "passed"]
    assert scene.facts(VerificationPassed)[0].note is None


def test_nothing_is_measured_that_could_change_nothing() -> None:
    scene = Scene()
    scene.require(metric(count=5, failure_threshold=3))
    scene.advance(3600)
    assert scene.taken() == ["passed", "passed"]
    assert scene.outcome() == "passed"


def test_a_note_names_a_few_of_many() -> None:
    scene = Scene(**{str(n): [BAD] for n in range(12)})
    scene.require(metric("good", count=2), *(metric(str(n), reaction="observe", count=1) for n in range(12)))
    scene.advance(60)
    note = str(scene.facts(VerificationPassed)[0].note)
    assert note.endswith("`8`, `9` and 2 more.")


def test_a_measurement_records_what_was_asked_when_it_was_due_and_when_it_was_taken() -> None:
    scene = Scene()
    answer = {
        "asked": {"type": "http", "url": "http://eu-1/health"},
        "measured_at": "2026-01-01T00:00:00.250000+00:00",
        "result": {**GOOD, "value": 3},
    }
    scene.script(lambda intent, now: answer)
    scene.require(metric(failure_condition="!result.ok"))
    (taken,) = scene.facts(MeasurementTaken)
    assert taken.asked == {"type": "http", "url": "http://eu-1/health"}
    assert taken.conditions == {"failureCondition": "false", "successCondition": "true"}
    assert (taken.value, taken.data["value"]) == (3.0, 3)
    assert (taken.measured_at - taken.due_at).total_seconds() == 0.25
    due = scene.next_due()
    assert due is not None
    assert (due - taken.measured_at).total_seconds() == 60


def test_a_provider_that_wants_to_be_left_alone_is() -> None:
    scene = Scene()
    answers = iter(
        [{"error": "429", "retry_after_s": 90.0}, {"error": "429", "retry_after_s": 5.0}, {"error": "429", "retry_after_s": 1e9}]
    )
    scene.script(lambda intent, now: next(answers, {"result": GOOD}))
    scene.require(metric(count=1))
    scene.advance(2 * 3600)
    assert scene.outside.seconds() == []
    times = [
        (one.measured_at - scene.facts(MeasurementTaken)[0].measured_at).total_seconds() for one in scene.facts(MeasurementTaken)
    ]
    assert times == [0, 90, 150, 3750]
    assert [one.retry_after_s for one in scene.facts(MeasurementTaken)] == [90.0, 5.0, 3600.0, None]
