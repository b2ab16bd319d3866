"""What is refused of a policy's metrics, where, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.command import Refused
from contracts.commands.policy.policies import SavePolicy
from contracts.facts.policy import PolicySaved
from tests.unit.policy.policy_scenes import Scene, approval

HTTP = {"type": "http", "url": "http://h"}
KUBERNETES = {"type": "kubernetes", "serverUrl": "https://k", "token": "${secret:k}", "workloads": [{"kind": "Job", "name": "n"}]}
PROMETHEUS = {"type": "prometheus", "address": "http://p", "query": "up"}


def wish(metric: dict[str, Any] | None = None, **verification: Any) -> SavePolicy:
    """A policy whose second rule measures this, as a client sends it."""
    sent = {"name": "m", "intervalSeconds": 10, "count": 5, "provider": HTTP, "successCondition": "result.ok", **(metric or {})}
    rule = {"verification": {"metrics": [sent], **verification}}
    return SavePolicy.model_validate({"name": "p", "rules": [approval().model_dump(exclude_none=True), rule]})


def problems(metric: dict[str, Any] | None = None, **verification: Any) -> list[tuple[str, str]]:
    """Paths below the rule's verification with their messages; nothing is recorded."""
    scene = Scene()
    with pytest.raises(Refused) as refused:
        scene.world.ask(wish(metric, **verification))
    assert scene.facts(PolicySaved) == []
    refusal = refused.value.refusal
    assert (refusal.kind, refusal.code in ("INVALID_METRIC", "INVALID_CEL")) == ("invalid", True)
    start = "/body/rules/1/verification/"
    assert all(one["path"].startswith(start) for one in refusal.details)
    return [(one["path"].removeprefix(start), one["message"]) for one in refusal.details]


def at(metric: dict[str, Any]) -> list[str]:
    return [path.removeprefix("metrics/0/") for path, _ in problems(metric)]


def is_saved(metric: dict[str, Any] | None = None, **verification: Any) -> bool:
    scene = Scene()
    scene.world.ask(wish(metric, **verification))
    return len(scene.facts(PolicySaved)) == 1


def test_a_type_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    ((path, message),) = problems({"provider": {"type": "graphite"}})
    assert path == "metrics/0/provider/type"
    assert message.startswith("there is no provider 'graphite'; there are ")
    assert "http, " in message
    assert "sleep" in message


@pytest.mark.parametrize(
    "provider, path",
    [
        ({"type": "http"}, "provider/url"),
        ({**HTTP, "method": "BREW"}, "provider/method"),
        ({**HTTP, "timeout": "soon"}, "provider/timeout"),
        ({**HTTP, "headers": {"a/b": 7}}, "provider/headers/a~1b"),
        ({"type": "sleep", "durationSeconds": 0}, "provider/durationSeconds"),
        ({"type": "sleep", "duration_seconds": 0}, "provider/duration_seconds"),
        ({**KUBERNETES, "workloads": [{"kind": "Pod", "name": "n"}]}, "provider/workloads/0/kind"),
        ({**KUBERNETES, "workloads": [{"kind": "Job"}]}, "provider/workloads/0/name"),
        ({**KUBERNETES, "labelSelector": "a=b"}, "provider"),
        ({**PROMETHEUS, "rangeQuery": {"step": "0s"}}, "provider/rangeQuery/step"),
        ({**PROMETHEUS, "rangeQuery": {"step": "1m", "end": "1h", "start": "1m"}}, "provider/rangeQuery"),
        ({"type": "datadog", "apiKey": "k", "appKey": "k", "queries": {"": "avg:x"}}, "provider/queries/"),
    ],
)
def test_a_configuration_is_refused_at_the_field_as_it_was_sent(provider: dict[str, Any], path: str) -> None:
    assert at({"provider": provider}) == [path]


