"""Skips: one version passes one rule, everywhere or where it is said, until the skip expires or is deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import DeletePolicy
from contracts.commands.policy.skips import CreateSkip, DeleteSkip
from contracts.facts.dispatcher import JobCreated
from contracts.facts.policy import ClearanceWithdrawn, SkipCreated, SkipDeleted, TargetsCleared
from contracts.tags import GATE, tags_of
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid, verification

R1, R2 = uid("r1"), uid("r2")


def rule_of(scene: Scene, policy_id: str, index: int = 0) -> str:
    return scene.state.policies[policy_id].saved.rules[index].id


def skip(
    scene: Scene, version_id: str, rule_id: str, *, minutes: float | None = None, reason: str = "hotfix", **where: str
) -> str:
    expires_at = scene.world.now + timedelta(minutes=minutes) if minutes is not None else None
    wish = CreateSkip(version_id=version_id, rule_id=rule_id, reason=reason, expires_at=expires_at, **where)
    skip_id: str = scene.world.do(wish)["id"]
    return skip_id


def blocked(*resources: str) -> tuple[Scene, str, str]:
    """A version that waits for an approval, and the rule's id."""
    scene = Scene(*resources)
    policy_id = scene.production_policy(approval())
    version = scene.version("v1")
    assert scene.open(version) == set()
    return scene, version, rule_of(scene, policy_id)


def test_skip_bypasses_rule() -> None:
    scene, version, rule_id = blocked(R1)
    created = scene.world.now
    skip(scene, version, rule_id)
    assert scene.open(version) == {R1}
    reason = scene.reason("anyApproval", version, R1)
    assert (reason.verdict, reason.satisfied_at, reason.look_again_at) == ("allowed", created, None)
    assert "ana lets v1 pass this rule: hotfix." in reason.message


def test_skip_expired_ignored() -> None:
    scene, version, rule_id = blocked(R1)
    skip(scene, version, rule_id, minutes=1, environment_id=scene.staging)
    scene.advance(minutes=1)
    assert scene.open(version) == set()


def test_skip_future_expiry_ok_and_next_eval() -> None:
    scene, version, rule_id = blocked(R1)
    end = scene.world.now + timedelta(minutes=10)
    skip(scene, version, rule_id, minutes=10)
    assert scene.reason("anyApproval", version, R1).look_again_at == end
    assert scene.facts(TargetsCleared)[-1].valid_until == end
    scene.advance(seconds=599.999)
    assert scene.open(version) == {R1}
    scene.advance(seconds=0.001)
    assert scene.open(version) == set(), "it ends at its very expiry, without anything happening"
    assert scene.reason("anyApproval", version, R1).verdict == "waiting"


def test_skip_other_rule_id() -> None:
    scene, version, _ = blocked(R1)
    other = scene.policy(approval(), selector='environment.name == "staging"', name="other")
    skip(scene, version, rule_of(scene, other))
    assert scene.open(version) == set()


def two_rules() -> tuple[Scene, str, str, str]:
    scene = Scene(R1)
    policy_id = scene.production_policy(approval(), approval(2))
    return scene, scene.version("v1"), rule_of(scene, policy_id), rule_of(scene, policy_id, 1)


def test_skip_one_of_two_rules() -> None:
    scene, version, first, _ = two_rules()
    skip(scene, version, first)
    assert scene.open(version) == set()


def test_skip_both() -> None:
    scene, version, first, second = two_rules()
    skip(scene, version, first)
    skip(scene, version, second)
    assert scene.open(version) == {R1}


def test_skip_only_its_version() -> None:
    scene, version, rule_id = blocked(R1)
    scene.advance(seconds=1)
    newer = scene.version("v2")
    skip(scene, version, rule_id)
    assert scene.open(newer) == set()
    assert scene.open(version) == {R1}


def test_skip_resource_scoped() -> None:
    scene, version, rule_id = blocked(R1, R2)
    scene.resource("r1", id_=R1)
    skip(scene, version, rule_id, resource_id=R1)
    assert scene.open(version) == {R1}


