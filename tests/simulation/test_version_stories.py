"""Stories of versions that replace one another: each told to all five services, and what people are told at its stages."""

from __future__ import annotations

from contracts.shapes import (
    AnyApproval,
)
from tests.simulation.stories import all_run, guarded, message, started
from tests.simulation.yard import Yard


def test_a_newer_version_supersedes_one_that_is_under_way() -> None:
    yard = guarded(approvals=1, third=True)
    yard.approve(yard.post("api", "v1"), "production")
    yard.advance(5)
    yard.approve(yard.post("api", "v2"), "production")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert len(yard.jobs("v2", stage="production")) == 3
    yard.check()


def test_of_three_versions_within_a_second_the_last_one_arrives() -> None:
    yard = Yard()
    for tag in ("v1", "v2", "v3"):
        yard.post("api", tag)
        yard.advance(0.3)
    yard.advance(30)
    assert all_run(yard, "v3")
    assert not yard.jobs("v2")


def test_a_rejected_version_goes_back_everywhere_and_takes_its_turns_when_it_returns() -> None:
    yard = guarded(approvals=1, third=True)
    versions = []
    for tag in ("v1", "v2"):
        versions.append(yard.post("api", tag))
        yard.approve(versions[-1], "production")
        yard.advance(60)
    yard.set_version(versions[1], "rejected")
    assert message(yard, "production").startswith(
        "v2 runs here, although it is rejected; it is going back to v1: the job is in progress."
    )
    yard.advance(60)
    assert all_run(yard, "v1")
    assert "v2 is rejected: only versions that are ready are deployed." in message(yard, "production")
    yard.set_version(versions[1], "ready")
    yard.advance(60)
    assert all_run(yard, "v2")
    assert started(yard, "v2", "production") == [0, 5, 10, 116, 121, 126]


def test_a_version_that_returns_needs_its_approval_still() -> None:
    """The clearance that it was deployed on is spent."""
    yard = Yard()
    yard.policy("approved", AnyApproval(min_approvals=1), stage="production")
    first, second = yard.post("api", "v1"), ""
    yard.approve(first, "production")
    yard.advance(10)
    second = yard.post("api", "v2")
    yard.approve(second, "production")
    yard.advance(10)
    yard.set_version(second, "rejected")
    yard.advance(10)
    yard.approve(second, "production", status="rejected")
    yard.set_version(second, "ready")
    yard.advance(30)
    assert set(yard.runs("api", "production").values()) == {"v1"}
    assert "What ends it: approval by 1 more person." in message(yard, "production")
    yard.approve(second, "production")
    yard.advance(10)
    assert all_run(yard, "v2")


def test_rejecting_the_only_version_changes_nothing_that_runs() -> None:
    yard = Yard()
    version = yard.post("api", "v1")
    yard.advance(10)
    yard.set_version(version, "rejected")
    assert message(yard, "staging") == "v1 runs here, although it is rejected; there is no other to deploy."
    yard.set_version(version, "ready")
    yard.advance(10)
    assert len(yard.jobs("v1")) == 3
    assert all_run(yard, "v1")
