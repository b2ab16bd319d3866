"""Jobs of workflow runs need places at their agent like all others, and wait for them in the same line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.dispatcher import (
    CancelJob,
    CancelRun,
    ClaimJob,
    DeleteJobAgent,
    RunWorkflow,
    SaveJobAgent,
    SaveWorkflow,
    SetJobStatus,
    TellRun,
)
from contracts.facts.dispatcher import (
    JobCreated,
    WorkflowJobCreated,
    WorkflowJobDispatched,
    WorkflowJobStatusChanged,
    WorkflowRunEnded,
)
from contracts.facts.policy import PolicySaved
from contracts.shapes import ACTIVE, WorkflowStep
from libs.runtime.codec import decode, encode
from libs.runtime.service import Intent
from libs.simulation.world import START, refold
from services.dispatcher.app import service
from services.dispatcher.state import Job, State
from tests.unit.dispatcher.dispatcher_scene import Scene, agents, id_of

NAMES = ("eu-1", "eu-2", "eu-3", "eu-4")
PULLER = id_of("puller")


class Handed:
    """The real agents, and which jobs they were called about."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __call__(self, intent: Intent, now: Any) -> dict[str, Any]:
        told = intent.request
        self.calls.append((told["call"], told["job_id"]))
        if told["type"] == "webhook":
            return {"stopped": True} if told["call"] == "cancel" else {"status": "inProgress"}
        return agents(intent, now)


def limited(limit: int | None = 1, type: str = "http-pull") -> Scene:
    scene = Scene(*NAMES, outside=Handed())
    allow(scene, limit, type)
    return scene


def allow(scene: Scene, limit: int | None, type: str = "http-pull") -> None:
    hook = {"url": "https://hook.example", "secret": "s"} if type == "webhook" else {}
    scene.save_agent(type=type, config={**hook, **({"maxConcurrentJobs": limit} if limit else {})})


def saved(scene: Scene, *, steps: tuple[str, ...] = ("a",)) -> str:
    """A workflow with steps one after the other; its slug."""
    made = [WorkflowStep(name=name, ref=PULLER, selector="true", needs=steps[n - 1 : n]) for n, name in enumerate(steps)]
    slug = f"w-{len(scene.log)}"
    scene.do(SaveWorkflow(name=slug, slug=slug, job_agents=tuple(made)))
    return slug


def wish_to_run(slug: str, *names: str) -> RunWorkflow:
    selector = f"resource.name in [{', '.join(repr(name) for name in names)}]"
    return RunWorkflow(slug=slug, inputs={"resourceSelector": selector} if names else {})


def started(scene: Scene, *names: str, steps: tuple[str, ...] = ("a",)) -> str:
    """A run for these resources; its id."""
    run_id: str = scene.do(wish_to_run(saved(scene, steps=steps), *names))["id"]
    return run_id


def state_of(scene: Scene) -> State:
    state: State = scene.room("dispatcher").state
    return state


def made(scene: Scene) -> list[str]:
    """Jobs of runs, in the order of their creation."""
    return [one.job_id for one in scene.facts(WorkflowJobCreated)]


def job(scene: Scene, job_id: str) -> Job:
    return state_of(scene).jobs[job_id]


def waiting(scene: Scene) -> list[str]:
    return [one for one in made(scene) if one in state_of(scene).held]


def running(scene: Scene) -> list[str]:
    """Jobs of whatever kind that have a place."""
    state = state_of(scene)
    return sorted(one for one, job in state.jobs.items() if job.is_active and one not in state.held)


def handed(scene: Scene) -> list[str]:
    outside: Any = scene._performers["dispatcher"]
    return [job_id for call, job_id in outside.calls if call == "dispatch"]


def test_no_more_jobs_of_a_run_than_places() -> None:
    scene = limited(2)
    started(scene, *NAMES)
    first, second, third, fourth = made(scene)
    assert handed(scene) == [first, second]
    assert waiting(scene) == [third, fourth]
    assert {job(scene, one).status for one in (third, fourth)} == {"pending"}
    assert "place" in (job(scene, third).message or "")
    assert "2" in (job(scene, third).message or "")
    scene.finish(job_id=first)
    assert handed(scene) == [first, second, third]
    assert job(scene, third).message is None
    scene.finish(job_id=second)
    scene.finish(job_id=third)
    scene.finish(job_id=fourth)
    assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["successful"]
    assert not state_of(scene).held
    assert not state_of(scene).queues
    assert not state_of(scene).running


def test_jobs_of_runs_and_of_releases_stand_in_one_line() -> None:
    scene = limited(1)
    scene.release("v1", "eu-1", "eu-2")
    started(scene, "eu-1")
    scene.release("v1", "eu-3")
    started(scene, "eu-2")
    order = []
    while now := running(scene):
        (one,) = now
        order.append(one)
        scene.finish(job_id=one)
    releases = {one.resource_id: one.job_id for one in scene.facts(JobCreated)}
    first, second = made(scene)
    assert order == [releases[id_of("eu-1")], releases[id_of("eu-2")], first, releases[id_of("eu-3")], second]


