"""What an explanation names is what holds: taken away, it is named no more; and when all of it is taken away, the version goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.policy.explanations import ExplainTarget, VersionStanding
from contracts.commands.policy.freezes import ThawFreeze
from contracts.commands.policy.reasons import Reason
from contracts.commands.policy.skips import CreateSkip
from contracts.facts.planner import RedeployItem, RedeployRequested
from services.policy.state import NOWHERE, Pair
from tests.unit.policy.choice_scenes import needing, unpin
from tests.unit.policy.policy_scenes import approval, linear
from tests.unit.policy.random_estate import UNREADABLE, Estate, PolicyPlan, Step
from tests.unit.policy.random_policies import KINDS, governed_by, histories

ROUNDS = 12
"""More causes than a target ever has one after the other."""


def newest_standing(estate: Estate, pair: Pair, one: str) -> VersionStanding | None:
    """Where the newest version stands on a target; None where it runs."""
    wish = ExplainTarget(resource_id=one, environment_id=pair.environment_id, deployment_id=pair.deployment_id)
    versions: tuple[VersionStanding, ...] = estate.scene.world.ask(wish).versions
    newest = estate.version()
    return next((version for version in versions if version.version_id == newest), None)


def causes(standing: VersionStanding | None) -> list[Reason]:
    """What is said to hold a version; nothing of one that may go, or runs."""
    if standing is None or standing.cleared:
        return []
    return [reason for reason in standing.reasons if reason.verdict != "allowed"]


def name_of(reason: Reason) -> tuple[str, str, str]:
    return reason.rule_type, reason.policy_id, reason.rule_id


def cure(estate: Estate, pair: Pair, one: str, version_id: str, reason: Reason) -> None:
    """Take away one cause: what a person or another service would do about it."""
    scene = estate.scene
    match reason.rule_type:
        case "freeze":
            scene.world.do(ThawFreeze(freeze_id=reason.rule_id))
        case "deployableVersion":
            scene.set_status(version_id, "ready")
        case "badMark":
            release_id = next(job.release_id for job in reversed(pair.jobs_of(one, version_id)))
            item = RedeployItem(resource_id=one, release_id=release_id, version_id=version_id)
            scene.record(
                RedeployRequested(
                    deployment_id=pair.deployment_id, environment_id=pair.environment_id, items=(item,), requested_at=estate.now
                )
            )  # fmt: skip
        case "versionPin":
            unpin(scene, one)
        case "versionDependency":
            needing(scene, estate.state.tag(version_id), {}, update=True)
        case "policySelector":
            scene.policy(id_=reason.policy_id, selector="false", name=reason.policy_name)
        case "retry" if reason.look_again_at is not None:
            scene.advance(seconds=(reason.look_again_at - estate.now).total_seconds())
        case "retry":
            set_right(estate, pair, one, version_id)
        case _:
            scene.world.do(CreateSkip(version_id=version_id, rule_id=reason.rule_id))


def set_right(estate: Estate, pair: Pair, one: str, version_id: str) -> None:
    """A person, or the agent after all, says that the newest job of a target succeeded, and its verification passes."""
    job = estate.state.pairs[pair.key].newest_job(one)
    if job is not None and job.version_id == version_id and job.status != "successful":
        estate.scene.job_status(job.job_id, "successful")
        estate.scene.verify(job.job_id)


def held_targets(estate: Estate) -> Iterator[tuple[Pair, str]]:
    """Targets of `api` that are not on the newest version."""
    for pair in estate.pairs:
        if pair.deployment_id == estate.scene.deployment:
            for one in sorted(pair.targets):
                current = pair.standings.get(one, NOWHERE).current
                if current is None or current.version_id != estate.version():
                    yield pair, one


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.integers(0, 5), st.integers(0, 5))
def test_cause_that_is_taken_away_is_named_no_more(
    kind: str, data: st.DataObject, steps: list[Step], which: int, target: int
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    version_id = estate.version()
    held = list(held_targets(estate))
    if not held or version_id is None:
        return
    pair, one = held[target % len(held)]
    standing = newest_standing(estate, pair, one)
    assert standing is not None, "a target that does not run the newest version hears why"
    named = causes(standing)
    assert named or standing.cleared, f"nothing is named: {standing.message}"
    if named:
        reason = named[which % len(named)]
        assert reason.ended_by
        cure(estate, pair, one, version_id, reason)
        after = newest_standing(estate, pair, one)
        left = causes(after)
        assert name_of(reason) not in map(name_of, left) or (reason.rule_type == "retry" and left != named)
        assert left or after is None or after.cleared, "what holds it now has no name"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.integers(0, 5))
def test_causes_that_are_all_taken_away_let_the_version_arrive(
    kind: str, data: st.DataObject, steps: list[Step], target: int
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    version_id = estate.version()
    held = list(held_targets(estate))
    if not held or version_id is None:
        return
    pair, one = held[target % len(held)]
    for _ in range(ROUNDS):
        named = causes(newest_standing(estate, pair, one))
        if not named:
            break
        cure(estate, estate.state.pairs[pair.key], one, version_id, named[0])
    standing = newest_standing(estate, pair, one)
    assert not causes(standing)
    assert standing is None or standing.cleared
    set_right(estate, pair, one, version_id)
    estate.settle()
    current = estate.state.pairs[pair.key].standings[one].current
    assert current is not None
    assert current.version_id == version_id, f"all that was named is gone, and it does not go: {standing and standing.message}"


def test_causes_are_named_at_all() -> None:
    """So that the properties above speak about something."""
    estate = Estate([PolicyPlan("true", (approval(), linear(600)))])
    assert {
        name_of(one)[0] for pair, target in held_targets(estate) for one in causes(newest_standing(estate, pair, target))
    } == {
        "anyApproval",
        "gradualRollout",
    }


def test_selector_without_an_answer_is_named_and_can_be_mended() -> None:
    estate = Estate([PolicyPlan(UNREADABLE, (approval(0),))])
    version_id = estate.version()
    assert version_id is not None
    for pair, one in list(held_targets(estate)):
        for reason in causes(newest_standing(estate, pair, one)):
            assert reason.rule_type == "policySelector"
            cure(estate, pair, one, version_id, reason)
    estate.settle()
    assert not list(held_targets(estate))
