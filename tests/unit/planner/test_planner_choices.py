"""What people choose by hand: pins, redeployment, rollback; and what a version depends on."""

from __future__ import annotations

from datetime import datetime

import pytest

from contracts.command import Refused
from contracts.commands.inventory import ResourceInput
from contracts.commands.planner import (
    CreateVersion,
    DeleteDeployment,
    DeleteVersionDependency,
    LinkDeployment,
    PinVersion,
    PreviewResource,
    Redeploy,
    ReleasePin,
    RollBack,
    SaveDeployment,
    SaveEnvironment,
    SaveVersionDependency,
    UpdateVersion,
)
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import PinReleased, RedeployRequested, VersionPinned
from services.planner.catalog import Catalog
from services.planner.pins import held_to
from services.planner.rollback import MOST_BETWEEN
from tests.unit.planner.planner_scenes import R1, R2, R3, Scene, uid


def pin(scene: Scene, version_id: str, resource: str | None = None, reason: str = "") -> None:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment, "resource_id": resource}
    scene.world.do(PinVersion(**about, version_id=version_id, reason=reason))


def release_pin(scene: Scene, resource: str | None = None) -> None:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment, "resource_id": resource}
    scene.world.do(ReleasePin(**about))


def redeploy(scene: Scene, resource: str | None = None) -> int:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment, "resource_id": resource}
    targets: int = scene.world.do(Redeploy(**about))["targets"]
    return targets


def roll_back(scene: Scene, resource: str | None = None, version_id: str | None = None) -> int:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment, "resource_id": resource}
    targets: int = scene.world.do(RollBack(**about, version_id=version_id, reason="customers complain"))["targets"]
    return targets


# --- pins --------------------------------------------------------------------------------------------------------------------------


def test_a_pinned_target_takes_no_other_version() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    scene.deployed(v1, R1, R2)
    pin(scene, v1, R1)
    v2 = scene.version("v2")
    scene.clear(v2, R1, R2)
    assert (scene.desired(R1), scene.desired(R2)) == (v1, v2)


def test_a_pin_to_an_older_version_waits_for_its_clearance_and_then_goes_there() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v2, R1)
    pin(scene, v1)
    assert scene.desired(R1) == v2
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1
    assert scene.marked(R1) == frozenset()


def test_a_released_pin_lets_the_newest_cleared_version_in_at_once() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.deployed(v1, R1)
    pin(scene, v1)
    v2 = scene.version("v2")
    scene.clear(v2, R1)
    assert scene.desired(R1) == v1
    release_pin(scene)
    assert scene.desired(R1) == v2
    assert [one.version_id for one in scene.world.facts(PinReleased)] == [v1]


def test_the_pin_of_a_target_comes_before_that_of_all() -> None:
    scene = Scene(R1, R2)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    pin(scene, v1)
    pin(scene, v2, R2)
    for version in (v1, v2, v3):
        scene.clear(version, R1, R2)
    assert (scene.desired(R1), scene.desired(R2)) == (v1, v2)
    release_pin(scene, R2)
    scene.clear(v1, R2)
    assert scene.desired(R2) == v1


def test_a_pin_stays_when_its_target_vanishes_and_comes_back_and_ends_with_the_resource() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    pin(scene, v1, R1)
    scene.unmatch(R1)
    scene.match(R1)
    v2 = scene.version("v2")
    scene.clear(v1, R1)
    scene.clear(v2, R1)
    assert scene.desired(R1) == v1
    scene.unmatch(R1)
    scene.world.record(ResourceDeleted(resource_id=R1, identifier="r1"))
    scene.world.run()
    assert held_to(scene.world.room("planner").state.pins, scene.deployment, scene.environment, R1) is None


def test_a_pin_ends_with_its_deployment() -> None:
    scene = Scene(R1)
    pin(scene, scene.version("v1"))
    scene.world.do(DeleteDeployment(deployment_id=scene.deployment))
    assert not scene.world.room("planner").state.pins


