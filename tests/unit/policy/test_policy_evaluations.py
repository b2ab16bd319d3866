"""Every rule about one version on one target, by policy, whatever runs there."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.evaluations import EvaluateTarget, TargetEvaluation
from services.policy.finding import BAD_MARK, DEPLOYABLE
from tests.unit.policy.choice_scenes import needing, posted
from tests.unit.policy.policy_scenes import Scene, approval, linear, uid, verification

R, OTHER = uid("r"), uid("other")


def evaluate(scene: Scene, version: str, one: str = R) -> TargetEvaluation:
    answer: TargetEvaluation = scene.world.ask(
        EvaluateTarget(
            resource_id=one, environment_id=scene.production, deployment_id=scene.deployment, version_id=version
        )
    )  # fmt: skip
    return answer


def said(found: TargetEvaluation) -> list[tuple[str | None, list[tuple[str, str]]]]:
    return [(one.policy_id, [(result.rule_type, result.verdict) for result in one.results]) for one in found.policies]


def test_rules_are_grouped_by_policy_and_those_of_none_come_last() -> None:
    scene = Scene(R)
    careful = scene.policy(approval(), name="careful")
    scene.advance(seconds=1)
    watched = scene.policy(verification(), name="watched")
    version = needing(scene, "v1", {scene.deployment: "false"})
    found = evaluate(scene, version)
    assert said(found) == [
        (watched, []),
        (careful, [("anyApproval", "waiting")]),
        (None, [("versionDependency", "waiting")]),
    ]
    assert [one.summary for one in found.policies][:2] == [
        "Policy 'watched' has no rule that decides whether the version may go.",
        "Policy 'careful' blocks: Waiting for approval: 0/1 given.",
    ]
    assert found.policies[2].summary.startswith("What no policy says waits: v1 needs api on")
    assert found.position == len(scene.world.log)


def test_the_version_that_runs_and_older_ones_are_asked_as_well() -> None:
    scene = Scene(R)
    policy = scene.policy(approval())
    first, second = posted(scene, "v1", "v2")
    scene.approve(second)
    scene.deploy(second, R)
    assert said(evaluate(scene, second)) == [(policy, [("anyApproval", "allowed")])]
    assert said(evaluate(scene, first)) == [(policy, [("anyApproval", "waiting")])]


def test_what_is_out_of_the_question_is_said_alone() -> None:
    scene = Scene(R)
    scene.policy(approval(0))
    first, second, third = posted(scene, "v1", "v2", "v3")
    scene.set_status(third, "rejected")
    scene.deploy(first, R)
    scene.deploy(second, R, status="failure")
    scene.roll_back(second, R, to=first)
    for version, key in ((second, BAD_MARK), (third, DEPLOYABLE)):
        alone = evaluate(scene, version).policies[-1]
        assert [(one.rule_type, one.verdict) for one in alone.results] == [(key.rule_type, "blocked")]
        assert alone.summary.startswith("What no policy says blocks: ")


def test_next_look_is_the_earliest_of_all() -> None:
    scene = Scene(R, OTHER)
    scene.policy(linear(90))
    version = scene.version("v1")
    later = next(one for one in (R, OTHER) if one not in scene.open(version))
    found = evaluate(scene, version, later)
    ((result,),) = [one.results for one in found.policies]
    assert found.next_at == result.look_again_at
    assert found.next_at is not None


def test_the_newest_version_unless_another_is_named() -> None:
    scene = Scene(R)
    query = EvaluateTarget(resource_id=R, environment_id=scene.production, deployment_id=scene.deployment)
    with pytest.raises(Refused, match="api has no version yet"):
        scene.world.ask(query)
    _, second = posted(scene, "v1", "v2")
    assert scene.world.ask(query).version_id == second


def test_only_versions_of_the_deployment_on_its_targets() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    for one, asked in ((uid("nowhere"), version), (R, uid("nothing"))):
        with pytest.raises(Refused) as refused:
            evaluate(scene, asked, one)
        assert refused.value.refusal.kind == "not_found"
