"""Stories of what follows from a verification: by rule, by the metric's own reaction, or by a person; told to all five services."""

from __future__ import annotations

from contracts.commands.planner import LiftMark, RollBack
from contracts.commands.verifier import VerifyAgain
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired, VerificationRequired
from contracts.facts.verifier import VerificationFailed, VerificationInconclusive, VerificationStarted, WatchEnded
from contracts.shapes import GradualRollout, Rollback, Target, Verification
from tests.simulation.stories import all_run, message
from tests.simulation.yard import Yard, metric

LINE = GradualRollout(rollout_type="linear", time_scale_interval=5)


def on_v1(*bodies: Rollback | Verification | GradualRollout) -> Yard:
    """v1 runs everywhere; from then on these rules govern production."""
    yard = Yard()
    yard.post("api", "v1")
    yard.advance(30)
    assert all_run(yard, "v1")
    yard.policy("careful", *bodies, stage="production")
    return yard


def production(yard: Yard, name: str) -> Target:
    resource = next(id_ for id_, known in yard.ledger.resources.items() if known == name)
    return Target(resource, yard.stages["production"], yard.deployments["api"])


def went_first(yard: Yard, tag: str) -> str:
    """The resource of production that got a version first."""
    return yard.ledger.resources[yard.jobs(tag, stage="production")[0].resource_id]


def test_rollback_on_failure_and_verification() -> None:
    """It marks the version and returns to the older good one; none when that one fails too; the newest job decides."""
    yard = on_v1(Verification(metrics=(metric(),)), Rollback(on_job_statuses=("failure",), on_verification_failure=True))
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(60)
    back = yard.facts(RollbackStarted)
    assert {one.resource_id for one in back} == {production(yard, name).resource_id for name in ("r2", "r3")}
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v1"}
    assert "v2 failed here and was marked bad" in message(yard, "production", "r2")
    yard.sick.update({("v3", "r2"), ("v1", "r2")})
    yard.post("api", "v3")
    yard.advance(60)
    back = yard.facts(RollbackStarted)
    assert len(back) == 3
    assert back[-1].reason.startswith("The verification of v3 on r2 (policy 'careful') failed: errors: ")
    # The job that returned to v1 fails its verification as well, which starts no circle.
    assert any(one.version_id == back[-1].to_version_id for one in yard.facts(VerificationFailed))
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v3"}
    assert len(yard.facts(RollbackRequired)) == 3
    yard.check()


def test_a_metric_that_rolls_back_needs_no_rule_and_holds_the_rest_of_the_rollout() -> None:
    yard = on_v1(LINE, Verification(metrics=(metric(reaction="rollBack"),)))
    yard.sick.update({("v2", "r2"), ("v2", "r3")})
    yard.post("api", "v2")
    yard.advance(120)
    (back,) = yard.facts(RollbackStarted)
    required = yard.facts(RollbackRequired)[0]
    assert (back.policy_id, back.rule_id) == (required.policy_id, required.rule_id) != ("", "")
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v1"}
    first = went_first(yard, "v2")
    other = "r3" if first == "r2" else "r2"
    assert f"The rollout of v2 stopped: on {first} its verification failed (errors: " in message(yard, "production", other)
    assert "a person who lifts the mark of v2 on that target" in message(yard, "production", other)
    yard.check()


def test_a_mark_that_is_lifted_lets_the_rollout_go_on() -> None:
    yard = on_v1(LINE, Verification(metrics=(metric(reaction="rollBack"),)))
    yard.sick.update({("v2", "r2"), ("v2", "r3")})
    version = yard.post("api", "v2")
    yard.advance(120)
    yard.sick.clear()
    target = production(yard, went_first(yard, "v2"))
    yard.do(LiftMark(**target._asdict(), version_id=version, reason="it was the network"))
    yard.advance(120)
    assert yard.runs("api", "production") == {"r2": "v2", "r3": "v2"}
    assert len(yard.facts(RollbackStarted)) == 1


def test_a_metric_that_holds_leaves_it_to_a_person_who_measures_anew() -> None:
    yard = on_v1(
        LINE,
        Verification(metrics=(metric(reaction="hold"),)),
        Rollback(on_job_statuses=("failure",), on_verification_failure=True),
    )
    yard.sick.update({("v2", "r2"), ("v2", "r3")})
    yard.post("api", "v2")
    yard.advance(120)
    assert yard.facts(RollbackRequired) == []
    first = went_first(yard, "v2")
    assert "which a person is to decide about" in message(yard, "production", first)
    assert "a person who verifies v2 again on that target" in message(yard, "production", "r3" if first == "r2" else "r2")
    yard.sick.clear()
    yard.do(VerifyAgain(verification_id=yard.facts(VerificationFailed)[0].verification_id, reason="it was the network"))
    yard.advance(60)
    assert [one.attempt for one in yard.facts(VerificationStarted)] == [1, 2, 1]
    assert yard.runs("api", "production") == {"r2": "v2", "r3": "v2"}
    yard.check()


def test_a_verification_without_data_holds_the_rollout_and_rolls_nothing_back() -> None:
    held = metric(no_data="hold", minimum_samples=1, success_condition="result.ok")
    yard = on_v1(LINE, Verification(metrics=(held,)), Rollback(on_job_statuses=("failure",), on_verification_failure=True))
    yard.empty.update({("v2", "r2"), ("v2", "r3")})
    yard.post("api", "v2")
    yard.advance(120)
    assert len(yard.facts(VerificationInconclusive)) == 1
    assert yard.facts(RollbackRequired) == []
    first = went_first(yard, "v2")
    assert f"The rollout of v2 is held: on {first} its verification was inconclusive" in message(
        yard, "production", "r3" if first == "r2" else "r2"
    )
    yard.check()


def test_what_fails_while_it_is_watched_goes_back() -> None:
    yard = on_v1(Verification(metrics=(metric(),), continue_seconds=300), Rollback(on_verification_failure=True))
    yard.post("api", "v2")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert {one.continue_seconds for one in yard.facts(VerificationRequired)} == {300}
    yard.sick.add(("v2", "r2"))
    yard.advance(60)
    assert [one.after_passing for one in yard.facts(VerificationFailed)] == [True]
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v2"}
    yard.advance(400)
    assert yard.facts(WatchEnded)
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v2"}


def test_a_person_who_rolls_one_target_back_holds_the_rest_of_the_rollout() -> None:
    yard = on_v1(GradualRollout(rollout_type="linear", time_scale_interval=600))
    yard.post("api", "v2")
    yard.advance(60)
    first = went_first(yard, "v2")
    yard.do(RollBack(**production(yard, first)._asdict(), reason="it looks wrong"))
    yard.advance(2_000)
    assert yard.runs("api", "production") == {"r2": "v1", "r3": "v1"}
    said = message(yard, "production", "r3" if first == "r2" else "r2")
    assert f"The rollout of v2 stopped: on {first} it was marked bad." in said
