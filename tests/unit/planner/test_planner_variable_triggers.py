"""What resolves variables again: each write reaches exactly the targets that it can concern, and their releases follow at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from contracts.commands.planner import (
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    DeleteEnvironment,
    LinkDeployment,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveEnvironment,
)
from contracts.facts.inventory import (
    MatchesChanged,
    RelationshipRuleDeleted,
    RelationshipRuleSuspended,
    ResourceDeleted,
    VariableSetDeleted,
)
from contracts.facts.policy import TargetsCleared
from contracts.shapes import Json
from services.planner import inputs_fold
from services.planner.affected import affected
from tests.unit.planner.planner_scenes import R1, R2, R3, uid
from tests.unit.planner.variable_scenes import VariableScene

LONE = uid("a resource that is no target")


class Yard(VariableScene):
    """Resources R1, R2, R3 are targets of `api` (keys `own`, `set`, `ref`) and of `web` (no variables).

    `ref` is a reference by rule `r`, which relates R1 to LONE, R2 to the environment and R3 to the deployment `web`.
    """

    def __init__(self) -> None:
        super().__init__(R1, R2, R3)
        self.save_resource(LONE)
        self.web = self.world.do(SaveDeployment(name="web", resource_selector="true"))["id"]
        self.world.do(LinkDeployment(system_id=self.system, deployment_id=self.web))
        self.world.record(MatchesChanged(entity="deployment", entity_id=self.web, added=(R1, R2, R3)))
        self.world.run()
        self.declare("own", "a")
        self.declare("set")
        self.declare("ref", {"reference": "r", "path": ["name"]})
        self.set = self.save_set("s", "true", {"set": 1, "unheard": 1})
        self.unheard = self.save_set("other", "true", {"unheard": 1})
        self.rule = self.save_rule("r")
        self.relate(self.rule, (R1, LONE), (f"environment/{self.environment}", R2), (R3, f"deployment/{self.web}"))

    def looked_at(self, write: Callable[[Yard], object]) -> list[str]:
        """The resources whose targets of `api` a write lets planner look at; none of `web` ever."""
        before = len(self.world.log)
        write(self)
        new = [one for one in self.world.log[before:] if not isinstance(one.fact, TargetsCleared)]
        found = affected(self.state, new)
        assert set(found) <= {(self.deployment, self.environment)}
        return sorted(found.get((self.deployment, self.environment), {}))

    def save_web(self, description: str) -> None:
        """Change the other deployment."""
        saved = SaveDeployment(deployment_id=self.web, name="web", resource_selector="true", description=description)
        self.world.do(saved)

    def save_api(self, name: str = "api", description: str = "") -> None:
        """Change the deployment."""
        saved = SaveDeployment(deployment_id=self.deployment, name=name, resource_selector="true", description=description)
        self.world.do(saved)

    def save_environment(self, name: str = "production", description: str = "") -> None:
        """Change the environment."""
        saved = SaveEnvironment(environment_id=self.environment, name=name, resource_selector="true", description=description)
        self.world.do(saved)


def _delete_own(yard: Yard) -> None:
    yard.world.do(DeleteDeploymentVariable(variable_id=uid("variable own")))


def _delete_value(yard: Yard) -> None:
    yard.world.do(DeleteDeploymentVariableValue(value_id=uid("value own 0 None")))


def _rename(yard: Yard) -> None:
    yard.world.do(SaveDeploymentVariable(variable_id=uid("variable own"), deployment_id=yard.deployment, key="mine"))


def _delete_set(yard: Yard) -> None:
    yard.world.record(VariableSetDeleted(set_id=yard.set))


def _delete_unheard_set(yard: Yard) -> None:
    yard.world.record(VariableSetDeleted(set_id=yard.unheard))


def _delete_lone(yard: Yard) -> None:
    yard.world.record(ResourceDeleted(resource_id=LONE, identifier="lone"))


def _delete_rule(yard: Yard) -> None:
    yard.world.record(RelationshipRuleDeleted(rule_id=yard.rule))


def _suspend_rule(yard: Yard) -> None:
    yard.world.record(RelationshipRuleSuspended(rule_id=yard.rule, reason="too many"))


def _refer_by_resource(yard: Yard) -> None:
    yard.declare("ref", "plain")
    yard.set_variables(R1, {"own": {"reference": "r", "path": ["name"]}})


def _refer_by_set(yard: Yard) -> None:
    yard.declare("ref", "plain")
    yard.save_set("refers", "true", {"own": {"reference": "r", "path": ["name"]}})


def _set_by_deployment(yard: Yard) -> None:
    yard.save_set("by deployment", "deployment.name == 'api 2'", {"set": 2}, priority=9)


def _set_by_environment(yard: Yard) -> None:
    yard.save_set("by environment", "environment.name == 'production 2'", {"set": 2}, priority=9)


@dataclass(frozen=True)
class Row:
    """A write, whose targets it reaches, and what has to be there before."""

    write: Callable[[Yard], object]
    reaches: tuple[str, ...]
    given: Callable[[Yard], object] = lambda yard: None


ALL = (R1, R2, R3)
MATRIX: dict[str, Row] = {
    "deployment variable saved": Row(_rename, ALL),
    "deployment variable deleted": Row(_delete_own, ALL),
    "deployment variable value saved": Row(lambda yard: yard.declare("own", "b"), ALL),
    "deployment variable value deleted": Row(_delete_value, ALL),
    "resource variables saved": Row(lambda yard: yard.set_variables(R2, {"own": 1}), (R2,)),
    "variables of a related resource saved": Row(lambda yard: yard.set_variables(LONE, {"any": 1}), (R1,)),
    "resource saved": Row(lambda yard: yard.save_resource(R3, name="new"), (R3,)),
    "related resource saved": Row(lambda yard: yard.save_resource(LONE, name="new"), (R1,)),
    "related resource deleted": Row(_delete_lone, (R1,)),
    "unrelated resource saved": Row(lambda yard: yard.save_resource(uid("nobody")), ()),
    "related resource saved, without any reference": Row(
        lambda yard: yard.save_resource(LONE, name="new"), (), lambda yard: yard.declare("ref", "plain")
    ),
    "related resource saved, with a reference of the resource": Row(
        lambda yard: yard.save_resource(LONE, name="new"),
        (R1,),
        _refer_by_resource,
    ),
    "related resource saved, with a reference of a set": Row(
        lambda yard: yard.save_resource(LONE, name="new"),
        (R1,),
        _refer_by_set,
    ),
    "variable set with a declared key saved": Row(lambda yard: yard.save_set("new", "true", {"own": 1}), ALL),
    "variable set that lost a declared key": Row(lambda yard: yard.save_set("s", "true", {"unheard": 2}), ALL),
    "variable set that got a declared key": Row(lambda yard: yard.save_set("other", "true", {"set": 2}), ALL),
    "variable set with a declared key deleted": Row(_delete_set, ALL),
    "variable set without a declared key saved": Row(lambda yard: yard.save_set("other", "true", {"unheard": 2}), ()),
    "variable set without a declared key deleted": Row(_delete_unheard_set, ()),
    "relations added": Row(lambda yard: yard.relate(yard.rule, (R2, R3)), (R2, R3)),
    "relations removed": Row(lambda yard: yard.part(yard.rule, (R1, LONE)), (R1,)),
    "relationship rule saved": Row(lambda yard: yard.save_rule("r2", "r"), ALL),
    "relationship rule deleted": Row(_delete_rule, ALL),
    "relationship rule suspended": Row(_suspend_rule, ALL),
    "relationship rule without relations saved": Row(lambda yard: yard.save_rule("other"), ()),
    "deployment saved, related": Row(lambda yard: yard.save_web("new"), (R3,)),
    "deployment saved, no set looks at it": Row(lambda yard: yard.save_api(description="new"), ()),
    "deployment saved, a set looks at it": Row(lambda yard: yard.save_api(name="api 2"), ALL, _set_by_deployment),
    "environment saved, related": Row(lambda yard: yard.save_environment(description="new"), (R2,)),
    "environment saved, a set looks at it": Row(
        lambda yard: yard.save_environment(name="production 2"), ALL, _set_by_environment
    ),
}


@pytest.mark.parametrize("name", MATRIX)
def test_a_write_reaches(name: str) -> None:
    row = MATRIX[name]
    yard = Yard()
    row.given(yard)
    assert yard.looked_at(row.write) == sorted(row.reaches)


@pytest.mark.parametrize("name", MATRIX)
def test_what_a_write_does_not_reach_would_resolve_to_the_same(name: str) -> None:
    row = MATRIX[name]
    yard = Yard()
    row.given(yard)
    yard.world.run()
    before = {one: yard.variables(one) for one in ALL}
    row.write(yard)
    yard.world.run()
    changed = {one for one in ALL if yard.variables(one) != before[one]}
    assert changed <= set(row.reaches)


def test_releases_follow_a_write_and_name_it_as_their_cause() -> None:
    yard = Yard()
    _delete_lone(yard)
    (deleted,) = [one for one in yard.world.log if isinstance(one.fact, ResourceDeleted)]
    yard.world.run()
    assert "ref" not in yard.variables(R1)
    assert yard.world.rounds[-1][1].append.facts[0].causation_id == deleted.id


def test_an_environment_that_is_deleted_leaves_what_referred_to_it() -> None:
    yard = Yard()
    far = yard.world.do(SaveEnvironment(name="far", resource_selector="false"))["id"]
    rule = yard.save_rule("far")
    yard.declare("ref", {"reference": "far", "path": ["name"]})
    yard.relate(rule, (R1, f"environment/{far}"))
    assert yard.variables(R1)["ref"] == "far"
    yard.world.do(DeleteEnvironment(environment_id=far))
    assert "ref" not in yard.variables(R1)
    yard.relate(rule, (R1, f"environment/{far}"))
    yard.world.do(SaveEnvironment(environment_id=far, name="far", resource_selector="false"))
    assert "ref" not in yard.variables(R1), "a relation that was told after the end is none of the new environment"


def test_what_ends_beyond_memory_lets_everything_with_variables_be_looked_at() -> None:
    yard = Yard()
    with patch.object(inputs_fold, "ENDED", 1):
        assert yard.looked_at(_delete_rule) == sorted(ALL)
        assert "ref" not in _resolved(yard, R1)


def test_endings_are_remembered_up_to_a_bound() -> None:
    yard = Yard()
    with patch.object(inputs_fold, "ENDED", 3):
        for number in range(5):
            yard.save_set("s", "true", {"set": number, "unheard": number})
            assert yard.variables(R1)["set"] == number
    assert yard.state.inputs.ended_size == sum(len(one) for one in yard.state.inputs.ended.values()) <= 3
    assert yard.state.inputs.ended_from > 0


def test_nothing_is_remembered_of_an_end_that_ended_nothing() -> None:
    yard = Yard()
    yard.save_set("bare", "true", {})
    before = yard.state.inputs
    for _ in range(3):
        yard.save_set("bare", "true", {})
    after = yard.state.inputs
    assert (after.ended, after.ended_size, after.ended_from) == (before.ended, before.ended_size, before.ended_from)


def test_variables_and_a_new_version_in_one_breath_are_one_release() -> None:
    yard = Yard()
    v2 = yard.version("v2")
    before = len(yard.releases())
    yard.world.record(yard.cleared(v2, R1))
    yard.set_variables(R1, {"own": "b"})
    assert len(yard.releases()) == before + 1
    assert (yard.desired(R1), yard.variables(R1)["own"]) == (v2, "b")


def _resolved(yard: Yard, resource: str) -> Json:
    yard.world.run()
    return yard.variables(resource)
