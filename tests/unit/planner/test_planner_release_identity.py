"""When variables change: whether it is the same release again, and what was gone back to."""

from __future__ import annotations

from contracts.commands.planner import DeleteDeploymentVariable, RollBack, UpdateVersion
from contracts.facts.planner import ReleasesCreated
from tests.unit.planner.planner_scenes import R1, uid
from tests.unit.planner.variable_scenes import VariableScene


def test_a_changed_variable_makes_a_new_release_of_the_same_version() -> None:
    scene = VariableScene(R1)
    before = scene.release(R1)
    scene.declare("x", 1)
    after = scene.release(R1)
    assert (after[1], after[0] != before[0]) == (scene.v1, True)
    assert scene.world.facts(ReleasesCreated)[-1].cleared_at == 0, "it waits for a clearance of its own"
    assert scene.world.rounds[-1][1].append.conditions == ()


def test_changing_a_variable_back_returns_to_the_old_release() -> None:
    scene = VariableScene(R1)
    seen = [scene.release(R1)]
    for value in (1, 2, 1):
        scene.declare("x", value)
        seen.append(scene.release(R1))
    scene.world.do(DeleteDeploymentVariable(variable_id=uid("variable x")))
    seen.append(scene.release(R1))
    none, one, two, one_again, none_again = seen
    assert (one, none) == (one_again, none_again)
    assert len({none, one, two}) == 3


def test_equal_variables_from_another_source_are_the_same_release() -> None:
    scene = VariableScene(R1)
    scene.declare("x", {"object": {"a": 1, "b": 2}})
    before = len(scene.releases())
    scene.set_variables(R1, {"x": {"object": {"b": 2, "a": 1}}})
    assert len(scene.releases()) == before


def test_one_and_its_text_and_its_double_are_different_releases() -> None:
    scene = VariableScene(R1)
    seen = set()
    for value in (1, "1", 1.0, True, "true"):
        scene.declare("x", value)
        seen.add(scene.release(R1))
    assert len(seen) == 5


def test_a_new_version_takes_the_variables_of_today() -> None:
    scene = VariableScene(R1)
    scene.declare("x", 1)
    v2 = scene.version("v2")
    scene.clear(v2, R1)
    assert (scene.desired(R1), scene.variables(R1)) == (v2, {"x": 1})


def test_a_change_while_the_gate_is_closed_is_not_lost() -> None:
    scene = VariableScene(R1)
    scene.save_policy()
    scene.declare("x", 1)
    assert scene.variables(R1) == {"x": 1}
    assert scene.world.facts(ReleasesCreated)[-1].cleared_at == 0


def test_a_version_that_is_not_yet_cleared_again_takes_the_change_when_it_is() -> None:
    scene = VariableScene(R1)
    v2 = scene.version("v2")
    scene.world.record(scene.cleared(v2, R1))
    scene.save_policy()
    scene.declare("x", 1)
    assert (scene.desired(R1), scene.variables(R1)) == (scene.v1, {"x": 1})
    scene.clear(v2, R1)
    assert (scene.desired(R1), scene.variables(R1)) == (v2, {"x": 1})


def test_a_change_while_the_version_must_not_be_deployed_waits_for_it() -> None:
    scene = VariableScene(R1)
    scene.world.do(UpdateVersion(version_id=scene.v1, status="rejected"))
    scene.save_policy()
    scene.declare("x", 1)
    assert scene.variables(R1) == {}
    scene.world.do(UpdateVersion(version_id=scene.v1, status="ready"))
    assert scene.variables(R1) == {"x": 1}


# --- what was gone back to ---------------------------------------------------------------------------------------------------------


class RolledBack(VariableScene):
    """v1 was good with x = 1; x became 2 and v2 was deployed, failed, and was rolled back."""

    def __init__(self) -> None:
        super().__init__(R1)
        self.declare("x", 1)
        self.job(R1)
        self.good = self.release(R1)
        v2 = self.version("v2")
        self.clear(v2, R1)
        self.declare("x", 2)
        self.require_rollback(R1, v2, self.job(R1, "failure"))


def test_the_release_that_was_gone_back_to_stays_although_variables_differ_today() -> None:
    scene = RolledBack()
    assert scene.release(R1) == scene.good
    assert scene.variables(R1) == {"x": 1}
    scene.clear(scene.v1, R1)
    scene.save_set("s", "true", {"x": 3})
    assert scene.release(R1) == scene.good


def test_once_variables_change_the_version_that_was_gone_back_to_gets_a_new_release() -> None:
    scene = RolledBack()
    scene.declare("x", 3)
    assert (scene.desired(R1), scene.variables(R1)) == (scene.v1, {"x": 3})
    scene.declare("x", 2)
    assert scene.variables(R1) == {"x": 2}, "what it stayed on was left, so today's variables count again"


def test_variables_that_change_back_to_those_of_the_good_release_keep_it() -> None:
    scene = RolledBack()
    before = len(scene.releases())
    scene.declare("x", 1)
    assert (scene.release(R1), len(scene.releases())) == (scene.good, before)


# --- back within a version ---------------------------------------------------------------------------------------------------------


def with_other_variables() -> tuple[VariableScene, tuple[str, str], str]:
    """v1 is good with x = 1, and its job with x = 2 failed: the scene, the good release, the job."""
    scene = VariableScene(R1)
    scene.declare("x", 1)
    scene.job(R1)
    good = scene.release(R1)
    scene.declare("x", 2)
    return scene, good, scene.job(R1, "failure")


def test_a_version_that_fails_with_other_variables_goes_back_to_those_it_was_good_with() -> None:
    scene, good, failed = with_other_variables()
    scene.require_rollback(R1, scene.v1, failed)
    assert (scene.release(R1), scene.variables(R1)) == (good, {"x": 1})
    assert scene.marked(R1) == frozenset(), "the version is good"


def test_variables_that_were_mended_while_the_job_failed_are_tried() -> None:
    scene, _, failed = with_other_variables()
    scene.declare("x", 3)
    scene.require_rollback(R1, scene.v1, failed)
    assert scene.variables(R1) == {"x": 3}, "they failed nowhere"


def test_mended_variables_that_are_dispatched_already_are_left_alone() -> None:
    scene, _, failed = with_other_variables()
    scene.declare("x", 3)
    scene.job(R1, "inProgress")
    mended = scene.release(R1)
    scene.require_rollback(R1, scene.v1, failed)
    assert scene.release(R1) == mended
    assert not scene.rollbacks()


def test_going_back_within_a_version_by_hand_happens_once_also_when_its_job_fails_then() -> None:
    scene, good, failed = with_other_variables()
    scene.world.do(RollBack(deployment_id=scene.deployment, environment_id=scene.environment))
    scene.require_rollback(R1, scene.v1, failed)
    assert [one.job_id for one in scene.rollbacks()] == [""]
    assert scene.release(R1) == good
    scene.save_set("s", "true", {"x": 9})
    assert scene.release(R1) == good, "the variables of the deployment come first, and are those that were left"


def test_two_ways_back_within_a_version_do_not_lead_to_the_variables_that_were_left_first() -> None:
    scene = VariableScene(R1)
    releases = []
    for x in (1, 2, 3):
        scene.declare("x", x)
        scene.job(R1)
        releases.append(scene.release(R1))
    for back in (releases[1], releases[0]):
        scene.world.do(RollBack(deployment_id=scene.deployment, environment_id=scene.environment))
        assert scene.release(R1) == back
        scene.job(R1, rollback=True)
    scene.save_set("s", "true", {"y": 1})
    assert scene.release(R1) == releases[0]
