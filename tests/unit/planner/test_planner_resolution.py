"""The variables of a release: which source wins, what a reference finds, and when it is the same release again."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.planner import (
    DeleteDeploymentVariable,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
    SaveEnvironment,
    UpdateVersion,
)
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import DeploymentVariableValueSaved, ReleasesCreated
from contracts.shapes import Json
from services.planner.desired import BYTES_PER_FACT
from services.planner.resolution import MAX_VARIABLES_BYTES
from tests.unit.planner.planner_scenes import R1, R2, R3, uid
from tests.unit.planner.variable_scenes import VariableScene

HERE = f"resource.id == '{R1}'"
LOW, HIGH = sorted((uid("one value"), uid("another value")))


# --- which source wins -------------------------------------------------------------------------------------------------------------


def test_without_deployment_variables_there_are_none() -> None:
    scene = VariableScene(R1)
    scene.set_variables(R1, {"x": 1})
    scene.save_set("s", "true", {"x": 2})
    assert scene.variables(R1) == {}
    assert len(scene.releases()) == 1, "and nothing is released again"


def test_only_declared_keys_are_resolved() -> None:
    scene = VariableScene(R1)
    scene.set_variables(R1, {"x": 1, "y": 1})
    scene.save_set("s", "true", {"z": 2})
    scene.declare("x")
    assert scene.variables(R1) == {"x": 1}


def test_resource_variable_then_deployment_value_then_set_then_absent() -> None:
    scene = VariableScene(R1)
    scene.declare("x", "deployment")
    scene.save_set("s", "true", {"x": "set"}, priority=100)
    scene.set_variables(R1, {"x": "resource"})
    assert scene.variables(R1) == {"x": "resource"}
    scene.set_variables(R1, {})
    assert scene.variables(R1) == {"x": "deployment"}
    scene.world.do(DeleteDeploymentVariable(variable_id=uid("variable x")))
    scene.declare("x")
    assert scene.variables(R1) == {"x": "set"}
    scene.save_set("s", "false", {"x": "set"})
    assert scene.variables(R1) == {}


def test_among_deployment_values_the_greatest_priority_wins_however_special_another_is() -> None:
    scene = VariableScene(R1, R2)
    scene.declare("x")
    scene.value("x", "for all", priority=1)
    scene.value("x", "for one", priority=0, selector=HERE)
    assert scene.variables(R1) == {"x": "for all"}
    scene.value("x", "for one, first", priority=2, selector=HERE)
    assert (scene.variables(R1), scene.variables(R2)) == ({"x": "for one, first"}, {"x": "for all"})


@pytest.mark.parametrize("order", [(LOW, HIGH), (HIGH, LOW)])
def test_equal_priorities_of_values_are_broken_by_the_lowest_id(order: tuple[str, str]) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    for one in order:
        scene.value("x", one, priority=0, selector=f"resource.id != '{one}'", id=one)
    assert scene.variables(R1) == {"x": LOW}


@pytest.mark.parametrize("selector", [None, ""])
def test_a_value_without_a_selector_matches(selector: str | None) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.value("x", 1, priority=0, selector=selector)
    assert scene.variables(R1) == {"x": 1}


@pytest.mark.parametrize(
    "selector",
    [
        "resource.metadata['missing'] == 'a'",
        "resource.metadata['missing'] != 'a'",
        "resource.config > 1",
        "deployment.name == 'api'",
        "environment.name == 'production'",
    ],
)
def test_a_value_whose_selector_does_not_hold_or_errs_is_passed_over(selector: str) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.value("x", "special", priority=1, selector=selector)
    scene.value("x", "general", priority=0)
    assert scene.variables(R1) == {"x": "general"}


def test_a_selector_that_can_not_be_compiled_is_passed_over() -> None:
    scene = VariableScene(R1)
    variable_id = scene.declare("x", "general")
    bad = DeploymentVariableValueSaved(
        deployment_id=scene.deployment,
        value_id=uid("bad"),
        variable_id=variable_id,
        value="special",
        resource_selector="resource.",
        priority=9,
        created_at=scene.world.now,
    )
    scene.world.record(bad)
    scene.save_set("s", "nobody.knows", {"x": "set"})
    assert scene.variables(R1) == {"x": "general"}


def test_variable_sets_go_by_priority_then_name_then_id() -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("b", "true", {"x": "b"}, priority=1)
    assert scene.variables(R1) == {"x": "b"}
    scene.save_set("a", "true", {"x": "a, higher id"}, priority=1, id=HIGH)
    assert scene.variables(R1) == {"x": "a, higher id"}
    scene.save_set("a", "true", {"x": "a, lower id"}, priority=1, id=LOW)
    assert scene.variables(R1) == {"x": "a, lower id"}
    scene.save_set("z", "true", {"x": "z"}, priority=2)
    assert scene.variables(R1) == {"x": "z"}


@pytest.mark.parametrize(
    "selector, holds",
    [
        ("resource.kind == 'Cluster'", True),
        ("deployment.name == 'api' && environment.name == 'production'", True),
        ("resource.kind == 'Cluster' && environment.name == 'production'", True),
        ("resource.kind == 'Cluster' && environment.name == 'staging'", False),
        ("deployment.name == 'web'", False),
        ("resource.metadata['missing'] == 'a'", False),
        ("version.tag == 'v1'", False),
        ("", False),
    ],
)
def test_a_set_is_chosen_by_resource_deployment_and_environment(selector: str, holds: bool) -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("s", selector, {"x": 1})
    assert scene.variables(R1) == ({"x": 1} if holds else {})


def test_a_set_without_the_key_leaves_it_to_the_next_one() -> None:
    scene = VariableScene(R1)
    scene.declare("x")
    scene.save_set("a", "true", {"y": 1}, priority=2)
    scene.save_set("b", "true", {"x": 2}, priority=1)
    assert scene.variables(R1) == {"x": 2}


@pytest.mark.parametrize(
    "unresolvable", [{"valueHash": "h"}, {"reference": "nobody", "path": ["name"]}, {"reference": "r", "path": []}], ids=str
)
def test_what_can_not_be_resolved_is_passed_over_in_every_source(unresolvable: Json) -> None:
    scene = VariableScene(R1)
    scene.declare("x", unresolvable)
    assert scene.variables(R1) == {}
    scene.set_variables(R1, {"x": unresolvable})
    scene.save_set("a", "true", {"x": unresolvable}, priority=1)
    assert scene.variables(R1) == {}
    scene.save_set("b", "true", {"x": "found"})
    assert scene.variables(R1) == {"x": "found"}


@pytest.mark.parametrize(
    "value",
    ["5432", "true", 1, 0, 1.0, 2.5, True, False, {"object": {"a": [1, 1.0, True, None, {"b": "c"}]}}, {"object": [1, 2]}],
    ids=str,
)
def test_values_keep_their_exact_json(value: Any) -> None:
    scene = VariableScene(R1)
    scene.declare("x", value)
    assert repr(scene.variables(R1)) == repr({"x": value})


# --- references --------------------------------------------------------------------------------------------------------------------


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


# --- identity ----------------------------------------------------------------------------------------------------------------------


def test_a_changed_variable_makes_a_new_release_of_the_same_version() -> None:
    scene = VariableScene(R1)
    before = scene.release(R1)
    scene.declare("x", 1)
    after = scene.release(R1)
    assert (after[1], after[0] != before[0]) == (scene.v1, True)
    assert scene.world.facts(ReleasesCreated)[-1].cleared_at == 0, "it waits for a clearance of its own"
    assert scene.world.rounds[-1][1].append.conditions == ()


def test_changing_a_variable_back_returns_to_the_old_release() -> None:
    scene = VariableScene(R1)
    seen = [scene.release(R1)]
    for value in (1, 2, 1):
        scene.declare("x", value)
        seen.append(scene.release(R1))
    scene.world.do(DeleteDeploymentVariable(variable_id=uid("variable x")))
    seen.append(scene.release(R1))
    none, one, two, one_again, none_again = seen
    assert (one, none) == (one_again, none_again)
    assert len({none, one, two}) == 3


def test_equal_variables_from_another_source_are_the_same_release() -> None:
    scene = VariableScene(R1)
    scene.declare("x", {"object": {"a": 1, "b": 2}})
    before = len(scene.releases())
    scene.set_variables(R1, {"x": {"object": {"b": 2, "a": 1}}})
    assert len(scene.releases()) == before


def test_one_and_its_text_and_its_double_are_different_releases() -> None:
    scene = VariableScene(R1)
    seen = set()
    for value in (1, "1", 1.0, True, "true"):
        scene.declare("x", value)
        seen.add(scene.release(R1))
    assert len(seen) == 5


def test_a_new_version_takes_the_variables_of_today() -> None:
    scene = VariableScene(R1)
    scene.declare("x", 1)
    v2 = scene.version("v2")
    scene.clear(v2, R1)
    assert (scene.desired(R1), scene.variables(R1)) == (v2, {"x": 1})


def test_a_change_while_the_gate_is_closed_is_not_lost() -> None:
    scene = VariableScene(R1)
    scene.save_policy()
    scene.declare("x", 1)
    assert scene.variables(R1) == {"x": 1}
    assert scene.world.facts(ReleasesCreated)[-1].cleared_at == 0


def test_a_version_that_is_not_yet_cleared_again_takes_the_change_when_it_is() -> None:
    scene = VariableScene(R1)
    v2 = scene.version("v2")
    scene.world.record(scene.cleared(v2, R1))
    scene.save_policy()
    scene.declare("x", 1)
    assert (scene.desired(R1), scene.variables(R1)) == (scene.v1, {"x": 1})
    scene.clear(v2, R1)
    assert (scene.desired(R1), scene.variables(R1)) == (v2, {"x": 1})


def test_a_change_while_the_version_must_not_be_deployed_waits_for_it() -> None:
    scene = VariableScene(R1)
    scene.world.do(UpdateVersion(version_id=scene.v1, status="rejected"))
    scene.save_policy()
    scene.declare("x", 1)
    assert scene.variables(R1) == {}
    scene.world.do(UpdateVersion(version_id=scene.v1, status="ready"))
    assert scene.variables(R1) == {"x": 1}


# --- what was gone back to ---------------------------------------------------------------------------------------------------------


class RolledBack(VariableScene):
    """v1 was good with x = 1; x became 2 and v2 was deployed, failed, and was rolled back."""

    def __init__(self) -> None:
        super().__init__(R1)
        self.declare("x", 1)
        self.job(R1)
        self.good = self.release(R1)
        v2 = self.version("v2")
        self.clear(v2, R1)
        self.declare("x", 2)
        self.require_rollback(R1, v2, self.job(R1, "failure"))


def test_the_release_that_was_gone_back_to_stays_although_variables_differ_today() -> None:
    scene = RolledBack()
    assert scene.release(R1) == scene.good
    assert scene.variables(R1) == {"x": 1}
    scene.clear(scene.v1, R1)
    scene.save_set("s", "true", {"x": 3})
    assert scene.release(R1) == scene.good


def test_once_variables_change_the_version_that_was_gone_back_to_gets_a_new_release() -> None:
    scene = RolledBack()
    scene.declare("x", 3)
    assert (scene.desired(R1), scene.variables(R1)) == (scene.v1, {"x": 3})
    scene.declare("x", 2)
    assert scene.variables(R1) == {"x": 2}, "what it stayed on was left, so today's variables count again"


def test_variables_that_change_back_to_those_of_the_good_release_keep_it() -> None:
    scene = RolledBack()
    before = len(scene.releases())
    scene.declare("x", 1)
    assert (scene.release(R1), len(scene.releases())) == (scene.good, before)


# --- bounds ------------------------------------------------------------------------------------------------------------------------


def test_releases_of_one_decision_are_split_by_size() -> None:
    resources = tuple(sorted(uid(f"r{n}") for n in range(12)))
    scene = VariableScene(*resources)
    before = len(scene.world.facts(ReleasesCreated))
    scene.declare("x", "y" * 40_000)
    facts = scene.world.facts(ReleasesCreated)[before:]
    assert [item.resource_id for fact in facts for item in fact.items] == list(resources)
    assert [len(fact.items) for fact in facts] == [4, 4, 4]
    assert all(len(fact.to_json()) <= BYTES_PER_FACT + 1_000 for fact in facts)


def test_a_value_that_does_not_fit_into_a_release_is_passed_over() -> None:
    scene = VariableScene(R1)
    half = "z" * (MAX_VARIABLES_BYTES // 2 - 100)
    for key in ("a", "b", "c"):
        scene.declare(key, half, "small")
    assert scene.variables(R1) == {"a": half, "b": half, "c": "small"}
    assert len(scene.world.facts(ReleasesCreated)[-1].to_json()) < BYTES_PER_FACT


def test_a_release_names_the_variables_of_which_no_value_fitted() -> None:
    scene = VariableScene(R1)
    half = "z" * (MAX_VARIABLES_BYTES // 2 - 100)
    for key in ("a", "b", "c"):
        scene.declare(key, half)
    scene.declare("d", "small")
    assert scene.variables(R1) == {"a": half, "b": half, "d": "small"}
    (item,) = scene.world.facts(ReleasesCreated)[-1].items
    assert item.omitted == ("c",)


def test_an_integer_beyond_64_bits_is_unresolvable() -> None:
    scene = VariableScene(R1)
    scene.declare("x", "small")
    scene.set_variables(R1, {"x": 2**70})
    assert scene.variables(R1) == {"x": "small"}


def test_a_value_of_another_deployment_changes_nothing_here() -> None:
    scene = VariableScene(R1)
    scene.declare("x", 1)
    web = scene.world.ask(SaveDeployment(name="web"))["id"]
    scene.world.do(SaveDeploymentVariable(variable_id=uid("web x"), deployment_id=web, key="x"))
    scene.world.do(SaveDeploymentVariableValue(value_id=uid("web value"), variable_id=uid("web x"), value=2, priority=0))
    assert scene.variables(R1) == {"x": 1}
