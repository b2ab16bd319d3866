"""Saving and deleting policies: ids, times, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.explanations import ExplainTarget
from contracts.commands.policy.policies import DeletePolicy, RuleInput, SavePolicy
from contracts.facts.policy import PolicyDeleted, PolicySaved
from contracts.shapes import MetricProvider, Verification
from tests.unit.policy.policy_scenes import METRIC, Scene, approval, linear, progression, uid, verification


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
        (SavePolicy(name="p", selector="resourec.name == 'x'"), "/body/selector"),
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


def watched(**fields: Any) -> RuleInput:
    """A rule with one metric."""
    return RuleInput(verification=Verification(metrics=(METRIC.model_copy(update=fields),)))


def http(**fields: Any) -> MetricProvider:
    return MetricProvider(**{"type": "http", "url": "http://monitoring/{{.resource.name}}", **fields})


def test_rules_without_ids_keep_those_they_had() -> None:
    """By content first, then by kind; a rule that is new gets an id and a time of its own."""
    scene = Scene()
    id_ = uid("policy")
    scene.policy(approval(1), approval(2), linear(5), id_=id_)
    first = saved(scene).rules
    scene.advance(minutes=1)
    scene.policy(approval(2), approval(3), progression(), linear(7), id_=id_)
    second = saved(scene).rules
    assert [rule.id for rule in (second[0], second[1], second[3])] == [first[1].id, first[0].id, first[2].id]
    assert {rule.created_at for rule in (second[0], second[1], second[3])} == {first[0].created_at}
    assert second[2].id not in {rule.id for rule in first}
    assert second[2].created_at > first[0].created_at


def test_a_rule_id_of_another_policy_is_refused() -> None:
    """A verification is told by job and rule: of two rules with one id only one would be measured."""
    scene = Scene()
    rule = RuleInput(id=uid("rule"), verification=verification().verification)
    scene.policy(rule, id_=uid("policy"), name="first")
    refused = refusal(scene, SavePolicy(policy_id=uid("other"), name="second", rules=(rule,)))
    assert refused.code == "INVALID_POLICY"
    assert "taken by policy 'first'" in refused.message


def test_a_policy_that_facts_about_its_rules_can_not_repeat_is_refused() -> None:
    scene = Scene()
    many = tuple(watched(name=str(number), success_condition=f"result.ok || {'true || ' * 400}true") for number in range(80))
    assert "too large" in refusal(scene, SavePolicy(name="large", rules=many)).message
    # What else is wrong with it nobody looks for.
    long = tuple(watched(name=str(number), success_condition=f"5 || {'true || ' * 400}true") for number in range(160))
    assert "too large" in refusal(scene, SavePolicy(name="large", rules=long)).message


@pytest.mark.parametrize(
    "fields",
    [
        {"success_condition": "result.tag == '{{.version.tag | shout}}'"},
        {"failure_condition": "result.tag == '{{.version.tag'"},
        {"provider": http(url="http://{{range}}/")},
        {"provider": http(headers={"X": "{{end}}"})},
        {"provider": http(body="{{")},
        {"provider": http(timeout="abc")},
        {"provider": http(timeout="-5s")},
        {"provider": http(timeout="0s")},
        {"provider": http(timeout="30")},
        {"provider": http(timeout="")},
        {"name": "n" * 257},
        {"name": ""},
    ],
)
def test_metrics_that_could_never_be_measured_are_refused(fields: dict[str, Any]) -> None:
    scene = Scene()
    refused = refusal(scene, SavePolicy(name="p", rules=(approval(), watched(**fields))))
    assert refused.code in ("INVALID_METRIC", "INVALID_CEL")
    assert refused.details[0]["path"].startswith("/body/rules/1/verification/metrics/0/")


@pytest.mark.parametrize(
    "fields",
    [
        {"success_condition": "result.json.rate < {{.variables.limit}}"},
        {"success_condition": "result.json.{{.resource.name}}.ok"},
        {"success_condition": "result.json.tag == '{{.version.tag}}'"},
        {"provider": http(timeout="1m30.5s")},
        {"provider": http(timeout="500ms")},
        {"name": "a/b"},
    ],
)
def test_metrics_with_templates_and_odd_names_are_saved(fields: dict[str, Any]) -> None:
    scene = Scene()
    scene.policy(watched(**fields))
    assert len(saved(scene).rules) == 1


def test_a_templated_condition_is_checked_for_what_it_can_become() -> None:
    scene = Scene()
    refused = refusal(scene, SavePolicy(name="p", rules=(watched(success_condition="resultt.ok < {{.variables.limit}}"),)))
    assert refused.code == "INVALID_CEL"
