"""What follows from a failed verification: a metric may leave it to a person, ask for a rollback itself, or leave it to the rules."""

from __future__ import annotations

import pytest

from contracts.facts.policy import RollbackRequired
from tests.unit.policy.choice_scenes import posted
from tests.unit.policy.policy_scenes import METRIC, Scene, approval, rollback, uid, verification
from tests.unit.policy.verdict_scenes import Reaction, Verifying, standing

R = uid("r")


def deployed(*, rule: bool) -> tuple[Scene, str, str, str]:
    """v2 came after v1, which is good; its verification is to come."""
    scene = Scene(R)
    policy_id = scene.policy(verification(), *((rollback("failure", verification_failure=True),) if rule else ()), name="healthy")
    first, second = posted(scene, "v1", "v2")
    scene.release(first, R)
    Verifying(scene, scene.job(first, R, "successful")).passes()
    scene.release(second, R)
    return scene, policy_id, second, scene.job(second, R, "successful")


@pytest.mark.parametrize("rule", [True, False])
@pytest.mark.parametrize("after_passing", [True, False])
def test_hold_rolls_back_nothing_and_a_person_decides(rule: bool, after_passing: bool) -> None:
    scene, _, second, job_id = deployed(rule=rule)
    verifying = Verifying(scene, job_id)
    (verifying.passes() if after_passing else verifying).fails("hold", after_passing=after_passing)
    assert scene.facts(RollbackRequired) == []
    assert standing(scene, R).asked == ()
    assert scene.explain(R).message == (
        "v2 runs here, the newest version; its verification failed (m: too many errors), which a person is to decide about. "
        "What ends it: a person who verifies v2 again, redeploys it or rolls it back, or a newer version."
    )
    assert second not in standing(scene, R).bad


@pytest.mark.parametrize("rule", [True, False])
@pytest.mark.parametrize("after_passing", [True, False])
def test_roll_back_needs_no_rollback_rule(rule: bool, after_passing: bool) -> None:
    scene, policy_id, second, job_id = deployed(rule=rule)
    verifying = Verifying(scene, job_id)
    (verifying.passes() if after_passing else verifying).fails("rollBack", after_passing=after_passing)
    (required,) = scene.facts(RollbackRequired)
    measuring = scene.state.policies[policy_id].saved.rules[0]
    assert (required.version_id, required.job_id, required.resource_id) == (second, job_id, R)
    assert (required.policy_id, required.rule_id) == (policy_id, measuring.id)
    assert required.reason == f"The verification of v2 on {R} failed: m, which rolls back: too many errors."


@pytest.mark.parametrize("rule", [True, False])
@pytest.mark.parametrize("after_passing", [True, False])
def test_without_a_reaction_the_rules_decide(rule: bool, after_passing: bool) -> None:
    scene, policy_id, _, job_id = deployed(rule=rule)
    verifying = Verifying(scene, job_id)
    (verifying.passes() if after_passing else verifying).fails(after_passing=after_passing)
    required = scene.facts(RollbackRequired)
    rules = scene.state.policies[policy_id].saved.rules
    assert [one.rule_id for one in required] == ([rules[1].id] if rule else [])


def test_the_rule_of_a_policy_that_is_gone_is_still_named() -> None:
    scene, policy_id, _, job_id = deployed(rule=False)
    rule_id = scene.state.policies[policy_id].saved.rules[0].id
    scene.policy(name="empty", id_=policy_id)
    Verifying(scene, job_id).fails("rollBack")
    assert [(one.policy_id, one.rule_id) for one in scene.facts(RollbackRequired)] == [(policy_id, rule_id)]


@pytest.mark.parametrize("reaction, asked", [("hold", 0), ("rollBack", 1), (None, 0)])
def test_what_the_agent_wants_measured_reacts_as_well(reaction: Reaction | None, asked: int) -> None:
    scene = Scene(R)
    (version,) = posted(scene, "v1")
    scene.release(version, R)
    job_id = scene.job(version, R)
    scene.job_status(job_id, "successful", metrics=(METRIC,))
    Verifying(scene, job_id).fails(reaction)
    assert [(one.policy_id, one.rule_id) for one in scene.facts(RollbackRequired)] == [("", "")] * asked


