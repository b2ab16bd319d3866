"""What is wrong with a body is told once, at its place, and in the words of JSON."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.gateway.configs.checks import agent_problems, deployment_problems
from services.gateway.http import bodies
from services.gateway.http.app import operations
from services.gateway.http.validation import body_of, query_of
from tests.unit.gateway.test_validation import metric

_NOT_OURS = re.compile(
    r"(?i)tuple|dict|frozen|none\b|valid (string|integer|array|list|boolean|number|datetime)|\w\[|input should|model"
)
_PROVIDER = "/body/rules/0/verification/metrics/0/provider"


def told(model: type[BaseModel], value: Any) -> list[tuple[str, str]]:
    _, problems = body_of(value, orjson.dumps(value), model)
    return [(one["path"], one["message"]) for one in problems]


def of_provider(provider: Any) -> list[tuple[str, str]]:
    found = told(bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(provider=provider)]}}]})
    return [(path.removeprefix(_PROVIDER), message) for path, message in found]


PROMETHEUS = {"type": "prometheus", "address": "http://x", "query": "up"}
DATADOG = {"type": "datadog", "apiKey": "a", "appKey": "b"}


@pytest.mark.parametrize(
    "provider,expected",
    [
        ({**PROMETHEUS, "headers": {"a": "b"}}, [("/headers", "must be a list, not an object")]),
        ({**PROMETHEUS, "headers": {"key": "a", "value": None}}, [("/headers", "must be a list, not an object")]),
        ({**PROMETHEUS, "headers": "a"}, [("/headers", "must be a list, not a text")]),
        ({**PROMETHEUS, "headers": [["a", "b"]]}, [("/headers/0", "must be an object, not a list")]),
        ({**PROMETHEUS, "headers": [{"key": "a"}]}, [("/headers/0/value", "must have required property 'value'")]),
        ({**PROMETHEUS, "headers": [{"key": "a", "value": 1}]}, [("/headers/0/value", "must be a text, not a number")]),
        ({**PROMETHEUS, "authentication": {"oauth2": 5}}, [("/authentication/oauth2", "must be an object, not a number")]),
        ({**PROMETHEUS, "authentication": [{"x": 1}]}, [("/authentication", "must be an object, not a list")]),
        ({**PROMETHEUS, "rangeQuery": {"step": True}}, [("/rangeQuery/step", "must be a text, not true or false")]),
        ({"type": "http", "url": "http://x", "headers": [{"key": "a"}]}, [("/headers", "must be an object, not a list")]),
        ({"type": "http", "url": "http://x", "insecure": "yes"}, [("/insecure", "must be true or false, not a text")]),
        ({"type": "sleep", "durationSeconds": 1.5}, [("/durationSeconds", "must be a whole number, not a fraction")]),
        ("http", [("", "must be an object, not a text")]),
        ({**DATADOG, "queries": {f"q{number}": "x" for number in range(51)}}, [("/queries", "must have at most 50 entries")]),
        ({**DATADOG, "queries": {}}, [("/queries", "must have at least 1 entry, not 0")]),
    ],
)
def test_what_is_wrong_with_whom_a_metric_asks(provider: Any, expected: list[tuple[str, str]]) -> None:
    assert of_provider(provider) == expected


@pytest.mark.parametrize(
    "provider", [{"type": "nope", "url": "http://x", "a": 1}, {"type": 5, "url": "http://x"}, {"url": "http://x"}]
)
def test_of_a_type_that_nobody_knows_no_property_is_unknown(provider: Any) -> None:
    assert [path for path, _ in of_provider(provider)] == ["/type"]


@pytest.mark.parametrize(
    "model,value,expected",
    [
        (bodies.SystemBody, [], ("/body", "must be an object, not a list")),
        (bodies.SystemBody, {"name": 1}, ("/body/name", "must be a text, not a number")),
        (bodies.WorkflowBody, {"name": "w", "inputs": [], "jobAgents": {"name": None}}, ("/body/jobAgents", "must be a list, not an object")),
        (bodies.CreatePolicy, {"name": "p", "rules": {"verification": {}}}, ("/body/rules", "must be a list, not an object")),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": [{"x": 1}]}]}, ("/body/rules/0/verification", "must be an object, not a list")),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": []}}]}, ("/body/rules/0/verification/metrics", "must have at least 1 entry, not 0")),
        (bodies.CreatePolicy, {"name": "p", "metadata": {"a": 1}}, ("/body/metadata/a", "must be a text, not a number")),
        (bodies.CreatePolicy, {"name": "p", "rules": [{"verification": {"metrics": [metric(noData="x")]}}]}, ("/body/rules/0/verification/metrics/0/noData", "must be 'fail', 'pass' or 'hold'")),
        (bodies.CreateVersion, {"name": "", "tag": "v", "status": "ready", "createdAt": "today"}, ("/body/createdAt", "must be an instant, for example 2026-01-31T12:00:00Z")),
        (bodies.CreateVersion, {"name": "", "tag": "v", "status": "ready", "dependencies": {"x": {"versionSelector": None}}}, ("/body/dependencies/x/versionSelector", "must not be null; leave it out instead")),
        (bodies.ResourceSearch, {"limit": 0}, ("/body/limit", "must be greater than or equal to 1")),
        (bodies.DeploymentVariableValueBody, {"deploymentVariableId": f"{UUID(int=1)}", "priority": 0, "value": []}, ("/body/value", 'must be a text, a number, true or false, {"object": {…}}, {"reference": "…", "path": ["…"]} or {"valueHash": "…"}')),
        (bodies.CreateWorkspace, {"name": "ab", "slug": "abc"}, ("/body/name", "must have at least 3 characters")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_body(model: type[BaseModel], value: Any, expected: tuple[str, str]) -> None:
    assert told(model, value) == [expected]


def test_what_is_wrong_with_a_query() -> None:
    _, problems = query_of(b"limit=x&from=yesterday&points=0", bodies.MeasurementsQuery)
    assert [one["message"] for one in problems] == [
        "must be integer",
        "must be an instant, for example 2026-01-31T12:00:00Z",
        "must be greater than or equal to 1",
    ]


@pytest.mark.parametrize(
    "agent_type,config,expected",
    [
        ("manual", {"assignees": "ann"}, ("assignees", "must be a list, not a text")),
        ("manual", {"assignees": ["ann", 5]}, ("assignees/1", "must be a text, not a number")),
        ("webhook", {"headers": [{"key": "a"}]}, ("headers", "must be an object, not a list")),
        ("webhook", {"headers": {"a": 1}}, ("headers/a", "must be a text, not a number")),
        ("argo-cd", {"template": 5}, ("template", "must be a text, not a number")),
        ("github-app", {"installationId": "twelve"}, ("installationId", "must be a whole number, not a text")),
        ("http-pull", {"leaseSeconds": "long"}, ("leaseSeconds", "must be a number, not a text")),
        ("kubernetes", {"insecure": 5}, ("insecure", "must be true or false, not a number")),
        ("argo-cd", {"serverUrl": " "}, ("serverUrl", "is empty; write for example https://example.com")),
    ],
)
def test_what_is_wrong_with_a_configuration(agent_type: str, config: Any, expected: tuple[str, str]) -> None:
    assert [(one["path"], one["message"]) for one in agent_problems(agent_type, config)] == [expected]
    assert [(one["path"], one["message"]) for one in deployment_problems(config, read_outside=False)] == [expected]


_NAMES = sorted(
    {name for one in operations().values() if one.body for name in (f.alias or n for n, f in one.body.model_fields.items())}
)
_SOME = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, "", "x", "prometheus"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "headers", "metrics", *_NAMES]), inner, max_size=3)
    ),
    max_leaves=8,
)
_MODELS = sorted({one.body for one in operations().values() if one.body is not None}, key=lambda model: model.__name__)


@given(st.dictionaries(st.sampled_from(_NAMES), _SOME, max_size=6), st.sampled_from(_MODELS))
def test_each_place_is_told_once_and_without_words_of_ours(body: Any, model: type[BaseModel]) -> None:
    problems = told(model, body)
    assert len({path for path, _ in problems}) == len(problems)
    assert [message for _, message in problems if _NOT_OURS.search(message)] == []
    for path, message in problems:
        place: Any = {"body": body}
        *before, last = path.split("/")[1:]
        for part in before:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if "required property" in message:
            assert last not in place
        else:
            place[int(last)] if isinstance(place, list) else place[last]
