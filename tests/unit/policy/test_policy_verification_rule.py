"""The verification rule: which jobs are to be measured, and since when."""

from __future__ import annotations

from typing import Literal

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import VerificationRequired
from contracts.shapes import JobStatus, MetricSpec, Verification
from services.policy.metrics import LONGEST_NAME, MOST_METRICS
from tests.unit.policy.policy_scenes import METRIC, Scene, progression, rollback, uid, verification

R = uid("r")
Trigger = Literal["jobCreated", "jobStarted", "jobSuccess", "jobFailure"]


def triggered(trigger: Trigger, status: JobStatus) -> list[VerificationRequired]:
    scene = Scene(R)
    scene.policy(RuleInput(verification=Verification(trigger_on=trigger, metrics=(METRIC,))))
    scene.job(scene.version("v1"), R, status)
    return scene.facts(VerificationRequired)


@pytest.mark.parametrize(
    "trigger, status, happens",
    [
        ("jobCreated", "pending", True),
        ("jobStarted", "pending", False),
        ("jobStarted", "inProgress", True),
        ("jobStarted", "successful", True),
        ("jobStarted", "failure", False),
        ("jobSuccess", "inProgress", False),
        ("jobSuccess", "successful", True),
        ("jobSuccess", "failure", False),
        ("jobFailure", "failure", True),
        ("jobFailure", "successful", False),
        ("jobFailure", "cancelled", False),
    ],
)
def test_trigger(trigger: Trigger, status: JobStatus, happens: bool) -> None:
    assert len(triggered(trigger, status)) == int(happens)


def test_requirement_carries_the_metrics() -> None:
    scene = Scene(R)
    policy_id = scene.policy(verification())
    version = scene.version("v1")
    job = scene.job(version, R, "successful")
    (fact,) = scene.facts(VerificationRequired)
    rule_id = scene.state.policies[policy_id].saved.rules[0].id
    assert (fact.job_id, fact.policy_id, fact.rule_id, fact.metrics) == (job, policy_id, rule_id, (METRIC,))
    assert (fact.resource_id, fact.version_id, fact.environment_id) == (R, version, scene.production)


def test_required_once_for_job_and_rule() -> None:
    scene = Scene(R)
    scene.policy(verification(), verification("other"))
    job = scene.job(scene.version("v1"), R, "successful")
    scene.job_status(job, "inProgress")
    scene.job_status(job, "successful")
    assert len(scene.facts(VerificationRequired)) == 2


def test_required_of_rollback_jobs_too() -> None:
    scene = Scene(R)
    scene.policy(verification(), rollback("failure"))
    scene.job(scene.version("v1"), R, "successful", rollback=True)
    assert len(scene.facts(VerificationRequired)) == 1


def test_not_where_the_policy_does_not_apply() -> None:
    scene = Scene(R)
    scene.policy(verification(), selector='environment.name == "staging"')
    scene.policy(verification(), enabled=False)
    scene.job(scene.version("v1"), R, "successful")
    assert scene.facts(VerificationRequired) == []


def test_not_for_a_job_that_found_no_agent() -> None:
    scene = Scene(R)
    scene.policy(RuleInput(verification=Verification(trigger_on="jobCreated", metrics=(METRIC,))))
    scene.job(scene.version("v1"), R, agent="")
    assert scene.facts(VerificationRequired) == []


def test_not_on_a_vanished_target() -> None:
    scene = Scene(R)
    scene.policy(verification())
    job = scene.job(scene.version("v1"), R)
    scene.vanish(R)
    scene.job_status(job, "successful")
    assert scene.facts(VerificationRequired) == []


def test_of_metrics_with_one_name_the_first_policy_measures_its_own() -> None:
    scene = Scene(R)
    scene.policy(verification("a"), verification("b"), name="older")
    scene.advance(seconds=1)
    scene.policy(verification("b"), verification("b"), verification("c"), name="newer")
    scene.job(scene.version("v1"), R, "successful")
    wanted = [[metric.name for metric in one.metrics] for one in scene.facts(VerificationRequired)]
    assert wanted == [["b"], ["c"], ["a"]]