def test_required_once_for_a_version_on_a_target() -> None:
    scene, _, second, job_id = deployed(rule=True)
    scene.policy(verification("other"), name="other")
    again = scene.job(second, R, "successful", attempt=2)
    Verifying(scene, job_id).fails("rollBack")
    assert scene.facts(RollbackRequired) == []  # the newest dispatch is another one
    Verifying(scene, again).fails("rollBack")
    Verifying(scene, again, rule=1).fails("rollBack")
    assert len(scene.facts(RollbackRequired)) == 1


@pytest.mark.parametrize("reaction", ["rollBack", None])
def test_never_for_the_job_of_a_rollback(reaction: Reaction | None) -> None:
    scene, _, second, job_id = deployed(rule=True)
    Verifying(scene, job_id).fails("rollBack")
    first = uid("version v1")
    scene.roll_back(second, R, to=first)
    Verifying(scene, scene.job(first, R, "successful", rollback=True)).fails(reaction)
    assert len(scene.facts(RollbackRequired)) == 1


def test_a_watch_that_fails_after_another_version_went_there_is_only_recorded() -> None:
    scene, _, _, job_id = deployed(rule=True)
    watched = Verifying(scene, job_id).passes()
    (third,) = posted(scene, "v3")
    scene.release(third, R)
    scene.job(third, R)
    watched.fails("rollBack", after_passing=True)
    assert scene.facts(RollbackRequired) == []


def test_a_watch_that_fails_on_a_vanished_target_is_only_recorded() -> None:
    scene, _, _, job_id = deployed(rule=True)
    watched = Verifying(scene, job_id).passes()
    scene.vanish(R)
    watched.fails("rollBack", after_passing=True)
    assert scene.facts(RollbackRequired) == []


@pytest.mark.parametrize("reaction", ["rollBack", None])
def test_a_failure_that_was_measured_anew_in_the_same_breath_is_not_acted_on(reaction: Reaction | None) -> None:
    scene, _, _, job_id = deployed(rule=True)
    first = Verifying(scene, job_id)
    with scene.in_one_round():
        first.fails(reaction)
        Verifying(scene, job_id, attempt=2)
    assert scene.facts(RollbackRequired) == []


def test_verified_again_and_failed_again_it_goes_back() -> None:
    scene, _, _, job_id = deployed(rule=True)
    Verifying(scene, job_id).fails("hold")
    Verifying(scene, job_id, attempt=2).fails()
    assert len(scene.facts(RollbackRequired)) == 1


def test_what_a_version_that_was_gone_back_to_came_to_is_told_beside_the_bad_one() -> None:
    scene = Scene(R)
    scene.policy(verification(), rollback("failure", verification_failure=True))
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R)
    scene.release(second, R)
    Verifying(scene, scene.job(second, R, "successful")).fails()
    scene.roll_back(second, R, first)
    back = scene.job(first, R, "successful", rollback=True)
    assert scene.explain(R).message.startswith("v1 runs here; its verification is running. v2 is blocked. ")
    Verifying(scene, back).fails()
    assert scene.explain(R).message.startswith(
        "v1 runs here; its verification failed (m: too many errors). "
        "What ends it: a person who verifies v1 again or redeploys it, or a newer version. v2 is blocked. "
    )


def test_a_verification_that_holds_is_told_beside_a_newer_version_that_waits() -> None:
    scene = Scene(R)
    scene.policy(verification())
    scene.policy(approval(), name="careful")
    first, _ = posted(scene, "v1", "v2")
    scene.approve(first)
    scene.release(first, R)
    verifying = Verifying(scene, scene.job(first, R, "successful"))
    verifying.passes()
    assert scene.explain(R).message.startswith("v1 runs here. v2 is blocked. ")
    verifying.fails("hold", after_passing=True)
    assert scene.explain(R).message.startswith(
        "v1 runs here; its verification failed (m: too many errors), which a person is to decide about. "
        "What ends it: a person who verifies v1 again or redeploys it, or a newer version. v2 is blocked. "
    )
