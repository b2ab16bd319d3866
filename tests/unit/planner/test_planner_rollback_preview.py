"""What going back would do is told before it is done, and it is what is done."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.planner import PreviewRollback, RollBack, RollBackEnvironment, RollbackPreview
from tests.unit.planner.planner_scenes import R1, R2, R3, Scene


def preview(scene: Scene, leaving: str | None = None, to: str | None = None, *, whole: bool = False) -> RollbackPreview:
    wish = PreviewRollback(
        environment_id=scene.environment,
        deployment_id=None if whole else scene.deployment,
        from_version_id=leaving,
        version_id=to,
    )
    found: RollbackPreview = scene.world.ask(wish)
    return found


def three_versions() -> tuple[Scene, str, str, str]:
    """v1 ran on all, v2 after it on two of them, v3 on none."""
    scene = Scene(R1, R2, R3)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1, R2, R3)
    scene.deployed(v2, R1, R2)
    return scene, v1, v2, v3


def test_it_tells_how_many_targets_go_from_where_to_where() -> None:
    scene, v1, v2, _ = three_versions()
    found = preview(scene, v2)
    assert [(one.deployment_id, one.from_version_id, one.to_version_id, one.targets) for one in found.items] == [
        (scene.deployment, v2, v1, 2)
    ]
    assert (found.targets, found.marked) == (2, (v2,))


def test_it_changes_nothing_and_says_what_is_done_then() -> None:
    scene, _, v2, _ = three_versions()
    facts = len(scene.world.log)
    told = preview(scene, v2).targets
    assert len(scene.world.log) == facts
    wish = RollBack(deployment_id=scene.deployment, environment_id=scene.environment, from_version_id=v2, reason="slow")
    assert scene.world.do(wish)["targets"] == told


def test_a_named_version_marks_those_between() -> None:
    scene, v1, v2, v3 = three_versions()
    scene.deployed(v3, R1)
    found = preview(scene, to=v1)
    assert found.marked == tuple(sorted((v2, v3)))
    assert {(one.from_version_id, one.targets) for one in found.items} == {(v3, 1), (v2, 1)}


def test_a_whole_environment_goes_back_whatever_its_deployments() -> None:
    scene, v1, v2, _ = three_versions()
    found = preview(scene, whole=True)
    assert [(one.from_version_id, one.to_version_id, one.targets) for one in found.items] == [(v2, v1, 2)]
    assert scene.world.do(RollBackEnvironment(environment_id=scene.environment, reason="red"))["targets"] == found.targets


def test_it_is_refused_as_going_back_would_be() -> None:
    scene, _, _, v3 = three_versions()
    with pytest.raises(Refused) as refused:
        preview(scene, v3)
    assert refused.value.refusal.kind == "conflict"
