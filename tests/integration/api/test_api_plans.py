"""Plans from the question to the answer: who is asked, what comes of it, and what rules say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.api import scenes
from tests.integration.api.cases_of_plans import NOTHING, plan, planned, target
from tests.integration.api.checker import Api

pytestmark = pytest.mark.integration

GROWS = 'package shop\n\ndeny contains sprintf("%s would change", [input.resource.name]) if input.hasChanges\n'
CONTENT = 'package content\n\ndeny contains "never" if input.agentType == "nobody"\n'


def _rules(api: Api, *rules: tuple[str, str], **more: Any) -> Any:
    body = {
        "name": "plans",
        "selector": "true",
        "rules": [{"planValidationOpa": {"name": name, "rego": rego}} for name, rego in rules],
    }
    return api.call("policy.create", body | more)


@pytest.mark.parametrize("changes", [True, False])
def test_a_plan_says_what_would_change(api: Api, changes: bool) -> None:
    at = target(api)
    answer = planned(api, at.deployment, jobAgentConfig={"hasChanges": changes})
    summary = {"total": 1, "changed": int(changes), "unchanged": int(not changes)}
    assert (answer["status"], answer["summary"]) == ("completed", NOTHING | summary)
    (one,) = answer["targets"]
    assert (one["hasChanges"], one["results"][0]["jobAgentId"]) == (changes, at.agent)
    lives = datetime.fromisoformat(answer["expiresAt"]) - datetime.fromisoformat(answer["createdAt"])
    assert (lives, answer["expired"]) == (timedelta(hours=1), False)


def test_plan_no_agents_completes(api: Api) -> None:
    at = target(api, jobAgentSelector="false")
    answer = planned(api, at.deployment, results=0)
    assert (answer["status"], answer["summary"]) == ("completed", NOTHING)
    assert [(one["resourceId"], one["hasChanges"], one["results"]) for one in answer["targets"]] == [(at.resource, False, [])]
    alone = scenes.deployment(api, "alone")
    answer = planned(api, alone, results=0)
    assert (answer["status"], answer["targets"]) == ("completed", [])


def test_plan_unsupported_agent(api: Api) -> None:
    at = target(api, "jenkins")
    answer = planned(api, at.deployment)
    assert (answer["status"], answer["summary"]) == ("completed", NOTHING | {"total": 1, "unsupported": 1})
    result = answer["targets"][0]["results"][0]
    assert (result["status"], result["hasChanges"], result["contentHash"], result["current"]) == ("unsupported", False, "", "")
    assert "jenkins" in result["message"]


def test_a_dry_run_that_can_not_be_made_fails_the_plan_and_says_why(api: Api) -> None:
    at = target(api)
    answer = planned(api, at.deployment, jobAgentConfig={"hasChanges": "perhaps"})
    assert (answer["status"], answer["summary"]) == ("failed", NOTHING | {"total": 1, "errored": 1})
    assert "hasChanges" in answer["targets"][0]["results"][0]["message"]


def test_plan_validation_pass_fail_multi(api: Api) -> None:
    at = target(api)
    made = _rules(api, ("grows", GROWS), ("content", CONTENT), priority=1)
    _rules(api, ("elsewhere", GROWS), name="elsewhere", selector='environment.name == "none"')
    _rules(api, ("first", CONTENT), name="first", priority=2)
    (result,) = planned(api, at.deployment, jobAgentConfig={"hasChanges": True})["targets"][0]["results"]
    said = {one["name"]: one for one in result["validations"]}
    assert result["validations"][0]["name"] == "first"
    assert {name: one["passed"] for name, one in said.items()} == {"first": True, "grows": False, "content": True}
    assert said["grows"]["violations"] == [{"message": "r would change"}]
    assert said["grows"]["policyId"] == made["id"]
    assert "evaluatedAt" in result
    # They never block anything, nor do they make a plan fail.
    scenes.deployed(api, at, scenes.version(api, at.deployment))


def test_a_plan_goes_by_the_targets_and_the_names_of_its_time(api: Api) -> None:
    at = target(api)
    before = planned(api, at.deployment)
    api.call("resource.delete", identifier="r")
    after = api.call("plan.get", deploymentId=at.deployment, planId=before["id"])
    assert after == before
    assert planned(api, at.deployment, results=0)["targets"] == []


def test_a_deployment_goes_with_its_plans(api: Api) -> None:
    at = target(api)
    plan_id = planned(api, at.deployment)["id"]
    api.call("deployment.delete", deploymentId=at.deployment)
    api.refused(404, "plan.get", deploymentId=at.deployment, planId=plan_id)
    api.refused(404, "plan.create", {"version": {"tag": "v"}}, deploymentId=at.deployment)


def test_a_plan_of_a_pull_request_says_why_it_is_not_reported(api: Api) -> None:
    """This installation has no GitHub App."""
    at = target(api)
    metadata = {"github/owner": "acme", "github/repo": "shop", "git/sha": "a" * 40}
    plan_id = plan(api, at.deployment, metadata=metadata)
    scenes.recorded(api, "dispatcher.plan_reported.v1", lambda fact: fact["plan_id"] == plan_id)
    answer = api.call("plan.get", deploymentId=at.deployment, planId=plan_id)
    assert "SIGNALBOX_GITHUB_APP_ID" in answer["reportError"]


def test_a_version_that_is_too_large_is_refused_with_a_sentence(api: Api) -> None:
    at = target(api)
    body = {"version": {"tag": "v", "config": {"a": "x" * 300_000}}}
    assert "shorten" in api.refused(400, "plan.create", body, deploymentId=at.deployment)["message"]
