"""Variables that refer: which related entity is found, and what is read of it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.planner import SaveDeployment, SaveEnvironment
from contracts.facts.inventory import ResourceDeleted
from contracts.shapes import Json
from tests.unit.planner.planner_scenes import R1, R2, R3, uid
from tests.unit.planner.variable_scenes import VariableScene


class Referring(VariableScene):
    """R1 is related to R2 by the rule `r`, and `x` is read from there."""

    def __init__(self) -> None:
        super().__init__(R1)
        self.save_resource(
            R2,
            name="two",
            identifier="id-2",
            version="v9",
            provider_id=uid("provider"),
            config={"network": {"cidr": "10.0.0.0/8", "ports": [1, 2]}, "size": 3, "none": None},
            metadata={"vpc": "a", "dotted.key": "b"},
        )
        self.set_variables(
            R2, {"plain": 1, "wrapped": {"object": {"a": {"b": 2}}}, "chained": {"reference": "r", "path": ["name"]}}
        )
        self.rule = self.save_rule("r")
        self.relate(self.rule, (R1, R2))

    def read(self, *path: str) -> Json:
        self.declare("x", {"reference": "r", "path": list(path)})
        return self.variables(R1)


@pytest.mark.parametrize(
    "path, value",
    [
        (("id",), R2),
        (("name",), "two"),
        (("NAME",), "two"),
        (("kind",), "Cluster"),
        (("version",), "v9"),
        (("identifier",), "id-2"),
        (("workspaceId",), "11111111-1111-4111-8111-111111111111"),
        (("workspace_id",), "11111111-1111-4111-8111-111111111111"),
        (("providerId",), uid("provider")),
        (("provider_id",), uid("provider")),
        (("metadata",), {"object": {"vpc": "a", "dotted.key": "b"}}),
        (("Metadata", "dotted.key"), "b"),
        (("config", "size"), 3),
        (("config", "none"), None),
        (("config", "network"), {"object": {"cidr": "10.0.0.0/8", "ports": [1, 2]}}),
        (("config", "network", "cidr"), "10.0.0.0/8"),
        (("variables", "plain"), 1),
        (("variables", "wrapped"), {"object": {"a": {"b": 2}}}),
        (("variables", "wrapped", "a"), {"object": {"b": 2}}),
        (("variables", "wrapped", "a", "b"), 2),
    ],
    ids=str,
)
def test_a_reference_reads_a_field_of_a_resource(path: tuple[str, ...], value: Any) -> None:
    assert Referring().read(*path) == {"x": value}


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("nothing",),
        ("slug",),
        ("name", "more"),
        ("metadata", "VPC"),
        ("metadata", "vpc", "more"),
        ("config", "network", "ports"),
        ("config", "network", "ports", "0"),
        ("config", "missing"),
        ("config", "size", "more"),
        ("variables",),
        ("variables", "missing"),
        ("variables", "plain", "more"),
        ("variables", "wrapped", "missing"),
        ("variables", "chained"),
        ("variables", "chained", "path"),
    ],
    ids=str,
)
def test_a_path_that_leads_nowhere_or_to_a_list_is_unresolvable(path: tuple[str, ...]) -> None:
    assert Referring().read(*path) == {}


def test_an_absent_provider_is_unresolvable() -> None:
    scene = Referring()
    scene.save_resource(R2, provider_id=None)
    assert scene.read("providerId") == {}


@pytest.mark.parametrize(
    "path, value",
    [
        (("name",), "web"),
        (("slug",), "web"),
        (("description",), "the shop"),
        (("metadata", "team"), "b"),
        (("jobAgentSelector",), "true"),
        (("jobAgentConfig", "repo"), "r"),
        (("job_agent_config",), {"object": {"repo": "r"}}),
    ],
    ids=str,
)
def test_a_reference_reads_a_deployment(path: tuple[str, ...], value: Any) -> None:
    scene = VariableScene(R1)
    saved = SaveDeployment(
        name="web",
        description="the shop",
        metadata={"team": "b"},
        job_agent_selector="true",
        job_agent_config={"repo": "r"},
    )
    web = scene.world.do(saved)["id"]
    scene.relate(scene.save_rule("r"), (f"deployment/{web}", R1))
    scene.declare("x", {"reference": "r", "path": list(path)})
    assert scene.variables(R1) == {"x": value}


@pytest.mark.parametrize("path, value", [(("name",), "production"), (("metadata", "tier"), "1"), (("description",), "")], ids=str)
def test_a_reference_reads_an_environment(path: tuple[str, ...], value: Any) -> None:
    scene = VariableScene(R1)
    saved = SaveEnvironment(environment_id=scene.environment, name="production", resource_selector="true", metadata={"tier": "1"})
    scene.world.do(saved)
    scene.relate(scene.save_rule("r"), (R1, f"environment/{scene.environment}"))
    scene.declare("x", {"reference": "r", "path": list(path)})
    assert scene.variables(R1) == {"x": value}


def test_the_direction_of_a_relation_does_not_matter() -> None:
    scene = VariableScene(R1, R2)
    scene.relate(scene.save_rule("r"), (R1, R2))
    scene.declare("x", {"reference": "r", "path": ["id"]})
    assert (scene.variables(R1), scene.variables(R2)) == ({"x": R2}, {"x": R1})


def test_a_relation_both_ways_ends_when_both_have_ended() -> None:
    scene = VariableScene(R1, R2)
    rule = scene.save_rule("r")
    scene.relate(rule, (R1, R2), (R2, R1))
    scene.declare("x", {"reference": "r", "path": ["id"]})
    scene.part(rule, (R1, R2))
    assert scene.variables(R1) == {"x": R2}
    scene.part(rule, (R2, R1))
    assert scene.variables(R1) == {}


def test_of_several_related_entities_resources_come_first_then_deployments_then_environments_each_by_age() -> None:
    scene = VariableScene(R1)
    web = scene.world.do(SaveDeployment(name="web"))["id"]
    young, old = uid("young"), uid("old")
    scene.save_resource(old, name="old")
    scene.world.advance(1)
    scene.save_resource(young, name="young")
    rule = scene.save_rule("r")
    scene.declare("x", {"reference": "r", "path": ["name"]})
    for entity, name in (
        (f"environment/{scene.environment}", "production"),
        (f"deployment/{web}", "web"),
        (young, "young"),
        (old, "old"),
    ):
        scene.relate(rule, (R1, entity))
        assert scene.variables(R1) == {"x": name}
    scene.world.record(ResourceDeleted(resource_id=old, identifier="old"))
    scene.world.run()
    assert scene.variables(R1) == {"x": "young"}


def test_related_entities_of_one_age_are_ordered_by_id() -> None:
    scene = VariableScene(R2)
    for one in (R3, R1):
        scene.save_resource(one)
    scene.relate(scene.save_rule("r"), (R2, R3), (R2, R1))
    scene.declare("x", {"reference": "r", "path": ["id"]})
    assert scene.variables(R2) == {"x": R1}


def test_rules_of_one_reference_name_count_together() -> None:
    scene = VariableScene(R1)
    scene.save_resource(R2, name="two")
    scene.save_rule("r", "one rule")
    scene.relate(scene.save_rule("r", "another rule"), (R1, R2))
    scene.relate(scene.save_rule("other"), (R1, f"environment/{scene.environment}"))
    scene.declare("x", {"reference": "r", "path": ["name"]})
    assert scene.variables(R1) == {"x": "two"}


def test_a_resource_variable_may_be_a_reference() -> None:
    scene = Referring()
    scene.set_variables(R1, {"x": {"reference": "r", "path": ["name"]}})
    scene.declare("x", "deployment")
    assert scene.variables(R1) == {"x": "two"}
