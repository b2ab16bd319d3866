"""Newest cleared wins, and says over whom; or every version goes, in the order in which they were made."""

from __future__ import annotations

import pytest

from contracts.facts.policy import RuleEvaluated, TargetsCleared, VersionSuperseded
from contracts.shapes import VersionStatus
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import (
    eligible,
    person_rolls_back,
    pin,
    posted,
    redeploy,
    supersession,
    told,
    unpin,
)
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid, verification

R1, R2, R3 = uid("r1"), uid("r2"), uid("r3")


def in_order(*resources: str) -> Scene:
    scene = Scene(*resources)
    supersession(scene, "every")
    return scene


# --- latest ------------------------------------------------------------------------------------------------------------------------


def test_version_that_waited_is_superseded_by_the_newer_one_that_is_cleared() -> None:
    scene = Scene(R1, R2)
    scene.production_policy(approval())
    first, second = posted(scene, "v1", "v2")
    scene.approve(second)
    (fact,) = scene.facts(VersionSuperseded)
    assert (fact.version_id, fact.by_version_id, fact.environment_id) == (first, second, scene.production)
    assert fact.resource_ids == tuple(sorted((R1, R2)))
    assert scene.standing(first, R1).message == "v1 is superseded by v2."


def test_superseded_is_said_in_the_same_breath_as_cleared() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    _, second = posted(scene, "v1", "v2")
    scene.approve(second)
    types = [one.type for one in scene.world.log]
    cleared, superseded = types.index(TargetsCleared.TYPE), types.index(VersionSuperseded.TYPE)
    assert superseded == cleared + 1
    assert scene.world.log[cleared].causation_id == scene.world.log[superseded].causation_id


def test_only_targets_that_it_waited_for_are_named() -> None:
    scene = Scene(R1, R2)
    scene.policy(approval(), selector=f'resource.id == "{scene.resource("slow")}"')
    slow = uid("resource slow")
    scene.appear(slow)
    first, second = posted(scene, "v1", "v2")
    scene.approve(second)
    assert [(fact.version_id, fact.resource_ids) for fact in scene.facts(VersionSuperseded)] == [(first, (slow,))]


def test_superseded_is_said_once() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    _, second = posted(scene, "v1", "v2")
    scene.approve(second)
    scene.policy(approval(0), name="one more")
    assert scene.cleared(second) == [R1, R1]
    assert len(scene.facts(VersionSuperseded)) == 1


def test_superseded_comes_in_facts_of_bounded_size() -> None:
    many = [uid(f"target {n}") for n in range(2_500)]
    scene = Scene(*many)
    scene.production_policy(approval())
    _, second = posted(scene, "v1", "v2")
    scene.approve(second)
    assert [len(fact.resource_ids) for fact in scene.facts(VersionSuperseded)] == [2_000, 500]


# --- every: whose turn ---------------------------------------------------------------------------------------------------------------


def test_versions_go_in_order_each_after_the_one_before_succeeded() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    assert (scene.open(first), scene.open(second), scene.open(third)) == ({R1}, set(), set())
    scene.release(first, R1)
    job = scene.job(first, R1, "inProgress")
    assert scene.open(second) == set()
    scene.job_status(job, "successful")
    assert (scene.open(second), scene.open(third)) == ({R1}, set())
    scene.deploy(second, R1)
    assert scene.open(third) == {R1}
    scene.deploy(third, R1)
    assert scene.explain(R1).message == "v3 runs here, the newest version."
    assert [fact.version_id for fact in scene.facts(TargetsCleared)] == [first, second, third]


def test_verification_of_the_version_before_must_pass_first() -> None:
    scene = in_order(R1)
    scene.production_policy(verification())
    first, second = posted(scene, "v1", "v2")
    scene.release(first, R1)
    job = scene.job(first, R1, "successful")
    assert scene.open(second) == set()
    scene.verify(job)
    assert scene.open(second) == {R1}


def test_target_that_has_nothing_starts_with_the_newest_version_of_its_day() -> None:
    scene = in_order()
    first, second = posted(scene, "v1", "v2")
    scene.appear(R1)
    (third,) = posted(scene, "v3")
    assert (scene.open(first), scene.open(second), scene.open(third)) == (set(), {R1}, set())
    scene.deploy(second, R1)
    assert scene.open(third) == {R1}


def test_target_older_than_every_version_starts_with_the_oldest() -> None:
    scene = in_order(R1)
    first, *_ = posted(scene, "v1", "v2", "v3")
    assert scene.open(first) == {R1}


def test_target_starts_with_the_newest_that_may_be_deployed() -> None:
    scene = in_order()
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.set_status(third, "rejected")
    scene.appear(R1)
    assert scene.open(second) == {R1}
    scene.set_status(second, "failed")
    assert (scene.open(first), scene.open(second)) == ({R1}, set())


