"""What facts about plans do to the read tables, and how a plan is read from them."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner
from contracts.shapes import Json
from services.gateway.adapters.memory import MemoryRows
from services.gateway.http import plans
from services.gateway.http.call import Call, Reply
from services.gateway.http.problem import NotFound
from tests.unit.gateway.readmodel_scenes import AT, WORKSPACE, A, D, E, R, deployment, environment, project, resource, uid

PLAN, ONE, TWO, OTHER = (uid(number) for number in range(80, 84))
OF: dict[str, Any] = {"plan_id": PLAN, "deployment_id": D}
ZEROS = {"total": 0, "changed": 0, "unchanged": 0, "errored": 0, "unsupported": 0}


def requested() -> dispatcher.PlanRequested:
    version = dispatcher.PlannedVersion(version_id=uid(90), tag="pr-7", name="pr-7")
    return dispatcher.PlanRequested(**OF, version=version, created_at=AT, expires_at=AT + timedelta(hours=1))


def started(*results: str, last: bool = True, resource_id: str = R) -> dispatcher.PlanResultsStarted:
    items = tuple(
        dispatcher.PlanResultItem(
            result_id=one,
            environment_id=E,
            resource_id=resource_id,
            agent_id=A,
            agent=1,
            resource=2,
            environment=3,
            deployment=4,
            targets=5,
        )
        for one in results
    )
    return dispatcher.PlanResultsStarted(**OF, targets=((E, resource_id),), results=items, last=last, started_at=AT)


def ended(result_id: str = ONE, status: Any = "completed", **more: Any) -> dispatcher.PlanResultRecorded:
    return dispatcher.PlanResultRecorded(**OF, result_id=result_id, status=status, recorded_at=AT, **more)


def reported(**more: Any) -> dispatcher.PlanReported:
    return dispatcher.PlanReported(**OF, number=0, what="comment", state="running", reported_at=AT, **more)


WORLD: tuple[Fact, ...] = (deployment(), environment(), resource(), requested())


async def read(*facts: Fact, later: timedelta = timedelta(0), deployment_id: str = D, plan_id: str = PLAN) -> Json:
    """The plan as it is answered after these facts."""
    return await read_from(await project(*facts), later, deployment_id, plan_id)


async def read_from(rows: MemoryRows, later: timedelta = timedelta(0), deployment_id: str = D, plan_id: str = PLAN) -> Json:
    ids = {"deploymentId": deployment_id, "planId": plan_id}
    call = SimpleNamespace(
        store=rows,
        now=lambda: AT + later,
        workspace_id=WORKSPACE,
        id=lambda name, what: ids[name],
    )
    answer = await plans.get_deployment_plan(cast(Call, call))
    assert isinstance(answer, Reply)
    assert answer.status == 200
    body: Json = answer.body
    return body


async def test_a_plan_is_computing_until_it_is_known_which_results_there_will_be() -> None:
    answer = await read(*WORLD)
    assert (answer["status"], answer["targets"], answer["summary"]) == ("computing", [], ZEROS)
    answer = await read(*WORLD, started(ONE, last=False), ended())
    assert (answer["status"], answer["summary"]["total"]) == ("computing", 1)
    assert (await read(*WORLD, started(ONE, last=True), ended()))["status"] == "completed"
    assert (await read(*WORLD, started(ONE, TWO), ended()))["status"] == "computing"
    assert (await read(*WORLD, started()))["status"] == "completed"


async def test_a_plan_with_a_result_that_failed_has_failed_once_all_are_there() -> None:
    failed = ended(TWO, "errored", message="no such cluster")
    assert (await read(*WORLD, started(ONE, TWO), failed))["status"] == "computing"
    answer = await read(*WORLD, started(ONE, TWO), failed, ended(has_changes=False))
    assert (answer["status"], answer["summary"]) == ("failed", ZEROS | {"total": 2, "unchanged": 1, "errored": 1})


async def test_a_summary_counts_only_what_is_known() -> None:
    answer = await read(*WORLD, started(ONE, TWO, OTHER), ended(has_changes=True), ended(TWO), ended(OTHER, "unsupported"))
    assert answer["summary"] == ZEROS | {"total": 3, "changed": 1, "unsupported": 1}
    assert answer["targets"][0]["hasChanges"] is True


async def test_what_is_not_known_is_false_or_empty() -> None:
    answer = await read(*WORLD, started(ONE))
    (target,) = answer["targets"]
    assert (target["environmentName"], target["resourceName"], target["hasChanges"]) == ("prod", "r", False)
    assert target["results"] == [
        {
            "id": ONE,
            "jobAgentId": A,
            "status": "computing",
            "hasChanges": False,
            "contentHash": "",
            "current": "",
            "proposed": "",
            "cut": False,
            "message": "",
            "validations": [],
        }
    ]


async def test_a_result_is_shown_with_its_texts_and_what_rules_say() -> None:
    said = (
        dispatcher.PlanValidation(policy_id=uid(1), rule_id=uid(2), name="grows", passed=False, violations=("a", "b")),
        dispatcher.PlanValidation(policy_id=uid(1), rule_id=uid(3), name="broken", passed=False, error="line 1"),
    )
    done = ended(has_changes=True, current="1", proposed="2", content_hash="h", message="m", cut=True, validations=said)
    (result,) = (await read(*WORLD, started(ONE), done))["targets"][0]["results"]
    assert (result["current"], result["proposed"], result["contentHash"], result["message"]) == ("1", "2", "h", "m")
    assert (result["cut"], "error" in result["validations"][0], result["validations"][1]["error"]) == (True, False, "line 1")
    assert result["validations"][0]["violations"] == [{"message": "a"}, {"message": "b"}]


async def test_texts_that_do_not_fit_into_an_answer_are_left_out_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MAX_TEXT", 10)
    facts = [ended(ONE, current="123456", content_hash="one"), ended(TWO, current="123456"), ended(OTHER, proposed="1234")]
    answer = await read(*WORLD, started(ONE, TWO, OTHER), *facts)
    shown = {one["id"]: (one["current"] + one["proposed"], one["cut"]) for one in answer["targets"][0]["results"]}
    assert shown == {ONE: ("123456", False), TWO: ("", True), OTHER: ("1234", False)}


async def test_targets_are_in_the_order_of_their_names() -> None:
    other = inventory.ResourceSaved(
        resource_id=OTHER, identifier="a", name="a", kind="k", version="v", created_at=AT, updated_at=AT
    )
    answer = await read(*WORLD, other, started(ONE, last=False), started(TWO, resource_id=OTHER))
    assert [one["resourceName"] for one in answer["targets"]] == ["a", "r"]


async def test_what_was_deleted_since_keeps_its_name() -> None:
    gone = (planner.EnvironmentDeleted(environment_id=E), inventory.ResourceDeleted(resource_id=R, identifier="i"))
    (target,) = (await read(*WORLD, started(ONE), *gone))["targets"]
    assert (target["environmentName"], target["resourceName"]) == ("prod", "r")


async def test_a_plan_that_is_older_than_an_hour_says_so() -> None:
    assert not (await read(*WORLD, later=timedelta(minutes=59)))["expired"]
    assert (await read(*WORLD, later=timedelta(hours=1)))["expired"]


async def test_where_a_plan_is_reported_or_why_not_is_shown() -> None:
    assert (await read(*WORLD, reported(pull_request=7)))["pullRequest"] == 7
    assert (await read(*WORLD, reported(pull_request=7), reported(error="gone")))["reportError"] == "gone"
    answer = await read(*WORLD, reported())
    assert "pullRequest" not in answer
    assert "reportError" not in answer


@pytest.mark.parametrize("other", [{"deployment_id": OTHER}, {"plan_id": OTHER}])
async def test_a_plan_is_found_under_its_own_deployment_alone(other: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        await read(*WORLD, **cast(Any, other))


async def test_nothing_of_a_plan_is_left_when_its_deployment_is_deleted() -> None:
    rows = await project(*WORLD, started(ONE), ended(current="1"), planner.DeploymentDeleted(deployment_id=D))
    assert not [key for key in rows.dump(WORKSPACE) if key[0].startswith("plan")]
    with pytest.raises(NotFound):
        await read_from(rows)
    # What ends only then brings nothing back.
    rows = await project(*WORLD, started(ONE), planner.DeploymentDeleted(deployment_id=D), ended(current="1"), reported())
    with pytest.raises(NotFound):
        await read_from(rows)
