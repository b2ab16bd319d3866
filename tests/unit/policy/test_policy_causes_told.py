"""Why is it not there, and what was saved that does nothing? Causes beside the rules, as sentences."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.explanations import ExplainRollout
from contracts.commands.policy.freezes import SaveFreeze, ThawFreeze
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.planner import DeploymentUnlinked, ReleaseItem, ReleasesCreated
from contracts.shapes import VersionSelector
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import person_rolls_back, posted, redeploy
from tests.unit.policy.policy_scenes import Scene, approval, uid, verification

R = uid("r")


def running(*tags: str) -> tuple[Scene, list[str]]:
    """A scene in which the first of these versions runs on a target with a name."""
    scene = Scene()
    scene.appear(scene.resource("cluster-1", id_=R))
    versions = posted(scene, *tags)
    scene.deploy(versions[0], R)
    return scene, versions


def why_none(scene: Scene) -> str:
    with pytest.raises(Refused) as refused:
        scene.explain(R)
    assert refused.value.refusal.kind == "not_found"
    return refused.value.refusal.message


# --- what is no target ------------------------------------------------------------------------------------------------------------


def test_target_of_an_unlinked_deployment_says_so_and_what_is_left_there() -> None:
    scene, _ = running("v1")
    scene.record(DeploymentUnlinked(system_id=scene.system, deployment_id=scene.deployment))
    scene.vanish(R)
    assert why_none(scene) == (
        "api in production on cluster-1 is no release target: no system holds both api and production (any more). "
        "v1 was deployed there last, and nothing was done about it. What ends it: a person who links both to one system."
    )


def test_target_that_no_selector_matches_any_more_says_so() -> None:
    scene, _ = running("v1")
    scene.vanish(R)
    assert why_none(scene).startswith(
        "api in production on cluster-1 is no release target: the selectors of deployment and environment do not both match cluster-1."
    )


def test_target_of_what_does_not_exist_says_which() -> None:
    assert why_none(Scene()).endswith(f"is no release target: there is no resource {R} (any more).")


# --- deployed once more -----------------------------------------------------------------------------------------------------------


def test_redeployment_is_told_beside_a_newer_version_and_over_with_its_job() -> None:
    scene, (first,) = running("v1")
    scene.policy(approval())
    scene.advance(seconds=1)
    scene.version("v2")
    waits = "v2 is blocked. Waiting for approval: 0/1 given. What ends it: approval by 1 more person."
    redeploy(scene, first, R)
    asked = "A person asked at 2026-01-01 00:00:02 UTC to deploy v1 again, which waits for its job to be made."
    assert scene.explain(R).message == f"v1 runs here. {asked} {waits}"
    job = scene.job(first, R, attempt=2)
    assert scene.state.pairs[pair_key(scene.deployment, scene.production)].standings[R].again is None
    scene.job_status(job, "failure")
    ends = "What ends it: a person who redeploys v1, or a newer version."
    assert scene.explain(R).message == f"v1 runs here; the job that deploys it again ended as failure. {ends} {waits}"


def test_redeployment_of_what_runs_is_told_until_it_succeeded() -> None:
    scene, (first,) = running("v1")
    busy = scene.job(first, R, "inProgress", attempt=2)
    redeploy(scene, first, R)
    waits = "v1 runs here, the newest version. A person asked at 2026-01-01 00:00:01 UTC to deploy v1 again, which waits "
    assert scene.explain(R).message == (
        f"{waits}for the job of v1 that is in progress. What ends it: the job agent, once it says how the job ended, or its deadline."
    )
    scene.job_status(busy, "successful")
    assert scene.explain(R).message == f"{waits}for its job to be made."
    freeze = scene.world.do(SaveFreeze(scope="workspace", reason="incident 42"))["id"]
    assert scene.explain(R).message == (
        f"{waits.rstrip()}. Frozen by ana until somebody thaws it: incident 42. "
        "What ends it: a person who thaws the freeze or lets v1 pass it."
    )
    scene.world.do(ThawFreeze(freeze_id=freeze))
    again = scene.job(first, R, attempt=3)
    runs = "v1 runs here, the newest version; the job that deploys it again"
    assert scene.explain(R).message == (
        f"{runs} is pending. What ends it: the job agent, which has not taken it over, or its deadline."
    )
    scene.job_status(again, "failure", message="no space left.")
    assert scene.explain(R).message == (
        f"{runs} ended as failure: no space left. What ends it: a person who redeploys v1, or a newer version."
    )
    told = scene.world.ask(ExplainRollout(version_id=first, environment_id=scene.production))
    assert told.targets[0].message.startswith("v1 runs here; the job that deploys it again ended as failure: no space left.")
    scene.job_status(again, "successful")
    assert scene.explain(R).message == "v1 runs here, the newest version."


def test_redeployment_of_what_failed_is_told() -> None:
    scene, (_, second) = running("v1", "v2")
    scene.deploy(second, R, status="failure")
    scene.world.do(SaveFreeze(scope="workspace", reason="incident 42"))
    redeploy(scene, second, R)
    said = scene.standing(second, R).message
    assert said.startswith(
        "v2 was cleared, but its job ended as failure. What ends it: a person who redeploys v2, or a newer version."
    )
    assert (
        "A person asked at 2026-01-01 00:00:02 UTC to deploy v2 again, which waits. Frozen by ana until somebody thaws it" in said
    )


def test_job_without_an_agent_says_so() -> None:
    scene, (_, second) = running("v1", "v2")
    scene.release(second, R)
    scene.job(second, R, agent="")
    assert scene.standing(second, R).message == (
        "v2 was cleared, but its job has no agent. What ends it: a job agent that matches, or a newer version."
    )
    job = scene.standing(second, R).job
    assert job is not None
    assert [one.kind for one in job.who_ends] == ["agent", "publisher"]


def test_return_that_a_freeze_holds_says_so() -> None:
    scene, (first, second) = running("v1", "v2")
    scene.deploy(second, R)
    scene.world.do(SaveFreeze(scope="workspace", reason="audit"))
    person_rolls_back(scene, second, R, first)
    assert scene.explain(R).message == "v2 runs here; it is going back to v1."
    scene.world.do(SaveFreeze(scope="workspace", reason="nothing moves", holds_rollbacks=True))
    assert scene.explain(R).message == (
        "v2 runs here; it is going back to v1. Frozen by ana until somebody thaws it: nothing moves. "
        "What ends it: a person who thaws the freeze or lets v1 pass it."
    )
    back = scene.job(first, R, rollback=True, attempt=2)
    assert scene.explain(R).message.startswith(
        "v2 runs here; it is going back to v1: the job is pending. What ends it: the job agent"
    )
    scene.job_status(back, "failure")
    assert scene.explain(R).message == (
        "v2 runs here; it was going back to v1, but its job ended as failure. What ends it: a person who redeploys v1, or a newer version."
    )


def test_failed_verification_says_who_goes_on() -> None:
    scene = Scene(R)
    scene.policy(verification())
    version = scene.version("v1")
    scene.release(version, R)
    job = scene.job(version, R, "successful")
    scene.verify(job, passed=False)
    assert scene.explain(R).message == (
        "v1 runs here, the newest version; its verification failed (m: too many errors). "
        "What ends it: a person who verifies v1 again or redeploys it, or a newer version."
    )


# --- what does not do what it looks like -------------------------------------------------------------------------------------------


def test_variables_that_did_not_fit_are_named() -> None:
    scene, (first,) = running("v1")
    item = ReleaseItem(resource_id=R, release_id=uid("large"), omitted=("certificates", "templates"))
    scene.record(
        ReleasesCreated(
            deployment_id=scene.deployment, environment_id=scene.production, version_id=first, items=(item,), cleared_at=0,
            created_at=scene.world.now,
        )
    )  # fmt: skip
    assert scene.explain(R).warnings == (
        "The release of v1 goes without the variables certificates, templates: with them it would have more than 128 KB. "
        "What ends it: a person who shortens values.",
    )


def test_selectors_with_unknown_fields_are_named() -> None:
    scene, (first,) = running("v1")
    assert scene.explain(R).warnings == ()
    selects = RuleInput(version_selector=VersionSelector(selector='version.tga == "v1"'))
    scene.policy(approval(), selector='resource.nmae == "cluster-1"', name="typo")
    scene.policy(selects, selector='environment.name == "nowhere"', name="rule")
    scene.policy(approval(), selector="resource.nmae == 'x'", enabled=False, name="off")
    freeze = scene.world.do(SaveFreeze(scope="workspace", reason="audit", selector="deployment.nam == 'api'"))["id"]
    nothing = ", so that it most likely picks nothing."
    assert sorted(scene.explain(R).warnings) == [
        "Policy 'rule': the version selector names something unknown: version has no field 'tga' (line 1, column 9; did you mean tag?)"
        + nothing,
        "Policy 'typo': the policy selector names something unknown: resource has no field 'nmae' (line 1, column 10; did you mean name?)"
        + nothing,
        "The freeze 'audit': its selector names something unknown: deployment has no field 'nam' (line 1, column 12; did you mean name?)"
        + nothing,
    ]
    scene.world.do(ThawFreeze(freeze_id=freeze))
    told = scene.world.ask(ExplainRollout(version_id=first, environment_id=scene.production))
    assert len(told.warnings) == 2


def test_whoever_saves_a_policy_is_told_of_unknown_fields() -> None:
    scene = Scene(R)
    selects = RuleInput(version_selector=VersionSelector(selector='version.tga == "v1"'))
    answer = scene.world.ask(SavePolicy(name="typo", selector="resource.nmae == 'x'", rules=(approval(), selects)))
    assert [(one["path"], one["message"].partition(":")[0]) for one in answer["warnings"]] == [
        ("/body/selector", "The policy selector names something unknown"),
        ("/body/rules/1/versionSelector/selector", "The version selector names something unknown"),
    ]
    assert "warnings" not in scene.world.ask(SavePolicy(name="fine", rules=(approval(),)))
