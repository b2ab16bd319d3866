"""A verification that is measured on after it passed."""

from __future__ import annotations

import pytest

from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed, VerificationStarted, WatchEnded
from libs.runtime.codec import decode, encode
from libs.simulation.world import START, refold
from services.verifier.app import service
from services.verifier.state import State
from tests.unit.verifier.verifier_scene import BAD, ERROR, GOOD, Scene, metric


def ended_after(scene: Scene) -> float:
    (ended,) = scene.facts(WatchEnded)
    return (ended.finished_at - START).total_seconds()


def test_metrics_are_measured_on_at_their_intervals_until_the_time_is_over() -> None:
    scene = Scene()
    scene.require(metric(count=2), continue_seconds=300)
    scene.advance(3600)
    (passed,) = scene.facts(VerificationPassed)
    assert passed.watched_until is not None
    assert [(at - START).total_seconds() for at in (passed.finished_at, passed.watched_until)] == [60, 360]
    assert scene.outside.seconds() == [0, 60, 120, 180, 240, 300, 360]
    assert [one.number for one in scene.facts(MeasurementTaken)] == [1, 2, 3, 4, 5, 6, 7]
    assert ended_after(scene) == 360
    assert scene.next_due() is None
    assert not scene.room("verifier").state.running


@pytest.mark.parametrize("seconds,times", [(59, [0]), (60, [0, 60]), (61, [0, 60])])
def test_no_measurement_begins_after_the_time_is_over(seconds: int, times: list[float]) -> None:
    scene = Scene()
    scene.require(metric(count=1), continue_seconds=seconds)
    scene.advance(600)
    assert scene.outside.seconds() == times
    assert ended_after(scene) == seconds


def test_a_metric_that_fails_while_it_is_watched_fails_the_verification() -> None:
    scene = Scene(health=[GOOD, GOOD, GOOD, BAD])
    scene.require(metric(count=2, reaction="rollBack"), metric("other", count=2), continue_seconds=600)
    scene.advance(3600)
    (failed,) = scene.facts(VerificationFailed)
    assert (failed.metric, failed.reaction, failed.after_passing) == ("health", "rollBack", True)
    assert (failed.finished_at - START).total_seconds() == 180
    assert not scene.facts(WatchEnded)
    assert scene.next_due() is None
    assert not scene.room("verifier").state.running


def test_each_round_tolerates_as_much_as_the_first() -> None:
    scene = Scene(health=[BAD, GOOD, GOOD, BAD, GOOD, GOOD, BAD, GOOD, GOOD, BAD, BAD])
    scene.require(metric(count=3, failure_threshold=1), continue_seconds=3600)
    scene.advance(7200)
    (failed,) = scene.facts(VerificationFailed)
    assert len(scene.taken()) == 11
    assert failed.message.startswith("2 of 2 measurements failed, 1 may fail.")


def test_what_is_only_observed_fails_nothing_while_it_is_watched() -> None:
    scene = Scene(seen=[GOOD, BAD])
    scene.require(metric("seen", reaction="observe", count=1), metric(count=1), continue_seconds=200)
    scene.advance(3600)
    assert scene.taken("seen") == ["passed", "failed", "failed", "failed"]
    assert not scene.facts(VerificationFailed)
    assert ended_after(scene) == 200


def test_what_was_still_observed_when_it_passed_goes_on() -> None:
    scene = Scene()
    scene.require(metric("seen", reaction="observe", count=50, interval_seconds=40), metric(count=1), continue_seconds=100)
    scene.advance(600)
    assert scene.outside.seconds("seen") == [0, 40, 80]
    assert ended_after(scene) == 100


def test_a_metric_that_was_decided_long_ago_goes_on_at_once() -> None:
    scene = Scene()
    scene.require(metric("early", count=1, interval_seconds=10), metric("late", count=3), continue_seconds=60)
    scene.advance(600)
    assert scene.outside.seconds("early") == [0, 120, 130, 140, 150, 160, 170, 180]
    assert ended_after(scene) == 180


def test_a_question_that_was_asked_in_time_is_waited_for() -> None:
    scene = Scene()
    open_until = START.replace(minute=5)
    scene.script(
        lambda intent, now: (
            None if intent.key.split("/")[1] == "2" and now < open_until else {"result": BAD if now > START else GOOD}
        )
    )
    scene.require(metric(count=1), continue_seconds=90)
    scene.advance(200)
    assert not scene.facts(WatchEnded)
    scene.advance(200)
    assert not scene.facts(WatchEnded)
    assert scene.facts(VerificationFailed)[0].after_passing


def test_a_watch_without_answers_ends() -> None:
    scene = Scene(health=[GOOD, ERROR])
    scene.require(metric(count=1, error_limit=1000), continue_seconds=300)
    scene.advance(3600)
    assert ended_after(scene) == 300


def test_nothing_to_measure_is_nothing_to_watch() -> None:
    scene = Scene()
    scene.require(continue_seconds=300)
    assert scene.facts(VerificationPassed)[0].watched_until is None
    assert not scene.room("verifier").state.running


def test_a_watch_survives_a_snapshot_and_a_refold() -> None:
    scene = Scene()
    scene.require(metric(count=1), metric("b", count=1, interval_seconds=7), continue_seconds=300)
    scene.advance(100)
    state = scene.room("verifier").state
    assert state.running
    assert decode(State, encode(State, state)) == state
    assert refold(service, scene.log) == state


def test_the_beginning_names_how_long_it_is_watched() -> None:
    scene = Scene()
    scene.require(metric(), continue_seconds=300)
    assert scene.facts(VerificationStarted)[0].continue_seconds == 300
