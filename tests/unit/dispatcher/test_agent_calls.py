"""Handing jobs to agents: which calls are made, and what follows from their answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.commands.dispatcher import SetJobStatus
from contracts.facts.dispatcher import JobCreated
from libs.runtime.codec import decode, encode
from libs.runtime.room import Room
from libs.runtime.service import Intent, Outcome
from libs.simulation.world import START, WORKSPACE
from services.dispatcher.app import service
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import Scene, agents, id_of, nobody


class Outside:
    """Counts the calls and answers as it was told."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer
        self.calls: list[Intent] = []

    def __call__(self, intent: Intent, now: datetime) -> dict[str, Any] | None:
        self.calls.append(intent)
        return self.answer or None


def test_disp_unknown_agent() -> None:
    scene = Scene()
    scene.save_agent("odd", type="jenkins")
    scene.release("v1")
    failed = scene.changes()[-1]
    assert (failed.status, failed.completed_at) == ("failure", START)
    assert failed.message == "No job agent type 'jenkins' is known here; known are: http-pull, test-runner."


def test_disp_agent_error_sets_failure() -> None:
    scene = Scene(config={"delaySeconds": "soon"})
    scene.save_agent("runner", type="test-runner")
    scene.release("v1")
    failed = scene.changes()[-1]
    assert failed.status == "failure"
    assert str(failed.message).startswith(
        "The merged configuration of agent, deployment and version can not be used by test-runner: delaySeconds: "
    )


def test_disp_cancelled_pending_not_sent() -> None:
    scene = Scene(outside=nobody)
    scene.save_agent()
    scene.release("v1")
    job_id = scene.jobs()[0].job_id
    room = scene.room("dispatcher")
    assert room.is_open(f"{job_id}/dispatch/0")
    scene.finish("cancelled")
    assert not room.is_open(f"{job_id}/dispatch/0")
    # An answer that was already on its way changes nothing any more.
    assert room.settle([Outcome(f"{job_id}/dispatch/0", {"status": "queued"})], scene.now) is None
    assert scene.statuses() == ["cancelled"]


def test_a_job_that_a_person_sets_to_pending_is_not_sent_again() -> None:
    outside = Outside(status="queued")
    scene = Scene(outside=outside)
    scene.save_agent()
    scene.release("v1")
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="pending"))
    assert len(outside.calls) == 1


def test_a_note_of_a_person_does_not_stop_the_dispatch() -> None:
    scene = Scene(outside=nobody)
    scene.save_agent()
    scene.release("v1")
    job_id = scene.jobs()[0].job_id
    scene.do(SetJobStatus(job_id=job_id, status="pending", message="hold on"))
    assert scene.room("dispatcher").is_open(f"{job_id}/dispatch/0")


def test_an_agent_that_leaves_the_job_pending_is_not_asked_again() -> None:
    outside = Outside(status="pending", message="handed over, waiting for its webhook")
    scene = Scene(outside=outside)
    scene.save_agent()
    scene.release("v1")
    scene.run()
    assert (len(outside.calls), scene.statuses()) == (1, ["pending"])


def test_a_job_is_told_with_its_merged_configuration_and_its_id_as_key() -> None:
    outside = Outside(status="queued")
    scene = Scene(outside=outside, config={"b": 2})
    scene.save_agent(config={"a": 1})
    scene.release("v1", config={"c": 3})
    (call,) = outside.calls
    assert call.request == {
        "call": "dispatch",
        "workspace_id": WORKSPACE,
        "job_id": scene.jobs()[0].job_id,
        "position": next(one.position for one in scene.recorded(JobCreated)),
        "agent_id": id_of("puller"),
        "type": "http-pull",
        "config": {"a": 1, "b": 2, "c": 3},
        "known": {"status": "pending", "message": None, "external_id": None, "metadata": {}},
    }


def test_an_answer_is_recorded_with_all_it_says() -> None:
    scene = Scene(
        outside=Outside(status="actionRequired", message="approve it there", external_id="run-7", metadata={"url": "x"})
    )
    scene.save_agent()
    scene.release("v1")
    (change,) = scene.changes()
    assert (change.status, change.message, change.external_id, change.metadata) == (
        "actionRequired",
        "approve it there",
        "run-7",
        {"url": "x"},
    )


