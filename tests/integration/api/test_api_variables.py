"""Deployment variables, their values, and variable sets: what the clients in use rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import VARIABLE_SET, new_id

pytestmark = pytest.mark.integration

VALUES: list[Any] = [
    "eu",
    "",
    "5432",
    "true",
    "null",
    5432,
    0,
    -7,
    5.5,
    True,
    False,
    {"object": {}},
    {"object": {"a": {"b": [1, None, "x"]}}},
    {"reference": "network", "path": ["metadata", "id"]},
    {"valueHash": ""},
    {"valueHash": "abc"},
]
NO_VALUES: list[Any] = [
    None,
    {},
    {"a": 1},
    [],
    [1],
    {"object": 5},
    {"reference": "r"},
    {"reference": "r", "path": "x"},
    {"valueHash": 5},
]


def written(value: Any) -> str:
    """As text, because Python holds 1, 1.0 and True for equal and JSON does not."""
    return json.dumps(value, sort_keys=True)


# --- variables --------------------------------------------------------------------------------------------------------------------


def test_u25_a_variable_and_a_value_have_the_ids_of_their_paths(api: Api) -> None:
    variable, value = new_id(), new_id()
    of = scenes.deployment(api)
    assert api.call("variable.put", {"deploymentId": of, "key": "K"}, variableId=variable)["id"] == variable
    body = {"deploymentVariableId": variable, "priority": 0, "value": "x"}
    assert api.call("value.put", body, valueId=value)["id"] == value


def test_u32_a_description_of_a_variable_that_was_never_set_is_absent(api: Api) -> None:
    made = scenes.variable(api, scenes.deployment(api))
    assert "description" not in api.call("variable.get", variableId=made)["variable"]


def test_the_key_of_a_variable_can_change_under_its_id(api: Api) -> None:
    of = scenes.deployment(api)
    made = scenes.variable(api, of, "OLD", description="why")
    value = scenes.value(api, made)
    api.call("variable.put", {"deploymentId": of, "key": "NEW"}, variableId=made)
    got = api.call("variable.get", variableId=made)
    assert got["variable"] == {"id": made, "deploymentId": of, "key": "NEW"}
    assert [one["id"] for one in got["values"]] == [value]
    scenes.variable(api, of, "OLD")


def test_a_key_is_taken_once_in_a_deployment(api: Api) -> None:
    of, other = scenes.deployment(api), scenes.deployment(api, "web")
    first, second = scenes.variable(api, of, "A"), scenes.variable(api, of, "B")
    scenes.variable(api, other, "A")
    for one in (second, new_id()):
        assert "A" in api.refused(409, "variable.put", {"deploymentId": of, "key": "A"}, variableId=one)["message"]
    assert [one["variable"]["id"] for one in api.pages("variable.list", deploymentId=of)] == [second, first]
    # A variable does not move to another deployment.
    api.refused(409, "variable.put", {"deploymentId": other, "key": "C"}, variableId=first)


def test_a_variable_of_an_unknown_deployment_is_404(api: Api) -> None:
    elsewhere = scenes.deployment(api.new())
    for of in (new_id(), elsewhere, "nonsense"):
        api.refused(404, "variable.put", {"deploymentId": of, "key": "K"}, variableId=new_id())


def test_variables_of_an_unknown_deployment_are_an_empty_page(api: Api) -> None:
    page = api.call("variable.list", deploymentId=new_id())
    assert page == {"items": [], "total": 0, "limit": 50, "offset": 0}


# --- values -----------------------------------------------------------------------------------------------------------------------


def test_u35_u36_a_value_comes_back_as_it_was_written(api: Api) -> None:
    variable = scenes.variable(api, scenes.deployment(api))
    made = {scenes.value(api, variable, value, number): written(value) for number, value in enumerate(VALUES)}
    for value_id, text in made.items():
        assert written(api.call("value.get", valueId=value_id)["value"]) == text
    listed = api.call("variable.get", variableId=variable)["values"]
    assert {one["id"]: written(one["value"]) for one in listed} == made


@pytest.mark.parametrize("value", NO_VALUES, ids=json.dumps)
def test_what_is_no_value_is_refused_with_its_place(quiet: Api, value: Any) -> None:
    body = {"deploymentVariableId": new_id(), "priority": 0, "value": value}
    assert quiet.refused(400, "value.put", body, valueId=new_id())["details"][0]["path"].startswith("/body/value")
    body = {**VARIABLE_SET, "variables": [{"key": "A", "value": 1}, {"key": "B", "value": value}]}
    assert quiet.refused(400, "set.create", body)["details"][0]["path"].startswith("/body/variables/1/value")


def test_a_value_of_an_unknown_variable_is_404(api: Api) -> None:
    elsewhere = api.new()
    theirs = scenes.variable(elsewhere, scenes.deployment(elsewhere))
    for of in (new_id(), theirs, "nonsense"):
        api.refused(404, "value.put", {"deploymentVariableId": of, "priority": 0, "value": 1}, valueId=new_id())


def test_selector_and_priority_tell_values_of_a_variable_apart(api: Api) -> None:
    variable = scenes.variable(api, scenes.deployment(api))
    first = scenes.value(api, variable, "a", 1)
    scenes.value(api, variable, "b", 2)
    scenes.value(api, variable, "c", 1, resourceSelector="true")
    body = {"deploymentVariableId": variable, "priority": 1, "value": "d"}
    api.refused(409, "value.put", body, valueId=new_id())
    api.call("value.put", body, valueId=first)
    assert api.call("value.get", valueId=first)["value"] == "d"


def test_u21_a_selector_of_a_value_that_is_none_is_refused_with_its_place(api: Api) -> None:
    variable = scenes.variable(api, scenes.deployment(api))
    for selector in ("resource.", "resource.name = 'x'", "nobody.name == 'x'"):
        body = {"deploymentVariableId": variable, "priority": 0, "value": 1, "resourceSelector": selector}
        error = api.refused(400, "value.put", body, valueId=new_id())
        assert (error["details"][0]["path"], error["details"][0]["line"]) == ("/body/resourceSelector", 1)
    assert api.call("variable.get", variableId=variable)["values"] == []


def test_a_priority_may_be_any_integer_of_64_bits(api: Api) -> None:
    variable = scenes.variable(api, scenes.deployment(api))
    for priority in (-(2**63 - 1), -10, 0, 2**53 + 1, 2**63 - 1):
        made = scenes.value(api, variable, "x", priority)
        assert api.call("value.get", valueId=made)["priority"] == priority
    body = {"deploymentVariableId": variable, "priority": 2**63, "value": "x"}
    api.refused(400, "value.put", body, valueId=new_id())


def test_a_value_without_a_selector_shows_none(api: Api) -> None:
    variable = scenes.variable(api, scenes.deployment(api))
    made = scenes.value(api, variable)
    assert "resourceSelector" not in api.call("value.get", valueId=made)


# --- variable sets ----------------------------------------------------------------------------------------------------------------


def test_a_set_always_has_a_description(api: Api) -> None:
    made = scenes.variable_set(api)
    for answer in (api.call("set.get", variableSetId=made), *api.pages("set.list"), api.call("set.put", {}, variableSetId=made)):
        assert (answer["description"], answer["priority"]) == ("", 0)


def test_variables_of_a_set_keep_their_order_and_values(api: Api) -> None:
    variables = [{"key": f"K{99 - number}", "value": value} for number, value in enumerate(VALUES)]
    made = scenes.variable_set(api, variables=variables)
    for shown in (api.call("set.get", variableSetId=made), *api.pages("set.list")):
        got = [{"key": one["key"], "value": one["value"]} for one in shown["variables"]]
        assert [written(one) for one in got] == [written(one) for one in variables]
    scenes.variable_set(api, name="empty", variables=[])


def test_a_set_is_changed_in_part(api: Api) -> None:
    made = scenes.variable_set(api, description="why", priority=3)
    for change in ({"name": "other"}, {"description": ""}, {"priority": -1}, {"selector": "false"}, {}):
        before = api.call("set.get", variableSetId=made)
        api.call("set.put", change, variableSetId=made)
        after = api.call("set.get", variableSetId=made)
        assert {**before, **change, "updatedAt": after["updatedAt"]} == after
        assert after["updatedAt"] >= before["updatedAt"]
    api.call("set.put", {"variables": []}, variableSetId=made)
    assert api.call("set.get", variableSetId=made)["variables"] == []


def test_a_key_is_there_once_in_a_set(api: Api) -> None:
    twice = [{"key": "A", "value": 1}, {"key": "A", "value": 2}]
    assert api.refused(400, "set.create", {**VARIABLE_SET, "variables": twice})["code"] == "BAD_REQUEST"
    made = scenes.variable_set(api)
    assert api.refused(400, "set.put", {"variables": twice}, variableSetId=made)["code"] == "BAD_REQUEST"
    assert [one["key"] for one in api.call("set.get", variableSetId=made)["variables"]] == ["REGION"]
    assert api.call("set.list")["total"] == 1


def test_sets_are_listed_by_priority_and_then_by_name(api: Api) -> None:
    for name, priority in (("b", 1), ("a", 1), ("c", -5), ("d", 10)):
        scenes.variable_set(api, name=name, priority=priority)
    assert [one["name"] for one in api.pages("set.list")] == ["d", "a", "b", "c"]
    # Names need not be unique.
    scenes.variable_set(api, name="a", priority=1)
    assert [one["name"] for one in api.pages("set.list")] == ["d", "a", "a", "b", "c"]


@pytest.mark.parametrize("selector", ["resource.", "resource.name = 'x'", "nobody.name == 'x'"])
def test_a_selector_of_a_set_that_is_none_is_refused_with_its_place(quiet: Api, selector: str) -> None:
    error = quiet.refused(400, "set.create", {**VARIABLE_SET, "selector": selector})
    assert (error["code"], error["details"][0]["path"], error["details"][0]["line"]) == ("INVALID_CEL", "/body/selector", 1)


def test_a_selector_of_a_set_may_look_at_all_that_a_target_is_of(api: Api) -> None:
    selector = 'resource.kind == "x" && environment.name == "y" && deployment.name == "z"'
    made = scenes.variable_set(api, selector=selector)
    assert api.call("set.get", variableSetId=made)["selector"] == selector
