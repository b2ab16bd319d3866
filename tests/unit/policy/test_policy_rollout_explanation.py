"""Where a version stands in an environment, and in all of them: counts, what is next, and what ends the wait."""

from __future__ import annotations

import pytest

from contracts.command import Refused
from contracts.commands.policy.explanations import ExplainRollout, ExplainVersion, RolloutExplanation, VersionExplanation
from services.policy.order import places_of
from services.policy.state import pair_key
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid

NAMES = ["one", "two", "three"]


def named_scene() -> Scene:
    scene = Scene()
    scene.appear(*[scene.resource(name) for name in NAMES])
    return scene


def explain(scene: Scene, version: str, env: str | None = None, limit: int = 50, offset: int = 0) -> RolloutExplanation:
    answer: RolloutExplanation = scene.world.ask(
        ExplainRollout(version_id=version, environment_id=env or scene.production, limit=limit, offset=offset)
    )
    return answer


def order(scene: Scene, version: str) -> list[str]:
    places = places_of(scene.state.pairs[pair_key(scene.deployment, scene.production)], version)
    return sorted(places, key=places.__getitem__)


def name(scene: Scene, resource_id: str) -> str:
    return scene.state.resources[resource_id].name


def test_next_in_order_with_its_instant() -> None:
    scene = named_scene()
    scene.production_policy(linear(90))
    version = scene.version("v2.0.0")
    scene.follow()
    told = explain(scene, version)
    first, second, third = order(scene, version)
    assert told.message == (
        f"v2.0.0 in production: 1 of 3 done, 2 waiting. Next in order is {name(scene, second)}. "
        "It is number 2 of 3 in the rollout of v2.0.0, due at 2026-01-01 00:01:30 UTC. What ends it: its turn in the rollout."
    )
    assert [(one.resource_id, one.state) for one in told.targets] == [(first, "done"), (second, "waiting"), (third, "waiting")]
    assert told.next_at == told.targets[1].look_again_at
    assert (told.total, told.done, told.going, told.waiting, told.blocked, told.passed) == (3, 1, 0, 2, 0, 0)
    assert told.position == len(scene.world.log)


def test_what_all_targets_wait_for_is_said_once() -> None:
    scene = named_scene()
    scene.production_policy(approval(2), linear(90))
    version = scene.version("v2.0.0")
    scene.advance(seconds=30)
    told = explain(scene, version)
    assert told.message == (
        "v2.0.0 in production: 0 of 3 done, 3 blocked. Waiting for approval: 0/2 given. What ends it: approval by 2 more people."
    )
    by_type = {one.rule_type: one for one in told.reasons}
    assert set(by_type) == {"anyApproval", "gradualRollout"}
    assert by_type["anyApproval"].verdict == "waiting"
    assert by_type["anyApproval"].policy_name == "careful"
    assert by_type["anyApproval"].since == scene.state.versions[version].created_at
    assert told.next_at is None
    # Programs are told which verdict it is; people, that somebody must act.
    assert (told.waiting, told.blocked) == (3, 0)
    assert all(one.message.startswith("v2.0.0 is blocked. Waiting for approval") for one in told.targets)


def test_verdict_is_told_since_it_became_what_it_is() -> None:
    """Another sentence for the same wait does not make it younger."""
    scene = named_scene()
    scene.production_policy(approval(2))
    version = scene.version("v1")
    scene.advance(seconds=60)
    scene.approve(version)
    (reason,) = explain(scene, version).reasons
    assert reason.message == "Waiting for approval: 1/2 given."
    assert reason.since == scene.state.versions[version].created_at


def test_done_everywhere() -> None:
    scene = named_scene()
    version = scene.version("v1")
    scene.follow()
    assert explain(scene, version).message == "v1 in production: done, it runs on all 3 targets."


def test_stopped_rollout_is_blocked() -> None:
    scene = named_scene()
    scene.production_policy(linear(10), rollback("failure"))
    version = scene.version("v1")
    (moved,) = scene.follow(None)
    job = scene.state.pairs[pair_key(scene.deployment, scene.production)].newest_job(moved)
    assert job is not None
    scene.job_status(job.job_id, "failure", message="disk full")
    told = explain(scene, version)
    assert told.message == (
        f"v1 in production: 0 of 3 done, 3 blocked. On {name(scene, moved)}: v1 was cleared, but its job ended as failure: disk full. "
        "What ends it: a person who redeploys v1, or a newer version."
    )
    assert {one.message for one in told.targets if one.resource_id != moved} == {
        f"v1 is blocked. The rollout of v1 stopped: on {name(scene, moved)} its job ended as failure (disk full). "
        "What ends it: a person who mends that target, or a newer version."
    }


def test_job_on_the_way_and_older_version_passed_over() -> None:
    scene = named_scene()
    first = scene.version("v1")
    scene.advance(seconds=1)
    second = scene.version("v2")
    scene.follow(None)
    told = explain(scene, second)
    assert (told.going, told.message) == (3, "v2 in production: 0 of 3 done, 3 on the way.")
    assert {one.message for one in told.targets} == {
        "v2 is on its way: its job is pending. What ends it: the job agent, which has not taken it over, or its deadline."
    }
    older = explain(scene, first)
    assert (older.passed, older.message) == (3, "v1 in production: 0 of 3 done, 3 passed over.")
    assert {one.message for one in older.targets} == {"v1 is superseded by v2."}


def test_pages_are_parts_of_one_order() -> None:
    scene = named_scene()
    scene.production_policy(linear(90))
    version = scene.version("v1")
    pages = [explain(scene, version, limit=2, offset=offset).targets for offset in (0, 2, 4)]
    assert [one.resource_id for page in pages for one in page] == order(scene, version)
    assert [len(page) for page in pages] == [2, 1, 0]


def test_version_in_all_environments_by_name() -> None:
    scene = named_scene()
    scene.appear(uid("staged"), env=scene.staging)
    scene.production_policy(progression(percent=100))
    version = scene.version("v1")
    answer: VersionExplanation = scene.world.ask(ExplainVersion(version_id=version))
    assert [one.environment_id for one in answer.rollouts] == [scene.production, scene.staging]
    assert all(one.targets == () for one in answer.rollouts)
    assert answer.message == (
        "v1 in production: 0 of 3 done, 3 waiting. v1 is deployed on 0 of 1 targets in staging; the rule asks for 100 % of its "
        "targets. What ends it: v1 deployed on 100 % of its targets in staging. v1 in staging: 0 of 1 done, 1 on the way."
    )


def test_environment_without_targets() -> None:
    scene = Scene()
    version = scene.version("v1")
    assert explain(scene, version).message == "v1 in production: there are no targets."
    answer: VersionExplanation = scene.world.ask(ExplainVersion(version_id=version))
    assert answer.message == "v1 has no targets: no environment beside its deployment has any."


def test_what_does_not_exist_is_not_found() -> None:
    scene = named_scene()
    version = scene.version("v1")
    for wish in (
        ExplainRollout(version_id=uid("nothing"), environment_id=scene.production),
        ExplainRollout(version_id=version, environment_id=uid("nowhere")),
        ExplainVersion(version_id=uid("nothing")),
    ):
        with pytest.raises(Refused) as refused:
            scene.world.ask(wish)
        assert refused.value.refusal.kind == "not_found"
