"""So many jobs at once: at an agent, of a deployment; who waits, and in which order they go."""

from __future__ import annotations

import pytest

from contracts.commands.dispatcher import ClaimJob, DeleteJobAgent
from contracts.envelope import Recorded
from contracts.facts.dispatcher import DispatchHeld
from contracts.facts.planner import RedeployItem, RedeployRequested, TargetsChanged
from contracts.facts.policy import PolicySaved
from libs.runtime.service import Draft
from services.dispatcher.job import JobMaker
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of

NAMES = tuple(f"eu-{n}" for n in range(1, 7))


def limited(limit: int = 2, *, of_deployment: bool = False) -> Scene:
    config = {"maxConcurrentJobs": limit}
    scene = Scene(*NAMES, config=config if of_deployment else None)
    scene.save_agent(config={} if of_deployment else config)
    return scene


def state_of(scene: Scene) -> State:
    state: State = scene.room("dispatcher").state
    return state


def running(scene: Scene) -> list[str]:
    """Names of the resources that have an active job."""
    jobs = state_of(scene).jobs.values()
    active = {job.target[:36] for job in jobs if job.is_active}
    return [name for name in NAMES if id_of(name) in active]


def active_job(scene: Scene, name: str) -> str:
    return next(key for key, job in state_of(scene).jobs.items() if job.is_active and job.target.startswith(id_of(name)))


def test_no_more_jobs_than_places_and_the_wait_is_recorded_once() -> None:
    scene = limited()
    scene.release("v1", *NAMES)
    assert running(scene) == ["eu-1", "eu-2"]
    (held,) = scene.facts(DispatchHeld)
    assert [one.resource_id for one in held.items] == [id_of(name) for name in NAMES[2:]]
    assert (held.agent_id, held.limit) == (id_of("puller"), 2)
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert len(scene.facts(DispatchHeld)) == 1


def test_first_come_first_served() -> None:
    scene = limited(1)
    scene.release("v1", *reversed(NAMES))
    order = []
    while names := running(scene):
        assert len(names) == 1
        order += names
        scene.finish(job_id=active_job(scene, names[0]))
    assert order == [*reversed(NAMES)]
    assert not state_of(scene).held
    assert not state_of(scene).queues
    assert not state_of(scene).running


def test_a_deployment_has_places_of_its_own() -> None:
    scene = limited(3, of_deployment=True)
    scene.release("v1", *NAMES)
    assert running(scene) == ["eu-1", "eu-2", "eu-3"]
    assert scene.facts(DispatchHeld)[0].agent_id == ""


def test_who_comes_later_does_not_overtake() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:3])
    scene.finish(job_id=active_job(scene, "eu-1"))
    scene.release("v1", "eu-6")
    scene.finish(job_id=active_job(scene, "eu-2"))
    assert running(scene) == ["eu-3"]


def test_more_places_are_taken_at_once() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES)
    scene.save_agent(config={"maxConcurrentJobs": 4})
    assert running(scene) == [*NAMES[:4]]
    scene.save_agent(config={})
    assert running(scene) == [*NAMES]
    assert not state_of(scene).held


def test_a_target_that_vanishes_leaves_the_queue() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:3])
    scene.record(TargetsChanged(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, removed=(id_of("eu-2"),)))
    scene.run()
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-3"]


def test_one_whose_clearance_went_stale_lets_the_next_one_pass_and_keeps_its_place() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:3])
    scene.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=scene.now))
    scene.run()
    scene.clear("v1", "eu-3")
    scene.run()
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-3"]
    scene.clear("v1", "eu-2")
    scene.run()
    scene.finish(job_id=active_job(scene, "eu-3"))
    assert running(scene) == ["eu-2"]


def test_what_goes_back_or_is_wanted_again_does_not_stand_in_line() -> None:
    scene = limited(1)
    scene.release("v1", "eu-6")
    scene.finish(job_id=active_job(scene, "eu-6"))
    scene.release("v1", *NAMES[:3])
    item = RedeployItem(resource_id=id_of("eu-6"), release_id=release_of("v1", "eu-6"), version_id=id_of("v1"))
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=(item,), requested_at=scene.now))
    scene.run()
    assert running(scene) == ["eu-1"], "it waits all the same while there is no place"
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-6"]