@pytest.mark.parametrize(
    "provider, path",
    [
        ({**HTTP, "url": "http://{{.resource.name"}, "provider/url"),
        ({**HTTP, "headers": {"X~Y": "{{end}}"}}, "provider/headers/X~0Y"),
        ({**KUBERNETES, "workloads": [{"kind": "Job", "name": "{{end}}"}]}, "provider/workloads/0/name"),
        (
            {**PROMETHEUS, "authentication": {"basic": {"username": "{{", "password": "p"}}},
            "provider/authentication/basic/username",
        ),
    ],
)
def test_every_text_of_a_configuration_is_a_template(provider: dict[str, Any], path: str) -> None:
    ((where, message),) = problems({"provider": provider})
    assert where == f"metrics/0/{path}"
    assert "line 1" in message


def test_texts_that_are_no_templates_are_left_alone() -> None:
    oauth = {"tokenUrl": "http://t", "clientId": "c", "clientSecret": "${secret:c}", "scopes": ["{{read"]}
    assert is_saved({"provider": {**PROMETHEUS, "authentication": {"oauth2": oauth}}})
    assert is_saved({"provider": {**HTTP, "comment": "{{of nobody's"}})


def test_what_is_wrong_with_a_secret_does_not_quote_it() -> None:
    provider = {**PROMETHEUS, "authentication": {"bearerToken": "{{hunter2 "}}
    ((where, message),) = problems({"provider": provider})
    assert where == "metrics/0/provider/authentication/bearerToken"
    assert "line 1" in message
    assert "hunter2" not in message


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = at({"name": "n" * 257, "minimumSamples": 9, "provider": {"type": "http", "timeout": "x", "body": "{{"}})
    assert found == ["name", "minimumSamples", "provider/url", "provider/timeout", "provider/body"]


def test_more_samples_than_measurements_are_refused() -> None:
    ((path, message),) = problems({"minimumSamples": 6})
    assert path == "metrics/0/minimumSamples"
    assert message == "it is measured 5 times at most (count), so that 6 samples never come together"
    assert is_saved({"minimumSamples": 5})


@pytest.mark.parametrize(
    "baseline, path",
    [
        ({}, "baseline"),
        ({"whenMissing": "fail"}, "baseline"),
        ({"minRatio": 2, "maxRatio": 1}, "baseline/minRatio"),
        ({"minChange": 0, "maxChange": -1}, "baseline/minChange"),
        ({"maxRatio": 2, "value": "result."}, "baseline/value"),
        ({"maxRatio": 2, "value": "reslt.value"}, "baseline/value"),
        ({"maxRatio": 2, "value": "result.{{.resource.name}}"}, "baseline/value"),
        ({"maxRatio": 2, "value": ""}, "baseline/value"),
    ],
)
def test_a_baseline_that_compares_nothing_is_refused(baseline: dict[str, Any], path: str) -> None:
    assert at({"baseline": baseline})[0] == path


@pytest.mark.parametrize(
    "baseline", [{"maxRatio": 1.1}, {"minRatio": 1, "maxRatio": 1}, {"maxChange": -1, "value": "result.json.n"}]
)
def test_a_baseline_with_a_bound_is_saved(baseline: dict[str, Any]) -> None:
    assert is_saved({"provider": PROMETHEUS, "baseline": baseline})


def test_a_time_after_passing_in_which_nothing_is_measured_is_refused() -> None:
    ((path, message),) = problems(continueSeconds=9)
    assert path == "continueSeconds"
    assert message.endswith("the shortest interval of a metric is 10")
    assert is_saved(continueSeconds=10)


@pytest.mark.parametrize("seconds", [0, -1, 31 * 24 * 3600 + 1])
def test_a_time_after_passing_has_bounds(seconds: int) -> None:
    with pytest.raises(ValidationError) as refused:
        wish(continueSeconds=seconds)
    assert refused.value.errors()[0]["loc"][-1] == "continueSeconds"


def test_a_rule_has_so_many_metrics_at_most() -> None:
    sent = {"intervalSeconds": 10, "count": 1, "provider": {"type": "sleep"}, "successCondition": "true"}
    most = [{"name": str(number), **sent} for number in range(500)]
    assert is_saved(metrics=most)
    ((path, message),) = problems(metrics=[*most, {"name": "more", **sent}])
    assert path == "metrics"
    assert message == "a rule may have 500 metrics at most, this one has 501; put the others into another rule"
