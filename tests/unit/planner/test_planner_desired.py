"""Which release is desired: given what policy cleared, when something changes, then releases or nothing."""

from __future__ import annotations

from datetime import timedelta

from contracts import tags
from contracts.commands.planner import UpdateVersion
from contracts.facts.planner import ReleaseItem, ReleasesCreated
from contracts.facts.policy import TargetsCleared
from contracts.shapes import Json, Target
from libs.eventlog.port import Condition
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.planner.app import service
from services.planner.desired import ITEMS_PER_FACT
from services.planner.history import past_key
from services.planner.resolution import release_id
from services.planner.state import PlannerState
from tests.unit.planner.planner_scenes import R1, R2, R3, Scene, uid


def test_a_cleared_version_becomes_desired() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    scene.clear(v1, R1, R2)
    (fact,) = scene.world.facts(ReleasesCreated)
    assert (fact.version_id, [item.resource_id for item in fact.items]) == (v1, [R1, R2])
    assert fact.cleared_at == scene.world.facts(TargetsCleared)[0].at
    assert scene.desired(R1) == scene.desired(R2) == v1


def test_releases_rest_on_the_clearance_and_name_it_as_their_cause() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    _, round_ = scene.world.rounds[-1]
    at = scene.world.facts(TargetsCleared)[0].at
    assert round_.append.conditions == (Condition((tags.clearance(scene.deployment, scene.environment), tags.GATE), at),)
    (cause,) = [one for one in scene.world.log if isinstance(one.fact, TargetsCleared)]
    assert round_.append.facts[0].causation_id == cause.id


def test_items_of_different_clearances_are_different_facts() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    at = len(scene.world.log)
    scene.world.record(scene.cleared(v1, R1, at=at - 1), scene.cleared(v1, R2, at=at))
    scene.world.run()
    facts = scene.world.facts(ReleasesCreated)
    assert [(fact.cleared_at, [item.resource_id for item in fact.items]) for fact in facts] == [(at - 1, [R1]), (at, [R2])]
    assert [one.after for one in scene.world.rounds[-1][1].append.conditions] == [at - 1, at]


def test_many_targets_are_few_facts() -> None:
    resources = tuple(sorted(uid(f"r{n}") for n in range(ITEMS_PER_FACT + 1)))
    scene = Scene(*resources)
    scene.clear(scene.version("v1"), *resources)
    assert [len(fact.items) for fact in scene.world.facts(ReleasesCreated)] == [ITEMS_PER_FACT, 1]


def test_a_second_clearance_of_the_desired_version_changes_nothing() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    scene.clear(v1, R1)
    assert len(scene.releases()) == 1


def test_a_clearance_of_what_is_no_target_changes_nothing() -> None:
    scene = Scene(R1)
    scene.clear(scene.version("v1"), R2)
    scene.clear(uid("no version"), R1)
    assert scene.releases() == []


def test_ver_rapid_succession_latest_only() -> None:
    scene = Scene(R1)
    versions = [scene.version(f"v{n}") for n in (1, 2, 3)]
    scene.world.record(*[scene.cleared(one, R1) for one in versions])
    scene.world.run()
    assert [fact.version_id for fact in scene.world.facts(ReleasesCreated)] == [versions[2]]


def test_the_newest_version_wins_whatever_the_order_of_clearing() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v2, R1)
    scene.clear(v1, R1)
    assert scene.desired(R1) == v2
    assert [fact.version_id for fact in scene.world.facts(ReleasesCreated)] == [v2]


def test_a_tie_of_creation_times_is_broken_by_id() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    state = scene.world.room("planner").state
    twin = state.catalog.versions[v1].model_copy(update={"version_id": uid("twin"), "tag": "twin"})
    scene.world.record(twin)
    scene.world.record(scene.cleared(v1, R1), scene.cleared(uid("twin"), R1))
    scene.world.run()
    assert scene.desired(R1) == max(v1, uid("twin"))


def test_ver_rejected_falls_back() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, R1)
    scene.clear(v2, R1)
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    assert scene.desired(R1) == v2, "nothing else is cleared yet, so it stays"
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1
    first, _, again = scene.releases()
    assert first == again, "the very release that was there before"


def test_ver_rejecting_active_rolls_all_back() -> None:
    scene = Scene(R1, R2, R3)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2, R3)
    scene.deployed(v2, R1, R2, R3)
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    scene.clear(v1, R1, R2, R3)
    assert [scene.desired(one) for one in (R1, R2, R3)] == [v1, v1, v1]


def test_a_version_that_was_given_up_needs_a_new_clearance() -> None:
    """The one it was released on is spent: since then its approval may have gone, unnoticed by anything that waits."""
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1)
    scene.deployed(v2, R1)
    scene.world.do(UpdateVersion(version_id=v2, status="rejected"))
    scene.clear(v1, R1)
    scene.world.do(UpdateVersion(version_id=v2, status="ready"))
    assert scene.desired(R1) == v1
    scene.clear(v2, R1)
    assert scene.desired(R1) == v2


