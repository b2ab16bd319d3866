"""planValidationOpa: it is looked at when it is saved, and holds nothing."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.shapes import PlanValidationOpa
from tests.unit.policy.policy_scenes import Scene, approval, uid

R1 = uid("resource r1")


def plan_rule(rego: str) -> RuleInput:
    return RuleInput(plan_validation_opa=PlanValidationOpa(name="plans", rego=rego))


def test_a_rule_about_plans_holds_no_version() -> None:
    scene = Scene(R1)
    scene.production_policy(plan_rule('package p\ndeny contains "always"'))
    assert scene.open(scene.version("v1")) == {R1}


def test_a_rule_about_plans_opens_nothing_beside_it() -> None:
    scene = Scene(R1)
    scene.production_policy(plan_rule("package p"), approval())
    version = scene.version("v1")
    assert scene.open(version) == set()
    assert {one.rule_type for one in scene.standing(version, R1).reasons} == {"anyApproval"}


@pytest.mark.parametrize(
    "rego, place",
    [("", (1, 1)), ("package p\ndeny[msg] {\n  msg := 1\n}", (2, 11)), ("package p\n\ndeny contains msg if {", (3, 22))],
)
def test_a_module_that_can_not_be_used_is_refused_with_its_place(rego: str, place: tuple[int, int]) -> None:
    scene = Scene(R1)
    with pytest.raises(Refused) as told:
        scene.world.ask(SavePolicy(name="p", rules=(approval(), plan_rule(rego))))
    refused = told.value.refusal
    assert refused.code == "INVALID_REGO"
    assert refused.details is not None
    (only,) = refused.details
    assert (only["path"], (only["line"], only["column"])) == ("/body/rules/1/planValidationOpa/rego", place)