def test_the_same_pin_again_appends_nothing_and_another_replaces_it() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    pin(scene, v1)
    pin(scene, v1)
    pin(scene, v2)
    assert [one.version_id for one in scene.world.facts(VersionPinned)] == [v1, v2]


@pytest.mark.parametrize(
    "change, kind",
    [
        ({"deployment_id": uid("none")}, "not_found"),
        ({"environment_id": uid("none")}, "not_found"),
        ({"resource_id": R3}, "not_found"),
        ({"version_id": uid("none")}, "not_found"),
        ({"reason": "x" * 2_001}, "invalid"),
    ],
)
def test_a_pin_of_what_is_not_there_is_refused(change: dict[str, str], kind: str) -> None:
    scene = Scene(R1)
    wish = PinVersion(deployment_id=scene.deployment, environment_id=scene.environment, version_id=scene.version("v1"))
    with pytest.raises(Refused) as refused:
        scene.world.do(wish.model_copy(update=change))
    assert refused.value.refusal.kind == kind
    assert not scene.world.facts(VersionPinned)


def test_a_pin_to_a_version_of_another_deployment_is_refused() -> None:
    scene = Scene(R1)
    other = scene.world.do(SaveDeployment(name="web"))["id"]
    foreign = scene.world.do(CreateVersion(deployment_id=other, tag="v1"))["id"]
    with pytest.raises(Refused, match="another deployment"):
        pin(scene, foreign)


def test_the_pin_of_a_target_lifts_the_mark_of_the_version_there_and_that_of_all_does_not() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    scene.deployed(v2, R1, R2)
    roll_back(scene)
    pin(scene, v2)
    assert scene.marked(R1) == scene.marked(R2) == {v2}
    pin(scene, v2, R1)
    scene.clear(v2, R1, R2)
    assert [scene.desired(one) for one in (R1, R2)] == [v2, v1]
    assert not scene.marked(R1)


def test_releasing_what_is_not_pinned_is_refused() -> None:
    scene = Scene(R1)
    pin(scene, scene.version("v1"))
    with pytest.raises(Refused, match="is not pinned"):
        release_pin(scene, R1)


# --- redeployment ------------------------------------------------------------------------------------------------------------------


def test_redeploy_names_the_desired_releases_of_the_target_or_of_all() -> None:
    scene = Scene(R1, R2, R3)
    v1 = scene.version("v1")
    scene.deployed(v1, R1, R2)
    assert redeploy(scene, R2) == 1
    assert redeploy(scene) == 2
    one, all_ = scene.world.facts(RedeployRequested)
    assert [item.resource_id for item in one.items] == [R2]
    assert [(item.resource_id, item.release_id, item.version_id) for item in all_.items] == [
        (R1, *scene.release(R1)),
        (R2, *scene.release(R2)),
    ]


def test_redeploy_where_nothing_is_desired_is_refused() -> None:
    scene = Scene(R1)
    with pytest.raises(Refused, match="no desired release"):
        redeploy(scene)


def test_redeploy_of_a_rejected_version_is_refused() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.deployed(v1, R1)
    scene.world.do(UpdateVersion(version_id=v1, status="rejected"))
    with pytest.raises(Refused, match="may not be deployed"):
        redeploy(scene)


def test_redeploy_lifts_the_bad_mark_of_the_version_that_stayed() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    job = scene.job(R1, "failure")
    scene.require_rollback(R1, v1, job)
    assert scene.marked(R1) == {v1}
    redeploy(scene, R1)
    assert scene.marked(R1) == frozenset()


# --- rollback by hand --------------------------------------------------------------------------------------------------------------


def test_rollback_returns_to_the_last_good_release_and_marks_the_version() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    before = scene.release(R1)
    scene.deployed(v2, R1, R2)
    assert roll_back(scene, R1) == 1
    (rollback,) = scene.rollbacks()
    assert scene.release(R1) == before
    assert (rollback.version_id, rollback.to_version_id, rollback.job_id, rollback.rule_id) == (v2, v1, "", "")
    assert scene.marked(R1) == {v2}
    assert scene.desired(R2) == v2
    scene.clear(v2, R1)
    assert scene.desired(R1) == v1