def test_a_newer_release_takes_over_the_place_in_the_queue() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:3])
    scene.release("v2", "eu-2")
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-2"]
    assert scene.jobs()[-1].version_id == id_of("v2")


# --- supersede ---------------------------------------------------------------------------------------------------------------------


def test_a_queued_job_blocks_unless_it_may_give_way() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.release("v2")
    assert scene.statuses() == ["queued"]


def test_a_queued_job_gives_way_to_a_newer_release() -> None:
    scene = Scene()
    scene.save_agent(config={"supersedeQueued": True})
    scene.release("v1")
    scene.release("v2")
    assert scene.statuses() == ["cancelled", "queued"]
    assert scene.changes()[-2].message == "Superseded by v2 before anybody took it."


def test_a_job_that_somebody_took_is_waited_for() -> None:
    scene = Scene()
    scene.save_agent(config={"supersedeQueued": True})
    scene.release("v1")
    scene.do(ClaimJob(agent_id=id_of("puller"), job_id=scene.jobs()[0].job_id))
    scene.release("v2")
    assert scene.statuses() == ["inProgress"]


def test_a_job_that_gives_way_gives_its_place() -> None:
    scene = Scene(*NAMES)
    scene.save_agent(config={"supersedeQueued": True, "maxConcurrentJobs": 1})
    scene.release("v1", "eu-1", "eu-2")
    scene.release("v2", "eu-1")
    assert running(scene) == ["eu-1"]
    assert scene.jobs()[-1].version_id == id_of("v2")
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-2"]


# --- lines -------------------------------------------------------------------------------------------------------------------------


def test_a_place_that_nobody_in_line_can_take_goes_to_who_comes_next() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:2])
    scene.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=scene.now))
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == [], "eu-2 waits for its clearance to be issued again"
    scene.release("v1", "eu-3")
    assert running(scene) == ["eu-3"]


def test_who_is_cleared_again_goes_at_once_when_a_place_is_free() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:4])
    scene.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=scene.now))
    scene.finish(job_id=active_job(scene, "eu-1"))
    scene.clear("v1", "eu-4", "eu-3")
    scene.run()
    assert running(scene) == ["eu-3"], "of those who can go the one that came first"


def test_who_needs_two_kinds_of_places_waits_for_both_and_keeps_his_turn() -> None:
    scene = Scene(*NAMES, config={"maxConcurrentJobs": 1})
    scene.save_agent(config={"maxConcurrentJobs": 2})
    scene.release("v1", *NAMES)
    assert running(scene) == ["eu-1"]
    scene.save_deployment(config={})
    scene.run()
    assert running(scene) == ["eu-1", "eu-2"]
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-2", "eu-3"]
    assert len(scene.facts(DispatchHeld)) == 1, "for what they wait is recorded once"


def test_a_dispatch_to_two_agents_takes_a_place_at_each_and_one_of_its_deployment() -> None:
    scene = Scene(*NAMES, config={"maxConcurrentJobs": 1})
    scene.save_agent("one")
    scene.save_agent("two")
    scene.release("v1", *NAMES[:2])
    assert running(scene) == ["eu-1"]
    assert dict(state_of(scene).running.items()) == {
        f"agent/{id_of('one')}": 1,
        f"agent/{id_of('two')}": 1,
        f"deployment/{DEPLOYMENT}": 1,
    }
    first, second = (job.job_id for job in scene.jobs())
    scene.finish(job_id=first)
    assert running(scene) == ["eu-1"], "its other job goes on"
    scene.finish(job_id=second)
    assert running(scene) == ["eu-2"]


def test_another_agent_that_has_room_takes_who_waits() -> None:
    scene = Scene(*NAMES, selector='jobAgent.name == resource.metadata["agent"]', resources={n: {"agent": "one"} for n in NAMES})
    scene.save_agent("one", config={"maxConcurrentJobs": 1})
    scene.save_agent("two")
    scene.release("v1", *NAMES[:3])
    scene.save_resource("eu-3", {"agent": "two"})
    scene.run()
    assert running(scene) == ["eu-1", "eu-3"]
    scene.save_deployment(selector='jobAgent.name == "two"')
    scene.run()
    assert running(scene) == [*NAMES[:3]]


