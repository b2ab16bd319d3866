"""A bad mark ends by a person alone: whoever deploys the version once more lifts it. It is no clearance."""

from __future__ import annotations

from contracts.facts.policy import RollbackRequired, TargetsCleared
from services.policy.state import pair_key
from tests.unit.policy.choice_scenes import eligible, person_rolls_back, posted, redeploy
from tests.unit.policy.policy_scenes import Scene, rollback, uid

R1, R2 = uid("r1"), uid("r2")


def stuck(*resources: str) -> tuple[Scene, str]:
    """v1 failed, was marked bad, and there is nothing to go back to."""
    scene = Scene(*resources)
    scene.production_policy(rollback("failure"))
    (version,) = posted(scene, "v1")
    scene.deploy(version, *resources, status="failure")
    for one in resources:
        scene.roll_back(version, one, to=None)
    return scene, version


def marks(scene: Scene, resource_id: str) -> tuple[str, ...]:
    return scene.state.pairs[pair_key(scene.deployment, scene.production)].standings[resource_id].bad


def test_redeploy_lifts_the_mark_of_its_version_on_its_targets() -> None:
    scene, version = stuck(R1, R2)
    redeploy(scene, version, R1)
    assert (marks(scene, R1), marks(scene, R2)) == ((), (version,))
    assert scene.standing(version, R1).cleared
    assert scene.reason("badMark", version, R2).verdict == "blocked"


def test_redeploy_is_no_clearance() -> None:
    scene, version = stuck(R1)
    before = len(scene.facts(TargetsCleared))
    redeploy(scene, version, R1)
    assert len(scene.facts(TargetsCleared)) == before
    assert scene.open(version) == set()


def test_redeployed_job_counts_as_any_job_of_the_release() -> None:
    scene, version = stuck(R1)
    redeploy(scene, version, R1)
    scene.job(version, R1, "successful", attempt=2)
    assert scene.explain(R1).message == "v1 runs here, the newest version."


def test_redeployed_version_that_fails_again_is_rolled_back_again() -> None:
    scene, version = stuck(R1)
    assert len(scene.facts(RollbackRequired)) == 1
    redeploy(scene, version, R1)
    scene.job(version, R1, "failure", attempt=2)
    assert len(scene.facts(RollbackRequired)) == 2


def test_redeploy_of_another_version_lifts_no_mark() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(second, R1, status="failure")
    scene.roll_back(second, R1, to=first)
    redeploy(scene, first, R1)
    assert marks(scene, R1) == (second,)


def test_rollback_by_a_person_marks_every_version_that_was_left() -> None:
    scene = Scene(R1)
    first, second, third = posted(scene, "v1", "v2", "v3")
    for one in (first, second, third):
        scene.deploy(one, R1)
    person_rolls_back(scene, third, R1, first, second)
    assert marks(scene, R1) == (third, second)
    assert scene.open(second) == scene.open(third) == set()
    assert eligible(scene, R1) == ["v1"]
    scene.job(first, R1, "successful", rollback=True)
    said = "was rolled back here by a person and was marked bad: it does not come back by itself."
    assert scene.reason("badMark", third, R1).message == f"v3 {said}"
    assert scene.reason("badMark", second, R1).message == f"v2 {said}"


def test_rollback_by_a_person_ends_the_open_clearance_of_what_is_marked() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1)
    assert scene.open(second) == {R1}
    person_rolls_back(scene, second, R1, first)
    assert scene.open(second) == set()


def test_mark_by_a_rule_after_one_by_a_person_is_told_as_a_failure() -> None:
    scene = Scene(R1)
    first, second = posted(scene, "v1", "v2")
    scene.deploy(first, R1)
    scene.deploy(second, R1)
    person_rolls_back(scene, second, R1, first)
    redeploy(scene, second, R1)
    scene.roll_back(second, R1, to=first)
    scene.job(first, R1, "successful", rollback=True)
    assert scene.reason("badMark", second, R1).message.startswith("v2 failed here and was marked bad")
