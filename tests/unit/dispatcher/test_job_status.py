"""Claims, and how people and agents tell how a job stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.command import Refused
from contracts.commands.dispatcher import ClaimJob, SetJobStatus
from libs.simulation.world import START
from services.dispatcher.status import MAX_MESSAGE
from tests.unit.dispatcher.dispatcher_scene import Scene, id_of


def released(type: str = "http-pull") -> Scene:
    scene = Scene()
    scene.save_agent("puller", type)
    scene.release("v1")
    return scene


# --- claims --------------------------------------------------------------------------------------------------------------------


def test_a_claim_starts_the_job() -> None:
    scene = released()
    job_id = scene.jobs()[0].job_id
    scene.advance(10)
    assert scene.do(ClaimJob(agent_id=id_of("puller"), job_id=job_id)) == {"id": job_id}
    claimed = scene.changes()[-1]
    assert (claimed.status, claimed.previous) == ("inProgress", "queued")
    assert claimed.started_at == START + timedelta(seconds=10)
    assert claimed.completed_at is None


def test_pull_claim_once() -> None:
    scene = released()
    claim = ClaimJob(agent_id=id_of("puller"), job_id=scene.jobs()[0].job_id)
    won = []
    for n in range(10):
        try:
            won.append(scene.ask(claim, by=f"key:{n}"))
        except Refused as refused:
            won.append(refused.refusal.kind)
    assert won == [{"id": claim.job_id}, *["conflict"] * 9]
    assert len([one for one in scene.changes() if one.status == "inProgress"]) == 1


def test_pull_claim_409_404() -> None:
    scene = released()
    job_id = scene.jobs()[0].job_id
    other = scene.save_agent("other")
    for agent_id, job, kind in (
        (id_of("nobody"), job_id, "not_found"),
        (other, job_id, "not_found"),
        (id_of("puller"), id_of("no job"), "not_found"),
    ):
        with pytest.raises(Refused, match="no job") as refused:
            scene.ask(ClaimJob(agent_id=agent_id, job_id=job))
        assert refused.value.refusal.kind == kind
    scene.finish("cancelled")
    with pytest.raises(Refused, match="is cancelled; only a queued job can be claimed") as refused:
        scene.ask(ClaimJob(agent_id=id_of("puller"), job_id=job_id))
    assert refused.value.refusal.kind == "conflict"


# --- statuses ------------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_job_is_when_it_was_told_or_now() -> None:
    scene = released()
    job_id = scene.jobs()[0].job_id
    told = START + timedelta(seconds=3)
    scene.advance(10)
    scene.do(SetJobStatus(job_id=job_id, status="failure", completed_at=told, message="exit code 1", metadata={"a": "1"}))
    ended = scene.changes()[-1]
    assert (ended.status, ended.previous, ended.completed_at, ended.message) == ("failure", "queued", told, "exit code 1")
    assert ended.metadata == {"a": "1"}
    scene.do(SetJobStatus(job_id=job_id, status="successful", external_id="run-1", metadata={"b": "2"}))
    overridden = scene.changes()[-1]
    assert overridden.completed_at == told
    assert (overridden.metadata, overridden.external_id, overridden.message) == ({"a": "1", "b": "2"}, "run-1", "exit code 1")


def test_the_end_of_a_job_is_now_when_nobody_says() -> None:
    scene = released()
    scene.advance(10)
    scene.finish()
    assert scene.changes()[-1].completed_at == START + timedelta(seconds=10)


def test_a_reopened_job_has_no_end() -> None:
    scene = released()
    scene.finish("failure")
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="inProgress"))
    assert scene.changes()[-1].completed_at is None
    scene.release("v2")
    assert len(scene.jobs()) == 1


def test_telling_the_same_again_appends_nothing() -> None:
    scene = released()
    scene.finish()
    before = len(scene.log)
    scene.advance(10)
    scene.finish()
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="successful", metadata={}))
    assert len(scene.log) == before
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="successful", message="all good"))
    assert len(scene.log) == before + 1


def test_an_unknown_job_is_refused() -> None:
    with pytest.raises(Refused, match="no job") as refused:
        released().do(SetJobStatus(job_id=id_of("nothing"), status="successful"))
    assert refused.value.refusal.kind == "not_found"


def test_a_time_without_zone_is_refused() -> None:
    scene = released()
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  # the mistake under test
    with pytest.raises(Refused, match="completedAt has no time zone"):
        scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="successful", completed_at=naive))


def test_an_agent_does_not_move_a_job_that_ended() -> None:
    scene = released()
    job_id = scene.jobs()[0].job_id
    scene.do(SetJobStatus(job_id=job_id, status="successful"), by=f"agent:{id_of('puller')}")
    for status in ("inProgress", "failure"):
        with pytest.raises(Refused, match="only a person may change that"):
            scene.do(SetJobStatus(job_id=job_id, status=status), by=f"agent:{id_of('puller')}")
    scene.do(SetJobStatus(job_id=job_id, status="failure"), by="user:ana")
    assert scene.statuses() == ["failure"]


def test_a_job_is_not_reopened_beside_another_one_on_its_target() -> None:
    scene = released()
    first = scene.jobs()[0].job_id
    scene.finish()
    scene.release("v2")
    with pytest.raises(Refused, match="can not be reopened") as refused:
        scene.do(SetJobStatus(job_id=first, status="inProgress"))
    assert refused.value.refusal.kind == "conflict"
    scene.finish()
    scene.do(SetJobStatus(job_id=first, status="inProgress"))
    assert scene.statuses() == ["inProgress", "successful"]


def test_the_jobs_of_one_dispatch_may_run_side_by_side() -> None:
    scene = Scene()
    scene.save_agent("one")
    scene.save_agent("two")
    scene.release("v1")
    first = scene.jobs()[0].job_id
    scene.finish("failure", job_id=first)
    scene.do(SetJobStatus(job_id=first, status="inProgress"))
    assert sorted(scene.statuses()) == ["inProgress", "queued"]


# --- deadlines -----------------------------------------------------------------------------------------------------------------


def test_a_job_nobody_answers_for_fails_at_its_deadline() -> None:
    scene = released()
    scene.release("v2")
    scene.advance(3599)
    assert scene.statuses() == ["queued"]
    scene.advance(1)
    failed = next(one for one in scene.changes() if one.status == "failure")
    assert failed.completed_at == START + timedelta(hours=1)
    assert failed.message == (
        "No answer within 1 h: job agent 'puller' (http-pull) had the job, but nobody claimed it. "
        "Look at the agent; `timeoutSeconds` in its configuration or the deployment's allows more time."
    )
    assert scene.statuses() == ["failure", "queued"]


def test_the_deadline_comes_from_the_configuration() -> None:
    scene = Scene(config={"timeoutSeconds": 90})
    scene.save_agent()
    scene.release("v1")
    scene.advance(90)
    assert scene.statuses() == ["failure"]
    assert str(scene.changes()[-1].message).startswith("No answer within 1 min 30 s:")


def test_a_job_that_ended_has_no_deadline() -> None:
    scene = released()
    scene.finish()
    scene.advance(4000)
    assert scene.statuses() == ["successful"]
    assert scene.next_due() is None


def test_a_reopened_job_gets_its_time_anew() -> None:
    scene = released()
    scene.finish("failure")
    scene.advance(7200)
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="inProgress"))
    scene.advance(3599)
    assert scene.statuses() == ["inProgress"]
    scene.advance(1)
    assert scene.statuses() == ["failure"]


def test_a_job_that_is_reopened_often_gets_no_more_time_than_at_first() -> None:
    scene = released()
    for _ in range(5):
        scene.advance(3600)
        scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="inProgress"))
        scene.advance(1800)
        scene.finish("failure")
    scene.do(SetJobStatus(job_id=scene.jobs()[0].job_id, status="inProgress"))
    job = scene.room("dispatcher").state.jobs[scene.jobs()[0].job_id]
    assert job.deadline_at == scene.now + timedelta(hours=1)
    scene.advance(3600)
    assert scene.statuses() == ["failure"]
    assert "within 1 h:" in (scene.changes()[-1].message or "")


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "2026-01-02T00:00:01Z"]
)
@pytest.mark.parametrize("name", ["started_at", "completed_at"])
def test_times_at_which_no_job_can_have_run_are_refused(name: str, text: str) -> None:
    """Soak times and ages count from them, and a time zone may lead past the end of the calendar."""
    scene = released()
    before = len(scene.log)
    with pytest.raises(Refused, match="not in the future"):
        scene.ask(SetJobStatus.model_validate({"job_id": scene.jobs()[0].job_id, "status": "successful", name: text}))
    assert len(scene.log) == before


def test_times_are_kept_in_utc() -> None:
    scene = released()
    wish = {"job_id": scene.jobs()[0].job_id, "status": "successful", "completed_at": "2026-01-01T01:30:00+02:00"}
    scene.do(SetJobStatus.model_validate(wish))
    completed_at = scene.changes()[-1].completed_at
    assert completed_at is not None
    assert completed_at.isoformat() == "2025-12-31T23:30:00+00:00"


def test_what_is_told_of_a_job_has_an_end() -> None:
    """Metadata adds up, and our own facts repeat it: the deadline must still find room."""
    scene = released()
    job_id = scene.jobs()[0].job_id
    scene.do(SetJobStatus(job_id=job_id, status="inProgress", metadata={"a": "x" * 100_000}))
    with pytest.raises(Refused, match="shorten its message or metadata"):
        scene.ask(SetJobStatus(job_id=job_id, status="inProgress", metadata={"b": "x" * 100_000}))
    scene.advance(2 * 3600)
    assert scene.statuses() == ["failure"]


def test_a_long_answer_of_an_agent_is_cut() -> None:
    scene = Scene()
    scene.save_agent("runner", "test-runner", {"message": "m" * 100_000, "delaySeconds": 0})
    scene.release("v1")
    message = scene.changes()[-1].message
    assert message is not None
    assert len(message) == MAX_MESSAGE
