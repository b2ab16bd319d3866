"""When a target gets a job, and when it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.dispatcher import DeleteJobAgent, SetJobStatus
from contracts.facts.dispatcher import JobCreated, JobDispatched
from contracts.facts.planner import DeploymentDeleted, EnvironmentDeleted, EnvironmentSaved, ReleasesCreated, TargetsChanged
from contracts.facts.policy import PolicySaved, TargetsCleared
from contracts.shapes import ACTIVE, JobStatus
from contracts.tags import GATE
from libs.eventlog.port import Condition
from libs.simulation.world import START, refold
from services.dispatcher.app import service
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of

TERMINAL: list[JobStatus] = [
    "successful",
    "failure",
    "cancelled",
    "skipped",
    "invalidJobAgent",
    "invalidIntegration",
    "externalRunNotFound",
]


def test_a_release_becomes_a_job_and_its_dispatch_in_one_round() -> None:
    scene = Scene()
    agent = scene.save_agent()
    scene.release("v1")
    (job,) = scene.jobs()
    (created,) = scene.recorded(JobCreated)
    (dispatched,) = scene.recorded(JobDispatched)
    (released,) = scene.recorded(ReleasesCreated)
    assert (job.status, job.agent_id, job.release_id, job.attempt) == ("pending", agent, release_of("v1", "eu-1"), 1)
    assert dispatched.position == created.position + 1
    assert created.causation_id == dispatched.causation_id == released.id
    assert job.deadline_at == START + timedelta(hours=1)
    assert scene.statuses() == ["queued"]


def test_a_job_names_the_documents_it_was_made_from() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_resource("eu-1", {"zone": "a"})
    scene.release("v1")
    by_position = {one.position: one.type for one in scene.log}
    snapshot = scene.jobs()[0].snapshot
    assert [by_position[at] for at in (snapshot.resource, snapshot.environment, snapshot.deployment)] == [
        "inventory.resource_saved.v1",
        "planner.environment_saved.v1",
        "planner.deployment_saved.v1",
    ]
    assert [by_position[at] for at in (snapshot.version, snapshot.agent, snapshot.release)] == [
        "planner.version_created.v1",
        "dispatcher.job_agent_saved.v1",
        "planner.releases_created.v1",
    ]
    newest = max(one.position for one in scene.log if one.type == "inventory.resource_saved.v1")
    assert snapshot.resource == newest


def test_the_same_log_gives_the_same_ids_and_state() -> None:
    first, second = Scene(), Scene()
    for scene in (first, second):
        scene.save_agent()
        scene.release("v1")
        scene.finish("failure")
        scene.release("v2")
    assert [one.job_id for one in first.jobs()] == [one.job_id for one in second.jobs()]
    assert first.room("dispatcher").state == refold(service, first.log)


def test_elig_no_desired_noop() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    scene.clear("v1")
    scene.run()
    assert scene.jobs() == []


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_conc_each_active_status_blocks(status: JobStatus) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status=status))
    scene.release("v2")
    assert len(scene.jobs()) == 1


def test_conc_queued_blocks() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    assert scene.statuses() == ["queued"]
    scene.release("v2")
    assert len(scene.jobs()) == 1


@pytest.mark.parametrize("status", TERMINAL)
def test_conc_terminal_allows(status: JobStatus) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.release("v2")
    assert len(scene.jobs()) == 1
    scene.finish(status)
    assert [job.version_id for job in scene.jobs()] == [id_of("v1"), id_of("v2")]


def test_conc_other_target_independent() -> None:
    scene = Scene("eu-1", "us-1")
    scene.save_agent()
    scene.release("v1", "eu-1")
    scene.release("v1", "us-1")
    assert [job.resource_id for job in scene.jobs()] == [id_of("eu-1"), id_of("us-1")]


def test_conc_other_release_still_blocks() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.release("v2")
    scene.release("v3")
    scene.finish()
    # Only what is desired when the target is free is dispatched; v2 was never deployed.
    assert [job.version_id for job in scene.jobs()] == [id_of("v1"), id_of("v3")]


@pytest.mark.parametrize("status", TERMINAL)
def test_retry_no_rule_single_attempt(status: JobStatus) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish(status)
    scene.release("v1")
    scene.save_agent("another")
    assert len(scene.jobs()) == 1


def test_another_release_in_between_allows_the_first_one_again() -> None:
    scene = Scene()
    scene.save_agent()
    for tag in ("v1", "v2", "v1"):
        scene.release(tag)
        scene.finish()
    assert [(job.version_id, job.attempt) for job in scene.jobs()] == [(id_of("v1"), 1), (id_of("v2"), 1), (id_of("v1"), 2)]
    assert len({job.job_id for job in scene.jobs()}) == 3


def test_a_vanished_target_gets_no_job_and_is_not_deployed_twice_when_it_returns() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    gone = TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, removed=(id_of("eu-1"),))
    scene.record(gone)
    scene.release("v2")
    assert len(scene.jobs()) == 1
    scene.record(gone.model_copy(update={"added": gone.removed, "removed": ()}))
    scene.release("v1")
    assert len(scene.jobs()) == 1
    scene.release("v2")
    assert len(scene.jobs()) == 2


# --- clearances ----------------------------------------------------------------------------------------------------------------


def test_a_dispatch_rests_on_its_clearance() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    at = scene.clear("v1")
    scene.create_releases("v1", cleared_at=at)
    scene.run()
    (round_,) = [one for name, one in scene.rounds if any(isinstance(new.fact, JobDispatched) for new in one.append.facts)]
    (condition,) = round_.append.conditions
    assert condition.after == at
    assert condition.tags == (f"clearance:{DEPLOYMENT}:{ENVIRONMENT}", "gate")


def test_a_withdrawn_clearance_waits_until_it_is_issued_again() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    at = scene.clear("v1")
    scene.withdraw("v1")
    scene.create_releases("v1", cleared_at=at)
    scene.run()
    assert scene.jobs() == []
    scene.clear("v1")
    scene.run()
    (cleared,) = [
        one for one in scene.recorded(TargetsCleared) if one.position == max(r.position for r in scene.recorded(TargetsCleared))
    ]
    (created,) = scene.recorded(JobCreated)
    assert created.causation_id == cleared.id


def test_a_changed_policy_waits_for_a_newer_clearance() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    at = scene.clear("v1")
    scene.record(PolicySaved(policy_id=id_of("policy"), name="p", created_at=START))
    scene.create_releases("v1", cleared_at=at)
    scene.run()
    assert scene.jobs() == []
    scene.clear("v1")
    scene.run()
    assert len(scene.jobs()) == 1


def test_a_clearance_is_not_used_past_its_time() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    at = scene.clear("v1", valid_for=timedelta(seconds=60))
    scene.advance(60)
    scene.create_releases("v1", cleared_at=at)
    scene.run()
    assert scene.jobs() == []
    scene.clear("v1", valid_for=timedelta(seconds=1))
    scene.run()
    assert len(scene.jobs()) == 1


def test_the_clearance_of_another_version_does_not_serve() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    scene.save_version("v2")
    at = scene.clear("v1")
    scene.withdraw("v1")
    scene.create_releases("v1", cleared_at=at)
    scene.clear("v2")
    scene.run()
    assert scene.jobs() == []


# --- rollback ------------------------------------------------------------------------------------------------------------------


def test_a_rollback_dispatches_the_good_release_again_without_any_clearance() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.release("v2")
    scene.finish("failure")
    scene.record(PolicySaved(policy_id=id_of("policy"), name="p", created_at=START))
    scene.roll_back("v2", to="v1")
    job = scene.jobs()[-1]
    assert (job.version_id, job.release_id, job.rollback, job.attempt) == (id_of("v1"), release_of("v1", "eu-1"), True, 2)
    saved = next(one.position for one in scene.log if isinstance(one.fact, PolicySaved))
    assert scene.rounds[-2][1].append.conditions == (Condition((GATE,), saved),), "only a freeze that is saved meanwhile stops it"
    original = next(one.position for one in scene.recorded(ReleasesCreated))
    assert job.snapshot.release == original


def test_a_rollback_waits_for_the_job_that_runs() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.release("v2")
    scene.roll_back("v2", to="v1")
    assert len(scene.jobs()) == 2
    scene.finish("failure")
    assert scene.jobs()[-1].rollback


def test_a_rollback_runs_once_also_when_it_fails() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.release("v2")
    scene.finish("failure")
    scene.roll_back("v2", to="v1")
    scene.finish("failure")
    scene.save_agent("another")
    assert len(scene.jobs()) == 3


def test_the_mark_of_a_version_that_gave_way_to_another_leaves_alone_what_waits() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.release("v2")
    scene.roll_back("v1", to=None)
    scene.finish("failure")
    assert [job.version_id for job in scene.jobs()] == [id_of("v1"), id_of("v2")]


@pytest.mark.parametrize("ended,dispatched", [("successful", [False]), ("failure", [False, True])])
def test_a_rollback_to_the_release_that_ran_last_runs_it_again_only_where_it_did_not_succeed(
    ended: JobStatus, dispatched: list[bool]
) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish(ended)
    scene.roll_back("v2", to="v1")
    assert [job.rollback for job in scene.jobs()] == dispatched


def test_a_rollback_uses_the_configuration_that_worked() -> None:
    scene = Scene(config={"mode": "old"})
    scene.save_agent(config={"server": "old"})
    scene.release("v1")
    scene.finish()
    scene.save_deployment(config={"mode": "new"})
    scene.save_agent(config={"server": "new"})
    scene.release("v2")
    scene.finish("failure")
    scene.roll_back("v2", to="v1")
    assert [job.job_agent_config for job in scene.jobs()] == [
        {"server": "old", "mode": "old"},
        {"server": "new", "mode": "new"},
        {"server": "old", "mode": "old"},
    ]


def test_a_rollback_whose_agent_is_gone_uses_todays_agents() -> None:
    scene = Scene()
    scene.save_agent("old")
    scene.release("v1")
    scene.finish()
    scene.do(DeleteJobAgent(agent_id=id_of("old")))
    new = scene.save_agent("new")
    scene.release("v2")
    scene.finish("failure")
    scene.roll_back("v2", to="v1")
    assert scene.jobs()[-1].agent_id == new


def test_a_rollback_without_a_good_release_leaves_the_target_as_it_is() -> None:
    scene = Scene()
    scene.release("v1")
    assert scene.statuses() == ["invalidJobAgent"]
    scene.roll_back("v1", to=None)
    scene.save_agent()
    assert len(scene.jobs()) == 1


def test_many_targets_are_dispatched_in_one_round() -> None:
    names = [f"r{n}" for n in range(300)]
    scene = Scene(*names)
    scene.save_agent()
    scene.release("v1", *names)
    created = [one.append.facts for _, one in scene.rounds if any(isinstance(new.fact, JobCreated) for new in one.append.facts)]
    assert [len(facts) for facts in created] == [600]
    assert scene.statuses() == ["queued"] * 300


def test_history_ends_with_the_environment() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.record(
        EnvironmentDeleted(environment_id=ENVIRONMENT),
        TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, removed=(id_of("eu-1"),)),
    )
    scene.run()
    assert not scene.room("dispatcher").state.targets
    scene.record(
        EnvironmentSaved(environment_id=ENVIRONMENT, name="staging", created_at=START),
        TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, added=(id_of("eu-1"),)),
    )
    scene.release("v1")
    assert [job.attempt for job in scene.jobs()] == [1, 2]
    assert len({job.job_id for job in scene.jobs()}) == 2


@pytest.mark.parametrize("gone", [EnvironmentDeleted(environment_id=ENVIRONMENT), DeploymentDeleted(deployment_id=DEPLOYMENT)])
def test_a_job_of_a_deleted_target_ends_and_leaves_nothing(gone: EnvironmentDeleted | DeploymentDeleted) -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.record(gone, TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, removed=(id_of("eu-1"),)))
    scene.run()
    (standing,) = scene.room("dispatcher").state.targets.values()
    assert len(standing.active) == 1
    scene.finish()
    assert not scene.room("dispatcher").state.targets
    scene.finish("inProgress")
    scene.finish("failure")
    assert not scene.room("dispatcher").state.targets


def test_a_job_that_found_no_agent_is_forgotten_with_its_environment() -> None:
    scene = Scene()
    scene.release("v1")
    scene.record(EnvironmentDeleted(environment_id=ENVIRONMENT))
    scene.run()
    assert not scene.room("dispatcher").state.without_agent
    scene.save_agent()
    assert [job.status for job in scene.jobs()] == ["invalidJobAgent"]


def test_a_merged_configuration_that_no_fact_can_hold_fails_the_job() -> None:
    scene = Scene(config={"b": "x" * 130_000})
    scene.save_agent(config={"a": "x" * 130_000})
    scene.release("v1")
    (job,) = scene.jobs()
    assert (job.status, job.job_agent_config) == ("failure", {})
    assert job.message is not None
    assert "260015 bytes of JSON, at most 245760" in job.message
    assert not scene.dispatched()
    scene.save_deployment()
    scene.release("v2")
    assert scene.statuses() == ["failure", "queued"]


@pytest.mark.parametrize("timeout", [0, -5, "abc", "6O", None, True, 10**400, [], {}], ids=lambda given: repr(given)[:9])
def test_a_timeout_that_can_not_be_read_is_the_usual_one(timeout: object) -> None:
    scene = Scene(config={"timeoutSeconds": timeout})
    scene.save_agent()
    scene.release("v1")
    assert scene.jobs()[0].deadline_at == START + timedelta(hours=1)


def test_names_without_end_fit_into_a_message() -> None:
    scene = Scene("e" * 60_000)
    scene.save_agent("a" * 200_000)
    scene.save_deployment(selector='jobAgent.name == "other"')
    scene.release("v1", "e" * 60_000)
    (job,) = scene.jobs()
    assert job.message is not None
    assert job.message.startswith("No job agent matches")
