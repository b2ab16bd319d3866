"""Stories of people who approve, take back and change their rules, told to all five services."""

from __future__ import annotations

from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.verifier import VerificationPassed
from contracts.shapes import (
    AnyApproval,
    GradualRollout,
    Verification,
)
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE
from tests.simulation.stories import all_run, guarded, message, progression, started
from tests.simulation.yard import Yard, metric


def test_an_approval_taken_back_holds_the_rest_of_a_rollout_until_it_is_given_again() -> None:
    yard = guarded(approvals=1, third=True)
    version = yard.post("api", "v1")
    yard.approve(version, "production")
    yard.advance(6)
    yard.approve(version, "production", status="rejected")
    yard.advance(60)
    assert sorted(map(str, yard.runs("api", "production").values())) == ["None", "None", "v1"]
    yard.approve(version, "production")
    yard.advance(60)
    assert all_run(yard, "v1")


def test_two_policies_of_production_must_both_allow() -> None:
    yard = guarded(approvals=1)
    yard.policy("second", AnyApproval(min_approvals=2), stage="production")
    version = yard.post("api", "v1")
    yard.approve(version, "production")
    yard.advance(30)
    assert not yard.jobs("v1", stage="production")
    assert "Waiting for approval: 1/2 given." in message(yard, "production")
    yard.approve(version, "production", "bo")
    yard.advance(30)
    assert all_run(yard, "v1")


def test_policies_that_come_after_a_version_leave_what_runs_alone() -> None:
    yard = Yard()
    yard.post("api", "v1")
    yard.advance(20)
    yard.policy("late", AnyApproval(min_approvals=2), Verification(metrics=(metric(),)), progression(), stage="production")
    yard.advance(60)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v1")) == 3
    assert not yard.facts(VerificationPassed)


def test_a_rollout_rule_holds_targets_that_were_cleared_and_have_no_job_yet() -> None:
    yard = Yard()
    yard.policy("watched", Verification(metrics=(metric(),)))
    yard.place("r4", "production")
    yard.post("api", "v1")
    yard.advance(1)
    yard.post("api", "v2")  # cleared everywhere, and every target still has a job of v1
    yard.policy("slow", GradualRollout(rollout_type="linear", time_scale_interval=0), stage="production")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert started(yard, "v2", "production") == [0, 4, 8]


def test_saving_a_policy_again_without_rule_ids_exempts_no_version() -> None:
    yard = Yard()
    policy = SavePolicy(
        policy_id=derived(WORKSPACE, "x"), name="x", rules=(RuleInput(any_approval=AnyApproval(min_approvals=1)),)
    )
    yard.do(policy)
    yard.advance(1)
    yard.post("api", "v1")
    yard.advance(1)
    before = len(yard.log)
    yard.do(policy)
    assert len(yard.log) == before
    yard.advance(5)
    assert not yard.jobs("v1")