def test_an_agent_that_is_gone_keeps_nobody_waiting() -> None:
    scene = limited(1)
    scene.release("v1", *NAMES[:2])
    scene.do(DeleteJobAgent(agent_id=id_of("puller")))
    assert [job.status for job in scene.jobs()] == ["pending", "invalidJobAgent"]
    assert not state_of(scene).held


def test_who_waits_for_an_agent_that_is_gone_again_hears_that_there_is_none() -> None:
    scene = Scene(*NAMES)
    scene.release("v1", "eu-1", "eu-2")
    scene.save_agent(config={"maxConcurrentJobs": 1})
    assert running(scene) == ["eu-1"]
    assert [one.resource_id for one in scene.facts(DispatchHeld)[-1].items] == [id_of("eu-2")]
    scene.do(DeleteJobAgent(agent_id=id_of("puller")))
    newest = scene.jobs()[-1]
    assert (newest.resource_id, newest.status, newest.attempt) == (id_of("eu-2"), "invalidJobAgent", 2)
    assert newest.created_at >= scene.facts(DispatchHeld)[-1].held_at
    assert not state_of(scene).held
    assert not state_of(scene).queues
    scene.save_agent("other")
    assert running(scene) == ["eu-1", "eu-2"]


def test_who_is_wanted_again_while_he_waits_goes_to_the_front() -> None:
    scene = limited(1)
    scene.release("v1", "eu-6")
    scene.finish(job_id=active_job(scene, "eu-6"))
    scene.release("v1", *NAMES[:3])
    scene.release("v2", "eu-6")
    item = RedeployItem(resource_id=id_of("eu-6"), release_id=release_of("v2", "eu-6"), version_id=id_of("v2"))
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=(item,), requested_at=scene.now))
    scene.run()
    scene.finish(job_id=active_job(scene, "eu-1"))
    assert running(scene) == ["eu-6"]


def test_a_release_that_runs_already_waits_no_longer() -> None:
    scene = limited(1)
    scene.release("v1", "eu-6")
    scene.finish(job_id=active_job(scene, "eu-6"))
    scene.release("v1", "eu-1")
    scene.release("v2", "eu-6")
    assert list(state_of(scene).held) == [f"{id_of('eu-6')}-{ENVIRONMENT}-{DEPLOYMENT}"]
    scene.create_releases("v1", "eu-6", cleared_at=0)
    scene.run()
    assert not state_of(scene).held


# --- work --------------------------------------------------------------------------------------------------------------------------


class Looks:
    """Counts how often it is asked whether a target gets a job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        create = JobMaker.create

        def counting(maker: JobMaker, key: str, cause: Recorded | None) -> list[Draft]:
            self.number += 1
            return create(maker, key, cause)

        monkeypatch.setattr(JobMaker, "create", counting)


def test_the_work_of_a_completion_does_not_grow_with_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"r{n}" for n in range(400)]
    scene = Scene(*names, outside=lambda intent, now: {"status": "queued"})
    scene.save_agent(config={"maxConcurrentJobs": 10})
    scene.release("v1", *names)
    looks = Looks(monkeypatch)
    for number in range(30):
        scene.finish(job_id=scene.jobs()[number].job_id)
    assert len(scene.jobs()) == 40
    assert looks.number <= 3 * 30, "the one that ended, and the one that takes its place"
    assert len(scene.facts(DispatchHeld)) == 1


def test_those_who_can_not_go_are_passed_over_together(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"r{n}" for n in range(300)]
    scene = Scene(*names, outside=lambda intent, now: {"status": "queued"})
    scene.save_agent(config={"maxConcurrentJobs": 4})
    scene.release("v1", *names)
    scene.withdraw("v1")
    scene.run()
    looks = Looks(monkeypatch)
    for job in scene.jobs():
        scene.finish(job_id=job.job_id)
    assert looks.number <= 2 * 4
    scene.clear("v1", *names)
    scene.run()
    assert len([job for job in state_of(scene).jobs.values() if job.is_active]) == 4


def test_a_thousand_facts_of_those_who_wait_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"r{n}" for n in range(1_100)]
    scene = Scene(*names, outside=lambda intent, now: {"status": "queued"})
    scene.save_agent(config={"maxConcurrentJobs": 1})
    scene.release("v1", *names)
    assert [len(held.items) for held in scene.facts(DispatchHeld)] == [1_000, 99]
