"""Variables change while versions go their way: each change reaches the jobs, through gates, races and restarts."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.inventory import (
    DeleteResource,
    ResourceInput,
    SaveRelationshipRule,
    SaveResource,
    SaveVariableSet,
    SetResourceVariables,
)
from contracts.commands.planner import CreateVersion, SaveDeploymentVariable, SaveDeploymentVariableValue
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import ReleasesCreated
from contracts.shapes import AnyApproval, Json, Target
from libs.runtime.ids import derived
from libs.simulation.world import WORKSPACE
from services.planner.rollouts import pair_of
from tests.simulation.yard import Yard


class Varied(Yard):
    """The yard, where `api` declares the variable `x`."""

    def __init__(self, *, seed: int | None = None) -> None:
        super().__init__(seed=seed)
        declared = SaveDeploymentVariable(variable_id=derived(WORKSPACE, "x"), deployment_id=self.deployments["api"], key="x")
        self.do(declared)

    def value(self, value: Any) -> SaveDeploymentVariableValue:
        """The wish that gives `x` a value everywhere."""
        return SaveDeploymentVariableValue(
            value_id=derived(WORKSPACE, "value"), variable_id=derived(WORKSPACE, "x"), value=value, priority=0
        )

    def dispatched(self, name: str = "r1") -> list[Json]:
        """The variables that each job of `api` on a resource was made with, oldest first."""
        made = {item.release_id: item.variables for fact in self.facts(ReleasesCreated) for item in fact.items}
        return [
            made[job.release_id]
            for job in self.facts(JobCreated)
            if job.deployment_id == self.deployments["api"] and self.ledger.resources[job.resource_id] == name
        ]

    def assert_settled(self) -> None:
        """The newest job of every target of `api` is of its desired release."""
        newest = {Target(job.resource_id, job.environment_id, job.deployment_id): job for job in self.facts(JobCreated)}
        for target in self.all_targets():
            pair = pair_of(self.room("planner").state.pairs, target.deployment_id, target.environment_id)
            desired = pair.places[target.resource_id].release_id if pair is not None else None
            if desired is not None:
                assert newest[target].release_id == desired, self.explain(target).message


def test_a_changed_variable_deploys_the_same_version_again_and_back() -> None:
    yard = Varied()
    yard.post("api", "v1")
    yard.advance(10)
    for value in (1, 2, 1):
        yard.do(yard.value(value))
        yard.advance(10)
    assert yard.dispatched() == [{}, {"x": 1}, {"x": 2}, {"x": 1}]
    yard.assert_settled()
    yard.check()


def test_a_change_after_the_gate_closed_is_dispatched() -> None:
    yard = Varied()
    yard.post("api", "v1")
    yard.advance(10)
    yard.policy("harmless", AnyApproval(min_approvals=0))
    yard.advance(10)
    yard.do(yard.value(1))
    yard.advance(10)
    assert yard.dispatched() == [{}, {"x": 1}]
    yard.assert_settled()


def test_a_change_while_a_job_runs_is_dispatched_after_it_although_the_gate_closed_meanwhile() -> None:
    yard = Varied()
    yard.post("api", "v1")
    yard.do(yard.value(1))
    assert yard.dispatched() == [{}]
    yard.policy("harmless", AnyApproval(min_approvals=0))
    yard.do(yard.value(2))
    yard.advance(10)
    assert yard.dispatched() == [{}, {"x": 2}]
    yard.assert_settled()


def test_a_change_that_goes_back_before_it_was_dispatched_deploys_nothing() -> None:
    yard = Varied()
    yard.do(yard.value(1))
    yard.post("api", "v1")
    yard.do(yard.value(2))
    yard.do(yard.value(1))
    yard.advance(10)
    assert yard.dispatched() == [{"x": 1}]
    yard.assert_settled()


def test_a_reference_follows_what_is_related_from_its_first_day_to_its_last() -> None:
    yard = Varied()
    joined = 'from.kind == "Vpc" && to.kind == "Cluster" && from.metadata["env"] == to.metadata["env"]'
    yard.do(SaveRelationshipRule(name="of the network", reference="vpc", cel=joined))
    yard.do(yard.value({"reference": "vpc", "path": ["name"]}))
    yard.post("api", "v1")
    yard.advance(10)

    def vpc(name: str) -> SaveResource:
        resource = ResourceInput(identifier="vpc", name=name, kind="Vpc", version="v1", metadata={"env": "staging", "a": name})
        return SaveResource(resource=resource)

    for name in ("green", "blue"):
        yard.do(vpc(name))
        yard.advance(10)
    yard.do(DeleteResource(identifier="vpc"))
    yard.advance(10)
    assert yard.dispatched() == [{}, {"x": "green"}, {"x": "blue"}, {}]
    assert yard.dispatched("r2") == [{}], "which is in another environment"
    yard.assert_settled()


def test_a_new_resource_is_deployed_to_once_with_what_is_related_to_it() -> None:
    yard = Varied()
    joined = 'from.kind == "Cluster" && to.type == "environment" && from.metadata["env"] == to.name'
    yard.do(SaveRelationshipRule(name="of the stage", reference="stage", cel=joined))
    yard.do(yard.value({"reference": "stage", "path": ["name"]}))
    yard.post("api", "v1")
    yard.advance(10)
    yard.place("r4", "production")
    yard.advance(10)
    assert yard.dispatched("r4") == [{"x": "production"}]


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_first_the_last_change_is_what_runs(seed: int) -> None:
    yard = Varied(seed=seed)
    yard.ask(CreateVersion(deployment_id=yard.deployments["api"], tag="v1"))
    step = 0
    for number in range(6):
        wishes = (
            yard.value(number),
            SaveVariableSet(name=f"set {number}", selector="true", priority=number, variables=()),
            SetResourceVariables(identifier="r1", variables={"x": f"own {number}"} if number % 2 else {}),
        )
        for wish in wishes:
            yard.ask(wish)
            # Some services get a turn between the wishes, but not enough of them to come to rest.
            for room in list(yard._rooms.values())[: (seed + step) % 6]:
                yard._step(room)
            step += 1
        if number % 3 == seed % 3:
            yard.policy("harmless", AnyApproval(min_approvals=0))
        yard.advance(seed % 4)
    yard.advance(30)
    yard.assert_settled()
    assert (yard.dispatched()[-1], yard.dispatched("r2")[-1]) == ({"x": "own 5"}, {"x": 5})
    yard.check()


def test_a_job_that_is_made_while_its_release_is_replaced_leaves_the_new_release_to_be_dispatched() -> None:
    yard = Varied()
    rooms = yard._rooms
    yard.ask(CreateVersion(deployment_id=yard.deployments["api"], tag="v1"))
    while not yard.facts(ReleasesCreated):
        for name in ("planner", "policy"):
            yard._step(rooms[name])
    dispatcher = rooms["dispatcher"]
    yard._catch_up(dispatcher)
    job_of_the_first = dispatcher.react(yard.now)
    assert job_of_the_first is not None
    yard.ask(yard.value(1))
    for name in ("planner", "policy"):
        yard._step(rooms[name])
    yard._append(dispatcher, job_of_the_first)
    yard.advance(30)
    assert yard.dispatched() == [{}, {"x": 1}]
    yard.assert_settled()
