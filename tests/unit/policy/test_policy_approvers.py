"""anyApproval beyond the v1 form: whose approval counts, on what, for how long, and what a rejection does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.policies import RuleInput
from contracts.facts.planner import VersionCreated, VersionUpdated
from contracts.facts.policy import ApprovalRecorded, ClearanceWithdrawn, RuleEvaluated, TargetsCleared
from contracts.shapes import AnyApproval, ApprovalGroup
from libs.simulation.world import START
from tests.unit.policy.policy_scenes import Scene, linear, uid

RULE = "anyApproval"
ONE = uid("r")


def approval_rule(needed: int = 1, **fields: Any) -> RuleInput:
    return RuleInput(any_approval=AnyApproval(min_approvals=needed, **fields))


def group(role: str, needed: int = 1) -> ApprovalGroup:
    return ApprovalGroup(selector=f'"{role}" in user.roles', min_approvals=needed)


class Asked:
    """One target in production behind one approval rule, and a version that `author` posted."""

    def __init__(self, rule: RuleInput, *rules: RuleInput, targets: int = 1, author: str = "user:ci") -> None:
        self.scene = Scene(ONE, *(uid(f"r{n}") for n in range(1, targets)))
        self.scene.production_policy(rule, *rules)
        self.scene.advance(seconds=1)
        self.version = uid("version v1")
        self.post(VersionCreated, by=author)

    def post(self, kind: type[VersionCreated] | type[VersionUpdated], by: str = "user:ci", **fields: Any) -> None:
        """Post or change the version."""
        about = {"tag": "v1", "name": "v1", "config": {"image": "api:1"}, **fields}
        fact = kind(
            version_id=self.version, deployment_id=self.scene.deployment, created_at=START + timedelta(seconds=1), **about
        )
        self.scene.world.record(fact, by=by)
        self.scene.world.run()

    def decide(self, user: str, status: str = "approved", *, roles: tuple[str, ...] = (), reason: str | None = None) -> None:
        self.scene.world.do(
            RecordApproval.model_validate(
                {
                    "version_id": self.version, "environment_ids": (self.scene.production,), "user_id": user, "status": status,
                    "user_name": user.title(), "roles": roles, "reason": reason,
                }
            )
        )  # fmt: skip

    def passes(self) -> bool:
        return ONE in self.scene.open(self.version)

    @property
    def reason(self) -> Any:
        return self.scene.reason(RULE, self.version, ONE)


# --- who ----------------------------------------------------------------------------------------------------------------------


def test_only_whom_the_selector_picks_counts() -> None:
    asked = Asked(approval_rule(approver_selector='"admin" in user.roles || user.id == "di"'))
    asked.decide("ana", roles=("member",))
    assert not asked.passes()
    assert asked.reason.message == "Waiting for approval: 0/1 given. Not counted: Ana is not among those who may approve."
    asked.decide("di")
    assert asked.passes()


def test_person_counts_as_what_it_was_when_it_decided() -> None:
    asked = Asked(approval_rule(approver_selector='"admin" in user.roles'))
    asked.decide("ana", roles=("member",))
    asked.decide("ana", roles=("member",))
    assert len(asked.scene.facts(ApprovalRecorded)) == 1
    asked.decide("ana", roles=("admin", "member"))
    assert asked.passes()


def test_field_that_a_person_has_not_is_no_match() -> None:
    asked = Asked(approval_rule(approver_selector='user.email.endsWith("@example.com")'))
    asked.decide("ana")
    assert asked.reason.verdict == "waiting"


def test_selector_that_only_reads_like_true_blocks() -> None:
    asked = Asked(approval_rule(approver_selector='user.id == "ana" ? "true" : "false"'))
    asked.decide("ana")
    assert (asked.passes(), asked.reason.verdict) == (False, "blocked")


def test_selector_without_an_answer_blocks() -> None:
    asked = Asked(approval_rule(approver_selector="user.name > 3"))
    asked.decide("ana")
    assert asked.reason.verdict == "blocked"
    assert asked.reason.message.startswith("The rule's selector of people, `user.name > 3`, has no answer for Ana: ")
    assert asked.reason.ended_by == "a person who mends the rule"


def test_each_group_gives_so_many_people() -> None:
    asked = Asked(approval_rule(2, groups=(group("ops", 2), group("security"))))
    asked.decide("ana", roles=("ops",))
    asked.decide("bo", roles=("dev",))
    assert not asked.passes()
    assert '2/2 given, 1/2 of those whom `"ops" in user.roles` picks, 0/1 of those whom' in asked.reason.message
    assert asked.reason.ended_by == (
        'approval by 1 more person whom `"ops" in user.roles` picks and 1 more person whom `"security" in user.roles` picks'
    )
    asked.decide("cy", roles=("ops", "security"))
    assert asked.passes(), "one person may be of two groups"


def test_groups_are_asked_for_where_no_number_is() -> None:
    asked = Asked(approval_rule(0, groups=(group("ops"),)))
    asked.decide("ana")
    assert not asked.passes()
    assert asked.reason.message == 'Waiting for approval: 0/1 of those whom `"ops" in user.roles` picks.'
    asked.decide("bo", roles=("ops",))
    assert asked.passes()


def test_rule_is_satisfied_when_its_last_group_is() -> None:
    asked = Asked(approval_rule(1, groups=(group("ops"),)), linear(60), targets=2)
    asked.decide("ana")
    asked.scene.advance(minutes=10)
    asked.decide("bo", roles=("ops",))
    dues = [one.look_again_at for fact in asked.scene.facts(RuleEvaluated) for one in fact.groups if one.look_again_at]
    assert dues == [asked.scene.world.now + timedelta(seconds=60)]


@pytest.mark.parametrize("may", [None, True])
def test_author_may_approve_unless_the_rule_says_otherwise(may: bool | None) -> None:
    asked = Asked(approval_rule(author_may_approve=may), author="user:ana")
    asked.decide("ana")
    assert asked.passes()


def test_author_does_not_count() -> None:
    asked = Asked(approval_rule(author_may_approve=False), author="user:ana")
    asked.decide("ana")
    assert not asked.passes()
    assert "Ana is an author of v1, and may not approve it" in asked.reason.message
    asked.decide("bo")
    assert asked.passes()


def test_who_changes_the_content_is_an_author_too() -> None:
    asked = Asked(approval_rule(author_may_approve=False), author="user:ana")
    asked.post(VersionUpdated, by="user:bo", config={"image": "api:2"})
    asked.post(VersionUpdated, by="user:cy", config={"image": "api:2"}, message="only said of it")
    asked.decide("ana")
    asked.decide("bo")
    assert not asked.passes()
    asked.decide("cy")
    assert asked.passes()


# --- on what ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"tag": "v1.1"},
        {"config": {"image": "api:2"}},
        {"job_agent_config": {"repo": "x"}},
        {"metadata": {"sha": "abc"}},
        {"dependencies": {uid("other"): "true"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_approval_is_of_the_content_that_it_was_given_for(change: dict[str, Any]) -> None:
    asked = Asked(approval_rule())
    asked.decide("ana")
    assert asked.passes()
    asked.post(VersionUpdated, **change)
    assert not asked.passes()
    assert asked.reason.verdict == "waiting"
    assert "Ana approved what v1" in asked.reason.message
    assert "held before it was changed" in asked.reason.message
    asked.decide("ana")
    assert [fact.version_at for fact in asked.scene.facts(ApprovalRecorded)][1] == asked.scene.state.versions[
        asked.version
    ].position


def test_what_is_only_said_of_a_version_leaves_its_approvals() -> None:
    asked = Asked(approval_rule())
    asked.decide("ana")
    asked.post(VersionUpdated, name="the good one", message="tested", status="ready")
    assert asked.passes()
    asked.post(VersionUpdated, status="paused")
    asked.post(VersionUpdated, status="ready")
    assert asked.passes()


def test_approval_names_the_document_that_was_decided_on() -> None:
    asked = Asked(approval_rule())
    asked.post(VersionUpdated, message="tested")
    document = asked.scene.state.versions[asked.version].position
    asked.decide("ana", roles=("member", "admin", "member"))
    fact = asked.scene.facts(ApprovalRecorded)[0]
    assert (fact.version_at, fact.user_name, fact.roles) == (document, "Ana", ("admin", "member"))


def test_recorded_approval_of_any_document_counts_on() -> None:
    asked = Asked(approval_rule())
    asked.post(VersionUpdated, tag="v1.1")
    old = ApprovalRecorded(
        version_id=asked.version, environment_id=asked.scene.production, user_id="ana", status="approved", decided_at=START
    )
    asked.scene.record(old)
    assert asked.passes()


# --- until when ---------------------------------------------------------------------------------------------------------------


def test_approval_expires_at_its_exact_instant() -> None:
    asked = Asked(approval_rule(expires_after_minutes=30))
    asked.decide("ana")
    ends = asked.scene.world.now + timedelta(minutes=30)
    assert asked.scene.facts(TargetsCleared)[-1].valid_until == ends
    asked.scene.advance(minutes=29, seconds=59.999999)
    assert asked.passes()
    asked.scene.advance(seconds=0.000001)
    assert not asked.passes()
    assert asked.scene.facts(ClearanceWithdrawn)[-1].withdrawn_at == ends
    assert f"the approval of Ana expired at {ends:%Y-%m-%d %H:%M:%S} UTC" in asked.reason.message
    asked.decide("ana")
    assert asked.passes()


def test_rule_holds_as_long_as_enough_approvals_last() -> None:
    asked = Asked(approval_rule(2, expires_after_minutes=30, groups=(group("ops"),)))
    start = asked.scene.world.now
    for minute, (user, roles) in enumerate([("ana", ("ops",)), ("bo", ()), ("cy", ())]):
        asked.decide(user, roles=roles)
        asked.scene.advance(minutes=1)
        assert asked.passes() is (minute > 0)
    assert asked.scene.facts(TargetsCleared)[-1].valid_until == start + timedelta(minutes=30), "ops is the first to go"
    asked.decide("di", roles=("ops",))
    asked.scene.advance(minutes=28)
    assert asked.passes(), "three others are left, one of them of ops"
    asked.scene.advance(minutes=2)
    assert not asked.passes()
    assert asked.scene.world.now == start + timedelta(minutes=33)


def test_waiting_for_approval_is_ended_by_people_and_not_by_time() -> None:
    asked = Asked(approval_rule(2, expires_after_minutes=30))
    asked.decide("ana")
    assert asked.reason.look_again_at is None
    recorded = len(asked.scene.world.log)
    asked.scene.advance(minutes=60)
    assert len(asked.scene.world.log) == recorded
    assert asked.reason.message.startswith("Waiting for approval: 0/2 given. Not counted: the approval of Ana expired at ")


def test_approval_that_is_renewed_in_time_goes_on() -> None:
    """A rollout that starts with it does not start again."""
    asked = Asked(approval_rule(expires_after_minutes=30), linear(3600), targets=3)
    asked.decide("ana")
    start = asked.scene.world.now
    for _ in range(6):
        asked.scene.advance(minutes=20)
        asked.decide("ana")
    cleared = {one.cleared_at for one in asked.scene.facts(TargetsCleared)}
    assert start + timedelta(hours=1) in cleared
    assert start + timedelta(hours=2) in cleared


def test_approval_that_is_given_again_after_it_expired_starts_anew() -> None:
    asked = Asked(approval_rule(expires_after_minutes=30), linear(3600), targets=2)
    asked.decide("ana")
    asked.scene.advance(minutes=31)
    asked.decide("ana")
    start = asked.scene.world.now
    dues = [one.look_again_at for fact in asked.scene.facts(RuleEvaluated) for one in fact.groups if one.look_again_at]
    assert dues[-1] == start + timedelta(hours=1)


def test_approval_is_not_renewed_where_none_expires() -> None:
    asked = Asked(approval_rule())
    asked.decide("ana")
    asked.scene.advance(minutes=1)
    recorded = len(asked.scene.world.log)
    asked.decide("ana")
    assert len(asked.scene.world.log) == recorded


# --- rejections ---------------------------------------------------------------------------------------------------------------


def test_rejection_is_no_veto_unless_the_rule_says_so() -> None:
    asked = Asked(approval_rule())
    asked.decide("bo", "rejected")
    asked.decide("ana")
    assert asked.passes()


def test_rejection_blocks_until_it_is_withdrawn() -> None:
    asked = Asked(approval_rule(rejection_blocks=True))
    asked.decide("ana")
    assert asked.passes()
    before = len(asked.scene.world.log)
    asked.decide("bo", "rejected", reason="breaks login")
    assert not asked.passes()
    both = [type(one.fact) for one in asked.scene.world.log[before : before + 2]]
    assert both == [ApprovalRecorded, ClearanceWithdrawn], "what the rejection takes away goes in the same append"
    assert asked.reason.verdict == "blocked"
    assert asked.reason.message == (
        "v1 was rejected for this environment by Bo, and stays blocked until that is withdrawn. Said: Bo: breaks login."
    )
    assert asked.reason.ended_by == "Bo withdrawing the rejection"
    asked.decide("cy")
    asked.scene.advance(minutes=100_000)
    assert not asked.passes()
    asked.decide("bo", "withdrawn")
    assert asked.passes()


def test_rejection_outlives_changes_of_content_and_is_heard_of_anybody() -> None:
    asked = Asked(approval_rule(rejection_blocks=True, approver_selector='"ops" in user.roles', expires_after_minutes=1))
    asked.decide("bo", "rejected")
    asked.post(VersionUpdated, tag="v1.1")
    asked.decide("ana", roles=("ops",))
    assert asked.reason.verdict == "blocked"
    asked.decide("bo", "approved")
    assert asked.passes()


def test_every_rejection_must_be_withdrawn() -> None:
    asked = Asked(approval_rule(0, rejection_blocks=True))
    assert asked.passes()
    asked.decide("bo", "rejected")
    asked.decide("cy", "rejected")
    assert asked.reason.ended_by == "Bo withdrawing the rejection and Cy withdrawing the rejection"
    asked.decide("bo", "withdrawn")
    assert not asked.passes()
    asked.decide("cy", "withdrawn")
    assert asked.passes()


def test_withdrawn_approval_counts_no_more() -> None:
    asked = Asked(approval_rule())
    asked.decide("ana")
    asked.decide("ana", "withdrawn")
    assert not asked.passes()
    assert asked.reason.message == "Waiting for approval: 0/1 given."


def test_withdrawing_nothing_appends_nothing() -> None:
    asked = Asked(approval_rule())
    before = len(asked.scene.world.log)
    asked.decide("ana", "withdrawn")
    assert len(asked.scene.world.log) == before


# --- forms --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, path, said",
    [
        ({"approver_selector": "usre.name"}, "approverSelector", "unknown variable 'usre'"),
        ({"approver_selector": ""}, "approverSelector", "the expression is empty"),
        ({"approver_selector": "resource.name == 'x'"}, "approverSelector", "resource"),
        ({"groups": (group("ops"), ApprovalGroup(selector=" "))}, "groups/1/selector", "the expression is empty"),
        ({"groups": (ApprovalGroup(selector="user.roles =="),)}, "groups/0/selector", ""),
    ],
)
def test_malformed_approvals_are_refused_with_their_path(fields: dict[str, Any], path: str, said: str) -> None:
    scene = Scene()
    with pytest.raises(Refused) as refused:
        scene.policy(linear(0), approval_rule(**fields))
    assert (refused.value.refusal.kind, refused.value.refusal.code) == ("invalid", "INVALID_CEL")
    detail = refused.value.refusal.details[0]
    assert detail["path"] == f"/body/rules/1/anyApproval/{path}"
    assert said in detail["message"]
    assert not scene.state.policies