def test_skip_environment_scoped() -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    policy_id = scene.policy(approval())
    version = scene.version("v1")
    skip(scene, version, rule_of(scene, policy_id), environment_id=scene.staging)
    assert (scene.open(version), scene.open(version, scene.staging)) == (set(), {R2})


def test_skip_added_after_block() -> None:
    scene, version, rule_id = blocked(R1)
    scene.advance(minutes=30)
    skip(scene, version, rule_id)
    assert scene.open(version) == {R1}


def test_skip_removed_no_new_release() -> None:
    scene, version, rule_id = blocked(R1)
    skip_id = skip(scene, version, rule_id)
    scene.world.ask(DeleteSkip(skip_id=skip_id))
    _, round_ = scene.world.rounds[-1]
    assert [type(one.fact) for one in round_.append.facts] == [SkipDeleted, ClearanceWithdrawn], "in the same append"
    assert GATE in tags_of(round_.append.facts[0].fact)
    cleared = len(scene.facts(TargetsCleared))
    scene.world.run()
    assert scene.open(version) == set()
    assert len(scene.facts(TargetsCleared)) == cleared


def test_skip_of_all_environments_that_is_deleted_withdraws_in_all() -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    policy_id = scene.policy(approval())
    version = scene.version("v1")
    skip_id = skip(scene, version, rule_of(scene, policy_id))
    scene.world.do(DeleteSkip(skip_id=skip_id))
    assert (scene.open(version), scene.open(version, scene.staging)) == (set(), set())


def test_skip_removed_leaves_what_went() -> None:
    scene, version, rule_id = blocked(R1)
    skip_id = skip(scene, version, rule_id)
    scene.deploy(version, R1)
    scene.world.do(DeleteSkip(skip_id=skip_id))
    assert scene.facts(ClearanceWithdrawn) == []
    assert scene.explain(R1).message.startswith("v1 runs here")


def test_longest_of_several_skips_counts() -> None:
    scene, version, rule_id = blocked(R1)
    skip(scene, version, rule_id, minutes=1)
    skip(scene, version, rule_id, minutes=10, reason="longer")
    scene.advance(minutes=5)
    assert scene.open(version) == {R1}
    scene.advance(minutes=5)
    assert scene.open(version) == set()


def test_roll_approval_skipped_starts_at_skip() -> None:
    scene = Scene(R1, R2)
    policy_id = scene.production_policy(approval(), linear(600))
    version = scene.version("v1")
    scene.advance(minutes=30)
    start = scene.world.now
    skip(scene, version, rule_of(scene, policy_id))
    assert len(scene.open(version)) == 1
    scene.advance(minutes=10)
    assert scene.open(version) == {R1, R2}
    assert scene.world.now == start + timedelta(minutes=10)


def test_roll_approval_skipped_before_the_version_exists_starts_at_the_version() -> None:
    scene = Scene(R1, R2)
    policy_id = scene.production_policy(approval(), linear(600))
    scene.record(
        SkipCreated(
            skip_id=uid("skip"), version_id=uid("version v1"), rule_id=rule_of(scene, policy_id), created_by="user:ana",
            created_at=scene.world.now,
        )
    )  # fmt: skip
    scene.advance(minutes=30)
    version, start = scene.version("v1"), scene.world.now
    assert len(scene.open(version)) == 1
    assert scene.reason("anyApproval", version, R1).satisfied_at == start
    scene.advance(seconds=599.999)
    assert len(scene.open(version)) == 1
    scene.advance(seconds=0.001)
    assert scene.open(version) == {R1, R2}


def test_prog_skip_bypasses() -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    policy_id = scene.production_policy(progression())
    version = scene.version("v1")
    assert scene.open(version) == set()
    skip(scene, version, rule_of(scene, policy_id), environment_id=scene.production)
    assert scene.open(version) == {R1}
    assert scene.reason("environmentProgression", version, R1).verdict == "allowed"
    assert not scene.facts(JobCreated), "nothing ran in staging"


def test_skipped_progression_starts_the_rollout_at_the_skip() -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    policy_id = scene.production_policy(progression(), linear(600))
    version = scene.version("v1")
    assert scene.open(version) == set()
    skip(scene, version, rule_of(scene, policy_id))
    assert scene.open(version) == {R1}


