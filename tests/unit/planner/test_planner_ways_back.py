"""What people ask of the past: the rollback of a whole rollout or environment, and marks that are lifted."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.planner import (
    CreateVersion,
    LiftMark,
    PinVersion,
    RollBack,
    RollBackEnvironment,
    SaveDeployment,
    UpdateVersion,
)
from contracts.facts.planner import MarkLifted, ReleasesCreated
from services.planner.ways_back import IDS_PER_FACT
from tests.unit.planner.planner_scenes import R1, R2, R3, Scene, uid
from tests.unit.planner.variable_scenes import VariableScene


def roll_back_from(scene: Scene, leaving: str, to: str | None = None) -> int:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment}
    wish = RollBack(**about, from_version_id=leaving, version_id=to, reason="customers complain")
    targets: int = scene.world.do(wish)["targets"]
    return targets


def roll_environment_back(scene: Scene) -> int:
    targets: int = scene.world.do(RollBackEnvironment(environment_id=scene.environment, reason="all is red"))["targets"]
    return targets


def lift(scene: Scene, version_id: str, resource: str | None = None) -> int:
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment, "resource_id": resource}
    targets: int = scene.world.do(LiftMark(**about, version_id=version_id, reason="it was the network"))["targets"]
    return targets


def after_a_rollback(*resources: str) -> tuple[Scene, str, str]:
    """v1 was good, v2 failed and was rolled back on all resources."""
    scene = Scene(*resources)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, *resources)
    scene.clear(v2, *resources)
    for one in resources:
        scene.require_rollback(one, v2, scene.job(one, "failure"))
    return scene, v1, v2


# --- one rollout -----------------------------------------------------------------------------------------------------------------


def test_the_rollback_of_a_rollout_leaves_alone_targets_on_another_version() -> None:
    scene = Scene(R1, R2, R3)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    scene.deployed(v1, R1, R2, R3)
    scene.deployed(v2, R1, R2)
    scene.deployed(v3, R3)
    assert roll_back_from(scene, v2) == 2
    assert [scene.desired(one) for one in (R1, R2, R3)] == [v1, v1, v3]
    assert [scene.marked(one) for one in (R1, R2, R3)] == [{v2}, {v2}, frozenset()]


def test_a_rollout_goes_back_to_a_named_version_too() -> None:
    scene = Scene(R1, R2)
    v1, v2, v3 = (scene.version(tag) for tag in ("v1", "v2", "v3"))
    for version in (v1, v2):
        scene.deployed(version, R1, R2)
    scene.deployed(v3, R1)
    assert roll_back_from(scene, v3, to=v1) == 1
    assert [scene.desired(one) for one in (R1, R2)] == [v1, v2]
    assert scene.marked(R1) == {v2, v3}


def test_the_rollback_of_a_rollout_that_is_nowhere_is_refused() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    with pytest.raises(Refused, match="is not on version 'v2'") as refused:
        roll_back_from(scene, v2)
    assert refused.value.refusal.kind == "conflict"
    with pytest.raises(Refused, match="not found"):
        roll_back_from(scene, uid("no version"))


def test_a_rollout_of_another_deployment_is_refused() -> None:
    scene = Scene(R1)
    other = scene.world.do(SaveDeployment(name="web"))["id"]
    foreign = scene.world.do(CreateVersion(deployment_id=other, tag="v1"))["id"]
    with pytest.raises(Refused, match="another deployment") as refused:
        roll_back_from(scene, foreign)
    assert refused.value.refusal.kind == "invalid"


# --- an environment --------------------------------------------------------------------------------------------------------------


def test_an_environment_goes_back_whatever_the_deployment() -> None:
    api = Scene(R1, R2)
    web = api.beside("web", R1, R2)
    versions = {}
    for scene in (api, web):
        versions[scene] = scene.version("v1"), scene.version("v2")
        scene.deployed(versions[scene][0], R1)
        scene.deployed(versions[scene][1], R1, R2)
    assert roll_environment_back(api) == 2
    for scene, (v1, v2) in versions.items():
        assert (scene.desired(R1), scene.marked(R1)) == (v1, frozenset({v2}))
        assert (scene.desired(R2), scene.marked(R2)) == (v2, frozenset()), "it has nothing to go back to"
    assert {one.reason for one in api.rollbacks()} == {"all is red"}


def test_an_environment_leaves_pinned_targets_alone_and_says_so_when_nothing_else_is_left() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    scene.deployed(v2, R1, R2)
    about = {"deployment_id": scene.deployment, "environment_id": scene.environment}
    scene.world.do(PinVersion(**about, resource_id=R1, version_id=v2))
    assert roll_environment_back(scene) == 1
    assert [scene.desired(one) for one in (R1, R2)] == [v2, v1]
    with pytest.raises(Refused, match="1 of its targets are pinned") as refused:
        roll_environment_back(scene)
    assert refused.value.refusal.kind == "conflict"


def test_an_environment_without_anything_to_go_back_to_is_refused() -> None:
    scene = Scene(R1)
    with pytest.raises(Refused, match="'production' has an earlier release") as refused:
        roll_environment_back(scene)
    assert refused.value.refusal.kind == "conflict"
    with pytest.raises(Refused, match=r"Environment .* not found"):
        scene.world.do(RollBackEnvironment(environment_id=uid("nowhere")))
    with pytest.raises(Refused, match="2001 characters"):
        scene.world.do(RollBackEnvironment(environment_id=scene.environment, reason="x" * 2_001))


# --- marks that are lifted ---------------------------------------------------------------------------------------------------------


def test_a_lifted_version_may_be_cleared_for_the_target_again_and_comes_back() -> None:
    scene, v1, v2 = after_a_rollback(R1, R2)
    assert lift(scene, v2, R1) == 1
    (lifted,) = scene.world.facts(MarkLifted)
    assert (lifted.resource_ids, lifted.version_id, lifted.reason) == ((R1,), v2, "it was the network")
    assert [scene.marked(one) for one in (R1, R2)] == [frozenset(), {v2}]
    scene.clear(v2, R1, R2)
    assert [scene.desired(one) for one in (R1, R2)] == [v2, v1]


def test_a_clearance_that_came_after_the_mark_counts_at_once_when_the_mark_is_lifted() -> None:
    scene, v1, v2 = after_a_rollback(R1)
    scene.clear(v2, R1)
    assert scene.desired(R1) == v1
    lift(scene, v2)
    assert scene.desired(R1) == v2


def test_a_lifted_version_stays_away_while_a_newer_one_is_there() -> None:
    scene, _, v2 = after_a_rollback(R1)
    v3 = scene.version("v3")
    scene.clear(v3, R1)
    scene.clear(v2, R1)
    lift(scene, v2)
    assert scene.desired(R1) == v3


def test_a_mark_is_lifted_on_all_targets_that_have_it_also_on_those_that_are_away() -> None:
    scene, v1, v2 = after_a_rollback(R1, R2)
    scene.unmatch(R2)
    assert lift(scene, v2) == 2
    scene.match(R2)
    scene.clear(v2, R2)
    assert scene.desired(R2) == v2
    assert v1


def test_the_version_that_stayed_for_want_of_a_good_one_takes_up_the_variables_of_today() -> None:
    scene = VariableScene(R1)
    scene.require_rollback(R1, scene.v1, scene.job(R1, "failure"))
    scene.declare("x", 1)
    assert scene.variables(R1) == {}, "a marked version gets no new release"
    lift(scene, scene.v1, R1)
    assert scene.variables(R1) == {"x": 1}


def test_after_a_lift_the_version_may_be_rolled_back_once_more() -> None:
    scene, v1, v2 = after_a_rollback(R1)
    lift(scene, v2, R1)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    assert [one.version_id for one in scene.rollbacks()] == [v2, v2]
    assert (scene.desired(R1), scene.marked(R1)) == (v1, frozenset({v2}))


def test_a_mark_is_named_in_facts_of_at_most_a_thousand_targets() -> None:
    resources = sorted(uid(f"r {n}") for n in range(IDS_PER_FACT + 1))
    scene = Scene(*resources)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, *resources)
    scene.finish(*resources)
    scene.clear(v2, *resources)
    assert roll_environment_back(scene) == len(resources)
    assert lift(scene, v2) == len(resources)
    lifted = scene.world.facts(MarkLifted)
    assert [len(one.resource_ids) for one in lifted] == [IDS_PER_FACT, 1]
    assert [one for fact in lifted for one in fact.resource_ids] == resources
    assert max(len(one.to_json()) for one in lifted) < 64 * 1024


def test_lifting_what_is_not_marked_is_refused() -> None:
    scene, v1, v2 = after_a_rollback(R1, R2)
    for version_id, resource in ((v1, None), (v1, R1), (v2, R3)):
        with pytest.raises(Refused, match="is not marked bad") as refused:
            lift(scene, version_id, resource)
        assert refused.value.refusal.kind == "not_found"
    lift(scene, v2, R1)
    with pytest.raises(Refused, match="is not marked bad"):
        lift(scene, v2, R1)
    assert len(scene.world.facts(MarkLifted)) == 1


@pytest.mark.parametrize(
    "change, kind",
    [
        ({"deployment_id": uid("none")}, "not_found"),
        ({"environment_id": uid("none")}, "not_found"),
        ({"version_id": uid("none")}, "not_found"),
        ({"reason": "x" * 2_001}, "invalid"),
    ],
)
def test_lifting_a_mark_of_what_is_not_there_is_refused(change: dict[str, str], kind: str) -> None:
    scene, _, v2 = after_a_rollback(R1)
    wish = LiftMark(deployment_id=scene.deployment, environment_id=scene.environment, version_id=v2)
    with pytest.raises(Refused) as refused:
        scene.world.do(wish.model_copy(update=change))
    assert refused.value.refusal.kind == kind
    assert scene.marked(R1) == {v2}


def test_a_lifted_version_that_was_rejected_meanwhile_does_not_come_back() -> None:
    scene, v1, v2 = after_a_rollback(R1)
    scene.clear(v2, R1)
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    before = len(scene.world.facts(ReleasesCreated))
    lift(scene, v2)
    assert (scene.desired(R1), len(scene.world.facts(ReleasesCreated))) == (v1, before)
