"""What is written of a rule or a metric is what was given; who reads it sees the defaults."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.shapes import DeploymentWindow, MetricSpec, Rule, Verification

METRIC: dict[str, Any] = {
    "name": "errors",
    "intervalSeconds": 1,
    "count": 1,
    "provider": {"type": "http", "url": "http://localhost"},
    "successCondition": "true",
}


@pytest.mark.parametrize(
    "given", [{"metrics": [METRIC]}, {"triggerOn": "jobSuccess", "metrics": [{**METRIC, "failureThreshold": 0}]}]
)
def test_a_shape_is_written_as_it_was_given(given: dict[str, Any]) -> None:
    read = Verification.model_validate(given)
    assert (read.trigger_on, read.metrics[0].failure_threshold, read.metrics[0].provider.type) == ("jobSuccess", 0, "http")
    assert read.model_dump(mode="json", by_alias=True) == given


def test_what_was_given_survives_commands_facts_and_snapshots() -> None:
    """They are written by name or by alias, with their absent parts or without."""
    window = DeploymentWindow.model_validate({"rrule": "FREQ=DAILY", "durationMinutes": 5})
    sent = RuleInput(deployment_window=window)
    for by_alias in (False, True):
        sent = RuleInput.model_validate_json(sent.model_dump_json(by_alias=by_alias))
    rule = Rule.model_validate({**dict(sent), "id": "r", "created_at": "2026-01-01T00:00:00.000Z"})
    for by_alias in (False, True):
        rule = Rule.model_validate_json(rule.model_dump_json(by_alias=by_alias))
    assert rule.deployment_window == window
    assert rule.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "id": "r",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "deploymentWindow": {"rrule": "FREQ=DAILY", "durationMinutes": 5},
    }


def test_a_changed_copy_is_written_with_its_change() -> None:
    spec = MetricSpec.model_validate(METRIC).model_copy(update={"failure_threshold": 2})
    assert spec.model_dump(by_alias=True)["failureThreshold"] == 2
