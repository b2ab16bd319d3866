"""What a target goes back to: given how releases went, when policy requires a rollback, then the last good release or a mark alone."""

from __future__ import annotations

import pytest

from contracts.commands.planner import RollBack, UpdateVersion
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import ReleasesCreated
from contracts.facts.verifier import VerificationCancelled, VerificationFailed, VerificationPassed, VerificationStarted
from contracts.shapes import JobStatus
from services.planner.history import GOOD_RUNS, RECENT_RUNS
from services.planner.state import past_of
from tests.unit.planner.planner_scenes import R1, R2, Scene, uid


def test_rollback_on_failure_and_verification() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    good = {item.resource_id: item.release_id for item in scene.releases(v1)}
    scene.clear(v2, R1, R2)
    failed = scene.job(R1, "failure")
    unhealthy = scene.job(R2)
    scene.verify(R2, unhealthy, "failed")
    scene.require_rollback(R1, v2, failed)
    scene.require_rollback(R2, v2, unhealthy)
    first, second = scene.rollbacks()
    assert (first.version_id, first.job_id, first.release_id, first.to_version_id) == (v2, failed, good[R1], v1)
    assert (second.version_id, second.job_id, second.release_id, second.to_version_id) == (v2, unhealthy, good[R2], v1)
    assert first.reason == "the job failed"
    assert (scene.desired(R1), scene.desired(R2)) == (v1, v1)
    assert len(scene.releases()) == 4, "going back makes no new release"


def test_a_rollback_happens_once_for_a_target_and_version() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    job = scene.job(R1, "failure")
    scene.world.record(scene.rollback_required(R1, v2, job), scene.rollback_required(R1, v2, job))
    scene.world.run()
    scene.require_rollback(R1, v2, job)
    assert len(scene.rollbacks()) == 1


def test_the_failure_of_a_rollback_job_starts_no_rollback() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    scene.require_rollback(R1, v1, scene.job(R1, "failure", rollback=True))
    assert len(scene.rollbacks()) == 1
    assert scene.marked(R1) == {v2}


def test_without_a_good_release_the_version_is_marked_and_the_target_stays() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    scene.require_rollback(R1, v1, scene.job(R1, "failure"))
    (started,) = scene.rollbacks()
    assert (started.release_id, started.to_version_id) == (None, None)
    assert (scene.desired(R1), scene.marked(R1)) == (v1, frozenset({v1}))


def test_a_marked_version_is_never_picked_there_again() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    scene.clear(v2, R1, R2)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    scene.clear(v2, R1, R2)
    assert (scene.desired(R1), scene.desired(R2)) == (v1, v2)
    scene.unmatch(R1)
    scene.match(R1)
    scene.clear(v2, R1)
    assert scene.desired(R1) is None, "the mark outlives the target"


def test_a_newer_version_supersedes_the_marked_one() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    scene.clear(v3, R1)
    assert (scene.desired(R1), scene.marked(R1)) == (v3, frozenset({v2}))


def test_a_newer_version_cleared_meanwhile_follows_the_rollback() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    job = scene.job(R1, "failure")
    scene.world.record(scene.rollback_required(R1, v2, job), scene.cleared(v3, R1))
    scene.world.run()
    assert [one.to_version_id for one in scene.rollbacks()] == [v1]
    assert [fact.version_id for fact in scene.world.facts(ReleasesCreated)] == [v1, v2, v3]


def test_two_bad_versions_in_a_row_go_back_to_the_one_before_both() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    good = scene.release(R1)
    for version in (v2, v3):
        scene.clear(version, R1)
        scene.require_rollback(R1, version, scene.job(R1, "failure"))
        assert scene.release(R1) == good
        scene.job(R1, rollback=True)
    assert scene.marked(R1) == {v2, v3}


def test_good_versions_that_turn_bad_one_after_the_other_end_with_the_mark_alone() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.clear(v1, R1)
    scene.job(R1, "failure")
    for version in (v2, v3):
        scene.deployed(version, R1)
    newest = scene.job(R1)
    scene.verify(R1, newest, "failed after passing")
    scene.require_rollback(R1, v3, newest)
    assert scene.desired(R1) == v2
    again = scene.job(R1, "failure", rollback=True)
    scene.require_rollback(R1, v2, again)
    assert scene.desired(R1) == v2, "a rollback's own failure starts no other one"
    assert (len(scene.rollbacks()), scene.marked(R1)) == (1, frozenset({v3}))


