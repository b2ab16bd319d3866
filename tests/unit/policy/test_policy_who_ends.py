"""Who can end a wait, for programs: on every verdict that does not allow, and true."""

from __future__ import annotations

from contracts.commands.policy.explanations import ExplainRollout
from contracts.commands.policy.freezes import SaveFreeze
from contracts.commands.policy.policies import RuleInput
from contracts.commands.policy.reasons import Reason, WhoEnds
from contracts.shapes import (
    AnyApproval,
    ApprovalGroup,
    DeploymentDependency,
    DeploymentWindow,
    Retry,
    VersionCooldown,
    VersionSelector,
)
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import needing, pin, posted, supersession
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid

R, OTHER, STAGED = uid("r"), uid("other"), uid("staged")


def ways(scene: Scene, rule_type: str, version: str, one: str = R) -> tuple[WhoEnds, ...]:
    """Who ends what a rule holds; the reason tells everything else as well."""
    return of(scene.reason(rule_type, version, one))


def of(reason: Reason) -> tuple[WhoEnds, ...]:
    assert reason.verdict != "allowed"
    assert reason.message.endswith(".")
    assert reason.ended_by
    assert reason.facts
    assert reason.since is not None
    assert all(one.message.endswith(".") and not one.message.startswith(("a ", "the ")) for one in reason.who_ends)
    assert [one.at for one in reason.who_ends if one.kind == "time"] in ([], [reason.look_again_at])
    return reason.who_ends


def kinds(found: tuple[WhoEnds, ...]) -> list[str]:
    return [one.kind for one in found]


def test_approvals_name_how_many_are_missing_of_whom_and_who_can_not() -> None:
    scene = Scene(R)
    group = ApprovalGroup(selector='"ops" in user.roles', min_approvals=1)
    body = AnyApproval(min_approvals=2, approver_selector="user.id != 'mallory'", groups=(group,), author_may_approve=False)
    scene.policy(RuleInput(any_approval=body))
    version = scene.version("v1")
    scene.approve(version, "bo")
    (way,) = ways(scene, "anyApproval", version)
    assert way.kind == "approvers"
    assert [(one.missing, one.selector) for one in way.approvals] == [(1, None), (1, '"ops" in user.roles')]
    assert way.selector == "user.id != 'mallory'"
    assert way.not_user_ids == ("bo",)
    assert way.message.startswith("Approval by 1 more person and 1 more person whom")


def test_rejections_are_ended_by_those_who_rejected() -> None:
    scene = Scene(R)
    scene.policy(RuleInput(any_approval=AnyApproval(min_approvals=1, rejection_blocks=True)))
    version = scene.version("v1")
    for user in ("cy", "bo"):
        scene.approve(version, user, status="rejected")
    (way,) = ways(scene, "anyApproval", version)
    assert (way.kind, way.user_ids) == ("users", ("bo", "cy"))


def test_progression_names_the_environment_and_then_the_end_of_its_soak() -> None:
    scene = Scene(R)
    scene.appear(STAGED, env=scene.staging)
    scene.production_policy(progression(soak=10))
    version = scene.version("v1")
    (way,) = ways(scene, "environmentProgression", version)
    assert (way.kind, way.environment_ids, way.deployment_ids) == ("upstream", (scene.staging,), (scene.deployment,))
    scene.deploy(version, STAGED, env=scene.staging)
    (way,) = ways(scene, "environmentProgression", version)
    assert (way.kind, way.message) == ("time", "Nobody: the soak time in staging is over at 2026-01-01 00:10:00 UTC.")


def test_progression_without_an_environment_is_mended_by_who_keeps_the_policy() -> None:
    scene = Scene(R)
    policy = scene.production_policy(progression('environment.name == "qa"'))
    (way,) = ways(scene, "environmentProgression", scene.version("v1"))
    assert (way.kind, way.policy_id) == ("admin", policy)