def test_target_that_has_nothing_takes_no_older_version_instead_of_its_first() -> None:
    scene = in_order()
    scene.production_policy(approval())
    first, second = posted(scene, "v1", "v2")
    scene.approve(first)
    scene.appear(R1)
    assert scene.open(first) == set()
    assert scene.reason("anyApproval", second, R1).verdict == "waiting"
    assert scene.standing(first, R1).message == "v1 is passed over: this target starts with v2, which is newer."


@pytest.mark.parametrize("status", ["building", "failed", "rejected", "unspecified", "paused"])
def test_version_that_may_not_be_deployed_is_passed_by(status: VersionStatus) -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.set_status(second, status)
    scene.deploy(first, R1)
    assert scene.open(third) == {R1}
    assert status in scene.standing(second, R1).message


def test_version_that_becomes_ready_before_its_turn_takes_its_place() -> None:
    scene = in_order(R1)
    (first,) = posted(scene, "v1")
    scene.advance(seconds=1)
    second = scene.version("v2", status="building")
    (third,) = posted(scene, "v3")
    scene.deploy(first, R1)
    assert scene.open(third) == {R1}
    scene.set_status(second, "ready")
    assert (scene.open(second), scene.open(third)) == ({R1}, set())


def test_version_that_becomes_ready_after_its_turn_has_missed_it() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.set_status(second, "building")
    scene.deploy(first, R1)
    scene.deploy(third, R1, status="failure")
    scene.set_status(second, "ready")
    assert scene.open(second) == set()
    assert scene.standing(second, R1).message == "v2 is passed over: this target has already taken v3, which is newer."


def test_failed_version_without_rollback_holds_the_order() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    assert scene.open(third) == set()
    standing = scene.standing(third, R1)
    assert standing.message == (
        "v3 waits. Every version goes in order, and v2 comes first, which failed here. "
        "What ends it: a person who redeploys v2, rolls it back or rejects it."
    )
    assert scene.explain(R1).message == (
        "v1 runs here. v2 was cleared, but its job ended as failure. What ends it: a person who redeploys or rejects v2."
    )


def test_order_goes_on_once_a_failed_version_is_redeployed() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    redeploy(scene, second, R1)
    assert scene.open(third) == set()
    job = scene.job(second, R1, "inProgress", attempt=2)
    scene.job_status(job, "successful")
    assert scene.open(third) == {R1}


def test_order_goes_on_once_a_failed_version_is_rejected() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    scene.set_status(second, "rejected")
    assert scene.open(third) == {R1}


def test_order_goes_on_once_a_person_sets_the_job_right() -> None:
    scene = in_order(R1)
    first, second = posted(scene, "v1", "v2")
    scene.release(first, R1)
    job = scene.job(first, R1, "failure")
    assert scene.open(second) == set()
    scene.job_status(job, "successful")
    assert scene.open(second) == {R1}


def test_version_that_was_rolled_back_is_marked_and_the_next_one_goes() -> None:
    scene = in_order(R1)
    scene.production_policy(rollback("failure"))
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    assert scene.open(third) == set()
    scene.roll_back(second, R1, to=first)
    assert scene.open(third) == {R1}


def test_versions_that_a_person_rolled_back_are_passed_by() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    for one in (first, second, third):
        scene.deploy(one, R1)
    person_rolls_back(scene, third, R1, first, second)
    (fourth,) = posted(scene, "v4")
    assert scene.open(fourth) == {R1}
    assert scene.open(second) == set()


def test_each_target_goes_at_its_own_pace() -> None:
    scene = in_order(R1, R2)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    scene.deploy(second, R1)
    assert (scene.open(first), scene.open(second), scene.open(third)) == ({R2}, set(), {R1})


def test_rules_hold_the_version_whose_turn_it_is_and_no_later_one_goes_instead() -> None:
    scene = in_order(R1)
    scene.production_policy(approval())
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.approve(first)
    scene.approve(third)
    scene.deploy(first, R1)
    assert (scene.open(second), scene.open(third)) == (set(), set())
    assert scene.reason("anyApproval", second, R1).verdict == "waiting"
    assert [one.rule_type for one in scene.standing(third, R1).reasons] == ["versionOrder"]
    assert scene.explain(R1).message.startswith("v1 runs here. v2 is blocked. Waiting for approval")
    scene.approve(second)
    assert scene.open(second) == {R1}


def test_rejecting_what_runs_falls_back_until_the_next_one_may_go() -> None:
    scene = in_order(R1)
    scene.production_policy(approval())
    first, second, third = posted(scene, "v1", "v2", "v3")
    for one in (first, second):
        scene.approve(one)
        scene.deploy(one, R1)
    scene.set_status(second, "rejected")
    assert (scene.open(first), scene.open(third)) == ({R1}, set())
    scene.approve(third)
    assert scene.open(third) == {R1}


