"""What a job's verification came to, in all five states, and everybody who looks at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RollbackRequired, VerificationRequired
from contracts.shapes import GradualRollout, Verification, VersionCooldown, Wave
from tests.unit.policy.choice_scenes import posted, redeploy, supersession
from tests.unit.policy.policy_scenes import METRIC, Scene, linear, progression, rollback, uid, verification
from tests.unit.policy.verdict_scenes import Verifying, job_of

R1, R2, R3, STAGED = uid("r1"), uid("r2"), uid("r3"), uid("staged")

End = Callable[[Verifying], object]
INCONCLUSIVE: End = Verifying.is_inconclusive
CANCELLED: End = Verifying.is_cancelled
FAILED: End = Verifying.fails
UNDECIDED = pytest.mark.parametrize("ends", [INCONCLUSIVE, CANCELLED])
NOT_PASSED = pytest.mark.parametrize("ends", [FAILED, INCONCLUSIVE, CANCELLED])


def measured(*rules: RuleInput) -> tuple[Scene, str, str]:
    """v1 runs on its only target, and is to be verified."""
    scene = Scene(R1)
    scene.policy(verification(), *rules)
    (version,) = posted(scene, "v1")
    scene.release(version, R1)
    return scene, version, scene.job(version, R1, "successful")


def test_requirement_says_how_long_to_go_on() -> None:
    scene = Scene(R1)
    scene.policy(RuleInput(verification=Verification(metrics=(METRIC,), continue_seconds=600)), verification("other"))
    scene.job(scene.version("v1"), R1, "successful")
    assert [one.continue_seconds for one in scene.facts(VerificationRequired)] == [600, None]


@pytest.mark.parametrize(
    "ends, state, outcome",
    [
        (Verifying.passes, "passed", "passed"),
        (FAILED, "failed", "failed"),
        (INCONCLUSIVE, "inconclusive", "held"),
        (CANCELLED, "cancelled", "held"),
    ],
)
def test_what_a_job_came_to(ends: End, state: str, outcome: str) -> None:
    scene, version, job_id = measured()
    assert job_of(scene, version, R1).outcome == "running"
    ends(Verifying(scene, job_id))
    job = job_of(scene, version, R1)
    assert (job.checks[0].state, job.outcome, job.verified) == (state, outcome, state == "passed")


@pytest.mark.parametrize("first, second, outcome", [(INCONCLUSIVE, FAILED, "failed"), (INCONCLUSIVE, Verifying.passes, "held")])
def test_of_several_verifications_the_worst_counts(first: End, second: End, outcome: str) -> None:
    scene, version, job_id = measured(verification("other"))
    first(Verifying(scene, job_id))
    assert job_of(scene, version, R1).outcome == "running"
    second(Verifying(scene, job_id, rule=1))
    assert job_of(scene, version, R1).outcome == outcome


@NOT_PASSED
def test_the_newest_attempt_is_the_one_that_counts(ends: End) -> None:
    scene, version, job_id = measured()
    first = Verifying(scene, job_id)
    ends(first)
    again = Verifying(scene, job_id, attempt=2)
    assert job_of(scene, version, R1).outcome == "running"
    first.fails(after_passing=True)
    assert job_of(scene, version, R1).outcome == "running"
    again.passes()
    assert job_of(scene, version, R1).outcome == "passed"
    first.begin()
    assert job_of(scene, version, R1).outcome == "passed"


def test_the_end_of_watching_changes_nothing() -> None:
    scene, version, job_id = measured()
    watching = Verifying(scene, job_id).passes()
    before = job_of(scene, version, R1)
    watching.watch_ends()
    assert job_of(scene, version, R1) == before


@NOT_PASSED
def test_what_runs_is_told_with_who_goes_on(ends: End) -> None:
    scene, _, job_id = measured()
    ends(Verifying(scene, job_id))
    said = {
        FAILED: "its verification failed (m: too many errors)",
        INCONCLUSIVE: "its verification was inconclusive (m: no data), which a person is to decide about",
        CANCELLED: "its verification ended without a verdict (v2 runs there now), which a person is to decide about",
    }[ends]
    assert scene.explain(R1).message == (
        f"v1 runs here, the newest version; {said}. "
        "What ends it: a person who verifies v1 again or redeploys it, or a newer version."
    )


@UNDECIDED
def test_no_rollback_without_a_verdict(ends: End) -> None:
    scene, _, job_id = measured(rollback("failure", verification_failure=True))
    ends(Verifying(scene, job_id))
    assert scene.facts(RollbackRequired) == []


# --- promotion ---------------------------------------------------------------------------------------------------------------------


def promoted(*, linear_: bool = False) -> tuple[Scene, str, str]:
    """Production waits for a verified success in staging."""
    scene = Scene(R1, R2)
    scene.appear(STAGED, env=scene.staging)
    scene.policy(verification(), selector='environment.name == "staging"')
    scene.production_policy(progression(verified=True), *((linear(60),) if linear_ else ()))
    (version,) = posted(scene, "v1")
    return scene, version, scene.job(version, STAGED, "successful", env=scene.staging)


@NOT_PASSED
def test_promotion_is_held_and_says_who_goes_on(ends: End) -> None:
    scene, version, job_id = promoted()
    ends(Verifying(scene, job_id))
    assert scene.open(version) == set()
    reason = scene.reason("environmentProgression", version, R1)
    assert reason.message == (
        "v1 is deployed and verified on 0 of 1 targets in staging; the rule asks for at least one target. "
        "On 1 its verification did not pass or has no verdict, and a person decides."
    )
    assert reason.ended_by.startswith("a person who verifies v1 again in staging, redeploys it there or skips this rule, or ")
    assert [(one.kind, one.message) for one in reason.who_ends][:3] == [
        ("anyone", "A person who verifies v1 again in staging."),
        ("anyone", "A person who redeploys v1 in staging."),
        ("anyone", "A person who skips this rule."),
    ]
    assert reason.who_ends[0].resource_ids == (STAGED,)
    assert reason.who_ends[2].rule_ids == (reason.rule_id,)
    held = scene.state.pairs[f"{scene.deployment}/{scene.production}"].held[version]
    (recorded,) = {one.message for verdicts in held.values() for one in verdicts.values()}
    assert "a person decides" in recorded


@NOT_PASSED
def test_verified_again_it_is_promoted(ends: End) -> None:
    scene, version, job_id = promoted()
    ends(Verifying(scene, job_id))
    again = Verifying(scene, job_id, attempt=2)
    assert scene.open(version) == set()
    again.passes()
    assert scene.open(version) == {R1, R2}


def test_redeployed_it_is_promoted() -> None:
    scene, version, job_id = promoted()
    Verifying(scene, job_id).is_inconclusive()
    Verifying(scene, scene.job(version, STAGED, "successful", env=scene.staging, attempt=2)).passes()
    assert scene.open(version) == {R1, R2}


def test_what_fails_while_it_is_watched_is_promoted_no_further() -> None:
    scene, version, job_id = promoted(linear_=True)
    watched = Verifying(scene, job_id).passes()
    scene.follow()
    assert len(scene.cleared(version)) == 1
    watched.fails(after_passing=True)
    scene.advance(minutes=5)
    assert scene.open(version) == set()
    assert len(scene.cleared(version)) == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_clearance_without_a_job_is_withdrawn_with_the_success_that_it_rests_on(again: bool) -> None:
    scene, version, job_id = promoted()
    watched = Verifying(scene, job_id).passes()
    assert scene.open(version) == {R1, R2}
    if again:
        Verifying(scene, job_id, attempt=2)
    else:
        watched.fails(after_passing=True)
    assert scene.open(version) == set()


# --- rollouts ----------------------------------------------------------------------------------------------------------------------


def rolled_out(rollout: RuleInput, *rules: RuleInput) -> tuple[Scene, str, str, str]:
    """v1 on the first target of a covered rollout over three; answers the job there and that target."""
    scene = Scene(R1, R2, R3)
    scene.production_policy(rollout, verification(), *rules)
    version = scene.version("v1")
    (one,) = scene.follow()
    return scene, version, job_of(scene, version, one).job_id, one


def others(one: str) -> list[str]:
    return [other for other in (R1, R2, R3) if other != one]


@pytest.mark.parametrize(
    "ends, said",
    [
        (FAILED, "stopped: on {} its verification failed (m: too many errors)."),
        (INCONCLUSIVE, "is held: on {} its verification was inconclusive (m: no data), which a person is to decide about."),
        (
            CANCELLED,
            "is held: on {} its verification ended without a verdict (v2 runs there now), which a person is to decide about.",
        ),
    ],
)
def test_a_covered_rollout_goes_no_further_and_says_why(ends: End, said: str) -> None:
    scene, version, job_id, one = rolled_out(linear(0))
    ends(Verifying(scene, job_id))
    assert scene.follow() == []
    for other in others(one):
        reason = scene.reason("gradualRollout", version, other)
        assert (reason.verdict, reason.message) == ("blocked", f"The rollout of v1 {said.format(one)}")
        assert reason.ended_by == (
            "a person who verifies v1 again on that target, redeploys it there or skips this rule, or a newer version"
        )
        assert [way.message for way in reason.who_ends] == [
            f"A person who verifies v1 again on {one}.",
            f"A person who redeploys v1 on {one}.",
            "A person who skips this rule.",
            "Whoever posts a newer version.",
        ]


@NOT_PASSED
def test_a_covered_rollout_goes_on_once_it_is_verified_again(ends: End) -> None:
    scene, _, job_id, one = rolled_out(linear(0))
    ends(Verifying(scene, job_id))
    again = Verifying(scene, job_id, attempt=2)
    assert scene.follow() == []
    again.passes()
    (second,) = scene.follow()
    assert second in others(one)


def test_a_covered_rollout_goes_on_once_it_is_redeployed() -> None:
    scene, version, job_id, one = rolled_out(linear(0))
    Verifying(scene, job_id).is_inconclusive()
    redeploy(scene, version, one)
    Verifying(scene, scene.job(version, one, "successful", attempt=2)).passes()
    assert len(scene.follow()) == 1


def test_what_fails_while_it_is_watched_stops_the_rollout() -> None:
    scene, version, job_id, one = rolled_out(linear(0))
    watched = Verifying(scene, job_id).passes()
    (second,) = scene.follow()
    watched.fails(after_passing=True)
    Verifying(scene, job_of(scene, version, second).job_id).passes()
    assert scene.follow() == []
    (third,) = [other for other in others(one) if other != second]
    assert f"stopped: on {one} its verification failed" in scene.reason("gradualRollout", version, third).message


def test_the_clearance_of_the_next_target_is_withdrawn_when_the_one_before_fails_after_all() -> None:
    scene, version, job_id, _ = rolled_out(linear(0))
    watched = Verifying(scene, job_id).passes()
    assert len(scene.open(version)) == 1
    watched.fails(after_passing=True)
    assert scene.open(version) == set()


def test_a_failure_tells_more_than_a_verification_without_a_verdict() -> None:
    scene, version, job_id, one = rolled_out(linear(0), verification("other"))
    Verifying(scene, job_id).is_cancelled()
    assert scene.reason("gradualRollout", version, others(one)[0]).verdict == "waiting"
    Verifying(scene, job_id, rule=1).fails()
    assert "its verification failed" in scene.reason("gradualRollout", version, others(one)[0]).message


WAVES = RuleInput(
    gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=0, waves=(Wave(name="canary", percentage=34),))
)


@UNDECIDED
def test_waves_are_held_and_go_on_when_it_is_verified_again(ends: End) -> None:
    scene = Scene(R1, R2, R3)
    scene.production_policy(WAVES, verification())
    version = scene.version("v1")
    canary = scene.follow()
    assert 0 < len(canary) < 3
    rest = [one for one in (R1, R2, R3) if one not in canary]
    for one in canary[1:]:
        Verifying(scene, job_of(scene, version, one).job_id).passes()
    job_id = job_of(scene, version, canary[0]).job_id
    ends(Verifying(scene, job_id))
    reason = scene.reason("gradualRollout", version, rest[0])
    assert reason.verdict == "blocked"
    assert reason.message.startswith(f"The rollout of v1 is held in wave 1 of 2, canary: on {canary[0]} its verification ")
    assert reason.who_ends[0].message == f"A person who verifies v1 again on {canary[0]}."
    held = scene.state.pairs[f"{scene.deployment}/{scene.production}"].held[version]
    assert {one.verdict for verdicts in held.values() for one in verdicts.values()} == {"blocked"}
    again = Verifying(scene, job_id, attempt=2)
    assert scene.reason("gradualRollout", version, rest[0]).verdict == "waiting"
    again.passes()
    assert scene.open(version) == set(rest)


@UNDECIDED
def test_the_order_of_versions_waits_for_a_person(ends: End) -> None:
    scene, _, job_id = measured()
    supersession(scene, "every")
    second = posted(scene, "v2")[0]
    ends(Verifying(scene, job_id))
    assert scene.open(second) == set()
    reason = scene.reason("versionOrder", second, R1)
    assert reason.ended_by == "a person who verifies it again, redeploys v1 or rejects it"
    assert reason.who_ends[0].kind == "anyone"
    Verifying(scene, job_id, attempt=2).passes()
    assert scene.open(second) == {R1}


# --- cooldown and forecast ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends, cools", [(Verifying.passes, True), (FAILED, False), (INCONCLUSIVE, False), (CANCELLED, False)])
def test_only_what_passed_cools_down(ends: End, cools: bool) -> None:
    scene = Scene(R1)
    scene.policy(verification(), RuleInput(version_cooldown=VersionCooldown(interval_seconds=600)))
    (first,) = posted(scene, "v1")
    scene.release(first, R1)
    ends(Verifying(scene, scene.job(first, R1, "successful")))
    (second,) = posted(scene, "v2")
    assert (scene.open(second) == set()) is cools


@NOT_PASSED
def test_a_version_that_cools_down_is_let_go_by_a_verdict_against_it(ends: End) -> None:
    scene = Scene(R1)
    scene.policy(verification(), RuleInput(version_cooldown=VersionCooldown(interval_seconds=600)))
    (first,) = posted(scene, "v1")
    scene.release(first, R1)
    watched = Verifying(scene, scene.job(first, R1, "successful")).passes()
    (second,) = posted(scene, "v2")
    assert scene.open(second) == set()
    if ends is FAILED:
        watched.fails(after_passing=True)
    else:
        ends(Verifying(scene, str(watched.about["job_id"]), attempt=2))
    assert scene.open(second) == {R1}
