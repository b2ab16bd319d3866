"""Which versions would every rule let go now: all of them, whatever runs there and whichever is newer."""

from __future__ import annotations

from time import perf_counter

import pytest

from contracts.command import Refused
from contracts.commands.policy.evaluations import EligibleVersions
from contracts.facts.planner import VersionCreated
from contracts.shapes import VersionStatus
from tests.unit.policy.choice_scenes import eligible, posted
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid

R1, R2, R3 = uid("r1"), uid("r2"), uid("r3")


def rule_of(scene: Scene, policy_id: str, index: int = 0) -> str:
    return scene.state.policies[policy_id].saved.rules[index].id


def test_every_version_is_eligible_where_no_rule_holds() -> None:
    scene = Scene(R1)
    *_, newest = posted(scene, "v1", "v2", "v3")
    scene.deploy(newest, R1)
    assert eligible(scene, R1) == ["v3", "v2", "v1"]


def test_version_that_a_rule_holds_is_not_eligible() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    first, _ = posted(scene, "v1", "v2")
    assert eligible(scene, R1) == []
    scene.approve(first)
    assert eligible(scene, R1) == ["v1"]


def test_excluded_rules_are_not_asked() -> None:
    scene = Scene(R1)
    policy = scene.production_policy(approval(), progression())
    scene.appear(uid("s"), env=scene.staging)
    posted(scene, "v1", "v2")
    ids = (rule_of(scene, policy), rule_of(scene, policy, 1))
    assert eligible(scene, R1, exclude=ids[:1]) == []
    assert eligible(scene, R1, exclude=ids) == ["v2", "v1"]
    assert eligible(scene, R1, exclude=(uid("no rule"),)) == []


def test_only_the_versions_named_are_looked_at() -> None:
    scene = Scene(R1)
    first, *_ = posted(scene, "v1", "v2", "v3")
    assert eligible(scene, R1, among=(first, uid("no version"))) == ["v1"]
    assert eligible(scene, R1, among=()) == []


@pytest.mark.parametrize("status", ["building", "failed", "rejected", "unspecified", "paused"])
def test_status_is_a_gate(status: VersionStatus) -> None:
    scene = Scene(R1)
    _, second = posted(scene, "v1", "v2")
    scene.set_status(second, status)
    assert eligible(scene, R1) == ["v1"]


def test_paused_version_with_a_release_there_is_eligible() -> None:
    scene = Scene(R1, R2)
    (first,) = posted(scene, "v1")
    scene.deploy(first, R1)
    scene.set_status(first, "paused")
    assert (eligible(scene, R1), eligible(scene, R2)) == (["v1"], [])


def test_marked_version_is_not_eligible() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    scene.roll_back(second, R1, to=first)
    assert eligible(scene, R1) == ["v1"]


def test_target_must_be_due_in_the_rollout() -> None:
    scene = Scene(R1, R2)
    policy = scene.policy(linear(60))
    (version,) = posted(scene, "v1")
    (early,) = scene.open(version)
    (late,) = {R1, R2} - {early}
    assert (eligible(scene, early), eligible(scene, late)) == (["v1"], [])
    assert eligible(scene, late, exclude=(rule_of(scene, policy),)) == ["v1"]
    scene.advance(seconds=60)
    assert eligible(scene, late) == ["v1"]


def test_target_must_have_its_turn_where_one_goes_after_the_other() -> None:
    scene = Scene(R1, R2, R3)
    policy = scene.policy(linear(0), rollback("failure"))
    (version,) = posted(scene, "v1")
    (first,) = scene.open(version)
    assert [one for one in (R1, R2, R3) if eligible(scene, one)] == [first]
    scene.deploy(version, first)
    (second,) = scene.open(version)
    assert {one for one in (R1, R2, R3) if eligible(scene, one)} == {first, second}
    others = {R1, R2, R3} - {first, second}
    assert all(eligible(scene, one, exclude=(rule_of(scene, policy),)) == ["v1"] for one in others)


def test_what_is_no_target_is_refused() -> None:
    scene = Scene(R1)
    with pytest.raises(Refused) as refused:
        scene.world.ask(EligibleVersions(resource_id=R2, environment_id=scene.production, deployment_id=scene.deployment))
    assert refused.value.refusal.kind == "not_found"
    assert "is no release target" in refused.value.refusal.message


def test_a_thousand_versions_and_ten_rules_are_answered_quickly() -> None:
    """Generous for a busy machine: alone it takes a fraction of this."""
    targets = [uid(f"target {n}") for n in range(200)]
    scene = Scene(*targets)
    with scene.in_one_round():
        scene.record(
            *(
                VersionCreated(
                    version_id=uid(f"version {n}"), deployment_id=scene.deployment, tag=f"v{n}", name="", created_at=scene.world.now
                )
                for n in range(1_000)
            )
        )  # fmt: skip
    scene.deploy(scene.state.newest[scene.deployment][0], *targets)
    scene.advance(minutes=10)
    for n in range(5):
        scene.policy(approval(0), linear(1), name=f"policy {n}")
    began = perf_counter()
    assert len(eligible(scene, targets[0])) == 1_000
    assert perf_counter() - began < 60
