"""Stories beside the main one: each told to all five services, and what people are told at its stages."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.planner import CreateVersion, DeleteDeployment, DeleteEnvironment, SaveDeployment, UnlinkDeployment
from contracts.commands.policy import RuleInput, SavePolicy
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import RollbackStarted
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed
from contracts.shapes import (
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    HttpProvider,
    MetricSpec,
    Rollback,
    SleepProvider,
    Target,
    Verification,
)
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE
from tests.simulation.yard import Yard, metric

STAGING = 'environment.metadata["stage"] == "staging"'


def progression(selector: str = STAGING, **more: Any) -> EnvironmentProgression:
    return EnvironmentProgression(depends_on_environment_selector=selector, **more)


def guarded(*, approvals: int = 0, interval_s: int = 5, third: bool = False) -> Yard:
    """Everything is verified and rolled back; production follows staging, approved, one by one."""
    yard = Yard()
    if third:
        yard.place("r4", "production")
    yard.policy(
        "watched", Verification(metrics=(metric(),)), Rollback(on_job_statuses=("failure",), on_verification_failure=True)
    )
    yard.policy(
        "careful",
        AnyApproval(min_approvals=approvals),
        progression(require_verification_passed=True),
        GradualRollout(rollout_type="linear", time_scale_interval=interval_s),
        stage="production",
    )
    return yard


def message(yard: Yard, stage: str, name: str = "") -> str:
    """What is said of a target of a stage."""
    pair = (yard.deployments["api"], yard.stages[stage])
    ids = sorted(yard.ledger.targets[pair])
    one = next(one for one in ids if name in ("", yard.ledger.resources[one]))
    return str(yard.explain(Target(one, pair[1], pair[0])).message)


def started(yard: Yard, tag: str, stage: str) -> list[float]:
    """When the jobs of a version were made in a stage, in seconds since the first one."""
    times = [job.created_at for job in yard.jobs(tag, stage=stage)]
    return [(one - times[0]).total_seconds() for one in times]


def all_run(yard: Yard, tag: str) -> bool:
    stages = [stage for stage in yard.stages if (yard.deployments["api"], yard.stages[stage]) in yard.ledger.targets]
    return all(set(yard.runs("api", stage).values()) <= {tag} for stage in stages)


# --- versions ------------------------------------------------------------------------------------------------------------------


def test_a_newer_version_supersedes_one_that_is_under_way() -> None:
    yard = guarded(approvals=1, third=True)
    yard.approve(yard.post("api", "v1"), "production")
    yard.advance(5)
    yard.approve(yard.post("api", "v2"), "production")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert len(yard.jobs("v2", stage="production")) == 3
    yard.check()


def test_of_three_versions_within_a_second_the_last_one_arrives() -> None:
    yard = Yard()
    for tag in ("v1", "v2", "v3"):
        yard.post("api", tag)
        yard.advance(0.3)
    yard.advance(30)
    assert all_run(yard, "v3")
    assert not yard.jobs("v2")


def test_a_rejected_version_goes_back_everywhere_and_takes_its_turns_when_it_returns() -> None:
    yard = guarded(approvals=1, third=True)
    versions = []
    for tag in ("v1", "v2"):
        versions.append(yard.post("api", tag))
        yard.approve(versions[-1], "production")
        yard.advance(60)
    yard.set_version(versions[1], "rejected")
    assert message(yard, "production") == "v2 runs here, although it is rejected; it is going back to v1."
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "v2 is rejected: only versions that are ready are deployed." in message(yard, "production")
    yard.set_version(versions[1], "ready")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert started(yard, "v2", "production") == [0, 5, 10, 116, 121, 126]


def test_a_version_that_returns_needs_its_approval_still() -> None:
    """The clearance that it was deployed on is spent."""
    yard = Yard()
    yard.policy("approved", AnyApproval(min_approvals=1), stage="production")
    first, second = yard.post("api", "v1"), ""
    yard.approve(first, "production")
    yard.advance(10)
    second = yard.post("api", "v2")
    yard.approve(second, "production")
    yard.advance(10)
    yard.set_version(second, "rejected")
    yard.advance(10)
    yard.approve(second, "production", status="rejected")
    yard.set_version(second, "ready")
    yard.advance(30)
    assert set(yard.runs("api", "production").values()) == {"v1"}
    assert "What ends it: approval by 1 more person." in message(yard, "production")
    yard.approve(second, "production")
    yard.advance(10)
    assert all_run(yard, "v2")


def test_rejecting_the_only_version_changes_nothing_that_runs() -> None:
    yard = Yard()
    version = yard.post("api", "v1")
    yard.advance(10)
    yard.set_version(version, "rejected")
    assert message(yard, "staging") == "v1 runs here, although it is rejected; there is no other to deploy."
    yard.set_version(version, "ready")
    yard.advance(10)
    assert len(yard.jobs("v1")) == 3
    assert all_run(yard, "v1")


# --- people and policies -------------------------------------------------------------------------------------------------------


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


# --- failures ------------------------------------------------------------------------------------------------------------------


def test_a_failed_job_goes_back_and_the_next_version_arrives() -> None:
    yard = guarded()
    yard.post("api", "v1")
    yard.advance(60)
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "v2 failed here and was marked bad" in message(yard, "staging")
    assert "a newer version" in message(yard, "staging")
    yard.post("api", "v3")
    yard.advance(60)
    assert all_run(yard, "v3")


def test_a_failed_job_without_a_rollback_rule_waits_for_a_newer_version() -> None:
    yard = Yard()
    yard.failing.add("v1")
    yard.post("api", "v1")
    yard.advance(60)
    said = "Nothing runs here yet. v1 was cleared, but its job ended as failure: resolved by test-runner after 3s."
    assert message(yard, "staging") == f"{said} What ends it: a person who sets the job right, or a newer version."
    assert len(yard.jobs("v1")) == 3
    yard.post("api", "v2")
    yard.advance(10)
    assert all_run(yard, "v2")


def test_an_unhealthy_first_version_is_marked_and_stays() -> None:
    yard = guarded()
    yard.sick.add(("v1", "r1"))
    yard.post("api", "v1")
    yard.advance(30)
    (gone_back,) = yard.facts(RollbackStarted)
    assert gone_back.release_id is None
    assert yard.runs("api", "staging") == {"r1": "v1"}
    assert message(yard, "staging") == "v1 runs here, the newest version; its verification failed."
    assert not yard.jobs("v1", stage="production")
    yard.post("api", "v2")
    yard.advance(60)
    assert all_run(yard, "v2")


def test_an_unhealthy_version_without_a_rollback_rule_stays_and_says_so() -> None:
    yard = Yard()
    yard.policy("watched", Verification(metrics=(metric(),)))
    yard.sick.add(("v1", "r2"))
    yard.post("api", "v1")
    yard.advance(30)
    assert all_run(yard, "v1")
    assert message(yard, "production", "r2").endswith("its verification failed.")
    assert message(yard, "production", "r3") == "v1 runs here, the newest version."


def test_a_person_sets_a_job_to_failure_and_its_target_goes_back() -> None:
    yard = guarded()
    for tag in ("v1", "v2"):
        yard.post("api", tag)
        yard.advance(60)
    yard.set_job(yard.jobs("v2", stage="production")[0].job_id, "failure")
    yard.advance(30)
    assert sorted(map(str, yard.runs("api", "production").values())) == ["v1", "v2"]


def test_a_person_sets_a_job_to_successful_and_the_rollout_goes_on() -> None:
    yard = guarded()
    yard.policy("watched", Verification(metrics=(metric(),)))
    yard.lost = True
    yard.post("api", "v1")
    yard.advance(2 * 3600)
    assert "No answer within 1 h" in message(yard, "staging")
    yard.lost = False
    yard.set_job(yard.jobs("v1")[0].job_id, "successful")
    yard.advance(60)
    assert all_run(yard, "v1")


def test_monitoring_that_never_answers_is_a_failure_in_the_end() -> None:
    yard = guarded()
    yard.post("api", "v1")
    yard.advance(60)
    yard.mute.add("v2")
    yard.post("api", "v2")
    yard.advance(3)
    assert message(yard, "staging") == "v2 runs here, the newest version; its verification is running."
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "connection refused" in yard.facts(RollbackStarted)[0].reason


# --- agents --------------------------------------------------------------------------------------------------------------------


def test_jobs_wait_for_an_agent_that_comes_later() -> None:
    yard = guarded()
    yard.no_agent()
    yard.post("api", "v1")
    yard.advance(30)
    assert "picks none of 0 job agents" in message(yard, "staging")
    assert message(yard, "staging").endswith("What ends it: a job agent that matches, or a newer version.")
    yard.agent()
    yard.advance(60)
    assert all_run(yard, "v1")


def test_a_pull_agent_that_never_claims_is_a_failure_at_the_deadline() -> None:
    yard = Yard(kind="http-pull")
    yard.post("api", "v1")
    assert "the job agent, which has not claimed it" in message(yard, "staging")
    yard.advance(3601)
    assert "nobody claimed it" in message(yard, "staging")


def test_configurations_that_are_too_large_together_fail_the_job_and_say_so() -> None:
    yard = Yard()
    yard.agent(pad="x" * 150_000)
    config = {"more": "y" * 150_000}
    yard.do(
        SaveDeployment(
            deployment_id=yard.deployments["api"],
            name="api",
            resource_selector="true",
            job_agent_selector="true",
            job_agent_config=config,
        )
    )
    yard.post("api", "v1")
    yard.advance(10)
    assert {job.status for job in yard.jobs("v1")} == {"failure"}
    assert "shorten one of them" in message(yard, "staging")


# --- what exists ---------------------------------------------------------------------------------------------------------------


def test_a_chain_of_environments_with_soak_times() -> None:
    yard = Yard()
    yard.place("r4", "dev")
    for before, after in (("dev", "staging"), ("staging", "production")):
        yard.policy(f"to {after}", progression(f'environment.name == "{before}"', minimum_soak_time_minutes=1), stage=after)
    yard.post("api", "v1")
    yard.advance(30)
    assert "What ends it: the end of the soak time in dev." in message(yard, "staging")
    yard.advance(40)
    assert yard.runs("api", "staging") == {"r1": "v1"}
    assert not yard.jobs("v1", stage="production")
    yard.advance(70)
    assert all_run(yard, "v1")


def test_an_environment_without_targets_lets_versions_pass() -> None:
    yard = guarded()
    yard.remove("r1")
    yard.post("api", "v1")
    yard.advance(30)
    assert all_run(yard, "v1")


def test_a_rollout_goes_on_when_the_target_under_way_is_deleted() -> None:
    yard = guarded(third=True)
    yard.post("api", "v1")
    yard.advance(5)
    yard.remove(yard.ledger.resources[yard.jobs("v1", stage="production")[0].resource_id])
    yard.advance(30)
    assert list(yard.runs("api", "production").values()) == ["v1", "v1"]


def test_a_resource_that_moves_to_production_waits_like_the_others() -> None:
    yard = guarded(approvals=1)
    version = yard.post("api", "v1")
    yard.advance(10)
    yard.place("r1", "production")
    yard.advance(10)
    assert yard.runs("api", "production")["r1"] is None
    yard.approve(version, "production")
    yard.advance(30)
    assert list(yard.runs("api", "production").values()) == ["v1"] * 3


def test_unlinked_and_linked_again_deploys_nothing_twice() -> None:
    yard = guarded()
    yard.post("api", "v1")
    yard.advance(60)
    yard.do(UnlinkDeployment(system_id=yard.system, deployment_id=yard.deployments["api"]))
    yard.advance(5)
    yard.link_deployment("api")
    yard.advance(30)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v1")) == 3


def test_an_environment_deleted_and_created_again_starts_anew() -> None:
    yard = Yard()
    yard.post("api", "v1")
    yard.advance(10)
    yard.do(DeleteEnvironment(environment_id=yard.stages["production"]))
    yard.environment("production")
    yard.link_stage("production")
    yard.advance(30)
    assert all_run(yard, "v1")
    assert len(yard.jobs("v1", stage="production")) == 4


def test_an_environment_created_again_waits_for_the_job_that_still_runs_there() -> None:
    yard = Yard()
    yard.post("api", "v1")
    yard.do(DeleteEnvironment(environment_id=yard.stages["production"]))
    yard.environment("production")
    yard.link_stage("production")
    assert started(yard, "v1", "production") == [0, 0]
    yard.advance(30)
    assert started(yard, "v1", "production") == [0, 0, 3, 3]


def test_a_deployment_deleted_and_created_again_has_its_versions() -> None:
    yard = Yard()
    yard.post("api", "v1")
    yard.advance(10)
    yard.do(DeleteDeployment(deployment_id=yard.deployments["api"]))
    yard.advance(5)
    yard.deployment("api")
    yard.link_deployment("api")
    with pytest.raises(Refused, match="tag 'v1'"):
        yard.ask(CreateVersion(deployment_id=yard.deployments["api"], tag="v1"))
    yard.advance(30)
    assert all_run(yard, "v1")


# --- rules ---------------------------------------------------------------------------------------------------------------------


def test_half_of_the_targets_upstream() -> None:
    yard = Yard()
    for name in ("r3", "r4"):
        yard.place(name, "staging")
    yard.policy("half", progression(minimum_success_percentage=50), stage="production")
    yard.lost = True
    yard.post("api", "v1")
    first, second, _ = yard.jobs("v1")
    yard.set_job(first.job_id, "successful")
    assert "v1 is deployed on 1 of 3 targets in staging; the rule asks for 50 % of its targets." in message(yard, "production")
    yard.set_job(second.job_id, "successful")
    assert len(yard.jobs("v1", stage="production")) == 1


def test_success_that_is_too_old_no_longer_counts() -> None:
    yard = Yard()
    yard.policy("fresh", progression(maximum_age_hours=1), AnyApproval(min_approvals=1), stage="production")
    version = yard.post("api", "v1")
    yard.advance(3700)
    yard.approve(version, "production")
    yard.advance(60)
    assert not yard.jobs("v1", stage="production")
    assert "What ends it: a new success of v1 in staging." in message(yard, "production")


def test_other_statuses_count_where_a_rule_says_so() -> None:
    yard = Yard()
    yard.failing.add("v1")
    yard.policy("odd", progression(success_statuses=("failure",)), stage="production")
    yard.post("api", "v1")
    yard.advance(10)
    assert len(yard.jobs("v1", stage="production")) == 2


def test_a_normalized_rollout_takes_its_interval_altogether() -> None:
    yard = Yard()
    yard.place("r4", "production")
    yard.policy("slow", GradualRollout(rollout_type="linear-normalized", time_scale_interval=60), stage="production")
    yard.post("api", "v1")
    yard.advance(60)
    assert started(yard, "v1", "production") == [0, 20, 40]


@pytest.mark.parametrize("trigger", ["jobCreated", "jobStarted", "jobSuccess", "jobFailure"])
def test_a_verification_starts_with_its_trigger(trigger: Any) -> None:
    yard = Yard()
    yard.policy("watched", Verification(trigger_on=trigger, metrics=(metric(),)))
    yard.post("api", "v1")
    yard.failing.add("v1") if trigger == "jobFailure" else yard.failing.clear()
    yard.advance(1)
    assert bool(yard.facts(MeasurementTaken)) == (trigger in ("jobCreated", "jobStarted"))
    yard.advance(20)
    assert len(yard.facts(VerificationPassed)) == 3


def test_thresholds_and_failure_conditions() -> None:
    yard = Yard()
    patient = metric(count=10, success_threshold=2, failure_threshold=1, failure_condition="result.json.rate > 0.4")
    yard.policy("watched", Verification(metrics=(patient,)), Rollback(on_verification_failure=True))
    yard.post("api", "v1")
    yard.advance(20)
    assert max(one.number for one in yard.facts(MeasurementTaken)) == 2
    yard.sick.add(("v2", "r1"))
    yard.post("api", "v2")
    yard.advance(20)
    (failed,) = yard.facts(VerificationFailed)
    assert "2 of 2 measurements failed, 1 may fail" in failed.message
    assert yard.runs("api", "staging") == {"r1": "v1"}


def test_a_sleep_is_a_verification_that_takes_its_time() -> None:
    yard = Yard()
    provider = SleepProvider(type="sleep", duration_seconds=30)
    nap = MetricSpec(name="nap", interval_seconds=1, count=1, provider=provider, success_condition="result.ok")
    yard.policy("watched", Verification(metrics=(nap,)))
    yard.post("api", "v1")
    yard.advance(32)
    assert not yard.facts(VerificationPassed)
    yard.advance(2)
    assert len(yard.facts(VerificationPassed)) == 3


def test_disp_specs_merge_dedupe_policy_first() -> None:
    """Of two policies with a metric of the same name the first in order measures it; the later saved one goes first."""
    yard = Yard()
    yard.policy("older", Verification(metrics=(metric("errors", count=5), metric("other", count=1))))
    yard.advance(1)
    yard.policy("newer", Verification(metrics=(metric("errors", count=3),)))
    yard.post("api", "v1")
    yard.advance(30)
    of_one = [one for one in yard.facts(MeasurementTaken) if one.resource_id == yard.facts(JobCreated)[0].resource_id]
    assert [one.number for one in of_one if one.metric == "errors"] == [1, 2, 3]
    assert [one.number for one in of_one if one.metric == "other"] == [1]


# --- values that nobody should send --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        progression(maximum_age_hours=2**31 - 1, minimum_soak_time_minutes=2**31 - 1),
        progression(maximum_age_hours=2**31 - 1),
        GradualRollout(rollout_type="linear", time_scale_interval=2**31 - 1),
        GradualRollout(rollout_type="linear-normalized", time_scale_interval=2**31 - 1),
        Verification(metrics=(metric(interval_seconds=2**31 - 1, count=2**31 - 1, failure_threshold=2**31 - 1),)),
        Verification(metrics=(metric(count=1, success_threshold=-5, failure_threshold=-5),)),
        AnyApproval(min_approvals=2**31 - 1),
        AnyApproval(min_approvals=-(2**31)),
    ],
)
def test_huge_numbers_stop_nothing(body: Any) -> None:
    yard = Yard()
    for number in range(130):  # 68 years each: the last places lie past the end of the calendar
        yard.place(f"x{number}", "production")
    yard.policy("huge", body, stage="production")
    yard.post("api", "v1")
    yard.advance(10)
    yard.check()
    yard.check_memory()


def test_odd_names_stop_nothing() -> None:
    yard = Yard()
    metrics = (metric("a/b/c"), metric(""), metric("é😀"), metric(""))
    yard.policy("watched", Verification(metrics=metrics), Rollback(on_verification_failure=True))
    yard.post("api", "v\u2028/é😀")
    yard.advance(30)
    assert len(yard.facts(VerificationPassed)) == 3


def test_names_without_end_stop_nothing() -> None:
    yard = guarded()
    tag = "v" * 100_000
    yard.failing.add(tag)
    yard.post("api", tag)
    yard.advance(60)
    yard.check()
    assert len(yard.facts(RollbackStarted)) == 1


def test_a_provider_that_can_not_be_asked_fails_the_verification() -> None:
    yard = Yard()
    nowhere = metric(provider=HttpProvider(type="http", url="http://monitoring/?v={{.no.such}}&r={{.resource.name}}"))
    yard.policy("watched", Verification(metrics=(nowhere,)))
    yard.mute.add("<no value>")
    yard.post("api", "v1")
    yard.advance(30)
    assert len(yard.facts(VerificationFailed)) == 3
