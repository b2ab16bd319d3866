"""What facts about a job's calls, leases and holds do to the read tables, and how they are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.documents import stamp
from contracts.fact import Fact
from contracts.facts import dispatcher
from services.gateway.views import Views
from tests.unit.gateway.readmodel_scenes import (
    AT,
    JOB,
    JOB_IDS,
    REL,
    STAMP,
    TARGET,
    WORKSPACE,
    WORLD,
    A,
    D,
    E,
    R,
    moved,
    project,
    uid,
)

LATER = AT + timedelta(minutes=1)
CLAIM = uid(70)


def leased(claims: int = 1) -> dispatcher.JobLeased:
    return dispatcher.JobLeased(job_id=JOB, claim_id=CLAIM, instance="pod-1", claims=claims, leased_at=AT, expires_at=LATER)


def delayed(call: Any = "dispatch") -> dispatcher.JobDelayed:
    return dispatcher.JobDelayed(job_id=JOB, call=call, calls=2, message="429: wait", delayed_at=AT, next_at=LATER)


def stopped(message: str | None = "told to stop") -> dispatcher.JobCancelAnswered:
    return dispatcher.JobCancelAnswered(job_id=JOB, stopped=True, message=message, answered_at=LATER)


def held(agent_id: str = A, at: Any = LATER) -> dispatcher.DispatchHeld:
    item = dispatcher.HeldItem(resource_id=R, release_id=REL)
    return dispatcher.DispatchHeld(deployment_id=D, environment_id=E, items=(item,), agent_id=agent_id, limit=5, held_at=at)


async def job_after(*facts: Fact) -> Any:
    rows = await project(*WORLD, *facts)
    (found,) = await Views(rows, WORKSPACE).jobs([await rows.get(WORKSPACE, "job", JOB) or {}])
    return found


async def state_after(*facts: Fact) -> Any:
    return (await Views(await project(*facts), WORKSPACE).states([TARGET.key]))[TARGET.key]


async def test_who_has_a_job_for_a_time_is_told_without_the_claim() -> None:
    job = await job_after(moved("queued"), moved("inProgress"), leased())
    assert job["lease"] == {"instance": "pod-1", "claims": 1, "leasedAt": STAMP, "expiresAt": stamp(LATER)}
    assert CLAIM not in str(job)


async def test_a_lease_lasts_while_the_job_is_in_progress() -> None:
    assert "lease" in await job_after(moved("inProgress"), leased(), moved("inProgress", message="half done"))
    for after in ("queued", "successful", "failure", "actionRequired"):
        assert "lease" not in await job_after(moved("inProgress"), leased(), moved(after))


async def test_the_next_try_is_told_until_the_call_gets_through() -> None:
    job = await job_after(delayed())
    assert job["delay"] == {"call": "dispatch", "calls": 2, "message": "429: wait", "nextAt": stamp(LATER)}
    assert job["message"] == "429: wait"
    assert "delay" not in await job_after(delayed(), moved("inProgress"))
    assert "delay" not in await job_after(delayed(), moved("pending", observation=1))


async def test_a_person_who_changes_a_job_whose_call_is_made_again_leaves_the_call_told() -> None:
    job = await job_after(delayed(), moved("pending", external_id="run-7"))
    assert (job["externalId"], job["delay"]["calls"], job["message"]) == ("run-7", 2, "429: wait")
    assert (await job_after(delayed(), moved("pending", message="I look at it")))["message"] == "I look at it"
    stopping = (moved("cancelled", AT, message="Stop.", cancel=True), delayed("cancel"))
    job = await job_after(*stopping, moved("failure", AT, previous="cancelled"))
    assert (job["delay"]["call"], "message" in job) == ("cancel", False)
    assert "delay" not in await job_after(*stopping, moved("pending", previous="cancelled"))
    assert "delay" not in await job_after(*stopping, moved("cancelled", AT, previous="cancelled", cancel=True))


async def test_what_the_agent_said_to_the_end_of_a_job_is_told() -> None:
    job = await job_after(moved("cancelled", AT, message="Cancelled.", cancel=True), delayed("cancel"))
    assert (job["delay"]["call"], job["message"]) == ("cancel", "Cancelled.")
    job = await job_after(moved("cancelled", AT, cancel=True), delayed("cancel"), stopped())
    assert job["cancellation"] == {"stopped": True, "message": "told to stop", "answeredAt": stamp(LATER)}
    assert "delay" not in job
    assert "message" not in (await job_after(moved("cancelled", AT), stopped(None)))["cancellation"]
    assert "cancellation" not in await job_after(moved("cancelled", AT), stopped(), moved("inProgress"))


async def test_a_job_that_is_opened_again_has_as_much_time_as_at_first() -> None:
    first = stamp(AT + timedelta(hours=1))
    assert (await job_after(moved("failure", AT)))["deadlineAt"] == first
    ended = moved("failure", AT)
    again = {**JOB_IDS, "agent_id": A, "status": "inProgress", "previous": "failure", "changed_at": AT + timedelta(hours=3)}
    assert (await job_after(ended, dispatcher.JobStatusChanged(**again)))["deadlineAt"] == stamp(AT + timedelta(hours=4))


def of_run(**more: Any) -> dispatcher.WorkflowJobCreated:
    told: dict[str, Any] = {"run_id": uid(80), "workflow_id": uid(81), "job_id": JOB, "agent_id": A, "step": "a", "workflow": 1}
    told |= {"status": "pending", "agent": 1, "created_at": AT, "deadline_at": AT + timedelta(hours=1), **more}
    return dispatcher.WorkflowJobCreated(**told)


def turn(at: Any) -> dispatcher.WorkflowJobDispatched:
    return dispatcher.WorkflowJobDispatched(
        run_id=uid(80), workflow_id=uid(81), job_id=JOB, agent_id=A, dispatched_at=at, deadline_at=at + timedelta(hours=1)
    )


def moved_in_run(status: Any, previous: Any, at: Any) -> dispatcher.WorkflowJobStatusChanged:
    return dispatcher.WorkflowJobStatusChanged(
        run_id=uid(80), workflow_id=uid(81), job_id=JOB, agent_id=A, status=status, previous=previous, changed_at=at
    )


async def row_after(*facts: Fact) -> Any:
    rows = await project(*WORLD, *facts)
    (found,) = await Views(rows, WORKSPACE).jobs([await rows.get(WORKSPACE, "job", JOB) or {}], with_context=False)
    return found


async def test_the_time_of_a_runs_job_begins_with_its_turn() -> None:
    hours = timedelta(hours=1)
    waits = of_run(waits=True, message="Waits for a free place.")
    job = await row_after(waits)
    assert job["message"] == "Waits for a free place."
    assert "deadlineAt" not in job
    job = await row_after(waits, turn(AT + 2 * hours))
    assert job["deadlineAt"] == stamp(AT + 3 * hours)
    assert "message" not in job
    ended = moved_in_run("failure", "pending", AT + 3 * hours)
    again = moved_in_run("inProgress", "failure", AT + 5 * hours)
    job = await row_after(waits, turn(AT + 2 * hours), ended, again)
    assert job["deadlineAt"] == stamp(AT + 6 * hours)
    stopped_in_line = moved_in_run("cancelled", "pending", AT + hours)
    assert "deadlineAt" in await row_after(waits, stopped_in_line)
    assert (await row_after(of_run()))["deadlineAt"] == stamp(AT + hours)


async def test_a_target_that_waits_for_a_place_says_so() -> None:
    released = [one for one in WORLD if not isinstance(one, dispatcher.JobCreated)]
    state = await state_after(*released, held())
    assert state["dispatchHold"] == {
        "releaseId": REL,
        "agentId": A,
        "limit": 5,
        "heldAt": stamp(LATER),
        "message": f"Waits for a free place: at most 5 jobs at job agent {A} run at once (`maxConcurrentJobs`).",
    }
    state = await state_after(*released, held(agent_id=""))
    assert "agentId" not in state["dispatchHold"]
    assert "of the deployment" in state["dispatchHold"]["message"]


async def test_a_hold_ends_with_the_targets_next_job_and_outlives_the_one_before() -> None:
    assert "dispatchHold" not in await state_after(*WORLD, held(at=AT))
    assert "dispatchHold" in await state_after(*WORLD, moved("failure", AT), held(at=LATER))


async def test_a_hold_ends_with_its_release() -> None:
    released = [one for one in WORLD if not isinstance(one, dispatcher.JobCreated)]
    other = dispatcher.DispatchHeld(
        deployment_id=D, environment_id=E, items=(dispatcher.HeldItem(resource_id=R, release_id=uid(77)),), limit=1, held_at=LATER
    )
    assert "dispatchHold" not in await state_after(*released, other)


async def test_nobody_waits_for_a_place_at_an_agent_that_is_gone() -> None:
    released = [one for one in WORLD if not isinstance(one, dispatcher.JobCreated)]
    gone = dispatcher.JobAgentDeleted(agent_id=A)
    assert "dispatchHold" not in await state_after(*released, held(), gone)
    assert "dispatchHold" in await state_after(*released, held(agent_id=""), gone)