def test_after_a_crash_an_unanswered_dispatch_is_driven_again_with_the_same_key() -> None:
    scene = Scene(outside=nobody)
    scene.save_agent()
    scene.release("v1")
    revived: Room[State] = Room(service, WORKSPACE)
    revived.reset(service.initial(WORKSPACE), 0, scene.room("dispatcher").stored)
    revived.fold(scene.log)
    assert [intent.key for intent in revived.take_opened()] == [f"{scene.jobs()[0].job_id}/dispatch/0"]


@pytest.mark.parametrize(
    "config,seconds,status,message",
    [
        ({}, 5, "successful", "resolved by test-runner after 5s"),
        ({"delaySeconds": 90, "status": "failure"}, 90, "failure", "resolved by test-runner after 1m30s"),
        ({"delaySeconds": 0.5, "message": "hi"}, 0.5, "successful", "hi\nresolved by test-runner after 500ms"),
    ],
)
def test_runner_delay_status_message(config: dict[str, Any], seconds: float, status: str, message: str) -> None:
    scene = Scene()
    scene.save_agent("runner", type="test-runner", config=config)
    scene.release("v1")
    (started,) = scene.changes()
    assert (started.status, started.started_at) == ("inProgress", START)
    assert started.look_again_at == START + timedelta(seconds=seconds)
    scene.advance(seconds - 0.1)
    assert scene.statuses() == ["inProgress"]
    scene.advance(0.1)
    ended = scene.changes()[-1]
    assert (ended.status, ended.message, ended.completed_at) == (status, message, START + timedelta(seconds=seconds))
    assert ended.look_again_at is None
    assert scene.next_due() is None


def test_a_runner_without_delay_ends_at_once() -> None:
    scene = Scene()
    scene.save_agent("runner", type="test-runner", config={"delaySeconds": 0})
    scene.release("v1")
    (change,) = scene.changes()
    assert (change.status, change.message) == ("successful", "resolved by test-runner after 0s")


def test_a_job_that_a_person_ended_is_not_observed() -> None:
    scene = Scene()
    scene.save_agent("runner", type="test-runner")
    scene.release("v1")
    scene.finish("cancelled")
    scene.advance(10)
    assert scene.statuses() == ["cancelled"]


def test_a_note_of_a_person_does_not_stop_the_observation() -> None:
    scene = Scene()
    scene.save_agent("runner", type="test-runner")
    scene.release("v1")
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="inProgress", metadata={"note": "looks good"}))
    scene.advance(5)
    ended = scene.changes()[-1]
    assert (ended.status, ended.metadata) == ("successful", {"note": "looks good"})


def test_an_agent_that_asks_for_it_is_observed_again_and_again() -> None:
    outside = Outside(status="inProgress", look_again_s=10)
    scene = Scene(outside=outside)
    scene.save_agent()
    scene.release("v1")
    scene.advance(20)
    job_id = scene.jobs()[0].job_id
    assert [call.key for call in outside.calls] == [f"{job_id}/dispatch/0", f"{job_id}/observe/1", f"{job_id}/observe/2"]
    outside.answer = {"status": "successful"}
    scene.advance(10)
    assert scene.statuses() == ["successful"]
    assert len(outside.calls) == 4


def test_a_snapshot_reads_back_as_the_same_state() -> None:
    scene = Scene("eu-1", "us-1")
    scene.save_agent("runner", type="test-runner")
    scene.release("v1", "eu-1", "us-1")
    scene.advance(5)
    scene.withdraw("v1")
    scene.release("v2", "eu-1")
    state = scene.room("dispatcher").state
    assert decode(State, encode(State, state)) == state


def test_many_targets_keep_one_dispatch_each_whatever_the_order_of_answers() -> None:
    names = [f"r{n}" for n in range(20)]
    for seed in range(3):
        scene = Scene(*names, seed=seed, outside=agents)
        scene.save_agent("runner", type="test-runner")
        for tag in ("v1", "v2", "v3"):
            scene.release(tag, *names)
            scene.advance(2)
        scene.advance(10)
        assert {job.version_id for job in scene.jobs()} == {id_of("v1"), id_of("v3")}
        assert scene.statuses() == ["successful"] * 40
