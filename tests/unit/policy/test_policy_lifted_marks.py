"""A mark ends by a person alone: what goes on then, and what a mark holds until then."""

from __future__ import annotations

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RollbackRequired
from tests.unit.policy.choice_scenes import person_rolls_back, posted, told
from tests.unit.policy.policy_scenes import Scene, linear, rollback, uid, verification
from tests.unit.policy.verdict_scenes import Verifying, job_of, lift, standing

R, R1, R2, R3 = uid("r"), uid("r1"), uid("r2"), uid("r3")


def gone_back() -> tuple[Scene, str, str]:
    """v2 failed its verification, and its target runs v1 again."""
    scene = Scene(R)
    scene.policy(verification(), rollback("failure", verification_failure=True), name="healthy")
    first, second = posted(scene, "v1", "v2")
    scene.release(first, R)
    Verifying(scene, scene.job(first, R, "successful")).passes()
    scene.release(second, R)
    Verifying(scene, scene.job(second, R, "successful")).fails()
    scene.roll_back(second, R, to=first)
    Verifying(scene, scene.job(first, R, "successful", rollback=True)).passes()
    return scene, first, second


def test_a_lifted_mark_lets_the_version_go_again_on_its_targets_alone() -> None:
    scene = Scene(R1, R2)
    scene.policy(verification(), rollback(verification_failure=True))
    first, second = posted(scene, "v1", "v2")
    for one in (R1, R2):
        scene.release(first, one)
        Verifying(scene, scene.job(first, one, "successful")).passes()
        scene.release(second, one)
        Verifying(scene, scene.job(second, one, "successful")).fails()
        scene.roll_back(second, one, to=first)
        Verifying(scene, scene.job(first, one, "successful", rollback=True)).passes()
    assert scene.open(second) == set()
    lift(scene, second, R1)
    assert scene.open(second) == {R1}
    assert (standing(scene, R1).bad, standing(scene, R1).asked) == ((), ())
    assert standing(scene, R2).bad == (second,)


def test_a_lifted_mark_is_no_clearance_where_rules_hold_the_version() -> None:
    scene, _, second = gone_back()
    scene.set_status(second, "rejected")
    lift(scene, second, R)
    assert standing(scene, R).bad == ()
    assert scene.open(second) == set()


def test_after_a_lift_a_rollback_may_be_required_again() -> None:
    scene, _, second = gone_back()
    lift(scene, second, R)
    scene.release(second, R)
    Verifying(scene, scene.job(second, R, "successful", attempt=2)).fails()
    assert len(scene.facts(RollbackRequired)) == 2


def test_a_newer_version_lifts_no_mark() -> None:
    scene, _, second = gone_back()
    posted(scene, "v3")
    assert standing(scene, R).bad == (second,)


def test_who_ends_a_mark_is_who_lifts_it() -> None:
    scene, _, second = gone_back()
    reason = scene.reason("badMark", second, R)
    assert [one.message for one in reason.who_ends] == ["A person who lifts the mark of v2.", "Whoever posts a newer version."]


def test_lifting_a_mark_that_is_not_there_changes_nothing() -> None:
    scene, first, _ = gone_back()
    before = standing(scene, R)
    lift(scene, first, R, uid("nobody"))
    assert standing(scene, R) == before


# --- the rest of a rollout ---------------------------------------------------------------------------------------------------------


def rolled_out(*rules: RuleInput) -> tuple[Scene, str, str, str]:
    """v2 is on the first of three targets that run v1; where it is measured it passed."""
    scene = Scene(R1, R2, R3)
    first = scene.version("v1")
    scene.deploy(first, R1, R2, R3)
    scene.production_policy(linear(60), *rules)
    (second,) = posted(scene, "v2")
    scene.follow()
    (one,) = (one for one in (R1, R2, R3) if standing(scene, one).job_version == second)
    if rules:
        Verifying(scene, job_of(scene, second, one).job_id).passes()
    return scene, first, second, one


PACES = pytest.mark.parametrize("rules", [(verification(),), ()], ids=["one after the other", "by the clock"])


