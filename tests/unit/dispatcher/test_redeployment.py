"""A person wants a release dispatched once more; and what is dispatched uses its clearance up."""

from __future__ import annotations

from contracts.facts.planner import RedeployItem, RedeployRequested, ReleaseItem, ReleasesCreated
from contracts.facts.policy import PolicySaved
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of


def redeploy(scene: Scene, tag: str, *names: str) -> None:
    items = tuple(
        RedeployItem(resource_id=id_of(name), release_id=release_of(tag, name), version_id=id_of(tag))
        for name in names or ("eu-1",)
    )
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=items, requested_at=scene.now))
    scene.run()


def other_variables(scene: Scene, tag: str, name: str = "eu-1") -> str:
    """The same version gets another release, since its variables changed; policy was not asked about it yet."""
    release_id = id_of(f"{tag}@{name} with other variables")
    item = ReleaseItem(resource_id=id_of(name), release_id=release_id, variables={"replicas": 3})
    scene.record(
        ReleasesCreated(
            deployment_id=DEPLOYMENT,
            environment_id=ENVIRONMENT,
            version_id=id_of(tag),
            items=(item,),
            cleared_at=0,
            created_at=scene.now,
        )
    )
    scene.run()
    return release_id


def test_force_creates_job() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.record(PolicySaved(policy_id=id_of("policy"), name="strict", created_at=scene.now))
    scene.run()
    redeploy(scene, "v1")
    first, second = scene.jobs()
    assert (second.release_id, second.attempt) == (first.release_id, 2)
    assert scene.statuses() == ["successful", "queued"]


def test_force_waits_for_the_active_job_and_happens_once() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    redeploy(scene, "v1")
    assert scene.statuses() == ["queued"]
    scene.finish("failure")
    assert scene.statuses() == ["failure", "queued"]
    scene.finish("failure")
    assert scene.statuses() == ["failure", "failure"]


def test_redeploy_of_a_release_that_is_no_longer_desired_does_nothing() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.release("v2")
    scene.finish()
    redeploy(scene, "v1")
    assert len(scene.jobs()) == 2


def test_redeploy_is_over_when_another_release_becomes_desired() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    redeploy(scene, "v1")
    scene.release("v2")
    scene.finish()
    scene.finish()
    assert [job.release_id for job in scene.jobs()] == [release_of("v1", "eu-1"), release_of("v2", "eu-1")]


def test_redeploy_without_an_agent_is_done_once_there_is_one() -> None:
    scene = Scene()
    agent = scene.save_agent()
    scene.release("v1")
    scene.finish()
    scene.save_deployment(selector="false")
    redeploy(scene, "v1")
    assert scene.statuses() == ["successful", "invalidJobAgent"]
    scene.save_deployment(selector="true")
    scene.run()
    assert scene.statuses() == ["successful", "invalidJobAgent", "queued"]
    assert scene.jobs()[-1].agent_id == agent


def test_a_release_with_other_variables_waits_for_a_clearance_of_its_own() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    changed = other_variables(scene, "v1")
    assert len(scene.jobs()) == 1
    scene.clear("v1")
    scene.run()
    assert [job.release_id for job in scene.jobs()] == [release_of("v1", "eu-1"), changed]
    scene.finish()
    assert len(scene.jobs()) == 2


def test_variables_that_change_back_dispatch_the_first_release_again() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    other_variables(scene, "v1")
    scene.clear("v1")
    scene.run()
    scene.finish()
    scene.release("v1")
    assert [(job.release_id == release_of("v1", "eu-1"), job.attempt) for job in scene.jobs()] == [
        (True, 1),
        (False, 1),
        (True, 2),
    ]


def test_redeploy_of_what_was_never_dispatched_waits_for_policy() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    changed = other_variables(scene, "v1")
    items = (RedeployItem(resource_id=id_of("eu-1"), release_id=changed, version_id=id_of("v1")),)
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=items, requested_at=scene.now))
    scene.run()
    assert len(scene.jobs()) == 1
    scene.clear("v1")
    scene.run()
    assert [job.release_id for job in scene.jobs()][1:] == [changed]


def test_force_no_desired_noop() -> None:
    scene = Scene()
    scene.save_agent()
    scene.save_version("v1")
    redeploy(scene, "v1")
    assert scene.jobs() == []
    scene.release("v1")
    assert len(scene.jobs()) == 1, "what was wanted before there was a release is not made up for"


def test_force_waits_without_looking_again_and_again() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    redeploy(scene, "v1")
    rounds = len(scene.rounds)
    scene.advance(600)
    assert len(scene.rounds) == rounds
    scene.finish("failure")
    assert scene.statuses() == ["failure", "queued"]