@pytest.mark.parametrize("first", ["approval", "skip", "skip that expires"])
def test_skip_never_delays_a_rollout_that_has_started(first: str) -> None:
    scene = Scene(R1, R2)
    policy_id = scene.production_policy(approval(), linear(600))
    version = scene.version("v1")
    if first == "approval":
        scene.approve(version)
    else:
        skip(scene, version, rule_of(scene, policy_id), minutes=60 if first == "skip that expires" else None)
    scene.advance(minutes=5)
    second = skip(scene, version, rule_of(scene, policy_id))
    scene.advance(minutes=5)
    assert scene.open(version) == {R1, R2}
    scene.world.do(DeleteSkip(skip_id=second))
    assert scene.open(version) == {R1, R2}


def test_rollout_starts_with_the_skip_that_is_left_when_the_first_expires() -> None:
    scene = Scene(R1, R2)
    policy_id = scene.production_policy(approval(), linear(600))
    version = scene.version("v1")
    skip(scene, version, rule_of(scene, policy_id), minutes=12)
    scene.advance(minutes=10)
    skip(scene, version, rule_of(scene, policy_id))
    assert scene.open(version) == {R1, R2}
    scene.advance(seconds=119.999)
    assert scene.open(version) == {R1, R2}
    scene.advance(seconds=0.001)
    assert len(scene.open(version)) == 1, "it counts from the second skip now"
    scene.advance(minutes=8)
    assert scene.open(version) == {R1, R2}


def test_skipped_rollout_lets_all_targets_go() -> None:
    scene = Scene(R1, R2)
    policy_id = scene.production_policy(linear(600))
    version = scene.version("v1")
    assert len(scene.open(version)) == 1
    skip(scene, version, rule_of(scene, policy_id))
    assert scene.open(version) == {R1, R2}


def test_skip_of_a_deleted_rule_is_harmless() -> None:
    scene, version, rule_id = blocked(R1)
    skip_id = skip(scene, version, rule_id)
    scene.world.do(DeletePolicy(policy_id=next(iter(scene.state.policies))))
    assert scene.open(version) == {R1}
    scene.world.do(DeleteSkip(skip_id=skip_id))
    assert scene.open(version) == {R1}


@pytest.mark.parametrize(
    "said, path",
    [
        ({"version_id": uid("nothing")}, "versionId"),
        ({"rule_id": uid("nothing")}, "ruleId"),
        ({"rule_id": "deployment-version-dependency"}, "ruleId"),
        ({"environment_id": uid("nothing")}, "environmentId"),
        ({"resource_id": uid("nothing")}, "resourceId"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expires_at": "2090-01-01T00:00:00"}, "expiresAt"),
        ({"reason": "x" * 3_000}, "reason"),
    ],
)
def test_skip_that_makes_no_sense_is_refused_with_the_path(said: dict[str, Any], path: str) -> None:
    scene, version, rule_id = blocked(R1)
    before = len(scene.world.log)
    with pytest.raises(Refused) as refused:
        scene.world.ask(CreateSkip.model_validate({"version_id": version, "rule_id": rule_id, **said}))
    refusal = refused.value.refusal
    assert (refusal.kind, refusal.details[0]["path"]) == ("invalid", f"/body/{path}")
    assert len(scene.world.log) == before


@pytest.mark.parametrize("kind", ["verification", "rollback"])
def test_rules_that_hold_nothing_can_not_be_skipped(kind: str) -> None:
    scene = Scene(R1)
    policy_id = scene.policy(verification() if kind == "verification" else rollback("failure"))
    version = scene.version("v1")
    with pytest.raises(Refused) as refused:
        scene.world.ask(CreateSkip(version_id=version, rule_id=rule_of(scene, policy_id)))
    assert kind in refused.value.refusal.message


def test_skip_that_is_not_there_can_not_be_deleted() -> None:
    scene, version, rule_id = blocked(R1)
    skip_id = skip(scene, version, rule_id)
    scene.world.do(DeleteSkip(skip_id=skip_id))
    for unknown in (skip_id, uid("nothing")):
        with pytest.raises(Refused) as refused:
            scene.world.ask(DeleteSkip(skip_id=unknown))
        assert refused.value.refusal.kind == "not_found"