@PACES
def test_a_person_who_rolls_one_target_back_holds_the_others(rules: tuple[RuleInput, ...]) -> None:
    scene, first, second, one = rolled_out(*rules)
    person_rolls_back(scene, second, one, first)
    scene.job(first, one, "successful", rollback=True)
    scene.advance(minutes=10)
    assert scene.follow() == []
    for other in (R1, R2, R3):
        if other == one:
            continue
        reason = scene.reason("gradualRollout", second, other)
        assert (reason.verdict, reason.message) == ("blocked", f"The rollout of v2 stopped: on {one} it was marked bad.")
        assert reason.ended_by == "a person who lifts the mark of v2 on that target, or a newer version"
        assert [(way.message, way.resource_ids) for way in reason.who_ends] == [
            (f"A person who lifts the mark of v2 on {one}.", (one,)),
            ("Whoever posts a newer version.", ()),
        ]
    assert {verdict for _, verdict, _ in told(scene, "gradualRollout")[-1:]} == {"blocked"}


@PACES
def test_when_the_mark_is_lifted_all_go_on(rules: tuple[RuleInput, ...]) -> None:
    scene, first, second, one = rolled_out(*rules)
    person_rolls_back(scene, second, one, first)
    scene.job(first, one, "successful", rollback=True)
    lift(scene, second, one)
    gone: set[str] = set()
    for _ in range(5):
        scene.advance(minutes=2)
        for target in scene.follow():
            gone.add(target)
            if rules:
                Verifying(scene, job_of(scene, second, target).job_id).passes()
    assert gone == {R1, R2, R3}
    assert [standing(scene, target).job_version for target in (R1, R2, R3)] == [second] * 3


def test_a_failed_verification_holds_the_others_before_and_after_its_target_went_back() -> None:
    scene, first, second, one = rolled_out(verification(), rollback(verification_failure=True))
    other = next(target for target in (R1, R2, R3) if target != one)
    failure = f"The rollout of v2 stopped: on {one} its verification failed (m: too many errors)"
    Verifying(scene, job_of(scene, second, one).job_id, attempt=2).fails()
    assert scene.reason("gradualRollout", second, other).message == f"{failure}."
    scene.roll_back(second, one, to=first)
    assert scene.reason("gradualRollout", second, other).message == f"{failure}, and it was marked bad."
    scene.job(first, one, "successful", rollback=True)
    scene.advance(minutes=10)
    assert scene.follow() == []
    assert f"{failure}, and it was marked bad." in scene.explain(other).message


def test_what_failed_before_its_mark_was_lifted_stops_its_rollout_no_more() -> None:
    scene, first, second, one = rolled_out(verification(), rollback(verification_failure=True))
    Verifying(scene, job_of(scene, second, one).job_id, attempt=2).fails()
    scene.roll_back(second, one, to=first)
    scene.job(first, one, "successful", rollback=True)
    scene.advance(minutes=10)
    lift(scene, second, one)
    (target,) = scene.follow()
    Verifying(scene, job_of(scene, second, target).job_id).fails()
    scene.advance(minutes=10)
    assert scene.follow() == []  # it counts anew


def test_a_lift_before_the_target_left_goes_on_with_the_job_that_is_there() -> None:
    scene, first, second, one = rolled_out(verification(), rollback(verification_failure=True))
    job_id = job_of(scene, second, one).job_id
    Verifying(scene, job_id, attempt=2).fails()
    scene.roll_back(second, one, to=first)
    lift(scene, second, one)
    assert scene.open(second) == {one}
    scene.release(second, one)
    assert scene.open(second) == set()  # it never left
    other = next(target for target in (R1, R2, R3) if target != one)
    assert "its verification failed" in scene.reason("gradualRollout", second, other).message
    Verifying(scene, job_id, attempt=3).passes()
    scene.advance(minutes=10)
    (went,) = scene.open(second)
    assert went != one


@PACES
def test_a_mark_on_a_target_that_vanished_holds_nobody(rules: tuple[RuleInput, ...]) -> None:
    scene, first, second, one = rolled_out(*rules)
    person_rolls_back(scene, second, one, first)
    scene.vanish(one)
    scene.advance(minutes=10)
    assert len(scene.follow()) >= 1


def test_marks_are_counted_as_they_come_and_go() -> None:
    scene, first, second, one = rolled_out()
    pair = f"{scene.deployment}/{scene.production}"
    person_rolls_back(scene, second, one, first)
    person_rolls_back(scene, second, next(o for o in (R1, R2, R3) if o != one), first)
    assert dict(scene.state.pairs[pair].marks) == {second: 2}
    scene.vanish(one)
    assert dict(scene.state.pairs[pair].marks) == {second: 1}  # its resource is not known, so it is gone for good
    lift(scene, second, R1, R2, R3)
    assert dict(scene.state.pairs[pair].marks) == {}
