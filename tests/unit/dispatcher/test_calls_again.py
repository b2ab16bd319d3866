"""Calls that the agent did not take, jobs that are stopped, and what webhooks and people tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.dispatcher import CancelJob, CompleteJob, SetJobStatus, TellRun
from contracts.facts.dispatcher import JobCancelAnswered, JobDelayed
from libs.runtime.service import Intent
from libs.simulation.world import START
from services.dispatcher.dispatching import MAX_PAUSE_S, MAX_STOPS
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of

WEBHOOK = {"url": "https://hook.example", "secret": "s"}


class Script:
    """An outside that answers each kind of call as it was told, the last answer for ever."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, datetime]] = []

    def __call__(self, intent: Intent, now: datetime) -> Any:
        self.calls.append((intent.key.split("/", 1)[1], now))
        left = self.answers.get(intent.request["call"], [None])
        return left.pop(0) if len(left) > 1 else left[0]


def delayed(**fields: Any) -> dict[str, Any]:
    return {"delayed": {"message": "it could not be reached", **fields}}


def started(script: Callable[..., Any], type: str = "webhook", config: dict[str, Any] | None = None) -> tuple[Scene, str]:
    scene = Scene(outside=script)
    scene.save_agent("hook", type, WEBHOOK if config is None else config)
    scene.release("v1")
    return scene, scene.jobs()[0].job_id


def seconds(script: Script) -> list[tuple[str, float]]:
    return [(call, (at - START).total_seconds()) for call, at in script.calls]


# --- delays ----------------------------------------------------------------------------------------------------------------------


def test_a_call_that_was_not_taken_is_made_again_with_growing_pauses() -> None:
    script = Script(dispatch=[*[delayed()] * 8, {"status": "queued"}])
    scene, _ = started(script)
    scene.advance(600)
    pauses = [1, 2, 4, 8, 16, 32, MAX_PAUSE_S, MAX_PAUSE_S]
    assert seconds(script) == [(f"dispatch/{n}", sum(pauses[:n])) for n in range(9)]
    assert scene.statuses() == ["queued"]


def test_the_agent_may_want_a_longer_pause() -> None:
    script = Script(dispatch=[delayed(retry_after_s=90.5), {"status": "queued"}])
    scene, job_id = started(script)
    scene.advance(600)
    assert seconds(script) == [("dispatch/0", 0), ("dispatch/1", 90.5)]
    (fact,) = scene.facts(JobDelayed)
    assert (fact.job_id, fact.call, fact.calls, fact.next_at) == (job_id, "dispatch", 1, START + timedelta(seconds=90.5))


def test_what_was_said_of_a_call_that_was_not_taken_is_over_with_one_that_was() -> None:
    script = Script(dispatch=[delayed(), {"status": "inProgress"}])
    scene, job_id = started(script)
    scene.advance(1)
    scene.do(SetJobStatus(job_id=job_id, status="successful"))
    assert [(one.status, one.message) for one in scene.changes()] == [("inProgress", None), ("successful", None)]


def test_a_job_that_is_never_taken_over_ends_at_its_deadline() -> None:
    script = Script(dispatch=[delayed()])
    scene, _ = started(script, config={**WEBHOOK, "timeoutSeconds": 100})
    scene.advance(1_000)
    assert scene.statuses() == ["failure"]
    assert max(at for call, at in seconds(script) if call.startswith("dispatch")) <= 100


def test_a_job_cancelled_in_a_pause_is_not_handed_over() -> None:
    script = Script(dispatch=[delayed()], cancel=[{"stopped": True}])
    scene, job_id = started(script)
    scene.do(CancelJob(job_id=job_id, reason="not today"))
    scene.advance(600)
    assert [call for call, _ in script.calls] == ["dispatch/0", "cancel/0"]
    assert (scene.statuses(), scene.changes()[-1].message) == (["cancelled"], "Cancelled: not today")


# --- stopping ----------------------------------------------------------------------------------------------------------------------


