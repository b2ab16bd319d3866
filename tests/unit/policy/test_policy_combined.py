"""Several policies and their selectors together; by the scenarios of the behaviour spec."""

from __future__ import annotations

from contracts.facts.policy import RuleEvaluated, TargetsCleared
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, uid

R = uid("r")


def test_policies_all_must_pass() -> None:
    scene = Scene(R)
    scene.appear(uid("s"), env=scene.staging)
    scene.production_policy(approval())
    scene.production_policy(progression())
    version = scene.version("v1")
    scene.approve(version)
    assert scene.open(version) == set()
    assert {one.rule_type: one.verdict for one in scene.standing(version, R).reasons} == {
        "anyApproval": "allowed",
        "environmentProgression": "waiting",
    }
    scene.deploy(version, uid("s"), env=scene.staging)
    assert scene.open(version) == {R}


def test_policy_disabled_ignored() -> None:
    scene = Scene(R)
    scene.production_policy(approval(), enabled=False)
    assert scene.open(scene.version("v1")) == {R}


def test_policy_selector_env_and_deployment() -> None:
    scene = Scene(R)
    scene.appear(R, env=scene.staging)
    scene.policy(approval(), selector='environment.name == "production" && deployment.name == "api"')
    scene.policy(approval(), selector='deployment.name == "other"')
    version = scene.version("v1")
    assert scene.open(version) == set()
    assert scene.open(version, scene.staging) == {R}


def test_policy_fallback_to_second_version() -> None:
    scene = Scene(R)
    scene.production_policy(approval())
    first = scene.version("v1")
    scene.approve(first)
    scene.advance(seconds=1)
    second = scene.version("v2")
    assert scene.is_cleared(first, R)
    assert scene.follow() == [R]
    assert scene.standing(second, R).cleared is False
    scene.approve(second)
    assert scene.open(second) == {R}


def test_policy_no_policies_creates_release() -> None:
    """A version that nothing is said about goes to all targets at once, without a word about rules."""
    many = [uid(f"many {n}") for n in range(4_100)]
    scene = Scene()
    for start in range(0, len(many), 2_000):
        scene.appear(*many[start : start + 2_000])
    version = scene.version("v1")
    assert scene.facts(RuleEvaluated) == []
    assert [len(fact.resource_ids) for fact in scene.facts(TargetsCleared)] == [2_000, 2_000, 100]
    assert scene.open(version) == set(many)


def test_match_missing_key_false_even_negated() -> None:
    scene = Scene()
    known, unknown = scene.resource("known", tier="gold"), scene.resource("unknown")
    scene.appear(known, unknown)
    scene.policy(approval(), selector='resource.metadata["tier"] == "gold"')
    scene.policy(approval(), selector='!(resource.metadata["owner"] == "ana")')
    version = scene.version("v1")
    assert scene.open(version) == {unknown}


def test_match_invalid_selector_blocks() -> None:
    """A selector without an answer counts as a match, and its policy blocks; the others keep their say, in their order."""
    scene = Scene()
    one = scene.resource("one", tier="gold")
    scene.appear(one)
    scene.policy(selector="resource.metadata.tier > 3", name="broken")
    scene.policy(approval(), name="sound")
    version = scene.version("v1")
    reasons = scene.standing(version, one).reasons
    assert {reason.policy_name: (reason.rule_type, reason.verdict) for reason in reasons} == {
        "broken": ("policySelector", "blocked"),
        "sound": ("anyApproval", "waiting"),
    }
    scene.approve(version)
    assert scene.open(version) == set()


def test_match_selector_that_does_not_compile_blocks() -> None:
    """None can be saved; one that exists all the same must not open."""
    scene = Scene(R)
    id_ = scene.policy(approval())
    known = scene.state.policies[id_].saved
    scene.record(known.model_copy(update={"selector": "resource.nmae == ("}))
    version = scene.version("v1")
    scene.approve(version)
    assert scene.open(version) == set()
    assert scene.reason("policySelector", version, R).ended_by == "a person who mends the policy's selector"


def test_match_nil_entities() -> None:
    """A target whose documents are not known yet is matched as if they were empty."""
    scene = Scene(R)
    scene.policy(approval(), selector='has(resource.metadata) && resource.metadata["a"] == "b"')
    assert scene.open(scene.version("v1")) == {R}


def test_selector_is_asked_again_when_the_resource_changes() -> None:
    scene = Scene()
    one = scene.resource("one", tier="gold")
    scene.appear(one)
    scene.policy(approval(), selector='resource.metadata.tier == "gold"')
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.resource("one", tier="silver")
    assert scene.open(version) == {one}
    assert [group.verdict for fact in scene.facts(RuleEvaluated) for group in fact.groups] == ["waiting", "allowed"]


def test_resource_that_nobody_asks_about_is_no_work() -> None:
    scene = Scene()
    one = scene.resource("one")
    scene.appear(one)
    scene.production_policy(approval())
    scene.version("v1")
    before = len(scene.world.log)
    scene.resource("one", tier="silver")
    assert len(scene.world.log) == before + 1


def test_priority_orders_the_reasons() -> None:
    scene = Scene(R)
    scene.production_policy(approval(1))
    scene.advance(seconds=1)
    scene.production_policy(linear(60), approval(2))
    version = scene.version("v1")
    needed = [one.message for one in scene.standing(version, R).reasons if one.rule_type == "anyApproval"]
    assert needed == ["Waiting for approval: 0/2 given.", "Waiting for approval: 0/1 given."]


def test_pair_without_targets_is_quiet() -> None:
    scene = Scene()
    scene.production_policy(approval())
    scene.version("v1")
    assert scene.facts(RuleEvaluated) == []