def test_rollout_waits_for_its_rules_then_for_its_turn() -> None:
    scene = Scene(R, OTHER)
    scene.production_policy(approval(), linear(90))
    version = scene.version("v1")
    (way,) = ways(scene, "gradualRollout", version)
    assert (way.kind, way.rule_ids) == ("rules", (scene.reason("anyApproval", version, R).rule_id,))
    scene.approve(version)
    later = next(one for one in (R, OTHER) if one not in scene.open(version))
    (way,) = ways(scene, "gradualRollout", version, later)
    assert (way.kind, way.message) == ("time", "Nobody: its turn comes at 2026-01-01 00:01:30 UTC.")


def test_covered_rollout_waits_for_the_targets_before_and_for_a_person_when_one_failed() -> None:
    scene = Scene(R, OTHER)
    scene.production_policy(linear(10), rollback("failure"))
    version = scene.version("v1")
    (first,) = scene.follow(None)
    later = next(one for one in (R, OTHER) if one != first)
    (way,) = ways(scene, "gradualRollout", version, later)
    assert (way.kind, way.resource_ids) == ("upstream", (first,))
    fail(scene, first)
    person, publisher = ways(scene, "gradualRollout", version, later)
    assert (person.kind, person.resource_ids, publisher.kind) == ("anyone", (first,), "publisher")


def fail(scene: Scene, one: str, message: str = "disk full") -> None:
    job = scene.state.pairs[pair_key(scene.deployment, scene.production)].newest_job(one)
    assert job is not None
    scene.job_status(job.job_id, "failure", message=message)


def test_rollout_that_stopped_at_a_target_to_be_tried_again_waits_for_that() -> None:
    scene = Scene()
    scene.appear(*(scene.resource(name) for name in ("one", "two")))
    retry = RuleInput(retry=Retry(max_retries=1, backoff_seconds=600))
    scene.production_policy(linear(10), rollback(verification_failure=True), retry)
    version = scene.version("v1")
    (first,) = scene.follow(None)
    fail(scene, first)
    later = next(one for one in scene.state.pairs[pair_key(scene.deployment, scene.production)].targets if one != first)
    name = scene.state.resource_name(first)
    reason = scene.reason("gradualRollout", version, later)
    assert reason.verdict == "waiting"
    assert reason.message == (
        f"The rollout of v1 waits for {name}: its job ended as failure (disk full), and it is tried again. "
        "v1 failed here at 2026-01-01 00:00:00 UTC; retry 1 of 1 is made at 2026-01-01 00:10:00 UTC, in 10m."
    )
    assert reason.ended_by == f"the retry on {name}, once v1 is deployed and verified there, or a newer version"
    told = scene.world.ask(ExplainRollout(version_id=version, environment_id=scene.production))
    assert (told.waiting, told.blocked) == (2, 0)
    scene.advance(minutes=10)
    scene.job(version, first, "failure", attempt=2)
    assert scene.reason("gradualRollout", version, later).verdict == "blocked"


def test_window_cooldown_and_retry_end_by_time() -> None:
    scene = Scene(R)
    window = DeploymentWindow(rrule="FREQ=DAILY;BYHOUR=3;BYMINUTE=0;BYSECOND=0", duration_minutes=60)
    scene.policy(RuleInput(deployment_window=window))
    version = scene.version("v1")
    assert kinds(ways(scene, "deploymentWindow", version)) == ["time", "admin"]
    cool = Scene(R)
    cool.policy(RuleInput(version_cooldown=VersionCooldown(interval_seconds=600)))
    first = cool.version("v1")
    cool.deploy(first, R)
    cool.advance(seconds=1)
    assert kinds(ways(cool, "versionCooldown", cool.version("v2"))) == ["time"]
    again = Scene(R)
    again.policy(RuleInput(retry=Retry(max_retries=1, backoff_seconds=60)))
    version = again.version("v1")
    again.deploy(version, R, status="failure")
    assert kinds(ways(again, "retry", version)) == ["time", "publisher"]
    none_left = Scene(R)
    none_left.policy(RuleInput(retry=Retry(max_retries=0)))
    version = none_left.version("v1")
    none_left.deploy(version, R, status="failure")
    assert kinds(ways(none_left, "retry", version)) == ["anyone", "publisher"]