def test_a_job_that_a_person_cancels_is_stopped_at_its_agent() -> None:
    script = Script(dispatch=[{"status": "inProgress"}], cancel=[delayed(), {"stopped": True, "message": "gone"}])
    scene, job_id = started(script)
    scene.do(SetJobStatus(job_id=job_id, status="cancelled"))
    scene.advance(60)
    (answered,) = scene.facts(JobCancelAnswered)
    assert (answered.stopped, answered.message) == (True, "gone")
    assert [call for call, _ in script.calls] == ["dispatch/0", "cancel/0", "cancel/1"]


def test_a_job_that_ran_out_of_time_is_stopped() -> None:
    script = Script(dispatch=[{"status": "inProgress"}], cancel=[{"stopped": True}])
    scene, _ = started(script)
    scene.advance(3_601)
    assert [call for call, _ in script.calls] == ["dispatch/0", "cancel/0"]


def test_stopping_is_given_up_at_some_time() -> None:
    script = Script(dispatch=[{"status": "inProgress"}], cancel=[delayed()])
    scene, job_id = started(script)
    scene.do(CancelJob(job_id=job_id))
    scene.advance(3_600)
    (answered,) = scene.facts(JobCancelAnswered)
    assert not answered.stopped
    assert len([call for call, _ in script.calls if call.startswith("cancel")]) == MAX_STOPS


@pytest.mark.parametrize("status", ["successful", "failure"])
def test_a_run_that_is_told_to_have_ended_is_not_stopped(status: Any) -> None:
    script = Script(dispatch=[{"status": "inProgress"}], cancel=[{"stopped": True}])
    scene, job_id = started(script)
    scene.do(SetJobStatus(job_id=job_id, status=status))
    scene.advance(60)
    assert [call for call, _ in script.calls] == ["dispatch/0"]


def test_a_job_of_an_agent_that_can_not_be_told_is_only_ended() -> None:
    script = Script(dispatch=[{"status": "queued"}])
    scene, job_id = started(script, "http-pull", {})
    scene.do(CancelJob(job_id=job_id))
    scene.advance(60)
    assert (scene.statuses(), len(script.calls)) == (["cancelled"], 1)


def test_a_job_that_ended_can_not_be_cancelled() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "successful"}]))
    with pytest.raises(Refused, match="ended as successful"):
        scene.do(CancelJob(job_id=job_id))


# --- webhooks ----------------------------------------------------------------------------------------------------------------------


def tell(scene: Scene, job_id: str | None, status: Any, **fields: Any) -> Any:
    return scene.do(TellRun(**{"type": "webhook", "job_id": job_id, "status": status, **fields}), by="agent:hook")


def test_a_webhook_moves_the_job_and_may_come_before_the_answer() -> None:
    scene, job_id = started(Script(dispatch=[None]))
    assert tell(scene, job_id, "inProgress", external_id="run-1") == {"id": job_id}
    assert tell(scene, job_id, "successful") == {"id": job_id}
    scene.run()
    assert (scene.statuses(), len(scene.changes())) == (["successful"], 2)


def test_a_webhook_that_comes_twice_changes_nothing_more() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "inProgress"}]))
    tell(scene, job_id, "inProgress", external_id="run-1")
    before = len(scene.log)
    assert tell(scene, job_id, "inProgress", external_id="run-1") == {"id": job_id}
    assert len(scene.log) == before


@pytest.mark.parametrize("status", ["inProgress", "failure", "successful", "pending"])
def test_argowf_webhook_no_regression_of_a_finished_job(status: Any) -> None:
    scene, job_id = started(Script(dispatch=[{"status": "successful"}]))
    before = len(scene.log)
    assert "ended as successful" in tell(scene, job_id, status)["ignored"]
    assert len(scene.log) == before


def test_a_late_webhook_does_not_move_the_job_back() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "inProgress"}]))
    later, earlier = START + timedelta(minutes=2), START + timedelta(minutes=1)
    tell(scene, job_id, "actionRequired", told_at=later)
    assert "older" in tell(scene, job_id, "inProgress", told_at=earlier)["ignored"]
    assert "already" in tell(scene, job_id, "pending")["ignored"]
    assert scene.statuses() == ["actionRequired"]


