"""Which version a target may take: statuses, marks and the walk from the newest version down; by the scenarios of the behaviour spec."""

from __future__ import annotations

import pytest

from contracts.facts.policy import ClearanceWithdrawn, RuleEvaluated, TargetsCleared
from contracts.shapes import VersionStatus
from tests.unit.policy.policy_scenes import Scene, approval, uid

R1, R2 = uid("r1"), uid("r2")


def versions(scene: Scene, *tags: str) -> list[str]:
    made = []
    for tag in tags:
        scene.advance(seconds=1)
        made.append(scene.version(tag))
    return made


def test_ver_paused_new_target_skipped() -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(second, R1)
    scene.set_status(second, "paused")
    scene.appear(R2)
    assert scene.open(first) == {R2}
    reason = scene.reason("deployableVersion", second, R2)
    assert (reason.verdict, reason.message) == ("blocked", "v2 is paused: it goes to no further target.")


def test_ver_paused_existing_target_kept() -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(second, R1)
    before = len(scene.world.log)
    scene.set_status(second, "paused")
    assert len(scene.world.log) == before + 1
    assert scene.open(first) == set()


@pytest.mark.parametrize("status", ["building", "failed", "unspecified", "rejected"])
def test_ver_building_failed_not_deployable(status: VersionStatus) -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    scene.set_status(second, status)
    assert scene.open(first) == {R1}
    assert scene.open(second) == set()
    assert status in scene.reason("deployableVersion", second, R1).message


def test_ver_building_becomes_ready() -> None:
    scene = Scene(R1)
    version = scene.version("v1", status="building")
    assert scene.open(version) == set()
    assert scene.reason("deployableVersion", version, R1).ended_by == "a person or CI who sets v1 to ready"
    scene.set_status(version, "ready")
    assert scene.open(version) == {R1}


def test_ver_rejected_falls_back() -> None:
    scene = Scene(R1, R2)
    first, second = versions(scene, "v1", "v2")
    scene.release(second, R1, R2)
    scene.set_status(second, "rejected")
    assert scene.open(first) == {R1, R2}
    assert {fact.version_id for fact in scene.facts(ClearanceWithdrawn)} == {second}


def test_ver_rejecting_active_rolls_all_back() -> None:
    scene = Scene(R1, R2)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(first, R1, R2)
    scene.deploy(second, R1, R2)
    scene.set_status(second, "rejected")
    assert scene.open(first) == {R1, R2}
    scene.deploy(first, R1, R2)
    explained = scene.explain(R1)
    assert explained.current is not None
    assert explained.current.tag == "v1"
    assert [(one.tag, one.cleared) for one in explained.versions] == [("v2", False)]


def test_ver_all_rejected_none() -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    for one in (second, first):
        scene.set_status(one, "rejected")
    assert scene.open(first) == scene.open(second) == set()
    assert [one.cleared for one in scene.explain(R1).versions] == [False, False]


def test_ver_pause_resume() -> None:
    scene = Scene(R1)
    version = scene.version("v1", status="paused")
    assert scene.open(version) == set()
    scene.set_status(version, "ready")
    assert scene.open(version) == {R1}


def test_ver_rapid_succession_latest_only() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    made = versions(scene, "v1", "v2", "v3")
    for one in reversed(made):
        scene.approve(one)
    assert [fact.version_id for fact in scene.facts(TargetsCleared)] == [made[2]]
    assert scene.follow() == [R1]
    assert scene.explain(R1).versions == ()


def test_ver_pagination_past_500() -> None:
    """However many newer versions are blocked, the first that may go is found."""
    scene = Scene()
    good = scene.version("good")
    for n in range(600):
        scene.advance(seconds=1)
        scene.version(f"broken {n}", status="failed")
    scene.appear(R1)
    assert scene.open(good) == {R1}
    assert len(scene.explain(R1).versions) == 601


def test_mark_blocks_the_version_and_the_target_stays() -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    scene.roll_back(second, R1, to=first)
    assert scene.reason("badMark", second, R1).verdict == "blocked"
    assert [fact.rule_type for fact in scene.facts(RuleEvaluated)] == ["badMark"]
    scene.advance(seconds=1)
    third = scene.version("v3")
    assert scene.open(third) == {R1}
    assert not scene.is_cleared(second, R1)


def test_mark_without_a_way_back_waits_for_a_newer_version() -> None:
    scene = Scene(R1)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(second, R1, status="failure")
    scene.roll_back(second, R1, to=None)
    assert scene.open(first) == set()
    standing = scene.standing(second, R1)
    assert not standing.cleared
    assert "a newer version" in standing.message


def test_mark_is_of_one_target_alone() -> None:
    scene = Scene(R1, R2)
    first, second = versions(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    scene.roll_back(second, R1, to=first)
    assert scene.open(second) == {R2}


def test_target_that_comes_back_is_cleared_again() -> None:
    scene = Scene(R1)
    scene.resource("r1")
    known = uid("resource r1")
    scene.appear(known)
    version = scene.version("v1")
    scene.deploy(version, known, R1)
    scene.vanish(known, R1)
    scene.appear(known, R1)
    assert scene.open(version) == {known, R1}
    current = scene.explain(known).current
    assert current is not None, "what runs there is remembered while the resource exists"
    assert scene.explain(R1).current is None
