"""Freezes: nothing goes in their scope, from their start until their end, unless a person lets one version pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.command import Refused
from contracts.commands.policy.freezes import SaveFreeze, ThawFreeze
from contracts.facts.planner import DeploymentDeleted, EnvironmentUnlinked, SystemDeleted, SystemSaved
from contracts.facts.policy import ClearanceWithdrawn, FreezeSaved, RuleEvaluated, TargetsCleared
from contracts.tags import GATE, tags_of
from services.policy.freezes import FREEZE
from tests.unit.policy.freeze_scenes import R1, R2, effect, freeze, let_pass
from tests.unit.policy.policy_scenes import Scene, approval, uid

# --- holding -------------------------------------------------------------------------------------------------------------------


def test_freeze_holds_the_first_deployment_too() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, minutes=10, link="https://incidents.example/42")
    version = scene.version("v1")
    assert scene.open(version) == set()
    reason = scene.reason(FREEZE, version, R1)
    end = scene.world.now + timedelta(minutes=10)
    assert (reason.rule_id, reason.verdict, reason.look_again_at) == (freeze_id, "waiting", end)
    for said in ("ana", "incident 42", "https://incidents.example/42", "2026" if end.year == 2026 else str(end.year)):
        assert said in reason.message
    assert "thaws" in reason.ended_by


def test_freeze_ends_at_its_very_end_by_itself() -> None:
    scene = Scene(R1)
    freeze(scene, minutes=10)
    version = scene.version("v1")
    scene.advance(seconds=599.999)
    assert scene.open(version) == set()
    scene.advance(seconds=0.001)
    assert scene.open(version) == {R1}


def test_freeze_that_is_to_come_holds_nothing_now_and_ends_the_clearance_at_its_start() -> None:
    scene = Scene(R1)
    freeze(scene, starts=5, minutes=10)
    version = scene.version("v1")
    assert scene.open(version) == {R1}, "it goes until the freeze begins"
    assert scene.facts(TargetsCleared)[-1].valid_until == scene.world.now + timedelta(minutes=5)
    scene.advance(seconds=299.999)
    assert scene.open(version) == {R1}
    scene.advance(seconds=0.001)
    assert scene.open(version) == set()
    assert "incident 42" in scene.facts(ClearanceWithdrawn)[-1].reason
    scene.advance(minutes=10)
    assert scene.open(version) == {R1}


def test_freeze_without_end_is_blocked_until_somebody_thaws_it() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    reason = scene.reason(FREEZE, version, R1)
    assert (reason.verdict, reason.look_again_at) == ("blocked", None)
    scene.advance(minutes=100_000)
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=freeze_id, reason="all good"))
    assert scene.open(version) == {R1}
    assert scene.facts(RuleEvaluated)[-1].groups[0].verdict == "allowed"


def test_freeze_withdraws_unused_clearances_in_the_same_append_and_carries_the_gate() -> None:
    scene = Scene(R1, R2)
    version = scene.version("v1")
    scene.deploy(version, R1)
    scene.world.ask(SaveFreeze(reason="stop the line"))
    _, round_ = scene.world.rounds[-1]
    assert [type(one.fact) for one in round_.append.facts] == [FreezeSaved, ClearanceWithdrawn]
    assert GATE in tags_of(round_.append.facts[0].fact)
    assert scene.facts(ClearanceWithdrawn)[0].resource_ids == (R2,), "the job that was made already runs on"
    scene.world.run()
    assert scene.open(version) == set()


def test_freeze_elsewhere_makes_clearances_stale_and_they_are_issued_again() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    freeze(scene, scope="environment", scope_id=scene.staging)
    saved = next(one.position for one in scene.world.log if isinstance(one.fact, FreezeSaved))
    assert scene.facts(ClearanceWithdrawn) == []
    assert scene.facts(TargetsCleared)[-1].at >= saved
    assert scene.open(version) == {R1}


def test_of_overlapping_freezes_all_must_end() -> None:
    scene = Scene(R1)
    freeze(scene, minutes=10)
    second = freeze(scene, minutes=20, reason="audit")
    version = scene.version("v1")
    assert len([one for one in scene.standing(version, R1).reasons if one.rule_type == FREEZE]) == 2
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=second))
    assert scene.open(version) == {R1}


def test_thawed_one_of_two_freezes_leaves_the_other() -> None:
    scene = Scene(R1)
    first, second = freeze(scene), freeze(scene, reason="audit")
    version = scene.version("v1")
    scene.world.do(ThawFreeze(freeze_id=first))
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=second))
    assert scene.open(version) == {R1}


def test_extended_freeze_holds_until_its_new_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, minutes=10)
    version = scene.version("v1")
    scene.advance(minutes=9)
    scene.world.do(SaveFreeze(freeze_id=freeze_id, ends_at=scene.world.now + timedelta(minutes=11)))
    assert scene.state.freezes[freeze_id].saved.reason == "incident 42", "what is not named stays"
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.advance(minutes=1)
    assert scene.open(version) == {R1}


def test_shortened_freeze_ends_at_its_new_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    scene.world.do(SaveFreeze(freeze_id=freeze_id, ends_at=scene.world.now + timedelta(minutes=1)))
    scene.advance(minutes=1)
    assert scene.open(version) == {R1}


def test_freeze_says_nothing_of_targets_that_have_the_newest_version() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    scene.deploy(version, R1)
    before = len(scene.facts(RuleEvaluated))
    freeze(scene, minutes=10)
    scene.advance(minutes=10)
    assert len(scene.facts(RuleEvaluated)) == before


def test_freeze_and_approval_both_hold_and_both_are_told() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    freeze(scene, minutes=10)
    version = scene.version("v1")
    assert {one.rule_type for one in scene.standing(version, R1).reasons if one.verdict != "allowed"} == {"anyApproval", FREEZE}
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.approve(version)
    assert scene.open(version) == {R1}


# --- scope ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope, name", [("environment", "staging"), ("deployment", "deployment"), ("system", "system")])
def test_freeze_holds_its_scope_alone(scope: str, name: str) -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze(scene, scope=scope, scope_id=getattr(scene, name))
    version = scene.version("v1")
    assert scene.open(version, scene.staging) == set()
    assert scene.open(version) == ({R1} if scope == "environment" else set())


def test_freeze_of_a_system_ends_for_an_environment_that_leaves_it() -> None:
    scene = Scene(R1)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze(scene, scope="system", scope_id=scene.system)
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.record(EnvironmentUnlinked(system_id=scene.system, environment_id=scene.production))
    assert scene.open(version) == {R1}


def test_freeze_whose_scope_was_deleted_holds_nothing_and_is_shown_as_dead() -> None:
    scene = Scene(R1)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze_id = freeze(scene, scope="system", scope_id=scene.system)
    version = scene.version("v1")
    assert effect(scene, freeze_id=freeze_id).dead is False
    scene.record(SystemDeleted(system_id=scene.system))
    assert scene.open(version) == {R1}
    held = effect(scene, freeze_id=freeze_id)
    assert (held.dead, held.active, held.targets) == (True, False, 0)


def test_freeze_of_a_deleted_deployment_is_dead() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, scope="deployment", scope_id=scene.deployment)
    scene.record(DeploymentDeleted(deployment_id=scene.deployment))
    assert effect(scene, freeze_id=freeze_id).dead is True


def test_selector_narrows_a_freeze_to_some_targets() -> None:
    scene = Scene()
    eu, us = scene.resource("eu", region="eu"), scene.resource("us", region="us")
    scene.appear(eu, us)
    freeze(scene, selector='resource.metadata.region == "eu" && environment.name == "production"')
    version = scene.version("v1")
    assert scene.open(version) == {us}


def test_missing_key_in_the_selector_does_not_hold() -> None:
    scene = Scene()
    bare = scene.resource("bare")
    scene.appear(bare)
    freeze(scene, selector='resource.metadata.region == "eu"')
    assert scene.open(scene.version("v1")) == {bare}


def test_any_other_error_of_the_selector_holds_and_is_told() -> None:
    scene = Scene()
    odd = scene.resource("odd", size="large")
    scene.appear(odd)
    freeze(scene, selector="int(resource.metadata.size) > 3")
    version = scene.version("v1")
    assert scene.open(version) == set()
    assert "can not be told" in scene.reason(FREEZE, version, odd).message


def test_resource_that_changes_leaves_or_enters_a_freeze() -> None:
    scene = Scene()
    moving = scene.resource("moving", region="eu")
    scene.appear(moving)
    freeze(scene, selector='resource.metadata.region == "eu"')
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.resource("moving", region="us")
    assert scene.open(version) == {moving}
    scene.resource("moving", region="eu")
    assert scene.open(version) == set()


# --- letting one version pass --------------------------------------------------------------------------------------------------


def test_override_lets_its_version_pass_and_no_other() -> None:
    scene = Scene(R1, R2)
    freeze_id = freeze(scene)
    first = scene.version("v1")
    let_pass(scene, freeze_id, first, minutes=10)
    assert scene.open(first) == {R1, R2}
    reason = scene.reason(FREEZE, first, R1)
    assert (reason.verdict, "the fix itself" in reason.message) == ("allowed", True)
    scene.deploy(first, R1)
    scene.advance(seconds=1)
    second = scene.version("v2")
    assert scene.open(second) == set()
    assert scene.open(first) == {R2}


def test_override_ends_at_its_very_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    let_pass(scene, freeze_id, version, minutes=10)
    assert scene.facts(TargetsCleared)[-1].valid_until == scene.world.now + timedelta(minutes=10)
    scene.advance(seconds=599.999)
    assert scene.open(version) == {R1}
    scene.advance(seconds=0.001)
    assert scene.open(version) == set()


def test_override_counts_where_it_was_given_alone() -> None:
    scene = Scene(R1, R2)
    scene.resource("r1", id_=R1)
    scene.resource("r2", id_=R2)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    let_pass(scene, freeze_id, version, minutes=10, resource_id=R1)
    assert scene.open(version) == {R1}
    let_pass(scene, freeze_id, version, minutes=10, environment_id=scene.staging)
    assert scene.open(version) == {R1}


def test_override_of_one_of_two_freezes_is_not_enough() -> None:
    scene = Scene(R1)
    first, second = freeze(scene), freeze(scene, reason="audit")
    version = scene.version("v1")
    let_pass(scene, first, version, minutes=10)
    assert scene.open(version) == set()
    let_pass(scene, second, version, minutes=10)
    assert scene.open(version) == {R1}


# --- what it holds -------------------------------------------------------------------------------------------------------------


def test_effect_counts_targets_and_what_waits_before_and_after() -> None:
    scene = Scene(R1, R2)
    version = scene.version("v1")
    scene.deploy(version, R1)
    before = effect(scene)
    assert (before.targets, before.waiting, before.active) == (2, 1, False)
    assert [(one.version_id, one.targets) for one in before.rollouts] == [(version, 1)]
    freeze_id = freeze(scene, minutes=10)
    after = effect(scene, freeze_id=freeze_id)
    assert (after.targets, after.waiting, after.active) == (2, 1, True)
    assert after.next_change == scene.world.now + timedelta(minutes=10)
    assert after.rollouts == before.rollouts


def test_effect_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        effect(Scene(R1), freeze_id=uid("nothing"))
    assert refused.value.refusal.kind == "not_found"


def test_effect_of_what_was_thawed_is_nothing() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    scene.world.do(ThawFreeze(freeze_id=freeze_id))
    over = effect(scene, freeze_id=freeze_id)
    assert (over.targets, over.waiting, over.active, over.rollouts) == (0, 0, False, ())
