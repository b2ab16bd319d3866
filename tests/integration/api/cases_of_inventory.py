"""Resources and their variables, providers, relationship rules, variable sets."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, newest_first, read, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import CLUSTER, RULE, VARIABLE_SET, id_of, new_id

# --- resources --------------------------------------------------------------------------------------------------------------------

newest_first("resource.list", scenes.resource)


@listed("resource.search")
def searched_resources(api: Api) -> Listed:
    made = [scenes.resource(api, name) for name in ("c", "a", "b")]
    return Listed(made, id_of, Sent(body={}), paged_by_body=True)


@listed("resource.deployments")
def listed_deployments(api: Api) -> Listed:
    scenes.resource(api)
    for name in ("c", "a", "b"):
        scenes.deployment(api, name, resourceSelector="true")
    return Listed(["a", "b", "c"], lambda one: one["name"], Sent({"identifier": "r"}))


@listed("resource.variables")
def listed_variables(api: Api) -> Listed:
    scenes.resource(api, variables={"A": 1, "B": 2, "C": 3})
    return Listed(["A", "B", "C"], lambda one: one["key"], Sent({"identifier": "r"}))


@success("resource.list")
def list_resources(api: Api) -> Success:
    made = scenes.resource(api, "r", metadata={"a": "b"})
    scenes.resource(api, "s")
    answer = yield Sent(query={"cel": 'resource.metadata["a"] == "b"'})
    assert [id_of(one) for one in answer["items"]] == [made]


@success("resource.search")
def search_resources(api: Api) -> Success:
    made = scenes.resource(api, "r", kind="Node")
    scenes.resource(api, "s")
    answer = yield Sent(body={"kinds": ["Node"]})
    assert [id_of(one) for one in answer["items"]] == [made]


def _existing(api: Api) -> tuple[dict[str, str], object]:
    made = scenes.resource(api, "a/b", config={"n": 1}, metadata={"a": "b"})
    expected = {"id": made, "workspaceId": api.workspace_id, "identifier": "a/b", "config": {"n": 1}, "metadata": {"a": "b"}}
    return {"identifier": "a/b"}, expected


read("resource.get", _existing)


@success("resource.put")
def put_resource(api: Api) -> Success:
    made = yield Sent({"identifier": "a/b"}, {**CLUSTER, "config": {"n": [1]}, "metadata": {"a": "b"}, "variables": {"K": 1}})
    got = api.call("resource.get", identifier="a/b")
    assert (got["id"], got["config"], got["metadata"]) == (made["id"], {"n": [1]}, {"a": "b"})
    assert api.pages("resource.variables", identifier="a/b") == [{"resourceId": made["id"], "key": "K", "value": 1}]
    assert id_of(api.call("resource.put", CLUSTER, identifier="a/b")) == made["id"]
    got = api.call("resource.get", identifier="a/b")
    assert (got["config"], got["metadata"]) == ({}, {})


@success("resource.delete")
def delete_resource(api: Api) -> Success:
    made = scenes.resource(api)
    answer = yield Sent({"identifier": "r"})
    assert answer == {"id": made, "message": "Resource deleted"}
    api.refused(404, "resource.get", identifier="r")
    assert api.pages("resource.list") == []


@success("resource.deployments")
def list_deployments_of_resource(api: Api) -> Success:
    scenes.resource(api)
    made = scenes.deployment(api, resourceSelector='resource.kind == "Cluster"')
    scenes.deployment(api, "other", resourceSelector='resource.kind == "Node"')
    answer = yield Sent({"identifier": "r"})
    assert [id_of(one) for one in answer["items"]] == [made]


def _variables(api: Api) -> tuple[dict[str, str], object]:
    made = scenes.resource(api, variables={"REGION": "eu"})
    return {"identifier": "r"}, {"items": [{"resourceId": made, "key": "REGION", "value": "eu"}], "total": 1}


read("resource.variables", _variables)


@success("resource.variables.patch")
def patch_variables(api: Api) -> Success:
    made = scenes.resource(api, variables={"GONE": 1})
    answer = yield Sent({"identifier": "r"}, {"REGION": "eu", "SIZE": {"cpu": 2}})
    assert answer["id"] == made
    got = {one["key"]: one["value"] for one in api.pages("resource.variables", identifier="r")}
    assert got == {"REGION": "eu", "SIZE": {"object": {"cpu": 2}}}


@success("resource.target")
def target_of_resource(api: Api) -> Success:
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    answer = yield Sent({"resourceIdentifier": "r", "deploymentId": at.deployment})
    assert answer == {"resourceId": at.resource, "environmentId": at.environment, "deploymentId": at.deployment}


@success("resource.facets")
def facets_of_resources(api: Api) -> Success:
    scenes.resource(api, "r", metadata={"region": "eu"})
    scenes.resource(api, "s", kind="Node", metadata={"region": "us"}, config={"size": 1})
    answer = yield Sent(query={"cel": 'resource.kind == "Node"'})
    assert (answer["total"], answer["kinds"], answer["paths"]) == (1, [{"value": "Node", "count": 1}], ["config.size"])
    assert [(one["key"], one["values"]) for one in answer["metadata"]] == [("region", [{"value": "us", "count": 1}])]
    assert api.call("resource.facets")["total"] == 2


def _targets(api: Api) -> list[str]:
    """A deployment of a resource in three environments, by their names."""
    made = {name: scenes.environment(api, name, resourceSelector="true") for name in ("c", "a", "b")}
    scenes.resource(api)
    deployment = scenes.deployment(api, resourceSelector="true")
    scenes.link(api, scenes.system(api), deployments=(deployment,), environments=(*made.values(),))
    for one in made.values():
        scenes.appeared_in(api, one)
    return [made[name] for name in sorted(made)]


@success("resource.targets")
def targets_of_resource(api: Api) -> Success:
    ids = _targets(api)
    answer = yield Sent({"identifier": "r"})
    assert [one["releaseTarget"]["environmentId"] for one in answer["items"]] == ids


@listed("resource.targets")
def listed_targets_of_resource(api: Api) -> Listed:
    return Listed(_targets(api), lambda one: one["releaseTarget"]["environmentId"], Sent({"identifier": "r"}))


@success("resource.relations")
def relations_of_resource(api: Api) -> Success:
    _related(api)
    answer = yield Sent({"identifier": "a"})
    (one,) = answer["items"]
    assert (one["direction"], one["rule"]["reference"], one["entity"]["identifier"]) == ("to", "network", "network")


@listed("resource.relations")
def listed_relations_of_resource(api: Api) -> Listed:
    _, pairs = _related(api)
    return Listed([one["from"]["id"] for one in pairs], lambda one: one["entity"]["id"], Sent({"identifier": "network"}))


@success("resource.history")
def history_of_resource(api: Api) -> Success:
    for region in ("eu", "us"):
        scenes.resource(api, metadata={"region": region})
    answer = yield Sent({"identifier": "r"})
    assert [one["metadata"] for one in answer["items"]] == [{"region": "us"}, {"region": "eu"}]
    # As of its position it was so.
    for one in answer["items"]:
        then = api.call("resource.get", identifier="r", query={"at": str(one["position"])})
        assert then == {name: value for name, value in one.items() if name != "position"}


@listed("resource.history")
def listed_history_of_resource(api: Api) -> Listed:
    for region in ("eu", "us", "ap"):
        scenes.resource(api, metadata={"region": region})
    return Listed(["ap", "us", "eu"], lambda one: one["metadata"]["region"], Sent({"identifier": "r"}))


# --- providers --------------------------------------------------------------------------------------------------------------------


@success("provider.put")
def put_provider(api: Api) -> Success:
    made = yield Sent(body={"id": "", "name": "sync", "metadata": {"a": "b"}})
    assert (made["name"], made["metadata"], made["workspaceId"]) == ("sync", {"a": "b"}, api.workspace_id)
    assert api.call("provider.get", name="sync") == made
    assert api.call("provider.put", {"id": new_id(), "name": "sync", "metadata": {"a": "b"}}) == made


@conflict("provider.put")
def rename_provider_to_a_taken_name(api: Api) -> Sent:
    scenes.provider(api, "sync")
    return Sent(body={"id": scenes.provider(api, "other"), "name": "sync"})


def _provider(api: Api) -> tuple[dict[str, str], object]:
    return {"name": "a/b"}, {"id": scenes.provider(api, "a/b"), "name": "a/b"}


read("provider.get", _provider)


@success("provider.delete")
def delete_provider(api: Api) -> Success:
    made = scenes.provider(api)
    answer = yield Sent({"name": "sync"})
    assert (answer["id"], answer["name"]) == (made, "sync")
    api.refused(404, "provider.get", name="sync")


@success("provider.resources")
def list_provider_resources(api: Api) -> Success:
    scenes.provide(api, scenes.provider(api), "b", "c", "a")
    answer = yield Sent({"name": "sync"})
    assert ([one["identifier"] for one in answer["items"]], answer["total"]) == (["b", "c", "a"], 3)


@success("provider.set")
def set_resources(api: Api) -> Success:
    made = scenes.provider(api)
    answer = yield Sent({"providerId": made}, {"resources": [scenes.provided("a", metadata={"k": "v"}), scenes.provided("b")]})
    assert (answer["ok"], answer["method"]) == (True, "direct")
    got = api.call("resource.get", identifier="a")
    assert (got["providerId"], got["metadata"]) == (made, {"k": "v"})
    scenes.provide(api, made, "b")
    api.refused(404, "resource.get", identifier="a")


# --- relationship rules -----------------------------------------------------------------------------------------------------------

newest_first("rule.list", lambda api, name: scenes.rule(api, name=name))


@success("rule.list")
def list_rules(api: Api) -> Success:
    made = scenes.rule(api)
    answer = yield Sent()
    assert answer["items"] == [{"id": made, "workspaceId": api.workspace_id, **RULE}]


@success("rule.create")
def create_rule(api: Api) -> Success:
    body = {**RULE, "description": "why", "metadata": {"a": "b"}}
    made = yield Sent(body=body)
    assert made == {"id": made["id"], "workspaceId": api.workspace_id, **body}
    assert api.call("rule.get", relationshipRuleId=made["id"]) == made


def _rule(api: Api) -> tuple[dict[str, str], object]:
    made = scenes.rule(api)
    return {"relationshipRuleId": made}, {"id": made, **RULE}


read("rule.get", _rule)


@success("rule.put")
def put_rule(api: Api) -> Success:
    made = new_id()
    answer = yield Sent({"relationshipRuleId": made}, {**RULE, "description": "why"})
    assert answer == {"id": made, "workspaceId": api.workspace_id, **RULE, "description": "why"}
    changed = api.call("rule.put", {**RULE, "reference": "net"}, relationshipRuleId=made)
    assert (changed["reference"], "description" in changed) == ("net", False)
    assert api.call("rule.get", relationshipRuleId=made) == changed


@conflict("rule.put")
def put_a_rule_of_another_workspace(api: Api) -> Sent:
    return Sent({"relationshipRuleId": scenes.rule(api.new())}, RULE)


@success("rule.delete")
def delete_rule(api: Api) -> Success:
    made = scenes.rule(api)
    answer = yield Sent({"relationshipRuleId": made})
    assert answer == {"id": made, "workspaceId": api.workspace_id, **RULE}
    api.refused(404, "rule.get", relationshipRuleId=made)
    assert api.pages("rule.list") == []


def _related(api: Api) -> tuple[str, list[dict[str, Any]]]:
    """A rule, and the pairs that it relates."""
    network = {"type": "resource", "id": scenes.resource(api, "network", metadata={"id": "vpc-1"})}
    ids = sorted(scenes.resource(api, name, metadata={"vpc": "vpc-1"}) for name in ("a", "b", "c"))
    return scenes.rule(api), [{"from": {"type": "resource", "id": one}, "to": network} for one in ids]


@success("rule.relations")
def list_relations(api: Api) -> Success:
    made, pairs = _related(api)
    answer = yield Sent({"relationshipRuleId": made})
    assert sorted(answer["items"], key=lambda one: one["from"]["id"]) == pairs


@listed("rule.relations")
def listed_relations(api: Api) -> Listed:
    made, pairs = _related(api)
    return Listed(pairs, lambda one: one, Sent({"relationshipRuleId": made}))


# --- variable sets ----------------------------------------------------------------------------------------------------------------


@listed("set.list")
def listed_sets(api: Api) -> Listed:
    for name, priority in (("b", 1), ("a", 1), ("c", 9)):
        scenes.variable_set(api, name=name, priority=priority)
    return Listed(["c", "a", "b"], lambda one: one["name"])


@success("set.list")
def list_sets(api: Api) -> Success:
    made = scenes.variable_set(api)
    (answer,) = (yield Sent())["items"]
    assert (answer["id"], [(one["key"], one["value"]) for one in answer["variables"]]) == (made, [("REGION", "eu")])


@success("set.create")
def create_set(api: Api) -> Success:
    made = yield Sent(body={**VARIABLE_SET, "description": "why", "priority": 7})
    assert (made["name"], made["selector"], made["priority"], made["description"]) == ("defaults", "true", 7, "why")
    got = api.call("set.get", variableSetId=made["id"])
    assert (got["createdAt"], got["priority"]) == (made["createdAt"], 7)
    assert [(one["key"], one["value"]) for one in got["variables"]] == [("REGION", "eu")]


def _set(api: Api) -> tuple[dict[str, str], object]:
    made = scenes.variable_set(api)
    expected = {"id": made, "name": "defaults", "description": "", "priority": 0, "variables": [{"key": "REGION", "value": "eu"}]}
    return {"variableSetId": made}, expected


read("set.get", _set)


@success("set.put")
def put_set(api: Api) -> Success:
    made = scenes.variable_set(api, description="why", priority=7)
    answer = yield Sent({"variableSetId": made}, {"variables": [{"key": "ZONE", "value": {"object": {"a": 1}}}]})
    # What is left out stays; the variables are replaced.
    assert (answer["id"], answer["name"], answer["description"], answer["priority"]) == (made, "defaults", "why", 7)
    got = api.call("set.get", variableSetId=made)
    assert [(one["key"], one["value"]) for one in got["variables"]] == [("ZONE", {"object": {"a": 1}})]


@success("set.delete")
def delete_set(api: Api) -> Success:
    made = scenes.variable_set(api)
    answer = yield Sent({"variableSetId": made})
    assert (answer["id"], answer["name"]) == (made, "defaults")
    api.refused(404, "set.get", variableSetId=made)
    assert api.pages("set.list") == []
