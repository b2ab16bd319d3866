"""`tfe` against a pretended Terraform Cloud: how runs are started, followed and cancelled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from libs.webhooks import tfe as webhook
from libs.webhooks.told import Told
from services.dispatcher.adapters.tfe import WAITING_SINCE, WORKSPACE
from tests.conformance.agents.agent_scenes import JOB, answered, cancelled, delayed, following
from tests.conformance.agents.tfe_scenes import RESULT, RUN, House, asking, standing
from tests.fakes.serving import Fault
from tests.fakes.tfe import no


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with standing() as house:
        yield house


# --- runs ------------------------------------------------------------------------------------------------------------------------


async def test_a_run_is_started_and_followed_to_its_end(house: House) -> None:
    answer = answered(await house.agent.dispatch(asking(house)))
    (run,) = house.runs_of()
    assert run["attributes"]["message"] == f"Triggered by ctrlplane job {JOB}"
    assert (answer.status, answer.external_id) == ("inProgress", run["id"])
    page = f"{house.tfe.url}/app/acme/workspaces/shop-eu"
    assert json.loads(answer.metadata["ctrlplane/links"]) == {"Run": f"{page}/runs/{run['id']}", "Workspace": page}
    assert answer.metadata["run_url"] == f"{page}/runs/{run['id']}"
    request = following(asking(house), answer)
    for status, able, job in (
        ("planning", ["cancelable"], "inProgress"),
        ("planned", ["confirmable", "discardable"], "actionRequired"),
        ("applying", ["cancelable"], "inProgress"),
        ("applied", [], "successful"),
    ):
        house.tfe.move(run["id"], status, *able)
        answer = answered(await house.agent.observe(request))
        assert (answer.status, answer.look_again_s is None) == (job, status == "applied")
        request = following(request, answer)
    assert len(house.tfe.runs) == 1


@pytest.mark.parametrize(
    "status,job",
    [
        ("pending", "inProgress"), ("plan_queued", "inProgress"), ("cost_estimated", "inProgress"), ("policy_checked", "inProgress"),
        ("confirmed", "inProgress"), ("apply_queued", "inProgress"), ("policy_override", "actionRequired"), ("something new", "inProgress"),
        ("planned_and_finished", "successful"), ("applied", "successful"), ("errored", "failure"),
        ("discarded", "cancelled"), ("canceled", "cancelled"), ("force_canceled", "cancelled"),
    ],
)  # fmt: skip
async def test_how_a_run_stands(house: House, status: str, job: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", status)
    assert answered(await house.agent.observe(asking(house, external_id=run_id))).status == job


@pytest.mark.parametrize("auto,job", [(True, "inProgress"), (False, "actionRequired")])
async def test_only_a_run_that_is_not_applied_by_itself_waits_for_a_person(house: House, auto: bool, job: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", "planned", **{"auto-apply": auto})
    house.tfe.move(run_id, "planned", "confirmable")
    assert answered(await house.agent.observe(asking(house, external_id=run_id))).status == job


@pytest.mark.parametrize(
    "trigger,status",
    [("run:planning", "planning"), ("run:applying", "applying"), ("run:completed", "applied"), ("run:errored", "errored")],
)
async def test_polling_says_what_notifications_say(house: House, trigger: str, status: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), f"Triggered by ctrlplane job {JOB}", status)
    body = {"run_id": run_id, "run_message": f"Triggered by ctrlplane job {JOB}", "notifications": [{"trigger": trigger}]}
    told = webhook.read(json.dumps(body).encode())
    assert isinstance(told, Told)
    answer = answered(await house.agent.observe(asking(house, external_id=run_id)))
    assert (answer.status, answer.external_id) == (told.status, told.external_id)


async def test_a_run_that_vanished_is_not_found(house: House) -> None:
    answer = answered(await house.agent.observe(asking(house, external_id="run-99")))
    assert (answer.status, answer.look_again_s) == ("externalRunNotFound", None)


async def test_a_triggered_run_is_found_by_its_workspace(house: House) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    house.tfe.run(workspace_id, "an older push")
    house.clock.forward(60)
    answer = answered(await house.agent.dispatch(asking(house, triggerRunOnChange=False)))
    assert (answer.status, house.tfe.calls(RUN)) == ("inProgress", [])
    assert "waiting for a VCS-triggered run" in (answer.message or "")
    assert {WORKSPACE, WAITING_SINCE} <= set(answer.metadata)
    request = following(asking(house, triggerRunOnChange=False), answer)
    assert answered(await house.agent.observe(request)).external_id is None
    house.clock.forward(10)
    house.tfe.run(workspace_id, "a look", "pending", **{"plan-only": True})
    house.tfe.run(workspace_id, f"Triggered by ctrlplane job {RESULT}")
    ours = house.tfe.run(workspace_id, "the push")
    house.clock.forward(10)
    house.tfe.run(workspace_id, "the next push")
    answer = answered(await house.agent.observe(request))
    assert (answer.status, answer.external_id) == ("inProgress", ours)


async def test_a_run_is_found_behind_many_others(house: House) -> None:
    workspace_id = house.tfe.workspace("shop-eu")
    ours = house.tfe.run(workspace_id, "the push")
    house.tfe.page_size = 10
    for _ in range(35):
        house.tfe.run(workspace_id, "another push")
    metadata = {WORKSPACE: workspace_id, WAITING_SINCE: house.clock().isoformat()}
    assert answered(await house.agent.observe(asking(house, metadata=metadata))).external_id == ours
    assert len(house.tfe.calls("GET .*/runs$")) == 4


# --- cancel ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("able,status", [("cancelable", "canceled"), ("discardable", "discarded")])
@pytest.mark.parametrize("known", [True, False])
async def test_a_run_is_cancelled_or_discarded(house: House, able: str, status: str, known: bool) -> None:
    run_id = house.tfe.run(house.tfe.workspace("shop-eu"), f"Triggered by ctrlplane job {JOB}")
    house.tfe.move(run_id, "planned", able)
    answer = cancelled(await house.agent.cancel(asking(house, external_id=run_id if known else None)))
    assert answer.stopped
    assert house.tfe.runs[run_id]["attributes"]["status"] == status


@pytest.mark.parametrize("status", ["applied", "canceled", "errored"])
async def test_a_run_that_ended_is_stopped(house: House, status: str) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand", status)
    answer = cancelled(await house.agent.cancel(asking(house, external_id=run_id)))
    assert answer.stopped


async def test_a_run_that_is_gone_is_stopped(house: House) -> None:
    answer = cancelled(await house.agent.cancel(asking(house, external_id="run-99")))
    assert answer.stopped


async def test_nobody_waits_for_a_triggered_run_any_more(house: House) -> None:
    request = asking(house, triggerRunOnChange=False)
    request = following(request, answered(await house.agent.dispatch(request)))
    answer = cancelled(await house.agent.cancel(request))
    assert answer.stopped


async def test_a_run_that_is_in_between_is_tried_again(house: House) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand")
    house.tfe.faults.append(Fault("POST .*/cancel", no(409, "transition not allowed")))
    delayed(await house.agent.cancel(asking(house, external_id=run_id)))
    house.tfe.move(run_id, "apply_queued")
    delayed(await house.agent.cancel(asking(house, external_id=run_id)))


async def test_a_run_that_never_appears_is_not_waited_for_for_ever(house: House) -> None:
    house.tfe.faults.append(Fault(RUN, cut=True))
    request = asking(house)
    request = following(request, answered(await house.agent.dispatch(request)))
    delayed(await house.agent.cancel(request))
    house.clock.forward(200)
    answer = cancelled(await house.agent.cancel(request))
    assert answer.stopped


async def test_who_may_not_cancel_is_told(house: House) -> None:
    run_id = house.tfe.run(house.tfe.workspace("w"), "by hand")
    house.tfe.faults.append(Fault("POST .*/cancel", no(403, "forbidden")))
    answer = cancelled(await house.agent.cancel(asking(house, external_id=run_id)))
    assert (answer.stopped, "forbidden" in (answer.message or "")) == (False, True)
