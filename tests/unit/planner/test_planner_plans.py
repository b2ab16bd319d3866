"""Plans: what a version that does not exist yet would be given on each target."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.commands.planner import DeleteEnvironment
from contracts.facts.dispatcher import PlannedVersion, PlanRequested
from contracts.facts.planner import PlanTargetsResolved, ReleasesCreated
from services.planner import plans
from tests.unit.planner.planner_scenes import R1, R2, Scene, uid
from tests.unit.planner.variable_scenes import VariableScene

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def requested(scene: Scene, plan: str = "plan") -> list[PlanTargetsResolved]:
    """Ask for a plan of the scene's deployment; what planner answers."""
    version = PlannedVersion(version_id=uid("planned"), tag="pr-7", name="pr-7")
    scene.world.record(
        PlanRequested(plan_id=uid(plan), deployment_id=scene.deployment, version=version, created_at=NOW, expires_at=NOW)
    )
    scene.world.run()
    return [fact for fact in scene.world.facts(PlanTargetsResolved) if fact.plan_id == uid(plan)]


def test_plan_names_every_target_of_the_deployment_and_changes_nothing() -> None:
    scene = Scene(R1, R2)
    (answer,) = requested(scene)
    assert answer.last
    assert [(one.environment_id, one.resource_id) for one in answer.targets] == [(scene.environment, R1), (scene.environment, R2)]
    assert all(one.current_version_id is None for one in answer.targets)
    assert not scene.world.facts(ReleasesCreated)


def test_plan_without_targets_is_answered_at_once() -> None:
    (answer,) = requested(Scene())
    assert answer.last
    assert answer.targets == ()


def test_plan_after_the_environment_is_gone_has_no_targets() -> None:
    scene = Scene(R1)
    scene.world.do(DeleteEnvironment(environment_id=scene.environment))
    (answer,) = requested(scene)
    assert answer.targets == ()


def test_plan_of_many_targets_comes_in_parts_that_fit() -> None:
    resources = sorted(uid(f"many {number}") for number in range(plans.TARGETS_PER_FACT + 3))
    parts = requested(Scene(*resources))
    assert [len(part.targets) for part in parts] == [plans.TARGETS_PER_FACT, 3]
    assert [part.last for part in parts] == [False, True]
    assert [one.resource_id for part in parts for one in part.targets] == resources


def test_plan_tells_what_runs_today_and_the_variables_of_today() -> None:
    scene = VariableScene(R1, R2)
    scene.declare("replicas", 3)
    scene.job(R1)
    release_id, _ = scene.release(R1)
    (answer,) = requested(scene)
    running, empty = answer.targets
    assert (running.current_version_id, running.current_release_id) == (scene.v1, release_id)
    assert empty.current_release_id is None
    assert [one.variables for one in answer.targets] == [{"replicas": 3}, {"replicas": 3}]


def test_plan_tells_the_last_success_not_the_failure_after_it() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.clear(v2, R1)
    scene.job(R1, "failure")
    (answer,) = requested(scene)
    assert answer.targets[0].current_version_id == v1
