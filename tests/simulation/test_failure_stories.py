"""Stories of jobs and verifications that fail, told to all five services."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.planner import LiftMark, RollBack
from contracts.commands.verifier import VerifyAgain
from contracts.facts.planner import RollbackStarted
from contracts.facts.verifier import VerificationStarted
from contracts.shapes import (
    Verification,
)
from tests.simulation.stories import all_run, guarded, message
from tests.simulation.yard import Yard, metric


def test_a_failed_job_goes_back_and_the_next_version_arrives() -> None:
    yard = guarded()
    yard.post("api", "v1")
    yard.advance(60)
    yard.failing.add("v2")
    yard.post("api", "v2")
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "v2 failed here and was marked bad" in message(yard, "staging")
    assert "a newer version" in message(yard, "staging")
    yard.post("api", "v3")
    yard.advance(60)
    assert all_run(yard, "v3")


def test_a_failed_job_without_a_rollback_rule_waits_for_a_newer_version() -> None:
    yard = Yard()
    yard.failing.add("v1")
    yard.post("api", "v1")
    yard.advance(60)
    said = "Nothing runs here yet. v1 was cleared, but its job ended as failure: resolved by test-runner after 3s."
    assert message(yard, "staging") == f"{said} What ends it: a person who redeploys v1, or a newer version."
    assert len(yard.jobs("v1")) == 3
    yard.post("api", "v2")
    yard.advance(10)
    assert all_run(yard, "v2")


def test_an_unhealthy_first_version_is_marked_and_stays() -> None:
    yard = guarded()
    yard.sick.add(("v1", "r1"))
    yard.post("api", "v1")
    yard.advance(30)
    (gone_back,) = yard.facts(RollbackStarted)
    assert gone_back.release_id is None
    assert yard.runs("api", "staging") == {"r1": "v1"}
    assert not yard.jobs("v1", stage="production")
    said, _, ends = message(yard, "staging").partition(" What ends it: ")
    assert said.startswith("v1 runs here. v1 failed here and was marked bad at 2026-")
    assert "The verification of v1 on r1 (policy 'watched') failed: errors: 1 of 1 measurements failed" in said
    assert said.endswith("There was no earlier good release to go back to, so it stays until a person acts.")
    assert ends == "a person who lifts the mark (perhaps after verifying v1 again) or redeploys v1, or a newer version."
    with pytest.raises(Refused, match="no earlier release that succeeded there"):
        yard.do(RollBack(deployment_id=yard.deployments["api"], environment_id=yard.stages["staging"]))


def test_a_first_version_that_was_marked_bad_is_good_again_when_it_was_verified_again_and_its_mark_lifted() -> None:
    yard = guarded()
    yard.sick.add(("v1", "r1"))
    version_id = yard.post("api", "v1")
    yard.advance(30)
    yard.sick.clear()
    yard.do(VerifyAgain(verification_id=yard.facts(VerificationStarted)[-1].verification_id))
    yard.advance(30)
    assert "marked bad" in message(yard, "staging")
    yard.do(LiftMark(deployment_id=yard.deployments["api"], environment_id=yard.stages["staging"], version_id=version_id))
    yard.advance(60)
    assert message(yard, "staging") == "v1 runs here, the newest version."
    assert all_run(yard, "v1")
    yard.post("api", "v2")
    yard.advance(60)
    assert all_run(yard, "v2")


def test_an_unhealthy_version_without_a_rollback_rule_stays_and_says_so() -> None:
    yard = Yard()
    yard.policy("watched", Verification(metrics=(metric(),)))
    yard.sick.add(("v1", "r2"))
    yard.post("api", "v1")
    yard.advance(30)
    assert all_run(yard, "v1")
    assert message(yard, "production", "r2").startswith("v1 runs here, the newest version; its verification failed (errors: ")
    assert message(yard, "production", "r3") == "v1 runs here, the newest version."


def test_a_person_sets_a_job_to_failure_and_its_target_goes_back() -> None:
    yard = guarded()
    for tag in ("v1", "v2"):
        yard.post("api", tag)
        yard.advance(60)
    yard.set_job(yard.jobs("v2", stage="production")[0].job_id, "failure")
    yard.advance(30)
    assert sorted(map(str, yard.runs("api", "production").values())) == ["v1", "v2"]


def test_a_person_sets_a_job_to_successful_and_the_rollout_goes_on() -> None:
    yard = guarded()
    yard.policy("watched", Verification(metrics=(metric(),)))
    yard.lost = True
    yard.post("api", "v1")
    yard.advance(2 * 3600)
    assert "No answer within 1 h" in message(yard, "staging")
    yard.lost = False
    yard.set_job(yard.jobs("v1")[0].job_id, "successful")
    yard.advance(60)
    assert all_run(yard, "v1")


def test_monitoring_that_never_answers_is_a_failure_in_the_end() -> None:
    yard = guarded()
    yard.post("api", "v1")
    yard.advance(60)
    yard.mute.add("v2")
    yard.post("api", "v2")
    yard.advance(3)
    assert message(yard, "staging") == "v2 runs here, the newest version; its verification is running."
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "connection refused" in yard.facts(RollbackStarted)[0].reason