def test_the_next_step_comes_behind_whoever_waits() -> None:
    scene = limited(1)
    started(scene, "eu-1", steps=("a", "b"))
    scene.release("v1", "eu-2")
    (a,) = made(scene)
    scene.finish(job_id=a)
    _, b = made(scene)
    assert running(scene) == [scene.jobs()[-1].job_id]
    assert waiting(scene) == [b]
    scene.finish()
    assert running(scene) == [b]


def test_a_run_that_begins_as_a_place_is_given_back_comes_behind_whoever_waits() -> None:
    scene = limited(1)
    scene.release("v1", "eu-1", "eu-2")
    slug = saved(scene)
    scene.ask(SetJobStatus(job_id=scene.jobs()[0].job_id, status="successful"))
    scene.ask(wish_to_run(slug, "eu-3"))
    scene.run()
    assert running(scene) == [scene.jobs()[-1].job_id]
    assert scene.jobs()[-1].resource_id == id_of("eu-2")
    assert waiting(scene) == made(scene)
    scene.finish()
    assert running(scene) == made(scene)


def test_a_run_that_begins_as_an_agent_takes_more_comes_behind_whoever_waits() -> None:
    scene = limited(1)
    scene.release("v1", "eu-1", "eu-2")
    slug = saved(scene)
    more = SaveJobAgent(agent_id=PULLER, name="puller", type="http-pull", config={"maxConcurrentJobs": 2})
    scene.ask(more)
    scene.ask(wish_to_run(slug, "eu-3"))
    scene.run()
    assert running(scene) == sorted(one.job_id for one in scene.jobs())
    assert len(scene.jobs()) == 2
    scene.ask(more.model_copy(update={"config": {"maxConcurrentJobs": 4}}))
    scene.ask(wish_to_run(slug, "eu-4"))
    scene.run()
    assert not state_of(scene).held
    assert len(running(scene)) == 4


def test_a_run_takes_the_place_that_nobody_in_line_can_take() -> None:
    scene = limited(1)
    scene.release("v1", "eu-1", "eu-2")
    scene.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=scene.now))
    slug = saved(scene)
    scene.ask(SetJobStatus(job_id=scene.jobs()[0].job_id, status="successful"))
    scene.ask(wish_to_run(slug, "eu-3", "eu-4"))
    scene.run()
    assert running(scene) == made(scene)[:1]
    assert waiting(scene) == made(scene)[1:]
    scene.finish(job_id=made(scene)[0])
    assert running(scene) == made(scene)[1:], "eu-2 waits for its clearance to be issued again"


def test_a_run_goes_on_at_once_when_who_came_before_it_can_not_go_after_all() -> None:
    scene = limited(1)
    scene.release("v1", "eu-1", "eu-2", "eu-3")
    scene.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=scene.now))
    scene.clear("v1", "eu-3")
    scene.withdraw("v1")
    scene.clear("v1", "eu-4")  # of the pair something is clear, of those in line nothing
    slug = saved(scene)
    scene.finish(job_id=scene.jobs()[0].job_id)
    assert running(scene) == []
    scene.do(wish_to_run(slug, "eu-4"))
    assert running(scene) == made(scene)
    assert job(scene, made(scene)[0]).message is None


def test_more_places_are_taken_at_once() -> None:
    scene = limited(1)
    started(scene, *NAMES)
    allow(scene, 3)
    assert handed(scene) == made(scene)[:3]
    allow(scene, None)
    assert handed(scene) == made(scene)
    assert not state_of(scene).held


def test_an_agent_that_is_gone_has_no_line() -> None:
    scene = limited(1)
    started(scene, *NAMES[:2])
    scene.do(DeleteJobAgent(agent_id=PULLER))
    assert not state_of(scene).held
    assert handed(scene) == made(scene)


@pytest.mark.parametrize("stop", ["job", "run"])
def test_who_is_stopped_in_line_leaves_it_and_no_agent_hears_of_it(stop: str) -> None:
    scene = limited(1, "webhook")
    run_id = started(scene, *NAMES[:3])
    first, second, third = made(scene)
    if stop == "run":
        scene.do(CancelRun(run_id=run_id, reason="enough"))
        assert [job(scene, one).status for one in made(scene)] == ["cancelled"] * 3
        assert [one.status for one in scene.facts(WorkflowRunEnded)] == ["cancelled"]
        assert not state_of(scene).held
    else:
        scene.do(CancelJob(job_id=second))
        scene.finish(job_id=first)
        assert handed(scene) == [first, third]
    outside: Any = scene._performers["dispatcher"]
    assert second not in [job_id for _, job_id in outside.calls]
    moves = [one for one in scene.facts(WorkflowJobStatusChanged) if one.job_id == second]
    assert [(one.status, one.cancel) for one in moves] == [("cancelled", False)]