def test_rollback_to_a_named_version_marks_what_lies_between() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    for version in (v1, v2, v3):
        scene.deployed(version, R1)
    roll_back(scene, R1, v1)
    assert scene.desired(R1) == v1
    assert scene.marked(R1) == {v2, v3}
    v4 = scene.version("v4")
    scene.clear(v4, R1)
    assert scene.desired(R1) == v4


def test_versions_between_are_found_once_for_all_targets_that_go_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(R1, R2, R3)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    for version in (v1, v2, v3):
        scene.deployed(version, R1, R2, R3)
    looked_at: list[str] = []
    age_of = Catalog.age_of

    def counted(catalog: Catalog, version_id: str) -> tuple[datetime, str] | None:
        looked_at.append(version_id)
        return age_of(catalog, version_id)

    monkeypatch.setattr(Catalog, "age_of", counted)
    assert roll_back(scene, version_id=v1) == 3
    assert looked_at.count(v2) == 1, "neither left nor gone back to: only looked at because it lies between"
    monkeypatch.undo()
    assert [one.also_marked for one in scene.rollbacks()] == [(v2,)] * 3


def test_versions_between_follow_from_what_each_target_leaves() -> None:
    scene = Scene(R1, R2)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1, R2)
    scene.deployed(v2, R1)
    scene.deployed(v3, R2)
    assert roll_back(scene, version_id=v1) == 2
    assert {one.resource_id: (one.version_id, one.also_marked) for one in scene.rollbacks()} == {
        R1: (v2, (v3,)),
        R2: (v3, (v2,)),
    }


def test_a_rollback_past_too_many_versions_is_refused_with_the_advice_to_pin() -> None:
    scene = Scene(R1)
    oldest, old, *_, newest = (scene.version(f"v{n}") for n in range(MOST_BETWEEN + 3))
    for version in (oldest, old, newest):
        scene.deployed(version, R1)
    with pytest.raises(Refused, match=r"501 versions lie between .* at most 500; pin version 'v0' instead") as refused:
        roll_back(scene, version_id=oldest)
    assert refused.value.refusal.kind == "invalid"
    assert not scene.rollbacks()
    roll_back(scene, version_id=old)
    (started,) = scene.rollbacks()
    assert (scene.desired(R1), len(started.also_marked)) == (old, MOST_BETWEEN)
    assert len(started.to_json()) < 32 * 1024, "a fact is far smaller than what a message may be"


def test_a_rollback_to_the_last_good_release_marks_nothing_between_however_much_there_is() -> None:
    scene = Scene(R1)
    first, *_, newest = (scene.version(f"v{n}") for n in range(MOST_BETWEEN + 3))
    scene.deployed(first, R1)
    scene.deployed(newest, R1)
    roll_back(scene)
    assert (scene.desired(R1), scene.marked(R1)) == (first, frozenset({newest}))


def test_rollback_of_all_targets_leaves_alone_what_has_nothing_to_go_back_to() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.deployed(v2, R1, R2)
    assert roll_back(scene) == 1
    assert (scene.desired(R1), scene.desired(R2)) == (v1, v2)
    assert scene.marked(R2) == frozenset()


def test_rollback_skips_rejected_marked_and_newer_versions() -> None:
    scene = Scene(R1)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    for version in (v1, v2, v3):
        scene.deployed(version, R1)
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    roll_back(scene, R1)
    assert scene.desired(R1) == v1
    with pytest.raises(Refused, match="no earlier release"):
        roll_back(scene, R1, v3)


def test_rollback_with_nothing_to_go_back_to_or_under_a_pin_is_refused() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.deployed(v1, R1)
    with pytest.raises(Refused, match="no earlier release"):
        roll_back(scene, R1)
    v2 = scene.version("v2")
    scene.deployed(v2, R1)
    pin(scene, v2)
    with pytest.raises(Refused, match="is pinned"):
        roll_back(scene, R1)
    assert not scene.rollbacks()


