"""A version that runs and is to run with other variables: the rules are asked once more, and no older version goes instead."""

from __future__ import annotations

from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import RollbackRequired, TargetsCleared
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import change_variables, posted, supersession
from tests.unit.policy.policy_scenes import Scene, approval, rollback, uid

R1, R2 = uid("r1"), uid("r2")


def back_to_the_same_version(scene: Scene, version_id: str, resource_id: str) -> None:
    """Other variables were to blame: the earlier release of the version returns, and nothing is marked."""
    scene.record(
        RollbackStarted(
            deployment_id=scene.deployment, environment_id=scene.production, resource_id=resource_id, version_id=version_id,
            job_id=uid("failed job"), release_id=scene.release_id(version_id, resource_id), to_version_id=version_id,
            reason="it failed", policy_id=uid("policy"), rule_id=uid("rule"), started_at=scene.world.now,
        )
    )  # fmt: skip


def test_changed_variables_are_cleared_anew_where_the_rules_allow() -> None:
    scene = Scene(R1, R2)
    (version,) = posted(scene, "v1")
    scene.deploy(version, R1, R2)
    change_variables(scene, version, R1)
    assert scene.open(version) == {R1}


def test_changed_variables_wait_for_the_rules() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    (version,) = posted(scene, "v1")
    scene.approve(version)
    scene.deploy(version, R1)
    scene.approve(version, status="rejected")
    change_variables(scene, version, R1)
    assert scene.open(version) == set()
    assert scene.explain(R1).message == (
        "v1 runs here. v1 with its new variables is blocked. Waiting for approval: 0/1 given. Not counted: ana rejected it. "
        "What ends it: approval by 1 more person."
    )
    scene.approve(version)
    assert scene.open(version) == {R1}


def test_changed_variables_are_told_of_until_they_run() -> None:
    scene = Scene(R1)
    (version,) = posted(scene, "v1")
    scene.deploy(version, R1)
    change_variables(scene, version, R1)
    runs = "v1 runs here, the newest version; "
    assert scene.explain(R1).message == f"{runs}it is cleared with its new variables, and the job is not made yet."
    job = scene.job(version, R1, attempt=2, release="other")
    assert scene.explain(R1).message == (
        f"{runs}its job with the new variables is pending. What ends it: the job agent, which has not taken it over, or its deadline."
    )
    scene.job_status(job, "failure", message="disk full")
    assert scene.explain(R1).message == (
        f"{runs}its job with the new variables ended as failure: disk full. What ends it: a person who redeploys v1, or a newer version."
    )
    scene.job_status(job, "successful")
    assert scene.explain(R1).message == "v1 runs here, the newest version."


def test_no_older_version_goes_instead_of_changed_variables_that_wait() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(second, R1)
    scene.production_policy(approval())
    scene.approve(first)
    change_variables(scene, second, R1)
    assert scene.open(first) == set()
    assert scene.explain(R1).versions[0].message.startswith("v2 with its new variables is blocked")


def test_target_that_falls_back_to_the_release_it_runs_asks_no_rule() -> None:
    scene = Scene(R1)
    (first,) = posted(scene, "v1")
    scene.deploy(first, R1)
    scene.production_policy(approval(2))
    (second,) = posted(scene, "v2")
    scene.release(second, R1)
    scene.release(first, R1)
    before = len(scene.facts(TargetsCleared))
    scene.policy(approval(0), name="one more")
    assert scene.cleared(first)[-1:] == [R1]
    assert len(scene.facts(TargetsCleared)) >= before


def test_going_back_to_an_earlier_release_of_the_same_version_marks_nothing() -> None:
    scene = Scene(R1)
    scene.production_policy(rollback("failure"))
    (version,) = posted(scene, "v1")
    scene.deploy(version, R1)
    back_to_the_same_version(scene, version, R1)
    assert scene.state.pairs[pair_key(scene.deployment, scene.production)].standings[R1].bad == ()
    assert scene.explain(R1).message == "v1 runs here, the newest version."


def test_other_variables_that_fail_again_are_rolled_back_again() -> None:
    scene = Scene(R1)
    scene.production_policy(rollback("failure"))
    (version,) = posted(scene, "v1")
    scene.deploy(version, R1)
    for n in range(2):
        change_variables(scene, version, R1, f"attempt {n}")
        scene.job(version, R1, "failure", attempt=n + 2, release=f"attempt {n}")
        assert len(scene.facts(RollbackRequired)) == n + 1
        back_to_the_same_version(scene, version, R1)


def test_order_goes_on_after_a_return_to_the_same_version() -> None:
    scene = Scene(R1)
    supersession(scene, "every")
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(first, R1, status="failure")
    assert scene.open(second) == set()
    back_to_the_same_version(scene, first, R1)
    assert scene.open(second) == {R1}
