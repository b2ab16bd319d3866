"""Verifications of what is not there any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.command import Refused
from contracts.fact import Fact
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import DeploymentDeleted, EnvironmentDeleted, EnvironmentSaved, TargetsChanged
from contracts.facts.verifier import VerificationCancelled, VerificationPassed, VerificationStarted, WatchEnded
from contracts.shapes import JobStatus
from libs.simulation.world import refold
from services.verifier.about import about_of
from services.verifier.app import service
from tests.unit.verifier.verifier_scene import ABOUT, Scene, id_of, metric

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


def test_what_is_required_of_a_target_that_a_selector_just_dropped_ends_at_once() -> None:
    scene = Scene()
    scene.record(VANISHED)
    scene.require(metric())
    (cancelled,) = scene.facts(VerificationCancelled)
    assert cancelled.reason == "The target is gone."
    assert [(one.metric, one.number) for one in cancelled.dropped] == [("health", 1)]
    scene.advance(600)
    assert scene.outside.asked == []
    state = scene.room("verifier").state
    assert not any((state.releases, state.jobs, state.running, state.known, state.by_target, state.good))


def test_what_is_required_in_the_same_moment_in_which_its_target_is_dropped_ends_at_once() -> None:
    scene = Scene()
    scene.record(VANISHED)
    scene.job("late", status="successful")
    scene.require(metric(), job="late")
    assert scene.outcome() == "cancelled"
    assert scene.outside.asked == []
    assert not scene.room("verifier").state.jobs


def test_what_was_dropped_is_remembered_no_longer_than_it_could_come_back() -> None:
    for gone in (
        ResourceDeleted(resource_id=ABOUT["resource_id"], identifier="eu-1"),
        VANISHED.model_copy(update={"removed": (), "added": (ABOUT["resource_id"],)}),
    ):
        scene = Scene()
        scene.record(VANISHED)
        scene.run()
        assert scene.room("verifier").state.dropped
        scene.record(gone)
        scene.run()
        assert not scene.room("verifier").state.dropped
        assert refold(service, scene.log) == scene.room("verifier").state


@pytest.mark.parametrize(
    "gone",
    [
        ResourceDeleted(resource_id=ABOUT["resource_id"], identifier="eu-1"),
        EnvironmentDeleted(environment_id=ABOUT["environment_id"]),
        DeploymentDeleted(deployment_id=ABOUT["deployment_id"]),
    ],
)
def test_what_is_dropped_because_a_part_of_it_went_is_not_remembered(gone: Fact) -> None:
    scene = Scene()
    scene.record(gone, VANISHED)
    scene.run()
    assert not scene.room("verifier").state.dropped


def test_of_what_was_dropped_from_environments_that_come_and_go_little_is_remembered() -> None:
    scene = Scene()
    for number in range(20):
        environment_id = id_of(f"preview {number}")
        scene.record(
            EnvironmentSaved(environment_id=environment_id, name=environment_id, created_at=scene.now),
            VANISHED.model_copy(update={"environment_id": environment_id}),
            EnvironmentDeleted(environment_id=environment_id),
        )
        scene.run()
    assert len(scene.room("verifier").state.dropped[ABOUT["resource_id"]]) == 1


def test_a_dropped_target_is_not_verified_again() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    (started,) = scene.facts(VerificationStarted)
    scene.script(lambda intent, now: None)
    scene.again(started.verification_id)
    scene.record(VANISHED)
    scene.run()
    with pytest.raises(Refused):
        scene.again(scene.facts(VerificationStarted)[-1].verification_id)


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