# --- something else is under way by then -------------------------------------------------------------------------------------------


def test_a_newer_version_that_already_runs_is_left_alone_and_the_older_one_marked() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    failed = scene.job(R1, "failure")
    scene.clear(v3, R1)
    scene.job(R1, "inProgress")
    scene.require_rollback(R1, v2, failed)
    (started,) = scene.rollbacks()
    assert (started.version_id, started.release_id) == (v2, None)
    assert (scene.desired(R1), scene.marked(R1)) == (v3, frozenset({v2}))


def test_a_newer_version_without_a_job_gives_way_and_returns_while_it_is_cleared() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    failed = scene.job(R1, "failure")
    scene.clear(v3, R1)
    scene.withdraw(v3)
    scene.require_rollback(R1, v2, failed)
    assert scene.desired(R1) == v1, "nothing says when v3 may go"
    scene.clear(v3, R1)
    assert scene.desired(R1) == v3


def test_a_job_that_fails_after_a_person_sent_its_target_back_starts_no_other_rollback() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    job = scene.job(R1, "inProgress")
    scene.world.do(RollBack(deployment_id=scene.deployment, environment_id=scene.environment))
    scene.require_rollback(R1, v2, job)
    assert [one.job_id for one in scene.rollbacks()] == [""]
    assert (scene.desired(R1), scene.marked(R1)) == (v1, frozenset({v2}))


# --- what counts as good -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcomes, good",
    [
        (("required",), False),
        (("running",), False),
        (("passed",), True),
        (("failed",), False),
        (("inconclusive",), False),
        (("cancelled",), False),
        (("failed after passing",), False),
        (("failed", "passed"), True),
        (("inconclusive", "passed"), True),
        (("passed", "running"), False),
        (("passed", "failed"), False),
        (("passed", "inconclusive"), False),
    ],
)
def test_the_newest_verification_of_a_job_decides_whether_it_is_good(outcomes: tuple[str, ...], good: bool) -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, R1)
    scene.verify(R1, scene.job(R1), *outcomes)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    assert scene.rollbacks()[0].to_version_id == (v1 if good else None)


def test_a_job_is_good_when_the_verifications_of_all_rules_passed() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    for version, second in ((v1, "passed"), (v2, "cancelled")):
        scene.clear(version, R1)
        job = scene.job(R1)
        scene.verify(R1, job, "passed", rule="one")
        scene.verify(R1, job, second, rule="two")
    scene.clear(v3, R1)
    scene.require_rollback(R1, v3, scene.job(R1, "failure"))
    assert scene.rollbacks()[0].to_version_id == v1


def test_a_verdict_about_an_earlier_attempt_counts_no_more() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, R1)
    job = scene.job(R1)
    scene.verify(R1, job, "passed", "passed")
    first, _ = scene.world.facts(VerificationPassed)
    late = {**first.model_dump(include=set(VerificationCancelled.model_fields)), "metric": "m", "message": "slow"}
    scene.world.record(VerificationFailed(**late, after_passing=True))
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    assert scene.rollbacks()[0].to_version_id == v1


def test_jobs_without_a_verdict_are_not_kept_for_ever() -> None:
    scene = Scene(R1)
    scene.deployed(scene.version("good"), R1)
    for n in range(GOOD_RUNS + RECENT_RUNS + 3):
        scene.clear(scene.version(f"v{n}"), R1)
        scene.verify(R1, scene.job(R1), "cancelled" if n % 2 else "inconclusive")
    past = past_of(scene.world.room("planner").state, scene.deployment, scene.environment, R1)
    assert [run.good for run in past.runs] == [True, *[False] * RECENT_RUNS]


