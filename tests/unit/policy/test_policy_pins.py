"""A pinned target takes the version that a person chose for it, and no other, until the pin is released."""

from __future__ import annotations

from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import DeploymentDeleted, EnvironmentDeleted
from contracts.facts.policy import ClearanceWithdrawn, VersionSuperseded
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import eligible, pin, posted, told, unpin
from tests.unit.policy.policy_scenes import Scene, approval, linear, uid

R1, R2, R3 = uid("r1"), uid("r2"), uid("r3")


def test_pinned_target_takes_the_pinned_version_alone() -> None:
    scene = Scene(R1, R2)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1, R2)
    pin(scene, first, R1)
    assert scene.open(first) == {R1}
    (third,) = posted(scene, "v3")
    assert scene.open(third) == {R2}


def test_pin_of_the_pair_holds_for_all_its_targets_and_those_to_come() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1)
    pin(scene, first)
    scene.appear(R2)
    assert scene.open(first) == {R1, R2}


def test_pin_of_the_target_comes_before_that_of_the_pair() -> None:
    scene = Scene(R1, R2)
    first, second, third = posted(scene, "v1", "v2", "v3")
    pin(scene, first)
    pin(scene, second, R2)
    assert (scene.open(first), scene.open(second), scene.open(third)) == ({R1}, {R2}, set())
    unpin(scene, R2)
    assert scene.open(first) == {R1, R2}


def test_rules_apply_to_the_pinned_version_as_ever() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    first, second = posted(scene, "v1", "v2")
    scene.approve(second)
    scene.deploy(second, R1)
    pin(scene, first)
    assert scene.open(first) == set()
    assert scene.reason("anyApproval", first, R1).verdict == "waiting"
    scene.approve(first)
    assert scene.open(first) == {R1}


def test_pinned_version_that_may_not_be_deployed_is_blocked() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1)
    scene.set_status(first, "rejected")
    pin(scene, first)
    assert scene.open(first) == scene.open(second) == set()
    assert "v1 is rejected" in scene.standing(first, R1).message


def test_open_clearance_of_a_version_that_is_passed_over_is_withdrawn() -> None:
    scene = Scene(R1, R2)
    first, second = posted(scene, "v1", "v2")
    assert scene.open(second) == {R1, R2}
    pin(scene, first, R1, reason="v2 is slow")
    (withdrawn,) = scene.facts(ClearanceWithdrawn)
    assert (withdrawn.version_id, withdrawn.resource_ids) == (second, (R1,))
    assert withdrawn.reason == f"{R1}, api in production is pinned to v1 by test (v2 is slow)."
    assert (scene.open(first), scene.open(second)) == ({R1}, {R2})


def test_recorded_verdict_on_a_version_that_is_passed_over_is_over() -> None:
    scene = Scene(R1)
    scene.production_policy(approval(), linear(60))
    first, second, _ = posted(scene, "v1", "v2", "v3")
    scene.approve(first)
    scene.deploy(first, R1)
    pin(scene, first)
    assert sorted(told(scene, "anyApproval")[-2:]) == [
        ("v2", "allowed", (R1,)),
        ("v3", "allowed", (R1,)),
    ]
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    against = [v for by_rule in pair.held.values() for held in by_rule.values() for v in held.values() if v.verdict != "allowed"]
    assert against == []
    unpin(scene)
    assert scene.reason("anyApproval", second, R1).verdict == "waiting"
    assert told(scene, "anyApproval")[-1][1] == "waiting"


def test_wait_for_time_on_a_version_that_is_passed_over_is_over() -> None:
    scene = Scene(R1, R2)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1, R2)
    scene.policy(linear(60))
    pin(scene, first)
    assert scene.world.next_due() is None
    scene.advance(minutes=10)
    assert scene.open(second) == set()


def test_no_version_is_superseded_because_of_a_pin() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    first, second = posted(scene, "v1", "v2")
    scene.approve(second)
    scene.deploy(second, R1)
    posted(scene, "v3")
    before = len(scene.facts(VersionSuperseded))
    scene.approve(first)
    pin(scene, first)
    assert len(scene.facts(VersionSuperseded)) == before


