"""Stories of rollbacks, told to all five services: what a target goes back to, when, and what stays away from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.planner import (
    LiftMark,
    RollBack,
    RollBackEnvironment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from contracts.commands.policy.freezes import SaveFreeze
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired
from contracts.shapes import DeploymentWindow, GradualRollout, Rollback, VersionCooldown
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE
from tests.simulation.shop import SERVICES
from tests.simulation.stories import all_run, guarded
from tests.simulation.yard import Yard

RETURNS = Rollback(on_job_statuses=("failure",), on_verification_failure=True)
NEVER = DeploymentWindow(rrule="FREQ=DAILY;BYHOUR=0;BYMINUTE=0;BYSECOND=0", duration_minutes=24 * 60, allow_window=False)


def returning(*, delay_s: float = 3.0) -> Yard:
    """A job that fails sends its target back; v1 is good everywhere."""
    yard = Yard()
    yard.policy("returns", RETURNS)
    yard.post("api", "v1")
    yard.advance(60)
    assert all_run(yard, "v1")
    yard.agent(delay_s)
    return yard


def in_production(yard: Yard) -> dict[str, Any]:
    return {"deployment_id": yard.deployments["api"], "environment_id": yard.stages["production"]}


def rules(yard: Yard, name: str, **body: Any) -> None:
    """A policy of production with one rule of a kind that the yard does not know."""
    selector = 'environment.metadata["stage"] == "production"'
    yard.do(SavePolicy(policy_id=derived(WORKSPACE, f"policy {name}"), name=name, selector=selector, rules=(RuleInput(**body),)))


def tags(yard: Yard, *, stage: str = "production") -> list[tuple[str, bool]]:
    """Tag of each job of a stage and whether it is a rollback's, oldest first."""
    return [
        (yard.ledger.versions[job.version_id].tag, job.rollback)
        for job in yard.facts(JobCreated)
        if yard.stage_of(job.environment_id) == stage
    ]


def restart_all(yard: Yard) -> None:
    for service in SERVICES:
        yard.restart(service.name)


# --- at once -----------------------------------------------------------------------------------------------------------------------


def test_windows_cooldowns_rollouts_and_freezes_do_not_hold_a_rollback() -> None:
    yard = returning()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(1)
    rules(yard, "closed", deployment_window=NEVER)
    rules(yard, "slow", version_cooldown=VersionCooldown(interval_seconds=24 * 3600))
    yard.policy("paced", GradualRollout(rollout_type="linear", time_scale_interval=3600))
    yard.do(SaveFreeze(scope="workspace", reason="holidays"))
    yard.advance(30)
    assert all_run(yard, "v1")
    back = [job for job in yard.facts(JobCreated) if job.rollback]
    started = {(one.resource_id, one.environment_id): one.started_at for one in yard.facts(RollbackStarted)}
    assert len(back) == 3
    assert all(job.created_at - started[job.resource_id, job.environment_id] < timedelta(seconds=1) for job in back)
    yard.check()


def test_a_freeze_that_says_so_holds_a_rollback_until_it_is_over() -> None:
    yard = returning()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(1)
    yard.do(SaveFreeze(scope="workspace", reason="audit", holds_rollbacks=True, ends_at=yard.now + timedelta(minutes=10)))
    yard.advance(60)
    assert [tag for tag, rollback in tags(yard) if rollback] == []
    yard.advance(600)
    assert all_run(yard, "v1")


def test_a_rollback_says_why() -> None:
    yard = returning()
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(30)
    for one in yard.facts(RollbackStarted):
        assert one.reason.startswith("The job of v2 on r")
        assert "(policy 'returns' rolls back)" in one.reason
        assert (one.policy_id, bool(one.rule_id), bool(one.job_id)) == (yard.policies["returns"], True, True)


# --- to what -----------------------------------------------------------------------------------------------------------------------