def test_one_that_was_stopped_in_line_and_is_reopened_is_handed_over() -> None:
    scene = limited(1)
    started(scene, *NAMES[:2])
    first, second = made(scene)
    scene.do(CancelJob(job_id=second))
    scene.finish(job_id=first)
    scene.do(SetJobStatus(job_id=second, status="pending"))
    assert handed(scene) == [first, second]


def test_the_time_of_a_job_begins_with_its_turn() -> None:
    scene = limited(1)
    started(scene, *NAMES[:2])
    first, second = made(scene)
    scene.advance(3_000)
    scene.advance(600)
    assert job(scene, first).status == "failure"
    assert running(scene) == [second]
    assert job(scene, second).deadline_at == START + timedelta(hours=2)
    assert scene.facts(WorkflowJobDispatched)[-1].deadline_at == START + timedelta(hours=2)
    scene.advance(3_600)
    assert job(scene, second).status == "failure"
    assert "within 1 h" in (job(scene, second).message or "")


def test_one_in_line_can_not_be_claimed_and_webhooks_know_nothing_of_it() -> None:
    scene = limited(1, "webhook")
    started(scene, *NAMES[:2])
    second = made(scene)[1]
    told = scene.do(TellRun(type="webhook", job_id=second, status="successful"), by="agent:puller")
    assert "ignored" in told
    assert waiting(scene) == [second]
    with pytest.raises(Exception, match="pending"):
        scene.do(ClaimJob(agent_id=PULLER, job_id=second))


@pytest.mark.parametrize("status", ["inProgress", "actionRequired", "queued"])
def test_a_person_may_set_one_in_line_going(status: Any) -> None:
    scene = limited(1)
    started(scene, *NAMES[:2])
    first, second = made(scene)
    scene.advance(1_000)
    scene.do(SetJobStatus(job_id=second, status=status))
    assert job(scene, second).message is None, "it waits no longer"
    assert not state_of(scene).held
    assert job(scene, second).deadline_at == scene.now + timedelta(hours=1)
    assert handed(scene) == [first]
    assert dict(state_of(scene).running) == {f"agent/{PULLER}": 2}


def test_one_that_a_person_ends_in_line_is_not_said_to_wait() -> None:
    scene = limited(1)
    started(scene, *NAMES[:3])
    _, second, third = made(scene)
    scene.do(SetJobStatus(job_id=second, status="successful"))
    scene.do(SetJobStatus(job_id=third, status="skipped", message="not needed"))
    assert [job(scene, one).message for one in (second, third)] == [None, "not needed"]


def test_news_of_one_in_line_leave_it_there() -> None:
    scene = limited(1)
    started(scene, *NAMES[:2])
    first, second = made(scene)
    scene.do(SetJobStatus(job_id=second, status="pending", message="soon"))
    assert waiting(scene) == [second]
    scene.finish(job_id=first)
    assert handed(scene) == [first, second]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.integers(1, 4)),
            st.tuples(st.just("steps"), st.integers(1, 3)),
            st.tuples(st.just("release"), st.integers(0, 3)),
            st.tuples(st.sampled_from(("successful", "failure", "inProgress", "pending", "cancelled")), st.integers(0, 30)),
            st.tuples(st.just("limit"), st.sampled_from((None, 1, 2, 3))),
            st.tuples(st.just("stop"), st.integers(0, 5)),
            st.tuples(st.just("advance"), st.sampled_from((60, 4_000))),
        ),
        min_size=4,
        max_size=20,
    )
)
def test_places_do_not_drift_and_everybody_gets_his_turn(steps: list[tuple[str, Any]]) -> None:
    scene, runs = limited(2), []
    for number, (what, how) in enumerate(steps):
        match what:
            case "run":
                runs.append(started(scene, *NAMES[:how]))
            case "steps":
                runs.append(started(scene, steps=("a", "b", "c")[:how]))
            case "release":
                scene.release(f"v{number}", NAMES[how])
            case "limit":
                allow(scene, how)
            case "stop":
                if runs and (run_id := runs[how % len(runs)]) in state_of(scene).runs:
                    scene.do(CancelRun(run_id=run_id))
            case "advance":
                scene.advance(how)
            case _:
                status: Any = what
                ids = made(scene)
                if ids:
                    scene.do(SetJobStatus(job_id=ids[how % len(ids)], status=status))
        state = state_of(scene)
        active = [one for one, job in state.jobs.items() if job.status in ACTIVE and one not in state.held]
        assert state.running.get(f"agent/{PULLER}", 0) == len(active)
        limit = state.agent(state.agents[PULLER]).config.get("maxConcurrentJobs")
        assert not state.held or (limit is not None and len(active) >= limit)
        assert decode(State, encode(State, state)) == state
    assert state_of(scene) == refold(service, scene.log)
    while now := running(scene):
        scene.finish(job_id=now[0])
    state = state_of(scene)
    assert not state.held
    assert not state.lines
    assert not state.queues
    assert not state.runs
    assert not any(job.is_active for job in state.jobs.values())