def test_explanation_names_who_pinned_it_why_and_what_ends_it() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(second, cluster)
    pin(scene, second, reason="a customer asked")
    over = scene.standing(third, cluster)
    said = "api in production is pinned to v2 by test (a customer asked)."
    assert over.message == f"v3 is passed over: {said} What ends it: a person who releases the pin."
    assert [(one.rule_type, one.verdict, one.ended_by) for one in over.reasons] == [
        ("versionPin", "blocked", "a person who releases the pin")
    ]
    assert scene.explain(cluster).message == f"v2 runs here. {over.message}"
    pin(scene, first, cluster)
    assert [one.tag for one in scene.explain(cluster).versions] == ["v3", "v1"]
    assert scene.explain(cluster).message == "v2 runs here. Every rule allows v1; its job is not made yet."
    scene.release(first, cluster)
    assert scene.explain(cluster).message == "v2 runs here; it is going back to v1."


def test_released_pin_walks_again_from_the_newest() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1)
    pin(scene, first)
    scene.deploy(first, R1)
    unpin(scene)
    assert scene.open(second) == {R1}


def test_clearance_of_a_pinned_version_ends_with_the_pin_where_a_newer_one_runs() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1)
    pin(scene, first)
    assert scene.open(first) == {R1}
    unpin(scene)
    assert scene.open(first) == set()
    assert scene.facts(ClearanceWithdrawn)[-1].reason == "v2 stays here."


def test_pin_of_a_vanished_target_comes_back_with_it() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    first, _ = posted(scene, "v1", "v2")
    pin(scene, first, cluster)
    scene.vanish(cluster)
    scene.appear(cluster)
    assert scene.open(first) == {cluster}


def test_pin_ends_with_its_resource() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    first, second = posted(scene, "v1", "v2")
    pin(scene, first, cluster)
    with scene.in_one_round():
        scene.record(ResourceDeleted(resource_id=cluster, identifier="cluster-1"))
        scene.vanish(cluster)
    scene.appear(cluster)
    assert scene.open(second) == {cluster}


def test_pin_of_a_vanished_target_ends_with_its_resource_too() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    scene.appear(cluster)
    first, second = posted(scene, "v1", "v2")
    pin(scene, first, cluster)
    scene.vanish(cluster)
    scene.record(ResourceDeleted(resource_id=cluster, identifier="cluster-1"))
    assert cluster not in scene.state.places
    scene.resource("cluster-1")
    scene.appear(cluster)
    assert scene.open(second) == {cluster}


def test_pin_ends_with_its_environment_and_with_its_deployment() -> None:
    for gone in (
        EnvironmentDeleted(environment_id=uid("environment production")),
        DeploymentDeleted(deployment_id=uid("deployment")),
    ):
        scene = Scene()
        first, second = posted(scene, "v1", "v2")
        pin(scene, first)
        scene.record(gone)
        scene.appear(R1)
        assert scene.open(second) == {R1}


def test_jobs_of_a_pinned_version_are_remembered() -> None:
    scene = Scene(R1, R2)
    (first,) = posted(scene, "v1")
    scene.deploy(first, R1, R2)
    pin(scene, first, R3)
    for n in range(2, 20):
        (version,) = posted(scene, f"v{n}")
        scene.deploy(version, R1, R2)
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    assert first in pair.jobs
    unpin(scene, R3)
    posted(scene, "v20")
    assert first not in scene.state.pairs[pair_key(scene.deployment, scene.production)].jobs


def test_pin_is_a_gate_for_eligible_versions() -> None:
    scene = Scene(R1)
    first, _ = posted(scene, "v1", "v2")
    assert eligible(scene, R1) == ["v2", "v1"]
    pin(scene, first)
    assert eligible(scene, R1) == ["v1"]


def test_targets_of_a_rollout_go_on_without_those_that_are_pinned() -> None:
    scene = Scene(R1, R2, R3)
    (first,) = posted(scene, "v1")
    scene.deploy(first, R1, R2, R3)
    pin(scene, first, R1)
    scene.policy(linear(60))
    (second,) = posted(scene, "v2")
    scene.advance(minutes=5)
    assert scene.open(second) == {R2, R3}
