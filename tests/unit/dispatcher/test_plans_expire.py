"""A plan that is over makes no more dry runs, whatever these wait for, and what has no answer by then ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.facts.dispatcher import PlanResultRecorded
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from libs.runtime.service import NotYet
from services.dispatcher.plans import KEEPS
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of
from tests.unit.dispatcher.plan_scenes import Script, planned

DONE: dict[str, Any] = {
    "status": "completed", "has_changes": True, "content_hash": "h", "current": "a", "proposed": "b", "cut": False, "message": "",
    "validations": [],
}  # fmt: skip


def scene_of(*answers: Any, names: tuple[str, ...] = ("eu-1",)) -> tuple[Scene, Script]:
    script = Script(*answers)
    scene = Scene(*names, outside=script)
    scene.save_agent()
    return scene, script


def test_what_waits_for_its_turn_ends_with_the_plan() -> None:
    scene, script = scene_of(NotYet(60))
    planned(scene, "eu-1")
    scene.advance(KEEPS - timedelta(seconds=1))
    assert not scene.facts(PlanResultRecorded)
    scene.advance(1)
    (ended,) = scene.facts(PlanResultRecorded)
    assert ended.status == "errored"
    assert "expired" in ended.message
    assert not scene.room("dispatcher").state.planning.plans
    assert not scene.room("dispatcher").state.planning.results
    script.answers = [DONE]
    scene.advance(timedelta(hours=2))
    assert len(scene.facts(PlanResultRecorded)) == 1
    assert scene.next_due() is None


def test_only_what_is_open_ends() -> None:
    scene, _ = scene_of(DONE, NotYet(60), names=("eu-1", "eu-2", "eu-3"))
    planned(scene, "eu-1", "eu-2", "eu-3")
    scene.advance(KEEPS)
    assert sorted(one.status for one in scene.facts(PlanResultRecorded)) == ["completed", "errored", "errored"]
    assert not scene.room("dispatcher").state.planning.plans


def test_one_plan_does_not_end_another() -> None:
    scene, _ = scene_of(NotYet(60))
    first = planned(scene, "eu-1")
    scene.advance(1_800)
    second = planned(scene, "eu-1")
    scene.advance(1_800)
    assert [one.plan_id for one in scene.facts(PlanResultRecorded)] == [first]
    scene.advance(1_800)
    assert [one.plan_id for one in scene.facts(PlanResultRecorded)] == [first, second]


def test_targets_that_planner_finds_after_the_end_are_not_asked_about() -> None:
    scene, script = scene_of(NotYet(60))
    plan_id = planned(scene, last=False)
    scene.advance(KEEPS + timedelta(minutes=1))
    target = PlanTarget(environment_id=ENVIRONMENT, resource_id=id_of("eu-1"))
    scene.record(
        PlanTargetsResolved(plan_id=plan_id, deployment_id=DEPLOYMENT, targets=(target,), last=True, resolved_at=scene.now)
    )
    scene.run()
    scene.advance(0)
    (ended,) = scene.facts(PlanResultRecorded)
    assert "expired" in ended.message
    assert all("expired" in one.request["problem"] for one in script.of("plan"))
    assert not scene.room("dispatcher").state.planning.plans