def variable(yard: Yard, value: int) -> None:
    variable_id = derived(WORKSPACE, "x")
    yard.do(SaveDeploymentVariable(variable_id=variable_id, deployment_id=yard.deployments["api"], key="x"))
    yard.do(SaveDeploymentVariableValue(value_id=derived(WORKSPACE, "value"), variable_id=variable_id, value=value, priority=0))


def test_a_target_goes_back_to_the_very_release_that_was_good_variables_and_agent_configuration_included() -> None:
    yard = Yard()
    yard.policy("returns", RETURNS)
    variable(yard, 1)
    yard.agent(region="eu")
    yard.post("api", "v1")
    yard.advance(30)
    good = yard.jobs("v1", stage="staging")[-1]
    variable(yard, 2)
    yard.agent(region="us")
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(60)
    back = [job for job in yard.jobs("v1", stage="staging") if job.rollback]
    variables_2 = [job for job in yard.jobs("v1", stage="staging") if not job.rollback][-1]
    assert variables_2.release_id != good.release_id, "v1 was deployed with the new variables, and that was good"
    assert [job.release_id for job in back] == [variables_2.release_id]
    assert back[0].snapshot.agent == variables_2.snapshot.agent


def test_a_target_whose_variables_were_to_blame_goes_back_to_those_of_before() -> None:
    yard = Yard()
    yard.policy("returns", RETURNS)
    variable(yard, 1)
    yard.post("api", "v1")
    yard.advance(30)
    yard.failing.add("v1")
    yard.agent(delay_s=10)
    variable(yard, 2)
    yard.advance(15)
    yard.failing.discard("v1")
    yard.advance(60)
    good, bad, back = yard.jobs("v1", stage="staging")
    assert bad.release_id != good.release_id == back.release_id
    assert back.rollback
    yard.advance(600)
    assert len(yard.jobs("v1", stage="staging")) == 3, "and there it stays"


def test_two_bad_versions_in_a_row_go_back_to_the_third() -> None:
    yard = returning()
    for tag in ("v2", "v3"):
        yard.failing.add(tag)
        yard.post("api", tag)
        yard.advance(60)
        assert all_run(yard, "v1")
    assert tags(yard, stage="staging") == [("v1", False), ("v2", False), ("v1", True), ("v3", False), ("v1", True)]


def test_without_anything_good_the_version_is_marked_and_nothing_goes_round() -> None:
    yard = Yard()
    yard.policy("returns", RETURNS)
    for tag in ("v1", "v2"):
        yard.failing.add(tag)
        yard.post("api", tag)
        yard.advance(600)
    assert tags(yard, stage="staging") == [("v1", False), ("v2", False)]
    assert {one.release_id for one in yard.facts(RollbackStarted)} == {None}
    yard.check()


def test_the_failure_of_a_rollback_is_the_end_of_it() -> None:
    yard = returning()
    yard.failing.update(("v1", "v2"))
    yard.post("api", "v2")
    yard.advance(3600)
    assert tags(yard, stage="staging") == [("v1", False), ("v2", False), ("v1", True)]
    assert len(yard.facts(RollbackStarted)) == len(yard.facts(RollbackRequired)) == 3
    yard.check()


# --- what stays away ---------------------------------------------------------------------------------------------------------------


def test_a_marked_version_stays_away_whatever_happens_until_a_person_lifts_the_mark() -> None:
    yard = returning()
    yard.failing.add("v2")
    version = yard.post("api", "v2")
    yard.advance(30)
    yard.failing.discard("v2")
    before = len(yard.jobs("v2"))

    def away() -> None:
        yard.advance(60)
        assert len(yard.jobs("v2")) == before
        yard.check()

    restart_all(yard)
    away()
    newer = yard.post("api", "v3")
    yard.advance(30)
    assert all_run(yard, "v3")
    yard.set_version(newer, "rejected")
    away()
    assert all_run(yard, "v1")
    variable(yard, 7)
    away()
    yard.place("r4", "production")
    yard.advance(30)
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v1", "r4": "v2"}, "a new target knows nothing of the mark"
    before += 1
    yard.no_policy("returns")
    away()
    yard.environment("production", "false")
    yard.advance(10)
    yard.environment("production")
    away()
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v1", "r4": "v2"}
    assert yard.do(LiftMark(**in_production(yard), version_id=version)) == {"targets": 2}
    yard.advance(60)
    assert set(yard.runs("api", "production").values()) == {"v2"}
    assert set(yard.runs("api", "staging").values()) == {"v1"}, "the mark there is another one"
    yard.check()
    yard.check_memory()


