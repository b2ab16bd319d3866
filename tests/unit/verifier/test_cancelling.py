"""Verifications of what is not there any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import TargetsChanged
from contracts.facts.verifier import VerificationCancelled, VerificationPassed, VerificationStarted, WatchEnded
from contracts.shapes import JobStatus
from libs.simulation.world import refold
from services.verifier.about import about_of
from services.verifier.app import service
from tests.unit.verifier.verifier_scene import ABOUT, Scene, metric

VANISHED = TargetsChanged(
    deployment_id=ABOUT["deployment_id"], environment_id=ABOUT["environment_id"], removed=(ABOUT["resource_id"],)
)


@pytest.mark.parametrize(
    "status,began,ends",
    [
        ("pending", False, False), ("queued", False, False), ("actionRequired", True, False), ("inProgress", True, True),
        ("successful", True, True), ("failure", False, True), ("externalRunNotFound", False, True), ("cancelled", True, True),
        ("cancelled", False, False), ("skipped", False, False), ("invalidIntegration", False, False),
    ],
)  # fmt: skip
def test_another_release_that_runs_ends_what_is_measured(status: JobStatus, began: bool, ends: bool) -> None:
    scene = Scene()
    scene.require(metric())
    scene.job("next", "release 2", "pending")
    scene.move("next", status, "release 2", began=began)
    assert scene.outcome() == ("cancelled" if ends else "running")
    if ends:
        (cancelled,) = scene.facts(VerificationCancelled)
        assert cancelled.reason == "Another release runs on the target."
        assert [(one.metric, one.number) for one in cancelled.dropped] == [("health", 2)]
        scene.advance(600)
        assert scene.taken() == ["passed"]
        assert scene.next_due() is None


def test_another_job_of_the_same_release_changes_nothing() -> None:
    scene = Scene()
    scene.require(metric())
    scene.job("again", status="inProgress")
    scene.advance(600)
    assert scene.outcome() == "passed"


def test_an_older_job_that_moves_late_changes_nothing() -> None:
    scene = Scene()
    scene.job("older", "release 0", "inProgress")
    scene.deploy("release 1", metric())
    scene.move("older", "failure", "release 0")
    assert scene.outcome() == "running"


def test_all_verifications_of_the_target_end() -> None:
    scene = Scene()
    scene.require(metric(), rule="one")
    scene.require(metric(), rule="two")
    scene.job("next", "release 2", "inProgress")
    assert len(scene.facts(VerificationCancelled)) == 2
    scene.move("next", "successful", "release 2")
    assert len(scene.facts(VerificationCancelled)) == 2


def test_what_is_watched_is_not_watched_any_more() -> None:
    scene = Scene()
    scene.require(metric(count=1), continue_seconds=600)
    scene.job("next", "release 2", "inProgress")
    (ended,) = scene.facts(WatchEnded)
    assert ended.reason == "Another release runs on the target."
    assert not scene.facts(VerificationCancelled)
    scene.advance(1200)
    assert len(scene.taken()) == 1


def test_what_is_required_too_late_ends_at_once() -> None:
    scene = Scene()
    scene.job("next", "release 2", "inProgress")
    scene.require(metric())
    (cancelled,) = scene.facts(VerificationCancelled)
    assert [(one.metric, one.number) for one in cancelled.dropped] == [("health", 1)]
    scene.advance(600)
    assert scene.outside.asked == []
    assert scene.next_due() is None


def test_what_is_required_when_a_job_is_made_runs_beside_the_release_before() -> None:
    scene = Scene()
    scene.job("next", "release 2", "pending")
    scene.require(metric(), job="next", release="release 2")
    scene.advance(600)
    assert scene.outcome() == "passed"


def test_a_target_that_vanishes_ends_it_and_is_forgotten() -> None:
    scene = Scene()
    scene.require(metric(count=1), rule="done")
    scene.require(metric())
    scene.require(metric(count=1), rule="watched", continue_seconds=60)
    scene.record(VANISHED)
    scene.run()
    (cancelled,), (ended,) = scene.facts(VerificationCancelled), scene.facts(WatchEnded)
    assert cancelled.reason == ended.reason == "The target is gone."
    state = scene.room("verifier").state
    assert not any((state.releases, state.jobs, state.running, state.known, state.by_target, state.good))
    assert refold(service, scene.log) == state


def test_what_passes_while_its_target_vanishes_is_not_watched() -> None:
    scene = Scene()
    scene.script(lambda intent, now: None)
    scene.require(metric(count=1), continue_seconds=600)
    (started,) = scene.facts(VerificationStarted)
    passed = VerificationPassed(
        **about_of(started, started.verification_id), finished_at=scene.now, watched_until=scene.now + timedelta(seconds=600)
    )
    scene.record(VANISHED, passed)
    scene.run()
    (ended,) = scene.facts(WatchEnded)
    assert ended.reason == "The target is gone."
    state = scene.room("verifier").state
    assert not any((state.running, state.known, state.by_target))


def test_what_is_required_of_a_resource_that_is_gone_ends_at_once() -> None:
    scene = Scene()
    scene.record(VANISHED, ResourceDeleted(resource_id=ABOUT["resource_id"], identifier="eu-1"))
    scene.require(metric())
    assert scene.outcome() == "cancelled"
    assert not scene.room("verifier").state.known


def test_a_target_that_came_back_while_its_job_ran_is_measured() -> None:
    scene = Scene()
    scene.record(VANISHED, VANISHED.model_copy(update={"removed": (), "added": (ABOUT["resource_id"],)}))
    scene.require(metric())
    scene.advance(600)
    assert scene.outcome() == "passed"


def test_only_the_newest_jobs_of_a_target_are_remembered() -> None:
    scene = Scene()
    for number in range(10):
        scene.deploy(f"release {number}", metric(count=1))
    state = scene.room("verifier").state
    assert len(scene.facts(VerificationStarted)) == 10
    assert len(state.known) == 4
    assert [bool(state.known[one].document) for one in state.by_target[next(iter(state.by_target))]] == [
        True,
        False,
        False,
        False,
    ]