def test_a_newer_clearance_that_comes_in_between_is_still_looked_at() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    at = len(scene.world.log)
    scene.world.record(scene.cleared(v1, R1, at=at), scene.cleared(v2, R1, at=at + 1))
    scene.world.record(
        ReleasesCreated(
            deployment_id=scene.deployment, environment_id=scene.environment, version_id=v1,
            items=(ReleaseItem(resource_id=R1, release_id=uid("release")),), cleared_at=at, created_at=scene.world.now,
        )
    )  # fmt: skip
    place = scene.place(R1)
    assert place is not None
    assert [one.version_id for one in place.clearances] == [v1, v2]


def test_ver_all_rejected_none() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.world.do(UpdateVersion(version_id=v1, status="rejected"))
    scene.clear(v1, R1)
    assert scene.desired(R1) is None
    assert scene.releases() == []


def test_ver_building_failed_not_deployable() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    for status in ("building", "failed", "unspecified"):
        scene.world.do(UpdateVersion(version_id=v1, status=status))
        scene.clear(v1, R1)
    assert scene.releases() == []
    scene.world.do(UpdateVersion(version_id=v1, status="ready"))
    assert scene.desired(R1) == v1, "the clearance still stands, so becoming ready is enough"


def test_ver_paused_existing_target_kept() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.world.do(UpdateVersion(version_id=v1, status="paused"))
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1, "policy judges where a paused version may be"


def test_a_policy_saved_after_the_clearance_makes_the_target_wait() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    stale = len(scene.world.log)
    scene.save_policy()
    scene.clear(v1, R1, at=stale)
    assert scene.releases() == []
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1


def test_a_withdrawal_after_the_clearance_makes_the_target_wait() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v1, R1)
    stale = len(scene.world.log)
    scene.withdraw(v2)
    scene.clear(v2, R1, at=stale)
    assert scene.desired(R1) == v1
    scene.clear(v2, R1)
    assert scene.desired(R1) == v2


def test_a_withdrawn_clearance_leaves_what_is_desired() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    scene.withdraw(v1)
    assert scene.desired(R1) == v1
    assert len(scene.releases()) == 1


def test_a_clearance_counts_until_its_end() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    scene.clear(v1, R1, valid_until=scene.world.now)
    scene.clear(v1, R2, valid_until=scene.world.now + timedelta(microseconds=1))
    assert (scene.desired(R1), scene.desired(R2)) == (None, v1)


def test_a_tightened_policy_lets_an_older_version_become_desired() -> None:
    scene = Scene(R1)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.clear(v2, R1)
    scene.save_policy()
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1


def test_release_reused_for_same_inputs() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    target = scene.target(R1)
    assert release_id(target, v1, {"a": 1, "b": 2}) == release_id(target, v1, {"b": 2, "a": 1})
    different: list[tuple[Target, str, Json]] = [
        (target, v1, {}),
        (target, v2, {}),
        (scene.target(R2), v1, {}),
        (target, v1, {"a": 1}),
        (target, v1, {"a": "1"}),
    ]
    assert len({release_id(*inputs) for inputs in different}) == len(different)
    scene.clear(v1, R1)
    scene.unmatch(R1)
    scene.match(R1)
    scene.clear(v1, R1)
    first, again = scene.releases()
    assert first == again


def test_the_id_of_a_release_never_changes() -> None:
    target = Target(uid("r"), uid("e"), uid("d"))
    assert release_id(target, uid("v"), {"a": 1}) == "4d77701c-8e50-58b4-8807-f453dfa6a6c3"


def test_a_target_that_vanishes_loses_what_was_desired() -> None:
    scene = Scene(R1)
    v1 = scene.version("v1")
    scene.clear(v1, R1)
    scene.unmatch(R1)
    assert scene.place(R1) is None
    scene.match(R1)
    assert scene.desired(R1) is None
    scene.clear(v1, R1)
    assert scene.desired(R1) == v1


def test_a_target_that_vanishes_in_the_same_breath_gets_no_release() -> None:
    scene = Scene(R1, R2)
    v1 = scene.version("v1")
    scene.world.record(scene.cleared(v1, R1, R2))
    scene.unmatch(R1)
    assert [item.resource_id for item in scene.releases()] == [R2]


def test_clearances_of_older_versions_are_forgotten() -> None:
    scene = Scene(R1)
    for n in range(20):
        scene.clear(scene.version(f"v{n}"), R1)
    place = scene.place(R1)
    assert place is not None
    assert [one.version_id for one in place.clearances] == [place.version_id]


def test_folding_from_zero_and_a_snapshot_give_the_same_state() -> None:
    scene = Scene(R1, R2)
    v1, v2 = scene.version("v1"), scene.version("v2")
    scene.deployed(v1, R1, R2)
    scene.clear(v2, R1)
    scene.require_rollback(R1, v2, scene.job(R1, "failure"))
    scene.unmatch(R2)
    state = scene.world.room("planner").state
    assert refold(service, scene.world.log) == state
    assert decode(PlannerState, encode(PlannerState, state)) == state
    assert state.pasts[past_key(scene.deployment, scene.environment)][R1].marked == {v2}
