"""A person has something verified again."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.verifier import VerifyAgain
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import TargetsChanged
from contracts.facts.verifier import VerificationStarted, WatchEnded
from libs.simulation.world import START, refold
from services.verifier.app import service
from services.verifier.starting import id_of as verification_id_of
from tests.unit.verifier.verifier_scene import ABOUT, BAD, GOOD, Scene, id_of, metric


def first(scene: Scene) -> str:
    return scene.facts(VerificationStarted)[0].verification_id


def refused(scene: Scene, verification_id: str) -> Refused:
    with pytest.raises(Refused) as caught:
        scene.again(verification_id)
    return caught.value


def test_the_same_is_measured_from_the_beginning() -> None:
    scene = Scene(health=[BAD, GOOD])
    scene.require(metric(count=2, success_condition='"{{.version.tag}}" == "v2.0.0" && result.ok'), continue_seconds=60)
    assert scene.outcome(first(scene)) == "failed"
    scene.advance(1000)
    new = scene.again(first(scene), "it was the network")
    assert new == verification_id_of(id_of("job"), id_of("rule"), 2)
    earlier, later = scene.facts(VerificationStarted)
    assert (later.verification_id, later.attempt, later.reason) == (new, 2, "it was the network")
    assert (later.metrics, later.rule_id, later.policy_id, later.continue_seconds) == (
        earlier.metrics,
        earlier.rule_id,
        earlier.policy_id,
        60,
    )
    assert (later.started_at - START).total_seconds() == 1000
    scene.advance(1000)
    assert scene.outcome(new) == "passed"
    assert scene.outside.seconds() == [0, 1000, 1060, 1120]
    assert refold(service, scene.log) == scene.room("verifier").state


def test_again_and_again() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    ids = [first(scene)]
    for _ in range(5):
        ids.append(scene.again(ids[0]))
    assert len(set(ids)) == 6
    assert [one.attempt for one in scene.facts(VerificationStarted)] == [1, 2, 3, 4, 5, 6]
    assert scene.again(ids[3]) not in ids
    scene.require(metric(count=1))
    assert len(scene.facts(VerificationStarted)) == 7


def test_what_an_agent_wants_measured_can_be_verified_again() -> None:
    scene = Scene()
    scene.require(metric(count=1), rule=None)
    new = scene.again(first(scene))
    assert new == verification_id_of(id_of("job"), "", 2)
    assert scene.outcome(new) == "passed"


def test_what_has_nothing_to_measure_passes_again() -> None:
    scene = Scene()
    scene.require()
    new = scene.again(first(scene))
    assert scene.outcome(new) == "passed"


def test_while_it_runs_it_is_not_begun_again() -> None:
    scene = Scene()
    scene.require(metric())
    assert refused(scene, first(scene)).refusal.kind == "conflict"
    scene.advance(600)
    new = scene.again(first(scene))
    for one in (first(scene), new):
        refusal = refused(scene, one).refusal
        assert (refusal.kind, new in refusal.message) == ("conflict", True)


def test_a_watch_ends_for_it() -> None:
    scene = Scene()
    scene.require(metric(count=1), continue_seconds=600)
    scene.advance(90)
    new = scene.again(first(scene))
    (ended,) = scene.facts(WatchEnded)
    assert (ended.verification_id, ended.reason) == (first(scene), "It is verified again.")
    assert [(one.metric, one.number) for one in ended.dropped] == [("health", 3)]
    scene.advance(30)
    assert scene.outside.seconds() == [0, 60, 90]
    assert scene.outcome(new) == "passed"


def test_not_after_another_release_has_run() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    scene.job("next", "release 2", "pending")
    scene.again(first(scene))
    scene.move("next", "inProgress", "release 2")
    refusal = refused(scene, first(scene)).refusal
    assert (refusal.kind, "Another release has run" in refusal.message) == ("conflict", True)


def test_not_after_another_release_has_run_and_many_jobs_of_this_one_since() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    scene.job("next", "release 2", "failure")
    for number in range(5):
        scene.job(f"back {number}", status="failure", attempt=number + 2)
    refusal = refused(scene, first(scene)).refusal
    assert (refusal.kind, "Another release has run" in refusal.message) == ("conflict", True)


def test_not_what_was_cancelled_for_another_release() -> None:
    scene = Scene()
    scene.require(metric())
    scene.job("next", "release 2", "inProgress")
    assert scene.outcome() == "cancelled"
    assert refused(scene, first(scene)).refusal.kind == "conflict"


def test_not_where_the_target_is_gone() -> None:
    scene = Scene()
    scene.require(metric(count=1))
    scene.record(ResourceDeleted(resource_id=ABOUT["resource_id"], identifier="eu-1"))
    assert refused(scene, first(scene)).refusal.kind == "conflict"
    scene.record(
        TargetsChanged(
            deployment_id=ABOUT["deployment_id"], environment_id=ABOUT["environment_id"], removed=(ABOUT["resource_id"],)
        )
    )
    assert refused(scene, first(scene)).refusal.kind == "not_found"


def test_not_what_nobody_knows() -> None:
    assert refused(Scene(), id_of("nothing")).refusal.kind == "not_found"


def test_the_reason_is_bounded() -> None:
    with pytest.raises(ValueError, match="at most 2000 characters"):
        VerifyAgain(verification_id="v", reason="x" * 2_001)