@pytest.mark.parametrize(
    "fields,why",
    [
        ({"type": "github-app"}, "another agent"),
        ({"agent_id": id_of("other")}, "another agent"),
        ({"external_id": "run-2"}, "run-1"),
    ],
)
def test_a_webhook_for_another_run_or_agent_is_ignored(fields: dict[str, Any], why: str) -> None:
    scene, job_id = started(Script(dispatch=[{"status": "inProgress", "external_id": "run-1"}]))
    assert why in tell(scene, job_id, "successful", **fields)["ignored"]
    assert scene.statuses() == ["inProgress"]


def test_a_webhook_may_name_the_run_instead_of_the_job() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "inProgress", "external_id": "run-1"}]))
    assert tell(scene, None, "successful", external_id="run-1") == {"id": job_id}
    assert "no job" in tell(scene, None, "successful", external_id="run-9")["ignored"]
    assert "no job" in tell(scene, id_of("nobody"), "successful")["ignored"]


def test_an_odd_clock_of_the_sender_does_not_lose_its_news() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "inProgress"}]))
    tell(scene, job_id, "successful", completed_at=START + timedelta(days=400), told_at=datetime(1960, 1, 1, tzinfo=START.tzinfo))
    assert scene.changes()[-1].completed_at == START


# --- people ------------------------------------------------------------------------------------------------------------------------


def test_a_person_completes_what_waits_for_one_with_evidence() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "actionRequired"}]), "manual", {"requireEvidence": True})
    with pytest.raises(Refused, match="evidence") as refused:
        scene.do(CompleteJob(job_id=job_id))
    assert refused.value.refusal.kind == "invalid"
    scene.do(CompleteJob(job_id=job_id, evidence={"ticket": "CHG-7"}), by="user:ana")
    assert scene.statuses() == ["successful"]
    assert scene.changes()[-1].metadata == {"evidence/ticket": "CHG-7", "completed-by": "user:ana"}


def test_a_failure_needs_no_evidence() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "actionRequired"}]), "manual", {"requireEvidence": True})
    scene.do(CompleteJob(job_id=job_id, status="failure", message="the disk is full"))
    assert (scene.statuses(), scene.changes()[-1].message) == (["failure"], "the disk is full")


@pytest.mark.parametrize("status", ["queued", "successful", "failure"])
def test_only_what_waits_for_a_person_can_be_completed(status: str) -> None:
    scene, job_id = started(Script(dispatch=[{"status": status}]), "manual", {})
    with pytest.raises(Refused) as refused:
        scene.do(CompleteJob(job_id=job_id))
    assert refused.value.refusal.kind == "conflict"


def test_a_job_is_completed_by_an_end() -> None:
    scene, job_id = started(Script(dispatch=[{"status": "actionRequired"}]), "manual", {})
    with pytest.raises(Refused, match="inProgress is none"):
        scene.do(CompleteJob(job_id=job_id, status="inProgress"))


@pytest.mark.parametrize(
    "config,seconds",
    [
        ({"timeout": "PT30M"}, 1_800),
        ({"timeout": "P1DT1S", "timeoutSeconds": 5}, 86_401),
        ({"timeoutSeconds": 5}, 5),
        ({}, 3_600),
    ],
)
def test_manual_timeout_is_the_deadline(config: dict[str, Any], seconds: float) -> None:
    scene, _ = started(Script(dispatch=[{"status": "actionRequired"}]), "manual", config)
    assert scene.jobs()[0].deadline_at == START + timedelta(seconds=seconds)
    scene.advance(seconds - 1)
    assert scene.statuses() == ["actionRequired"]
    scene.advance(1)
    assert scene.statuses() == ["failure"]
    assert "nobody took the action it waits for" in str(scene.changes()[-1].message)


def test_only_a_manual_agent_knows_timeout() -> None:
    scene, _ = started(Script(dispatch=[{"status": "queued"}]), "http-pull", {"timeout": "PT1S"})
    assert scene.jobs()[0].deadline_at == START + timedelta(hours=1)


def test_a_delay_tells_of_which_job_and_whose_call_it_is() -> None:
    scene, _ = started(Script(dispatch=[delayed()]))
    fact = scene.facts(JobDelayed)[0]
    job = scene.jobs()[0]
    assert (fact.resource_id, fact.deployment_id, fact.version_id) == (job.resource_id, job.deployment_id, job.version_id)
    assert fact.agent_name == "hook"
