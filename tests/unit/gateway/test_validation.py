"""Queries and bodies against their declared form."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.values import problem_of
from services.gateway.http import bodies
from services.gateway.http.app import operations
from services.gateway.http.validation import body_of, canonical_uuid, decoded_segment, query_of
from services.gateway.json_text import MAX_DEPTH, BadJson, dump, parse


def checked(model: type[BaseModel], value: Any) -> tuple[Any, list[str]]:
    found, problems = body_of(value, orjson.dumps(value), model)
    return found, [f"{one['path']} {one['errorCode'].removesuffix('.openapi.validation')}" for one in problems]


def metric(**other: Any) -> dict[str, Any]:
    """A metric, with something else in it."""
    provider = {"type": "http", "url": "http://localhost"}
    return {"name": "m", "intervalSeconds": 1, "count": 1, "provider": provider, "successCondition": "result.ok", **other}


@pytest.mark.parametrize(
    "model, value, expected",
    [
        (bodies.SystemBody, {}, ["/body/name required"]),
        (bodies.SystemBody, {"name": 1}, ["/body/name type"]),
        (bodies.SystemBody, {"name": None}, ["/body/name nullable"]),
        (bodies.SystemBody, None, ["/body type"]),
        (bodies.CreateWorkspace, {"name": "ab", "slug": "a b c"}, ["/body/name minLength", "/body/slug pattern"]),
        (bodies.CreateWorkspace, {"name": "a" * 31, "slug": "a" * 51}, ["/body/name maxLength", "/body/slug maxLength"]),
        (bodies.CreateVersion, {"name": "", "tag": "v", "status": "paused"}, ["/body/status enum"]),
        (bodies.CreateVersion, {"name": "", "tag": "v", "status": "ready", "createdAt": "today"}, ["/body/createdAt type"]),
        (bodies.JobStatusBody, {"status": "successful", "startedAt": "0001-01-01T00:00:00+05:00"}, ["/body/startedAt format"]),
        (bodies.ResourceSearch, {"limit": 0}, ["/body/limit minimum"]),
        (bodies.ProviderSet, {"resources": [{"identifier": "x"}]}, ["name", "kind", "version", "config", "metadata", "createdAt"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": []}}]}, ["/body/rules/0/verification/metrics minItems"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 2**31}}]}, ["/body/rules/0/gradualRollout/timeScaleInterval maximum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": -1}}]}, ["timeScaleInterval minimum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(count=0)]}}]}, ["metrics/0/count minimum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(intervalSeconds=0)]}}]}, ["intervalSeconds minimum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(provider={"type": "sleep", "durationSeconds": 9999})]}}]}, ["durationSeconds maximum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"anyApproval": {"minApprovals": 2**31}}]}, ["/body/rules/0/anyApproval/minApprovals maximum"]),
        (bodies.DeploymentVariableValueBody, {"deploymentVariableId": "x", "value": [1], "priority": 2**63}, ["/body/value format", "/body/priority maximum"]),
        (bodies.DeploymentVariableValueBody, {"deploymentVariableId": "x", "value": None, "priority": True}, ["/body/value nullable", "/body/priority type"]),
        (bodies.ResourceVariables, {"a": None, "b": [1], "root": None}, ["/body/a format", "/body/root format"]),
        (bodies.ResourceVariables, [], ["/body type"]),
        (bodies.ResourceBody, {"name": "n", "kind": "k", "version": "v", "variables": {"a": None}}, ["/body/variables/a format"]),
        (bodies.CreateVersion, {"name": "", "tag": "v", "status": "ready", "dependencies": {"x": {}}}, ["/body/dependencies/x/versionSelector required"]),
        (bodies.CreateVariableSet, {"name": "n", "selector": "true", "variables": [{"key": "k", "value": {"a": 1}}]}, ["/body/variables/0/value format"]),
        (bodies.PinBody, {"versionId": "v1"}, ["/body/versionId format"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"planValidationOpa": {"name": "n", "rego": 1}}]}, ["/body/rules/0/planValidationOpa/rego type"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"retry": {"maxRetries": -1}}]}, ["/body/rules/0/retry/maxRetries minimum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"deploymentWindow": {"rrule": "r", "durationMinutes": 0}}]}, ["/body/rules/0/deploymentWindow/durationMinutes minimum"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"versionCooldown": {"intervalSeconds": "5"}}]}, ["/body/rules/0/versionCooldown/intervalSeconds type"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"anyApproval": {"minApprovals": 1, "groups": [{"selector": None}]}}]}, ["/body/rules/0/anyApproval/groups/0/selector nullable"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"anyAproval": {}}]}, ["/body/rules/0/anyAproval additionalProperties"]),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(provider={"type": "http", "url": 5, "retry": 1})]}}]}, ["/body/rules/0/verification/metrics/0/provider/url type", "/body/rules/0/verification/metrics/0/provider/retry additionalProperties"]),
        (bodies.CreateFreeze, {"reason": "r", "scope": "planet", "scopeId": "x"}, ["/body/scope enum", "/body/scopeId format"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_body_is_told_with_its_place(model: type[BaseModel], value: Any, expected: list[str]) -> None:
    found, problems = checked(model, value)
    assert found is None
    assert len(problems) == len(expected)
    assert all(want in problem for want, problem in zip(expected, problems, strict=True)), problems


@pytest.mark.parametrize(
    "model, value",
    [
        (bodies.RollbackBody, {"reason": "r"}),
        (bodies.PairRollbackBody, {"versionId": "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a", "reason": "r"}),
        (bodies.EnvironmentRollbackBody, {"reason": "r"}),
        (bodies.RedeployBody, {}),
        (bodies.PinBody, {"versionId": "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"}),
        (bodies.VerifyAgainBody, {"reason": "r"}),
    ],
)
@pytest.mark.parametrize("name", ["fromVersionID", "version_id", "resaon"])
def test_what_a_person_asks_for_and_is_not_known_is_refused_not_passed_over(
    model: type[BaseModel], value: Any, name: str
) -> None:
    assert checked(model, value)[1] == []
    assert checked(model, {**value, name: "x"})[1] == [f"/body/{name} additionalProperties"]


def test_null_is_absence_where_clients_in_use_send_it() -> None:
    resource = {"identifier": "i", "name": "n", "kind": "k", "version": "v", "config": None, "metadata": None, "createdAt": "x"}
    found, problems = checked(bodies.ProviderSet, {"resources": [resource]})
    assert problems == []
    assert found.resources[0].config == found.resources[0].metadata == {}


def test_what_is_wrong_with_a_value_is_told_in_our_own_words() -> None:
    value = {"deploymentVariableId": "x", "value": [1], "priority": 0}
    _, problems = body_of(value, orjson.dumps(value), bodies.DeploymentVariableValueBody)
    assert [one["message"] for one in problems] == [problem_of([1])]


def test_nulls_are_found_deep_inside_the_right_variant() -> None:
    metric = {"name": "m", "intervalSeconds": 1, "count": 1, "successCondition": "true"}
    provider = {"type": "sleep", "durationSeconds": None}
    body = {"name": "p", "rules": [{"verification": {"metrics": [{**metric, "provider": provider}]}}]}
    assert "/body/rules/0/verification/metrics/0/provider/durationSeconds nullable" in checked(bodies.CreatePolicy, body)[1]


@pytest.mark.parametrize(
    "raw, expected",
    [
        (b"", []),
        (b"limit=10&offset=5", []),
        (b"limit=0", ["/query/limit"]),
        (b"limit=", ["/query/limit"]),
        (b"limit=%31", []),
        (b"limit=+1", ["/query/limit"]),
        (b"limit=\xd9\xa1", ["/query/limit"]),
        (b"cel=x&cel=y", ["/query/cel"]),
        (b"cel=%00", ["/query/cel"]),
        (b"x=1&y=2", ["/query/x", "/query/y"]),
        (b"&".join(b"x%d=1" % number for number in range(200)), ["/query"]),
    ],
)
def test_queries(raw: bytes, expected: list[str]) -> None:
    found, problems = query_of(raw, bodies.CelPaging)
    assert (found is None) == bool(expected)
    assert [one["path"] for one in problems] == expected


def test_a_query_value_is_decoded_exactly_once() -> None:
    found, _ = query_of(b"cel=a%2Bb%26c%3D%2525+d", bodies.CelPaging)
    assert found is not None
    assert found.cel == "a+b&c=%25 d"


def test_segments_and_ids() -> None:
    assert decoded_segment("a%2Fb%3Ac%2520") == "a/b:c%20"
    assert decoded_segment("%ff") is None
    assert decoded_segment("a%00") is None
    assert canonical_uuid("0A" * 4 + "-0a0a-0a0a-0a0a-" + "0a" * 6) == "0a" * 4 + "-0a0a-0a0a-0a0a-" + "0a" * 6
    assert canonical_uuid("0a" * 16) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@hypothesis.given(JSON)
def test_whatever_is_taken_can_be_written_again(value: Any) -> None:

    try:
        parsed, text = parse(json.dumps(value).encode())
    except BadJson:
        return
    assert orjson.loads(text) == parsed == orjson.loads(dump(parsed))


@hypothesis.given(JSON)
def test_whatever_we_hold_can_be_written(value: Any) -> None:
    hypothesis.assume(all(not 0xD800 <= ord(character) <= 0xDFFF for character in str(value)))
    assert isinstance(dump(value), bytes)


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(BadJson):
        parse(b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2))


def _names() -> st.SearchStrategy[str]:
    fields = {field.alias or name for one in operations().values() if one.body for name, field in one.body.model_fields.items()}
    return st.sampled_from(sorted(fields))


@hypothesis.given(body=st.dictionaries(_names(), JSON, max_size=8), number=st.integers(0, 1000))
def test_checking_a_body_never_fails(body: dict[str, Any], number: int) -> None:
    models = sorted({one.body for one in operations().values() if one.body is not None}, key=lambda model: model.__name__)
    value, text = parse_or_skip(body)
    found, problems = body_of(value, text, models[number % len(models)])
    assert (found is None) == bool(problems)


def parse_or_skip(body: Any) -> tuple[Any, bytes]:

    try:
        return parse(json.dumps(body).encode())
    except BadJson:
        hypothesis.reject()