# --- dependencies ------------------------------------------------------------------------------------------------------------------


def test_a_version_is_created_with_what_it_depends_on_and_that_can_change() -> None:
    scene = Scene(R1)
    other = scene.world.do(SaveDeployment(name="api-schema"))["id"]
    version_id = scene.world.do(
        CreateVersion(deployment_id=scene.deployment, tag="v1", dependencies={other: 'version.tag == "s1"'})
    )["id"]
    versions = scene.world.room("planner").state.catalog.versions
    assert versions[version_id].dependencies == {other: 'version.tag == "s1"'}
    scene.world.do(SaveVersionDependency(version_id=version_id, dependency_deployment_id=other, version_selector="true"))
    assert scene.world.room("planner").state.catalog.versions[version_id].dependencies == {other: "true"}
    scene.world.do(DeleteVersionDependency(version_id=version_id, dependency_deployment_id=other))
    assert scene.world.room("planner").state.catalog.versions[version_id].dependencies == {}
    with pytest.raises(Refused, match="does not depend"):
        scene.world.do(DeleteVersionDependency(version_id=version_id, dependency_deployment_id=other))


def test_nobody_depends_on_a_deployment_that_was_deleted() -> None:
    scene = Scene(R1)
    other, third = (scene.world.do(SaveDeployment(name=name))["id"] for name in ("schema", "queue"))
    wish = CreateVersion(deployment_id=scene.deployment, tag="v1", dependencies={other: "true", third: "true"})
    version_id = scene.world.do(wish)["id"]
    scene.world.do(DeleteDeployment(deployment_id=other))
    assert scene.world.room("planner").state.catalog.versions[version_id].dependencies == {third: "true"}


@pytest.mark.parametrize(
    "on, selector, kind, told",
    [
        ("own", "true", "invalid", "own deployment"),
        ("other", "  ", "invalid", "blank"),
        ("other", "true && vresion.tag == 'x'", "invalid", "line 1, column 9"),
        ("nowhere", "true", "not_found", "not found"),
    ],
)
def test_a_bad_dependency_leaves_no_version_behind(on: str, selector: str, kind: str, told: str) -> None:
    scene = Scene(R1)
    other = scene.world.do(SaveDeployment(name="other"))["id"]
    dependency = {"own": scene.deployment, "other": other, "nowhere": uid("nowhere")}[on]
    with pytest.raises(Refused, match=told) as refused:
        scene.world.do(CreateVersion(deployment_id=scene.deployment, tag="v1", dependencies={dependency: selector}))
    assert refused.value.refusal.kind == kind
    assert scene.version("v1")


# --- supersession and preview ------------------------------------------------------------------------------------------------------


def test_saving_a_deployment_without_supersession_keeps_it() -> None:
    scene = Scene(R1)
    scene.world.do(SaveDeployment(deployment_id=scene.deployment, name="api", resource_selector="true", supersession="every"))
    scene.world.do(SaveDeployment(deployment_id=scene.deployment, name="api", resource_selector="true", description="ours"))
    deployment = scene.world.room("planner").state.catalog.deployments[scene.deployment]
    assert (deployment.supersession, deployment.description) == ("every", "ours")


def test_preview_names_where_a_resource_would_be_deployed_to() -> None:
    scene = Scene()
    web = scene.world.do(SaveDeployment(name="web", resource_selector='resource.kind == "Cluster"'))["id"]
    scene.world.do(LinkDeployment(system_id=scene.system, deployment_id=web))
    scene.world.do(SaveEnvironment(name="alone", resource_selector="true"))

    def preview(kind: str) -> list[str]:
        resource = ResourceInput(identifier="new", name="new", kind=kind, version="v1")
        found = scene.world.ask(PreviewResource(resource=resource))
        assert all((one["system_id"], one["environment_id"]) == (scene.system, scene.environment) for one in found)
        return [one["deployment_id"] for one in found]

    assert preview("Cluster") == [scene.deployment, web]
    assert preview("Namespace") == [scene.deployment]