HEALTH = METRIC.model_copy(update={"name": "argocd-application-health"})


def told_by_agent(scene: Scene, *metrics: MetricSpec, status: JobStatus = "successful") -> list[VerificationRequired]:
    """A job comes to a status, and its agent wants these measured."""
    job = scene.job(scene.version("v1"), R)
    scene.job_status(job, status, metrics=metrics)
    scene.job_status(job, status, metrics=metrics)
    return scene.facts(VerificationRequired)


def test_what_the_agent_wants_measured_needs_no_policy() -> None:
    (required,) = told_by_agent(Scene(R), HEALTH)
    assert (required.policy_id, required.rule_id, required.metrics) == ("", "", (HEALTH,))


def test_the_agent_wants_nothing_of_a_job_that_fails() -> None:
    assert told_by_agent(Scene(R), HEALTH, status="failure") == []


def test_disp_specs_merge_dedupe_policy_first() -> None:
    scene = Scene(R)
    stricter = HEALTH.model_copy(update={"count": 3, "success_condition": "result.json.mine"})
    policy_id = scene.policy(RuleInput(verification=Verification(metrics=(METRIC, stricter))))
    other = METRIC.model_copy(update={"name": "agents own"})
    first, second = told_by_agent(scene, HEALTH, other)
    assert (first.policy_id, first.metrics) == (policy_id, (METRIC, stricter))
    assert (second.policy_id, second.metrics) == ("", (other,))


def test_of_the_agents_metrics_no_more_are_measured_than_of_a_rule_and_what_is_left_out_is_said() -> None:
    many = [METRIC.model_copy(update={"name": f"m{number}"}) for number in range(MOST_METRICS + 3)]
    odd = [METRIC.model_copy(update={"name": name}) for name in ("x" * (LONGEST_NAME + 1), " ")]
    (required,) = told_by_agent(Scene(R), *odd, *many, many[0].model_copy(update={"count": 9}))
    assert required.metrics == tuple(many[:MOST_METRICS])
    assert required.note == (
        "Of the 505 metrics that the job's agent wants measured these are left out: 2 without a name, or with one of more than 256 "
        "characters; 3 because at most 500 are measured."
    )


def test_where_nothing_of_the_agents_metrics_can_be_measured_that_is_said_as_well() -> None:
    (required,) = told_by_agent(Scene(R), METRIC.model_copy(update={"name": "x" * (LONGEST_NAME + 1)}))
    assert required.metrics == ()
    assert "1 without a name, or with one of more than 256 characters" in required.note


def test_where_all_of_the_agents_metrics_are_measured_nothing_is_said() -> None:
    (required,) = told_by_agent(Scene(R), HEALTH)
    assert required.note == ""


def test_a_rule_that_measures_failed_jobs_takes_nothing_from_the_agent() -> None:
    scene = Scene(R)
    scene.policy(RuleInput(verification=Verification(trigger_on="jobFailure", metrics=(HEALTH,))))
    (required,) = told_by_agent(scene, HEALTH)
    assert required.policy_id == ""


@pytest.mark.parametrize("passed", [True, False])
def test_a_version_is_promoted_only_once_what_the_agent_wants_measured_has_passed(passed: bool) -> None:
    scene = Scene(R)
    staged = uid("staged")
    scene.appear(staged, env=scene.staging)
    scene.production_policy(progression(verified=True))
    version = scene.version("v1")
    job = scene.job(version, staged, env=scene.staging)
    scene.job_status(job, "successful", metrics=(HEALTH,))
    assert scene.open(version) == set()
    scene.verify(job, passed=passed)
    assert (scene.open(version) == {R}) is passed
