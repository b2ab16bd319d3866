"""Clearances: once per version, withdrawn in the same append as what ends them, issued again when they went stale unused."""

from __future__ import annotations

from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.policies import DeletePolicy, SavePolicy
from contracts.facts.policy import ApprovalRecorded, ClearanceWithdrawn, PolicyDeleted, PolicySaved, TargetsCleared
from services.policy.state import pair_key
from tests.unit.policy.policy_scenes import Scene, approval, uid

R1, R2 = uid("r1"), uid("r2")


def approved(*resources: str) -> tuple[Scene, str]:
    scene = Scene(*resources)
    scene.production_policy(approval())
    version = scene.version("v1")
    scene.approve(version)
    return scene, version


def test_target_is_cleared_once() -> None:
    scene, version = approved(R1)
    scene.approve(version, "bo")
    scene.set_status(version, "ready")
    assert len(scene.facts(TargetsCleared)) == 1


def test_clearance_names_what_it_rests_on() -> None:
    scene, version = approved(R1)
    fact = scene.facts(TargetsCleared)[0]
    told = {one.position: one.type for one in scene.world.log if one.position in fact.facts}
    assert set(told.values()) == {"planner.version_created.v1", "policy.policy_saved.v1", "policy.approval_recorded.v1"}
    newest_but_own = next(one.position for one in scene.world.log if isinstance(one.fact, ApprovalRecorded))
    assert fact.at == newest_but_own
    assert version == fact.version_id


def test_revoked_approval_withdraws_in_the_same_append() -> None:
    scene, version = approved(R1, R2)
    scene.deploy(version, R1)
    scene.world.ask(RecordApproval(version_id=version, environment_ids=(scene.production,), user_id="ana", status="rejected"))
    _, round_ = scene.world.rounds[-1]
    assert [type(one.fact) for one in round_.append.facts] == [ApprovalRecorded, ClearanceWithdrawn]
    withdrawn = scene.facts(ClearanceWithdrawn)[0]
    assert withdrawn.resource_ids == (R2,), "the job that was made already runs on"
    assert "0/1" in withdrawn.reason
    scene.world.run()
    assert scene.open(version) == set()
    scene.approve(version)
    assert scene.open(version) == {R2}


def test_policy_that_now_blocks_withdraws_in_the_same_append() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    assert scene.open(version) == {R1}
    scene.world.ask(SavePolicy(name="strict", selector="true", rules=(approval(),)))
    _, round_ = scene.world.rounds[-1]
    assert [type(one.fact) for one in round_.append.facts] == [PolicySaved, ClearanceWithdrawn]
    scene.world.run()
    assert scene.open(version) == set()


def test_policy_that_exempts_the_version_withdraws_nothing() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    scene.advance(seconds=1)
    scene.policy(approval())
    assert scene.facts(ClearanceWithdrawn) == []
    assert scene.open(version) == {R1}


def test_gate_makes_unused_clearances_stale_and_what_holds_is_issued_again() -> None:
    scene, version = approved(R1, R2)
    scene.deploy(version, R1)
    scene.policy(approval(), selector='environment.name == "nowhere"')
    saved = max(one.position for one in scene.world.log if isinstance(one.fact, PolicySaved))
    again = [fact for fact in scene.facts(TargetsCleared) if fact.at >= saved]
    assert [fact.resource_ids for fact in again] == [(R2,)]
    assert scene.facts(ClearanceWithdrawn) == []


def test_withdrawal_of_one_version_renews_the_others_of_the_pair() -> None:
    scene = Scene(R1, R2)
    for one, name in ((R1, "r1"), (R2, "r2")):
        scene.resource(name, id_=one)
    scene.policy(approval(), selector='resource.name == "r1"')
    version = scene.version("v1")
    scene.approve(version)
    assert scene.open(version) == {R1, R2}
    scene.approve(version, status="rejected")
    assert scene.open(version) == {R2}
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    cleared = pair.standings[R2].cleared
    assert cleared is not None
    assert cleared.at >= pair.withdrawn_at


def test_deleted_policy_lets_go() -> None:
    scene = Scene(R1)
    policy_id = scene.production_policy(approval())
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.world.do(DeletePolicy(policy_id=policy_id))
    assert scene.open(version) == {R1}
    assert len(scene.facts(PolicyDeleted)) == 1
    assert scene.state.pairs[pair_key(scene.deployment, scene.production)].held.get(version) is None


def test_running_version_is_cleared_again_when_a_newer_one_is_taken_back() -> None:
    """The desired release returns to what runs, instead of staying at what may not go."""
    scene, first = approved(R1)
    scene.deploy(first, R1)
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.approve(second)
    scene.release(second, R1)
    scene.approve(second, status="rejected")
    assert scene.open(first) == {R1}
    scene.release(first, R1)
    assert scene.open(first) == set()
    assert scene.explain(R1).versions[0].cleared is False


def test_job_without_agent_uses_no_clearance() -> None:
    scene, version = approved(R1)
    scene.release(version, R1)
    scene.job(version, R1, agent="")
    assert scene.open(version) == {R1}
    scene.policy(approval(), selector="false")
    assert len(scene.facts(TargetsCleared)) == 2
    scene.job(version, R1, attempt=2)
    assert scene.open(version) == set()


def test_used_clearances_are_not_withdrawn() -> None:
    scene, version = approved(R1)
    scene.release(version, R1)
    scene.job(version, R1, "inProgress")
    scene.approve(version, status="rejected")
    assert scene.facts(ClearanceWithdrawn) == []
    assert scene.explain(R1).versions[0].message.startswith("v1 is on its way: its job is in progress.")
