"""What a version would change."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Sent, Success, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import Shop, id_of

NOTHING = {"total": 0, "changed": 0, "unchanged": 0, "errored": 0, "unsupported": 0}
VERSION: dict[str, Any] = {
    "tag": "pr-7",
    "name": "Pull request 7",
    "config": {"image": "shop:7"},
    "jobAgentConfig": {"hasChanges": True},
    "metadata": {"git/branch": "feature"},
}


def target(api: Api, agent_type: str = "test-runner", **more: Any) -> Shop:
    """A shop whose target is known."""
    at = scenes.shop(api, agent_type, **more)
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: at.resource in fact["added"])
    return at


def plan(api: Api, deployment_id: str, **version: Any) -> str:
    """Ask what a version would change; the plan's id."""
    return id_of(api.call("plan.create", {"version": {"tag": "pr-7", **version}}, deploymentId=deployment_id))


def planned(api: Api, deployment_id: str, results: int = 1, **version: Any) -> Any:
    """A plan that is through."""
    plan_id = plan(api, deployment_id, **version)
    scenes.recorded(api, "dispatcher.plan_results_started.v1", lambda fact: fact["plan_id"] == plan_id and fact["last"])
    seen: set[str] = set()

    def last(fact: dict[str, Any]) -> bool:
        if fact["plan_id"] == plan_id:
            seen.add(fact["result_id"])
        return len(seen) == results

    if results:
        scenes.recorded(api, "dispatcher.plan_result_recorded.v1", last)
    return api.call("plan.get", deploymentId=deployment_id, planId=plan_id)


@success("plan.create")
def create_plan(api: Api) -> Success:
    at = target(api)
    versions = api.pages("version.list", deploymentId=at.deployment)
    answer = yield Sent({"deploymentId": at.deployment}, {"version": VERSION, "metadata": {"by": "ci"}})
    assert (answer["status"], answer["summary"], answer["targets"], answer["expired"]) == ("computing", NOTHING, [], False)
    assert api.call("plan.get", deploymentId=at.deployment, planId=answer["id"])["id"] == answer["id"]
    # It is a question: there is no such version, and no job.
    assert api.pages("version.list", deploymentId=at.deployment) == versions
    assert api.pages("job.list") == []


@success("plan.get")
def get_plan(api: Api) -> Success:
    at = target(api)
    whole = planned(api, at.deployment, jobAgentConfig={"hasChanges": True})
    answer = yield Sent({"deploymentId": at.deployment, "planId": whole["id"]})
    assert answer == whole
    (one,) = answer["targets"]
    assert (one["environmentName"], one["resourceName"], one["hasChanges"]) == ("prod", "r", True)
    assert (one["environmentId"], one["resourceId"]) == (at.environment, at.resource)
    (result,) = one["results"]
    assert (result["status"], result["hasChanges"], result["contentHash"]) == ("completed", True, "test-runner")
    other = scenes.deployment(api, "other")
    api.refused(404, "plan.get", deploymentId=other, planId=whole["id"])
