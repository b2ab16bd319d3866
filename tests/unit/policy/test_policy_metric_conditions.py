"""Metrics that could never be told apart or judged are refused, and what is said tells what belongs there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.policy.test_policy_metrics import HTTP, PROMETHEUS, is_saved, problems

DATADOG = {"type": "datadog", "apiKey": "${secret:env:A}", "appKey": "${secret:env:B}", "queries": {"a": "avg:a", "b": "avg:b"}}
SENT = {"intervalSeconds": 10, "count": 1, "provider": {"type": "sleep"}, "successCondition": "true"}


def test_metrics_of_one_rule_have_names_of_their_own() -> None:
    metrics = [{**SENT, "name": name} for name in ("errors", "latency", "errors", "errors")]
    found = problems(metrics=metrics)
    assert [path for path, _ in found] == ["metrics/2/name", "metrics/3/name"]
    assert found[0][1].startswith("metrics/0 is named 'errors' too")
    assert is_saved(metrics=[{**SENT, "name": name} for name in ("errors", "Errors", " errors")])


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_metric_has_a_name(name: str) -> None:
    ((path, message),) = problems({"name": name})
    assert (path, message) == (
        "metrics/0/name",
        "it is empty; a metric is told by its name, so give it one, for example error-rate",
    )
    assert [path for path, _ in problems(metrics=[{**SENT, "name": name}] * 2)] == ["metrics/0/name", "metrics/1/name"]


@pytest.mark.parametrize(
    "fields,path,said",
    [
        ({"successCondition": ""}, "successCondition", "says when a measurement is good: write CEL over result, for example result.ok"),
        ({"successCondition": " \n"}, "successCondition", "says when a measurement is good"),
        ({"failureCondition": " "}, "failureCondition", "says when a measurement is bad: leave it out, or write CEL over result"),
        ({"provider": PROMETHEUS, "baseline": {"maxRatio": 2, "value": ""}}, "baseline/value", "leave it out for result.value"),
    ],
)  # fmt: skip
def test_what_is_empty_is_told_with_what_belongs_there(fields: dict[str, Any], path: str, said: str) -> None:
    ((where, message),) = problems(fields)
    assert where == f"metrics/0/{path}"
    assert said in message
    assert 'write "true"' not in message


@pytest.mark.parametrize("source", ["5", "'x'", "[true]", "null", "1 + 1", "size(result.body)", "result.value * 2.0"])
@pytest.mark.parametrize("field", ["successCondition", "failureCondition"])
def test_a_condition_that_is_neither_true_nor_false_is_refused(field: str, source: str) -> None:
    ((path, message),) = problems({field: source, "provider": PROMETHEUS})
    assert path == f"metrics/0/{field}"
    assert message.startswith("it is neither true nor false, whatever is measured: write CEL over result")


@pytest.mark.parametrize("source", ["1 / 0 > 2", "{'a': 1}.b == 2"])
def test_a_condition_without_an_answer_is_refused(source: str) -> None:
    ((path, message),) = problems({"successCondition": source})
    assert path == "metrics/0/successCondition"
    assert message.startswith("it does not look at the result and has no answer")


@pytest.mark.parametrize(
    "source", ["true", "false", "'x' == 'x'", "{{.variables.limit}}", "'{{.version.tag}}'", "result.ok", "has(result.value)", "result.flag"]
)  # fmt: skip
def test_a_condition_that_may_be_true_is_saved(source: str) -> None:
    assert is_saved({"successCondition": source, "failureCondition": source})


def test_no_failure_condition_is_none() -> None:
    assert is_saved({"failureCondition": ""})


@pytest.mark.parametrize("source", ["'x'", "true", "[1]", "1 / 0"])
def test_a_baseline_without_a_number_is_refused(source: str) -> None:
    ((path, message),) = problems({"provider": PROMETHEUS, "baseline": {"maxRatio": 2, "value": source}})
    assert path == "metrics/0/baseline/value"
    assert message.startswith("it does not look at the result and gives no number")


@pytest.mark.parametrize(
    "fields,path,said",
    [
        ({"successCondition": "result.value < 5.0"}, "successCondition", "an HTTP endpoint has no value of its own"),
        ({"failureCondition": "result.ok && result.value > 5.0"}, "failureCondition", "an HTTP endpoint has no value"),
        ({"baseline": {"maxRatio": 2}}, "baseline/value", "an HTTP endpoint has no value of its own"),
        (
            {"provider": DATADOG, "successCondition": "result.value < 5.0"},
            "successCondition",
            "several queries without a formula",
        ),
        ({"provider": DATADOG, "baseline": {"maxRatio": 2}}, "baseline/value", "several queries without a formula"),
    ],
)
def test_a_value_that_is_never_there_is_not_waited_for(fields: dict[str, Any], path: str, said: str) -> None:
    ((where, message),) = problems(fields)
    assert where == f"metrics/0/{path}"
    assert message.startswith(f"result.value is never there: {said}")


@pytest.mark.parametrize(
    "fields",
    [
        {"successCondition": "!has(result.value) || result.value < 5.0"},
        {"successCondition": "result.json.value < 5.0", "baseline": {"maxRatio": 2, "value": "result.json.value"}},
        {"provider": DATADOG, "successCondition": "result.queries.a < result.queries.b"},
        {"provider": {**DATADOG, "formula": "a / b"}, "successCondition": "result.value < 5.0", "baseline": {"maxRatio": 2}},
        {"provider": {**DATADOG, "queries": {"a": "avg:a"}}, "successCondition": "result.value < 5.0"},
        {"provider": PROMETHEUS, "successCondition": "result.value < 5.0"},
    ],
)
def test_a_value_that_may_be_there_is_waited_for(fields: dict[str, Any]) -> None:
    assert is_saved(fields)


def test_a_place_is_told_once() -> None:
    ((path, _),) = problems({"provider": {**HTTP, "headers": {"X Y": "{{end}}"}}})
    assert path == "metrics/0/provider/headers/X Y"
