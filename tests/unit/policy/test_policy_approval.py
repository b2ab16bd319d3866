"""anyApproval, by the scenarios of the behaviour spec.

The scenario of a failing record store has no counterpart: records are part of the folded state, so there is no look-up that could fail.
Times of approvals and versions are typed; only the rule's own `createdAt` is text, as in its document.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.approvals import RecordApproval
from contracts.facts.policy import ApprovalRecorded, RuleEvaluated
from contracts.shapes import AnyApproval, Rule
from libs.simulation.world import START
from services.policy.approval import judge_approval
from services.policy.finding import Finding
from services.policy.state import Approval, Version
from tests.unit.policy.policy_scenes import Scene, approval, uid

VERSION = Version(uid("v1"), uid("deployment"), "v1", "ready", START, 7, 7, "v1", None, {})
NEW = "2025-12-31T00:00:00.000Z"


def rule(needed: int, created_at: str = NEW) -> Rule:
    return Rule(id=uid("rule"), created_at=created_at, any_approval=AnyApproval(min_approvals=needed))


def record(user: str, hours: float = 0, *, approved: bool = True, position: int = 10) -> Approval:
    return Approval(user, approved, None, START + timedelta(hours=hours), position)


def judge(needed: int, *records: Approval, created_at: str = NEW) -> Finding:
    of = rule(needed, created_at)
    assert of.any_approval is not None
    return judge_approval(of.any_approval, of, VERSION, records, START + timedelta(days=1))


@pytest.mark.parametrize("needed", [0, -1])
def test_approval_zero_min_allows(needed: int) -> None:
    finding = judge(needed)
    assert finding.allows
    assert finding.satisfied_at == START


def test_approval_exact_count() -> None:
    finding = judge(2, record("ana"), record("bo"))
    assert finding.allows
    assert "2/2" in finding.message


def test_approval_more_than_needed() -> None:
    finding = judge(2, *(record(user, position=10 + n) for n, user in enumerate(["ana", "bo", "cy", "di", "ed"])))
    assert finding.allows
    assert all(user in finding.detail for user in ["ana", "bo", "cy", "di", "ed"])
    assert finding.facts == (10, 11, 12, 13, 14)


def test_approval_satisfied_at_nth() -> None:
    assert judge(2, record("cy", 3), record("ana", 1), record("bo", 2)).satisfied_at == START + timedelta(hours=2)


def test_approval_partial_pending() -> None:
    finding = judge(3, record("ana"))
    assert finding.verdict == "waiting"
    assert "1/3" in finding.message
    assert finding.ended_by == "approval by 2 more people"
    assert finding.look_again_at is None


def test_approval_grandfathered_version() -> None:
    finding = judge(1, created_at="2026-01-02T00:00:00.000Z")
    assert finding.allows
    assert finding.satisfied_at == START


def test_approval_rule_time_empty() -> None:
    assert judge(1, created_at="").verdict == "waiting"


@pytest.mark.parametrize(
    "written, allowed",
    [
        ("2026-01-01T00:00:01Z", True),
        ("2026-01-01T02:00:01+02:00", True),
        ("2026-01-01T00:00:00.000000900Z", False),
        ("2026-01-01T00:00:00.500000001Z", True),
        ("2026-01-01T00:00:01", True),
        ("2026-01-01T00:00:00.000001", True),
        ("2025-12-31T23:59:59Z", False),
        ("yesterday", False),
    ],
)
def test_approval_rule_time_formats(written: str, allowed: bool) -> None:
    assert judge(1, created_at=written).allows is allowed


def test_approval_rejected_not_counted() -> None:
    scene = Scene(uid("r"))
    scene.production_policy(approval(2))
    scene.advance(seconds=1)
    version = scene.version("v1")
    scene.approve(version, "ana")
    scene.approve(version, "bo", status="rejected")
    assert scene.open(version) == set()
    scene.approve(version, "bo")
    assert scene.open(version) == {uid("r")}


def test_approval_memoised() -> None:
    """Two targets are judged once together: one fact names both, and a later record is seen."""
    scene = Scene(uid("r1"), uid("r2"))
    scene.production_policy(approval())
    version = scene.version("v1")
    held = [fact for fact in scene.facts(RuleEvaluated) if fact.rule_type == "anyApproval"]
    assert [sorted(held[0].groups[0].resource_ids)] == [sorted([uid("r1"), uid("r2")])]
    scene.approve(version)
    assert scene.open(version) == {uid("r1"), uid("r2")}


def test_approval_only_listed_envs() -> None:
    scene = Scene(uid("r"))
    scene.appear(uid("s"), env=scene.staging)
    scene.policy(approval())
    version = scene.version("v1")
    scene.approve(version, env=scene.staging)
    assert scene.open(version, scene.staging) == {uid("s")}
    assert scene.open(version) == set()


def test_approval_of_no_environment_is_of_all_beside_the_deployment() -> None:
    scene = Scene(uid("r"))
    elsewhere = scene.environment("elsewhere", system=uid("other system"))
    scene.policy(approval())
    version = scene.version("v1")
    answer = scene.world.do(RecordApproval(version_id=version, user_id="ana", status="approved"))
    assert answer == {"id": version}
    approved = {fact.environment_id for fact in scene.facts(ApprovalRecorded)}
    assert approved == {scene.production, scene.staging}
    assert elsewhere not in approved


def test_same_approval_again_appends_nothing() -> None:
    scene = Scene(uid("r"))
    version = scene.version("v1")
    scene.approve(version)
    before = len(scene.world.log)
    scene.approve(version)
    assert len(scene.world.log) == before
    scene.advance(seconds=5)
    scene.approve(version, status="rejected")
    assert [fact.status for fact in scene.facts(ApprovalRecorded)] == ["approved", "rejected"]


def test_newer_version_starts_without_approvals() -> None:
    scene = Scene(uid("r"))
    scene.production_policy(approval())
    first = scene.version("v1")
    scene.approve(first)
    scene.advance(seconds=1)
    second = scene.version("v2")
    assert scene.open(second) == set()
    assert scene.open(first) == {uid("r")}
