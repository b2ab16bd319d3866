"""Stories of environments, resources and links that come and go, told to all five services."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.planner import CreateVersion, DeleteDeployment, DeleteEnvironment, UnlinkDeployment
from tests.simulation.stories import all_run, guarded, message, progression, started
from tests.simulation.yard import Yard


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
