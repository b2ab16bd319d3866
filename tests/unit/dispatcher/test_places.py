"""So many jobs at once: at an agent, of a deployment; who waits, and in which order they go."""

from __future__ import annotations

from contracts.commands.dispatcher import ClaimJob
from contracts.facts.dispatcher import DispatchHeld
from contracts.facts.planner import RedeployItem, RedeployRequested, TargetsChanged
from contracts.facts.policy import PolicySaved
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