def test_after_a_lift_the_version_goes_back_once_more_when_it_is_still_bad() -> None:
    yard = returning()
    yard.failing.add("v2")
    version = yard.post("api", "v2")
    yard.advance(30)
    yard.do(LiftMark(**in_production(yard), version_id=version))
    yard.advance(60)
    assert all_run(yard, "v1")
    assert [tag for tag, _ in tags(yard)].count("v2") == 4
    yard.advance(600)
    assert [tag for tag, _ in tags(yard)].count("v2") == 4, "and then stays away again"
    yard.check()
    yard.check_decisions()


# --- while something runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [True, False])
def test_a_rollback_while_a_job_of_the_bad_version_runs_waits_for_its_end_and_follows_at_once(fails: bool) -> None:
    yard = returning(delay_s=30)
    if fails:
        yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    assert yard.do(RollBack(**in_production(yard), reason="customers complain")) == {"targets": 2}
    yard.advance(15)
    assert [tag for tag, rollback in tags(yard) if rollback] == [], "one at a time"
    yard.advance(60)
    assert set(yard.runs("api", "production").values()) == {"v1"}
    assert sorted(tags(yard)) == sorted(2 * [("v1", False), ("v2", False), ("v1", True)])
    assert len([one for one in yard.facts(RollbackStarted) if yard.stage_of(one.environment_id) == "production"]) == 2
    yard.check()


def test_a_target_that_vanishes_before_it_went_back_comes_back_with_the_good_version() -> None:
    yard = returning(delay_s=30)
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(10)
    yard.do(RollBack(**in_production(yard)))
    yard.environment("production", "false")
    yard.advance(60)
    yard.environment("production")
    yard.advance(60)
    assert set(yard.runs("api", "production").values()) == {"v1"}
    assert [tag for tag, _ in tags(yard)].count("v2") == 2
    yard.check()


# --- by hand -----------------------------------------------------------------------------------------------------------------------


def test_an_environment_goes_back_with_all_its_deployments() -> None:
    yard = Yard()
    for tag in ("v1", "v2"):
        for name in ("api", "web"):
            yard.post(name, f"{name} {tag}")
        yard.advance(30)
    assert yard.do(RollBackEnvironment(environment_id=yard.stages["production"])) == {"targets": 4}
    yard.advance(30)
    for name in ("api", "web"):
        assert set(yard.runs(name, "production").values()) == {f"{name} v1"}
        assert set(yard.runs(name, "staging").values()) == {f"{name} v2"}
    with pytest.raises(Refused, match="has an earlier release"):
        yard.do(RollBackEnvironment(environment_id=yard.stages["production"]))
    yard.check()


def test_a_rollout_that_a_person_rolls_back_half_way_goes_no_further() -> None:
    yard = guarded(interval_s=60, third=True)
    yard.post("api", "v1")
    yard.advance(600)
    assert all_run(yard, "v1")
    version = yard.post("api", "v2")
    yard.advance(90)
    there = [name for name, tag in yard.runs("api", "production").items() if tag == "v2"]
    assert 0 < len(there) < 3
    assert yard.do(RollBack(**in_production(yard), from_version_id=version)) == {"targets": len(there)}
    yard.advance(600)
    assert set(yard.runs("api", "production").values()) == {"v1"}
    assert set(yard.runs("api", "staging").values()) == {"v2"}
    yard.check()
