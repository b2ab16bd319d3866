"""A version that was marked bad where there is no earlier good release: it stays, and a person is told so, and what can be done."""

from __future__ import annotations

from contracts.facts.planner import RollbackStarted
from contracts.shapes import JobStatus
from libs.simulation.audit import check_memory
from services.policy.app import service
from services.policy.instants import spoken
from tests.unit.policy.choice_scenes import posted
from tests.unit.policy.policy_scenes import Scene, rollback, uid, verification
from tests.unit.policy.verdict_scenes import Verifying, lift, standing

R = uid("r")
LIFTS, REDEPLOYS = "A person who lifts the mark of v1.", "A person who redeploys v1."
AGAIN = "A person who verifies v1 again, and lifts its mark once that passed."
NEWER = "Whoever posts a newer version."


def nowhere(status: JobStatus = "successful") -> tuple[Scene, str]:
    """The first version of a target is not healthy, or its job failed; it was marked bad, and there is nothing to go back to."""
    scene = Scene(R)
    scene.policy(verification(), rollback("failure", verification_failure=True), name="healthy")
    (version,) = posted(scene, "v1")
    scene.release(version, R)
    job_id = scene.job(version, R, status)
    if status == "successful":
        Verifying(scene, job_id).fails()
    scene.advance(minutes=5)
    scene.roll_back(version, R, to=None)
    return scene, version


def marked_at(scene: Scene) -> str:
    (started,) = scene.facts(RollbackStarted)
    return spoken(started.started_at)


def test_it_is_told_that_it_was_marked_bad_since_when_by_what_and_that_it_stays() -> None:
    scene, _ = nowhere()
    at = marked_at(scene)
    scene.advance(minutes=5)
    assert scene.explain(R).message == (
        f"v1 runs here. v1 failed here and was marked bad at {at}: it failed. There was no earlier good release to go back to, so it "
        "stays until a person acts. What ends it: a person who lifts the mark (perhaps after verifying v1 again) or redeploys v1, or a "
        "newer version."
    )


def test_no_rollback_is_offered() -> None:
    scene, version = nowhere()
    told = scene.explain(R)
    (only,) = told.versions
    assert (only.version_id, only.cleared) == (version, False)
    said = (told.message, only.message, *(way.message for one in only.reasons for way in one.who_ends))
    assert not any("rolls it back" in one or "newest version" in one for one in said)


def test_who_can_act_is_told() -> None:
    scene, version = nowhere()
    reason = scene.reason("badMark", version, R)
    assert [one.message for one in reason.who_ends] == [LIFTS, AGAIN, REDEPLOYS, NEWER]
    assert [one.resource_ids for one in reason.who_ends] == [(R,), (R,), (R,), ()]


def test_the_verdict_holds_since_the_mark_and_rests_on_it() -> None:
    scene, version = nowhere()
    (position,) = (one.position for one in scene.world.log if isinstance(one.fact, RollbackStarted))
    (started,) = scene.facts(RollbackStarted)
    scene.advance(minutes=30)
    reason = scene.reason("badMark", version, R)
    assert reason.since == started.started_at
    assert position in reason.facts


def test_what_was_not_measured_is_not_verified_again() -> None:
    scene, version = nowhere("failure")
    told = scene.explain(R).message
    assert told.startswith("Nothing runs here yet. v1 failed here and was marked bad at ")
    assert "There was no earlier good release to go back to" in told
    assert "verif" not in told
    assert [one.message for one in scene.reason("badMark", version, R).who_ends] == [LIFTS, REDEPLOYS, NEWER]


def test_beside_a_newer_version_that_waits_it_is_not_forgotten() -> None:
    scene, version = nowhere()
    scene.version("v2", status="paused")
    told = scene.explain(R)
    assert told.message.startswith(
        f"v1 runs here; it was marked bad at {marked_at(scene)}, and there was no earlier good release to go back to"
    )
    assert "v2 is paused" in told.message
    assert [one.version_id for one in told.versions] == [uid("version v2"), version]


def test_a_lifted_mark_ends_it() -> None:
    scene, version = nowhere()
    lift(scene, version, R)
    assert "marked bad" not in scene.explain(R).message
    assert scene.explain(R).versions == ()


def test_a_first_version_that_no_rule_sends_back_is_offered_no_rollback_either() -> None:
    scene = Scene(R)
    scene.policy(verification(), name="healthy")
    (version,) = posted(scene, "v1")
    scene.release(version, R)
    Verifying(scene, scene.job(version, R, "successful")).is_inconclusive()
    assert scene.explain(R).message.endswith("What ends it: a person who verifies v1 again or redeploys it, or a newer version.")


def test_where_there_is_an_earlier_good_release_a_rollback_is_offered() -> None:
    scene = Scene(R)
    scene.policy(verification(), name="healthy")
    (first,) = posted(scene, "v1")
    scene.release(first, R)
    Verifying(scene, scene.job(first, R, "successful")).passes()
    (second,) = posted(scene, "v2")
    scene.release(second, R)
    Verifying(scene, scene.job(second, R, "successful")).is_inconclusive()
    ends = "What ends it: a person who verifies v2 again, redeploys it or rolls it back, or a newer version."
    assert scene.explain(R).message.endswith(ends)
    scene.set_status(first, "rejected")
    assert "rolls it back" not in scene.explain(R).message


def test_a_mark_is_remembered_with_its_reason_as_the_log_tells_it() -> None:
    scene, _ = nowhere()
    check_memory(scene.world, (service,))
    (mark,) = standing(scene, R).marks
    assert mark.reason == "it failed"
