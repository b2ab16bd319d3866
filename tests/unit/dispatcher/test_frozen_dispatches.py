"""Freezes hold what is dispatched without a clearance: redeployments, and rollbacks where a freeze says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import DeploymentLinked, EnvironmentLinked, EnvironmentUnlinked, RedeployItem, RedeployRequested
from contracts.facts.policy import FreezeOverridden, FreezeSaved, FreezeThawed, SkipDeleted
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of


def deployed(**said: Any) -> Scene:
    """v1 runs."""
    scene = Scene(**said)
    scene.save_agent()
    scene.release("v1")
    scene.finish()
    return scene


def freeze(scene: Scene, *, starts: float = 0, minutes: float | None = None, name: str = "freeze", **said: Any) -> str:
    starts_at = scene.now + timedelta(minutes=starts)
    scene.record(
        FreezeSaved(
            freeze_id=id_of(name),
            reason="incident",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes) if minutes is not None else None,
            created_by="user:ana",
            created_at=scene.now,
            **said,
        )
    )
    scene.run()
    return id_of(name)


def redeploy(scene: Scene, tag: str = "v1") -> None:
    item = RedeployItem(resource_id=id_of("eu-1"), release_id=release_of(tag, "eu-1"), version_id=id_of(tag))
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=(item,), requested_at=scene.now))
    scene.run()


def jobs(scene: Scene) -> int:
    return len(scene.facts(JobCreated))


def test_redeployment_waits_for_the_end_of_the_freeze_and_goes_then_by_itself() -> None:
    scene = deployed()
    freeze(scene, minutes=10)
    redeploy(scene)
    assert jobs(scene) == 1
    scene.advance(599.999)
    assert jobs(scene) == 1
    scene.advance(0.001)
    assert jobs(scene) == 2


def test_redeployment_waits_through_freezes_that_follow_one_another() -> None:
    scene = deployed()
    freeze(scene, minutes=10)
    freeze(scene, starts=5, minutes=15, name="second")
    redeploy(scene)
    scene.advance(1199.999)
    assert jobs(scene) == 1
    scene.advance(0.001)
    assert jobs(scene) == 2


def test_redeployment_goes_when_the_freeze_is_thawed() -> None:
    scene = deployed()
    freeze_id = freeze(scene)
    redeploy(scene)
    scene.advance(100_000)
    assert jobs(scene) == 1
    scene.record(FreezeThawed(freeze_id=freeze_id, thawed_by="user:ana", thawed_at=scene.now))
    scene.run()
    assert jobs(scene) == 2


def test_redeployment_goes_when_its_version_may_pass() -> None:
    scene = deployed()
    freeze_id = freeze(scene)
    redeploy(scene)
    for tag, expected in (("v2", 1), ("v1", 2)):
        scene.record(
            FreezeOverridden(
                freeze_id=freeze_id, override_id=id_of(f"override {tag}"), version_id=id_of(tag), reason="the fix",
                created_by="user:ana", expires_at=scene.now + timedelta(minutes=5), created_at=scene.now,
            )
        )  # fmt: skip
        scene.run()
        assert jobs(scene) == expected


def test_redeployment_before_the_freeze_begins_goes_at_once() -> None:
    scene = deployed()
    freeze(scene, starts=1, minutes=10)
    redeploy(scene)
    assert jobs(scene) == 2


def test_redeployment_that_waited_for_a_job_is_held_by_a_freeze_that_began_meanwhile() -> None:
    scene = Scene()
    scene.save_agent()
    scene.release("v1")
    redeploy(scene)
    freeze(scene, minutes=10)
    scene.finish()
    assert jobs(scene) == 1, "the one that was dispatched ran on, and no other follows"
    scene.advance(600)
    assert jobs(scene) == 2


@pytest.mark.parametrize(
    "said", [{"scope": "environment", "scope_id": id_of("elsewhere")}, {"selector": 'resource.name == "us-1"'}]
)
def test_freeze_elsewhere_holds_no_redeployment(said: dict[str, Any]) -> None:
    scene = deployed()
    freeze(scene, **said)
    redeploy(scene)
    assert jobs(scene) == 2


def test_selector_with_an_error_holds_and_one_with_a_missing_key_does_not() -> None:
    scene = deployed(resources={"eu-1": {"size": "large"}})
    freeze(scene, selector="resource.metadata.region == 'eu'")
    redeploy(scene)
    assert jobs(scene) == 2
    scene.finish()
    freeze(scene, selector="int(resource.metadata.size) > 3", name="odd")
    redeploy(scene)
    assert jobs(scene) == 2


def test_freeze_of_a_system_holds_while_the_environment_is_in_it() -> None:
    scene = deployed()
    system = id_of("system")
    scene.record(
        DeploymentLinked(system_id=system, deployment_id=DEPLOYMENT),
        EnvironmentLinked(system_id=system, environment_id=ENVIRONMENT),
    )
    freeze(scene, scope="system", scope_id=system)
    redeploy(scene)
    assert jobs(scene) == 1
    scene.record(EnvironmentUnlinked(system_id=system, environment_id=ENVIRONMENT))
    scene.run()
    assert jobs(scene) == 2


def failed_second() -> Scene:
    scene = deployed()
    scene.release("v2")
    scene.finish("failure")
    return scene


def test_rollback_passes_a_freeze() -> None:
    scene = failed_second()
    freeze(scene)
    scene.roll_back("v2", to="v1")
    assert (jobs(scene), scene.jobs()[-1].rollback) == (3, True)


def test_rollback_waits_for_a_freeze_that_holds_rollbacks() -> None:
    scene = failed_second()
    freeze(scene, minutes=10, holds_rollbacks=True)
    scene.roll_back("v2", to="v1")
    scene.run()
    assert jobs(scene) == 2
    scene.advance(600)
    assert (jobs(scene), scene.jobs()[-1].rollback) == (3, True)


def test_rollback_of_a_release_that_a_person_redeploys_is_a_redeployment() -> None:
    scene = failed_second()
    scene.roll_back("v2", to="v1")
    scene.finish()
    freeze(scene)
    redeploy(scene)
    assert jobs(scene) == 3


def test_deleted_skip_and_saved_freeze_make_older_clearances_stale() -> None:
    for fact in ("skip", "freeze"):
        scene = deployed()
        scene.save_version("v2")
        at = scene.clear("v2")
        if fact == "skip":
            scene.record(SkipDeleted(skip_id=id_of("skip")))
        else:
            freeze(scene, scope="environment", scope_id=id_of("elsewhere"))
        scene.create_releases("v2", cleared_at=at)
        scene.run()
        assert jobs(scene) == 1
        scene.clear("v2")
        scene.run()
        assert jobs(scene) == 2