def test_a_job_that_may_still_come_to_something_is_kept() -> None:
    scene = Scene(R1)
    scene.clear(scene.version("first"), R1)
    slow = scene.job(R1)
    first = scene.about(R1, slow)
    scene.verify(R1, slow, "running")
    for n in range(RECENT_RUNS + 2):
        scene.clear(scene.version(f"v{n}"), R1)
        scene.job(R1, "failure")
    (started,) = scene.world.facts(VerificationStarted)
    scene.world.record(VerificationPassed(**first, verification_id=started.verification_id, finished_at=scene.world.now))
    newest = scene.version("newest")
    scene.clear(newest, R1)
    scene.require_rollback(R1, newest, scene.job(R1, "failure"))
    assert scene.rollbacks()[0].release_id == first["release_id"]


def test_unverified_or_failed_releases_are_not_gone_back_to() -> None:
    scene = Scene(R1)
    versions = [scene.version(f"v{n}") for n in range(5)]
    for version, outcome in zip(versions, ("passed", "required", "failed", "job fails"), strict=False):
        scene.clear(version, R1)
        job = scene.job(R1, "failure" if outcome == "job fails" else "successful")
        if outcome != "job fails":
            scene.verify(R1, job, outcome)
    scene.clear(versions[4], R1)
    scene.require_rollback(R1, versions[4], scene.job(R1, "failure"))
    assert scene.desired(R1) == versions[0]


@pytest.mark.parametrize("status", ["failure", "cancelled", "skipped", "invalidJobAgent", "inProgress"])
def test_only_a_successful_job_makes_a_release_good(status: JobStatus) -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, R1)
    scene.job(R1, status)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    assert scene.rollbacks()[0].release_id is None


def test_the_newest_job_decides_over_its_release() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1)
    scene.deployed(v2, R1)
    scene.job(R1, "failure")
    scene.clear(v3, R1)
    scene.require_rollback(R1, v3, scene.job(R1, "failure"))
    assert scene.desired(R1) == v1, "the last job of v2 failed"


def test_rejected_and_marked_versions_are_not_gone_back_to() -> None:
    scene = Scene(R1)
    v1, v2, v3, v4 = (scene.version(tag) for tag in ("v1", "v2", "v3", "v4"))
    for version in (v1, v2, v3):
        scene.deployed(version, R1)
    scene.require_rollback(R1, v3, scene.job(R1, "failure"))
    assert scene.desired(R1) == v2
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    scene.clear(v4, R1)
    scene.require_rollback(R1, v4, scene.job(R1, "failure"))
    assert scene.desired(R1) == v1


def test_a_target_that_vanished_is_marked_alone() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    job = scene.job(R1, "failure")
    scene.unmatch(R1)
    scene.require_rollback(R1, v2, job)
    assert scene.rollbacks()[0].release_id is None
    assert scene.marked(R1) == {v2}


def test_history_is_bounded_and_keeps_the_good() -> None:
    scene = Scene(R1)
    scene.deployed(scene.version("good"), R1)
    for n in range(GOOD_RUNS + RECENT_RUNS + 3):
        scene.clear(scene.version(f"bad {n}"), R1)
        scene.job(R1, "failure")
    past = past_of(scene.world.room("planner").state, scene.deployment, scene.environment, R1)
    assert [run.good for run in past.runs] == [True, *[False] * RECENT_RUNS]
    for n in range(GOOD_RUNS + RECENT_RUNS + 3):
        scene.deployed(scene.version(f"good {n}"), R1)
    past = past_of(scene.world.room("planner").state, scene.deployment, scene.environment, R1)
    assert len(past.runs) == GOOD_RUNS


def test_history_ends_with_the_resource() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    scene.deployed(v1, R1, R2)
    scene.world.record(ResourceDeleted(resource_id=R1, identifier="r1"))
    scene.unmatch(R1)
    state = scene.world.room("planner").state
    assert not past_of(state, scene.deployment, scene.environment, R1).runs
    assert past_of(state, scene.deployment, scene.environment, R2).runs


def test_what_is_told_of_an_unknown_target_is_let_go() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.deployed(v1, R1)
    before = scene.world.room("planner").state.pasts
    scene.world.record(
        *(
            one.fact.model_copy(update={"resource_id": uid("gone")})
            for one in scene.world.log
            if one.type.startswith("dispatcher.")
        )
    )
    assert scene.world.room("planner").state.pasts == before
