"""Saving and deleting policies: ids, times, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy import DeletePolicy, ExplainTarget, RecordApproval, RuleInput, SavePolicy
from contracts.facts.policy import PolicyDeleted, PolicySaved
from contracts.shapes import Verification
from tests.unit.policy.policy_scenes import METRIC, Scene, approval, linear, progression, uid


def saved(scene: Scene) -> PolicySaved:
    return scene.facts(PolicySaved)[-1]


def refusal(scene: Scene, wish: Any) -> Any:
    before = len(scene.world.log)
    with pytest.raises(Refused) as refused:
        scene.world.ask(wish)
    assert len(scene.world.log) == before
    return refused.value.refusal


def test_create_makes_rule_ids_whatever_is_given() -> None:
    scene = Scene()
    scene.policy(RuleInput(id=uid("mine"), any_approval=approval().any_approval), linear(5))
    first, second = saved(scene).rules
    assert uid("mine") not in (first.id, second.id)
    assert first.id != second.id


def test_replace_keeps_given_rule_ids_and_first_times() -> None:
    scene = Scene()
    id_ = uid("policy")
    kept = RuleInput(id=uid("rule"), any_approval=approval().any_approval)
    scene.policy(kept, id_=id_)
    scene.advance(minutes=1)
    scene.policy(kept, linear(5), id_=id_, name="renamed")
    first, second = scene.facts(PolicySaved)
    assert second.created_at == first.created_at
    assert second.rules[0].id == uid("rule")
    assert [rule.created_at for rule in second.rules] == ["2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"]


def test_rules_keep_the_order_of_the_client() -> None:
    scene = Scene()
    scene.policy(linear(5), approval(), progression())
    kinds = [rule.model_dump(exclude_none=True, exclude={"id", "created_at"}).keys() for rule in saved(scene).rules]
    assert [list(one) for one in kinds] == [["gradual_rollout"], ["any_approval"], ["environment_progression"]]


def test_rule_with_several_bodies_is_each_of_them() -> None:
    scene = Scene(uid("r"))
    both = RuleInput(any_approval=approval().any_approval, gradual_rollout=linear(5).gradual_rollout)
    scene.production_policy(both)
    reasons = scene.standing(scene.version("v1"), uid("r")).reasons
    assert {one.rule_type for one in reasons} == {"anyApproval", "gradualRollout"}
    assert len({one.rule_id for one in reasons}) == 1


def test_same_document_again_appends_nothing() -> None:
    scene = Scene()
    kept = RuleInput(id=uid("rule"), any_approval=approval().any_approval)
    scene.policy(kept, id_=uid("policy"))
    before = len(scene.world.log)
    assert scene.policy(kept, id_=uid("policy")) == uid("policy")
    assert len(scene.world.log) == before


def test_delete() -> None:
    scene = Scene()
    id_ = scene.policy(approval())
    assert scene.world.do(DeletePolicy(policy_id=id_)) == {"id": id_}
    assert [fact.policy_id for fact in scene.facts(PolicyDeleted)] == [id_]
    assert refusal(scene, DeletePolicy(policy_id=id_)).kind == "not_found"


@pytest.mark.parametrize(
    "wish, path",
    [
        (SavePolicy(name="p", selector="resource.nmae == 'x'"), "/body/selector"),
        (SavePolicy(name="p", selector=""), "/body/selector"),
        (
            SavePolicy(name="p", rules=(approval(), progression("environment.name =="))),
            "/body/rules/1/environmentProgression/dependsOnEnvironmentSelector",
        ),
        (
            SavePolicy(
                name="p",
                rules=(
                    RuleInput(
                        verification=Verification(metrics=(METRIC, METRIC.model_copy(update={"success_condition": "reslt.ok"})))
                    ),
                ),
            ),
            "/body/rules/0/verification/metrics/1/successCondition",
        ),
        (
            SavePolicy(
                name="p",
                rules=(RuleInput(verification=Verification(metrics=(METRIC.model_copy(update={"failure_condition": "("}),))),),
            ),
            "/body/rules/0/verification/metrics/0/failureCondition",
        ),
    ],
)
def test_malformed_expression_is_refused_with_its_place(wish: SavePolicy, path: str) -> None:
    told = refusal(Scene(), wish)
    assert (told.kind, told.code) == ("invalid", "INVALID_CEL")
    assert [one["path"] for one in told.details] == [path]
    assert all(one["line"] >= 1 and one["column"] >= 1 and one["errorCode"] and one["message"] for one in told.details)
    assert "line 1, column" in told.message


def test_rule_of_no_known_kind_is_refused() -> None:
    told = refusal(Scene(), SavePolicy(name="p", rules=(RuleInput(),)))
    assert (told.kind, told.code) == ("invalid", "INVALID_POLICY")
    assert told.details[0]["path"] == "/body/rules/0"


def test_ids_that_are_no_uuids_are_refused() -> None:
    scene = Scene()
    assert refusal(scene, SavePolicy(policy_id="mine", name="p")).kind == "invalid"
    rule = RuleInput(id="mine", any_approval=approval().any_approval)
    assert refusal(scene, SavePolicy(policy_id=uid("p"), name="p", rules=(rule,))).details[0]["path"] == "/body/rules/0/id"


def test_two_rules_of_one_id_are_refused() -> None:
    rule = RuleInput(id=uid("rule"), any_approval=approval().any_approval)
    assert refusal(Scene(), SavePolicy(policy_id=uid("p"), name="p", rules=(rule, rule))).kind == "invalid"


def test_approval_of_what_is_unknown_is_not_found() -> None:
    scene = Scene()
    unknown = RecordApproval(version_id=uid("no version"), user_id="ana", status="approved")
    assert refusal(scene, unknown).kind == "not_found"
    version = scene.version("v1")
    elsewhere = RecordApproval(version_id=version, environment_ids=(uid("nowhere"),), user_id="ana", status="approved")
    assert refusal(scene, elsewhere).kind == "not_found"


def test_explanation_of_what_is_no_target_is_not_found() -> None:
    scene = Scene(uid("r"))
    wish = ExplainTarget(resource_id=uid("other"), environment_id=scene.production, deployment_id=scene.deployment)
    assert refusal(scene, wish).kind == "not_found"