def test_selectors_are_ended_by_another_version_or_who_keeps_the_policy() -> None:
    scene = Scene(R)
    scene.policy(RuleInput(version_selector=VersionSelector(selector='version.tag == "v9"')))
    assert kinds(ways(scene, "versionSelector", scene.version("v1"))) == ["publisher", "admin"]


def test_dependencies_name_what_must_run_beside() -> None:
    scene = Scene(R)
    scene.policy(RuleInput(deployment_dependency=DeploymentDependency(depends_on='deployment.name == "db"')))
    (way,) = ways(scene, "deploymentDependency", scene.version("v1"))
    assert (way.kind, way.resource_ids) == ("upstream", (R,))
    other = Scene(R)
    (way,) = ways(other, "versionDependency", needing(other, "v1", {uid("nowhere"): "true"}))
    assert way.kind == "publisher"
    (way,) = ways(other, "versionDependency", needing(other, "v2", {other.deployment: 'version.tag == "x"'}))
    assert (way.kind, way.deployment_ids) == ("upstream", (other.deployment,))


def test_freezes_name_who_froze_and_when_it_is_over() -> None:
    scene = Scene(R)
    scene.world.do(SaveFreeze(scope="workspace", reason="incident"))
    (way,) = ways(scene, "freeze", scene.version("v1"))
    assert (way.kind, way.user_ids) == ("anyone", ("ana",))


def test_status_marks_pins_and_order() -> None:
    scene = Scene(R)
    assert kinds(ways(scene, "deployableVersion", scene.version("v1", status="building"))) == ["publisher"]
    marks = Scene(R)
    first, second = posted(marks, "v1", "v2")
    marks.deploy(first, R)
    marks.deploy(second, R, status="failure")
    marks.roll_back(second, R, to=first)
    assert kinds(ways(marks, "badMark", second)) == ["anyone", "publisher"]
    pin(marks, first)
    assert kinds(ways(marks, "versionPin", second)) == ["anyone"]
    order = Scene(R)
    supersession(order, "every")
    first, second, third = posted(order, "v1", "v2", "v3")
    order.deploy(first, R)
    order.deploy(second, R, status="failure")
    assert kinds(ways(order, "versionOrder", third)) == ["anyone"]


def test_a_policy_that_can_not_be_read_is_mended_by_who_keeps_it() -> None:
    scene = Scene()
    one = scene.resource("r", tier="x")
    scene.appear(one)
    policy = scene.policy(approval(), selector="resource.metadata.tier > 3")
    (way,) = ways(scene, "policySelector", scene.version("v1"), one)
    assert (way.kind, way.policy_id) == ("admin", policy)


def of_job(scene: Scene, version: str) -> WhoEnds:
    """Who ends what a job waits for first."""
    job = scene.standing(version, R).job
    assert job is not None
    assert job.facts
    return job.who_ends[0]


def test_jobs_have_a_say_as_well() -> None:
    scene = Scene(R)
    version = scene.version("v1")
    nobody = of_job(scene, version)
    assert (nobody.kind, nobody.at) == ("time", None)
    scene.release(version, R)
    job = scene.job(version, R)
    agent = of_job(scene, version)
    assert (agent.kind, agent.agent_id) == ("agent", "agent")
    scene.job_status(job, "actionRequired")
    assert of_job(scene, version).kind == "anyone"
    scene.job_status(job, "failure")
    person = of_job(scene, version)
    assert (person.kind, person.resource_ids) == ("anyone", (R,))
    assert scene.standing(version, R).cleared


def test_what_is_allowed_needs_nobody() -> None:
    scene = Scene(R)
    scene.policy(approval(0))
    version = scene.version("v1")
    reason = scene.reason("anyApproval", version, R)
    assert (reason.verdict, reason.who_ends) == ("allowed", ())


def test_rollouts_carry_it_too() -> None:
    scene = Scene(R, OTHER)
    scene.production_policy(approval(2), linear(10))
    version = scene.version("v1")
    told = scene.world.ask(ExplainRollout(version_id=version, environment_id=scene.production))
    assert {one.rule_type: kinds(of(one)) for one in told.reasons} == {"anyApproval": ["approvers"], "gradualRollout": ["rules"]}