def test_promotion_goes_version_by_version() -> None:
    staged = uid("staged")
    scene = in_order(R1)
    scene.appear(staged, env=scene.staging)
    scene.production_policy(progression())
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, staged, env=scene.staging)
    scene.deploy(second, staged, env=scene.staging)
    assert (scene.open(first), scene.open(second)) == ({R1}, set())
    scene.deploy(first, R1)
    assert scene.open(second) == {R1}


def test_rollout_that_stopped_is_ended_by_a_person() -> None:
    scene = in_order(R1, R2)
    scene.production_policy(linear(0), rollback("failure"))
    (first,) = posted(scene, "v1")
    (one,) = scene.open(first)
    scene.deploy(first, one, status="failure")
    (other,) = {R1, R2} - {one}
    assert scene.reason("gradualRollout", first, other).ended_by == "a person who mends that target, or a person who rejects v1"


# --- every: what is recorded ---------------------------------------------------------------------------------------------------------


def test_waiting_behind_is_recorded_once_for_all_targets() -> None:
    scene = in_order(R1, R2)
    first, second, third = posted(scene, "v1", "v2", "v3")
    both = tuple(sorted((R1, R2)))
    assert told(scene, "versionOrder") == [("v2", "waiting", both), ("v3", "waiting", both)]
    before = len(told(scene, "versionOrder"))
    scene.deploy(first, R1)
    assert told(scene, "versionOrder")[before:] == [("v2", "allowed", (R1,))]
    scene.deploy(second, R1)
    assert told(scene, "versionOrder")[before + 1 :] == [("v3", "allowed", (R1,))]
    assert third in scene.state.pairs[pair_key(scene.deployment, scene.production)].held


def test_record_of_a_version_behind_holds_no_other_verdict() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    posted(scene, "v1", "v2")
    supersession(scene, "every")
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    held = {scene.state.tag(one): [key.rule_type for key in by_rule] for one, by_rule in pair.held.items()}
    assert held == {"v1": ["anyApproval"], "v2": ["versionOrder"]}


def test_nothing_is_superseded_where_every_version_goes() -> None:
    scene = in_order(R1)
    scene.production_policy(approval())
    for one in posted(scene, "v1", "v2"):
        scene.approve(one)
        scene.deploy(one, R1)
    assert scene.facts(VersionSuperseded) == []


# --- every: with what else there is -------------------------------------------------------------------------------------------------


def test_switching_to_every_takes_back_what_is_not_next() -> None:
    scene = Scene(R1)
    (first,) = posted(scene, "v1")
    scene.deploy(first, R1)
    second, third = posted(scene, "v2", "v3")
    assert scene.open(third) == {R1}
    supersession(scene, "every")
    assert (scene.open(second), scene.open(third)) == ({R1}, set())


def test_switching_to_latest_goes_to_the_newest_and_supersedes_the_rest() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    supersession(scene, "latest")
    assert scene.open(third) == {R1}
    assert scene.open(first) == set()
    assert {fact.version_id for fact in scene.facts(VersionSuperseded)} == {second}


def test_pin_comes_before_the_order_and_the_order_goes_on_after_it() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    for one in (first, second):
        scene.deploy(one, R1)
    pin(scene, first)
    assert (scene.open(first), scene.open(third)) == ({R1}, set())
    scene.deploy(first, R1)
    unpin(scene)
    assert scene.open(third) == {R1}


def test_job_that_was_made_out_of_order_is_where_the_order_goes_on() -> None:
    scene = in_order(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, R1)
    assert scene.open(second) == {R1}
    scene.deploy(third, R1, status="inProgress")
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    assert not pair.open
    assert [held for held in pair.held.get(second, {}).values() if held[R1].verdict != "allowed"] == []


def test_target_that_comes_back_goes_on_where_it_was() -> None:
    scene = Scene()
    cluster = scene.resource("cluster-1")
    supersession(scene, "every")
    scene.appear(cluster)
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.deploy(first, cluster)
    scene.vanish(cluster)
    scene.appear(cluster)
    assert (scene.open(second), scene.open(third)) == ({cluster}, set())


def test_versions_behind_are_not_eligible() -> None:
    scene = in_order(R1)
    first, _, _ = posted(scene, "v1", "v2", "v3")
    assert eligible(scene, R1) == ["v1"]
    scene.deploy(first, R1)
    assert eligible(scene, R1) == ["v2", "v1"]


def test_long_backlog_is_recorded_once_per_version() -> None:
    many = [uid(f"target {n}") for n in range(50)]
    scene = in_order(*many)
    (first, *_) = posted(scene, *(f"v{n}" for n in range(1, 41)))
    recorded = len(scene.facts(RuleEvaluated))
    assert recorded == 39
    scene.deploy(first, many[0])
    assert len(scene.facts(RuleEvaluated)) == recorded + 1
