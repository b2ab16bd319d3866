"""Relationship rules and what they relate: what the clients in use rely on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import RULE, id_of, new_id

pytestmark = pytest.mark.integration


def test_u16_statuses_of_rules_are_those_that_clients_compare_with(api: Api) -> None:
    made = api.ask("rule.create", RULE)
    assert made.status_code == 201
    assert api.ask("rule.put", RULE, relationshipRuleId=made.json()["id"]).status_code == 200
    # One client takes 200 for a failure.
    assert api.ask("rule.delete", relationshipRuleId=made.json()["id"]).status_code == 202


def test_u32_a_description_of_a_rule_that_was_never_set_is_absent(api: Api) -> None:
    made = scenes.rule(api)
    shown = [
        api.call("rule.get", relationshipRuleId=made),
        *api.pages("rule.list"),
        api.call("rule.delete", relationshipRuleId=made),
    ]
    assert all("description" not in one for one in shown)


def test_names_and_references_of_rules_need_not_be_unique(api: Api) -> None:
    assert scenes.rule(api) != scenes.rule(api)


@pytest.mark.parametrize("cel", ["", "from.", "from.type = 'x'", "resource.name == 'x'", "from.name =="])
def test_an_expression_of_a_rule_that_is_none_is_refused_with_its_place(quiet: Api, cel: str) -> None:
    for op, params in (("rule.create", {}), ("rule.put", {"relationshipRuleId": new_id()})):
        error = quiet.refused(400, op, {**RULE, "cel": cel}, **params)
        assert error["code"] == "INVALID_CEL"
        assert (error["details"][0]["path"], error["details"][0]["line"]) == ("/body/cel", 1)


def related(api: Api, rule: str) -> list[tuple[str, str]]:
    """The pairs of a rule, by id."""
    return sorted((one["from"]["id"], one["to"]["id"]) for one in api.pages("rule.relations", relationshipRuleId=rule))


def test_relations_follow_what_they_are_of(api: Api) -> None:
    rule = scenes.rule(api)
    assert related(api, rule) == []
    network = scenes.resource(api, "network", metadata={"id": "vpc-1"})
    cluster = scenes.resource(api, "cluster", metadata={"vpc": "vpc-1"})
    assert related(api, rule) == [(cluster, network)]
    scenes.resource(api, "cluster", metadata={"vpc": "vpc-2"})
    assert related(api, rule) == []
    scenes.resource(api, "network", metadata={"id": "vpc-2"})
    assert related(api, rule) == [(cluster, network)]
    api.call("resource.delete", identifier="network")
    assert related(api, rule) == []


def test_relations_follow_their_rule(api: Api) -> None:
    network = scenes.resource(api, "network", metadata={"id": "vpc-1"})
    cluster = scenes.resource(api, "cluster", metadata={"vpc": "vpc-1"})
    rule = scenes.rule(api)
    assert related(api, rule) == [(cluster, network)]
    turned = {
        **RULE,
        "cel": RULE["cel"].replace('from.metadata["vpc"] == to.metadata["id"]', 'from.metadata["id"] == to.metadata["vpc"]'),
    }
    api.call("rule.put", turned, relationshipRuleId=rule)
    assert related(api, rule) == [(network, cluster)]


def test_a_rule_that_reads_the_same_both_ways_relates_both_ways_and_nothing_to_itself(api: Api) -> None:
    ids = sorted(scenes.resource(api, name, metadata={"zone": "a"}) for name in ("x", "y"))
    same = 'from.type == "resource" && to.type == "resource" && from.metadata["zone"] == to.metadata["zone"]'
    assert related(api, scenes.rule(api, cel=same)) == sorted([(ids[0], ids[1]), (ids[1], ids[0])])


def test_deployments_and_environments_can_be_related_too(api: Api) -> None:
    deployment = scenes.deployment(api, metadata={"region": "eu"})
    environment = scenes.environment(api, metadata={"region": "eu"})
    cel = 'from.type == "deployment" && to.type == "environment" && from.metadata["region"] == to.metadata["region"]'
    rule = scenes.rule(api, cel=cel)
    (pair,) = api.pages("rule.relations", relationshipRuleId=rule)
    assert pair == {"from": {"type": "deployment", "id": deployment}, "to": {"type": "environment", "id": environment}}
    api.call("environment.delete", environmentId=environment)
    assert related(api, rule) == []


def test_a_rule_relates_nothing_of_another_workspace(api: Api) -> None:
    other = api.new()
    scenes.resource(other, "network", metadata={"id": "vpc-1"})
    scenes.resource(api, "cluster", metadata={"vpc": "vpc-1"})
    assert related(api, scenes.rule(api)) == []
    assert related(other, scenes.rule(other)) == []


def test_the_references_of_a_release_are_resolved_through_relations(api: Api) -> None:
    at = scenes.shop(api)
    scenes.resource(api, "r", metadata={"vpc": "vpc-1"})
    scenes.resource(api, "network", metadata={"id": "vpc-1"}, config={"cidr": {"v4": "10.0.0.0/8"}}, kind="Network")
    scenes.rule(api)
    variable = scenes.variable(api, at.deployment, "CIDR")
    reference: dict[str, Any] = {"reference": "network", "path": ["config", "cidr", "v4"]}
    scenes.value(api, variable, reference)
    release = scenes.deployed(api, at, scenes.version(api, at.deployment))
    assert api.call("release.get", releaseId=release)["variables"] == {"CIDR": "10.0.0.0/8"}
    assert id_of(api.call("target.desired", releaseTargetKey=at.key)["desiredRelease"]) == release
