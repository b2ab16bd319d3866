"""`tfe` against a pretended Terraform Cloud: dry runs, what they show, and what they hide."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from contracts.shapes import Json
from services.dispatcher.adapters import tfe_plan
from tests.conformance.agents.agent_scenes import JOB, delayed, planned
from tests.conformance.agents.tfe_scenes import RESULT, RUN, House, planning, standing
from tests.fakes.serving import Fault
from tests.fakes.tfe import no

PLAN: Json = {
    "format_version": "1.2",
    "terraform_version": "1.10.0",
    "variables": {"password": {"value": "hush"}},
    "planned_values": {"outputs": {"password": {"sensitive": True, "value": "hush"}}},
    "resource_changes": [
        {
            "address": "a.new",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"size": 1, "password": "hush", "list": [{"key": "hush"}, {"key": "open"}]},
                "after_sensitive": {"password": True, "list": [{"key": True}]},
                "before_sensitive": False,
            },
        },
        {"address": "a.other", "change": {"actions": ["update"], "before": "hush", "before_sensitive": True, "after": "x", "after_sensitive": {}}},
        {"address": "a.replaced", "change": {"actions": ["delete", "create"]}},
        {"address": "a.gone", "change": {"actions": ["delete"]}},
        {"address": "a.same", "change": {"actions": ["no-op"]}},
        {"address": "a.read", "change": {"actions": ["read"]}},
    ],
    "output_changes": {"password": {"actions": ["create"], "before": None, "after": "hush", "after_sensitive": True}},
}  # fmt: skip


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


async def test_tfe_plan_states(house: House) -> None:
    house.tfe.workspace("shop-eu")
    assert delayed(await house.agent.plan(planning(house))).retry_after_s == 5
    ((run_id, run),) = house.tfe.runs.items()
    assert run["attributes"]["plan-only"] is True
    assert JOB not in run["attributes"]["message"]
    for status in ("planning", "planned", "cost_estimating", "policy_checking"):
        house.tfe.move(run_id, status)
        delayed(await house.agent.plan(planning(house)))
    house.tfe.move(run_id, "planned_and_finished")
    assert "not written yet" in delayed(await house.agent.plan(planning(house))).message
    house.tfe.plans[run_id] = PLAN
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes, answer.message, answer.current) == ("completed", True, "+2 ~1 -2", "")
    assert "hush" not in answer.proposed
    first = json.loads(answer.proposed)["resource_changes"][0]["change"]["after"]
    assert first == {"size": 1, "password": "••••••", "list": [{"key": "••••••"}, {"key": "open"}]}
    assert len(house.tfe.runs) == 1


@pytest.mark.parametrize("status", ["errored", "canceled", "force_canceled", "discarded", "policy_soft_failed"])
async def test_tfe_plan_states_that_end_without_a_plan(house: House, status: str) -> None:
    house.tfe.workspace("shop-eu")
    delayed(await house.agent.plan(planning(house)))
    house.tfe.move(next(iter(house.tfe.runs)), status)
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes) == ("completed", False)
    assert f"ended as {status}" in answer.message


@pytest.mark.parametrize(
    "plan,changes",
    [
        ({"resource_changes": [], "output_changes": {}}, False),
        ({}, False),
        ({"resource_changes": [{"change": {"actions": ["no-op"]}}]}, False),
        ({"output_changes": {"o": {"actions": ["update"]}}}, True),
        ({"resource_changes": "odd", "output_changes": ["odd"]}, False),
    ],
)
async def test_a_plan_may_change_nothing(house: House, plan: Json, changes: bool) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    run_id = house.tfe.run(workspace_id, f"Planned for {RESULT}", "planned_and_finished")
    house.tfe.plans[run_id] = plan
    answer = planned(await house.agent.plan(planning(house, again=True)))
    assert (answer.has_changes, answer.message) == (changes, "+0 ~0 -0")


async def test_a_plan_that_is_too_large_is_counted_by_terraform(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfe_plan, "MAX_PLAN_BYTES", 100)
    run_id = house.tfe.run(house.tfe.workspace("shop-eu"), f"Planned for {RESULT}", "planned_and_finished")
    house.tfe.plans[run_id] = PLAN
    answer = planned(await house.agent.plan(planning(house, again=True)))
    assert (answer.has_changes, answer.message.split(" (")[0]) == (True, "+5 ~6 -7")


async def test_a_plan_is_made_with_the_variables_of_the_template(house: House) -> None:
    house.tfe.workspace("w")
    template = (
        "name: w\nvariables:\n- {key: size, value: 3}\n- {key: tags, value: '[\"a\"]', hcl: true}\n- {key: odd, value: '${x} \"%{y}'}\n"
        "- {key: hush, value: hush, sensitive: true}\n- {key: ENV, value: e, category: env}"
    )
    delayed(await house.agent.plan(planning(house, template=template)))
    (run,) = house.tfe.runs.values()
    assert run["attributes"]["variables"] == [
        {"key": "size", "value": '"3"'},
        {"key": "tags", "value": '["a"]'},
        {"key": "odd", "value": '"$${x} \\"%%{y}"'},
    ]
    assert house.tfe.variables == {}


async def test_a_plan_creates_no_workspace(house: House) -> None:
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, answer.has_changes) == ("completed", True)
    assert "shop-eu does not exist yet" in answer.message
    assert (house.tfe.workspaces, house.tfe.runs) == ({}, {})


async def test_a_plan_that_takes_too_long_is_cancelled(house: House) -> None:
    house.tfe.workspace("shop-eu")
    delayed(await house.agent.plan(planning(house)))
    house.clock.forward(301)
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, "did not end within 5 min" in answer.message) == ("errored", True)
    (run,) = house.tfe.runs.values()
    assert run["attributes"]["status"] == "canceled"


@pytest.mark.parametrize("fault", [Fault(RUN, no(500, "x"), done=True), Fault(RUN, cut=True, done=True)])
async def test_a_plan_is_started_once(house: House, fault: Fault) -> None:
    house.tfe.workspace("shop-eu")
    house.tfe.faults.append(replace(fault))
    delayed(await house.agent.plan(planning(house)))
    delayed(await house.agent.plan(planning(house)))
    delayed(await house.restarted().plan(planning(house, again=True)))
    assert len(house.runs_of(RESULT)) == 1


async def test_what_can_not_be_planned_is_an_error(house: House) -> None:
    assert planned(await house.agent.plan(planning(house, template="no map"))).status == "errored"
    house.tfe.workspace("shop-eu")
    house.tfe.faults.append(Fault(RUN, no(403, "forbidden")))
    answer = planned(await house.agent.plan(planning(house)))
    assert (answer.status, "forbidden" in answer.message) == ("errored", True)
