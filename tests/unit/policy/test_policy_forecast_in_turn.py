"""A forecast takes in the turns of a rollout at once: it comes to what their facts come to, one after the other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import TargetsCleared
from services.policy.fold import apply
from services.policy.forecast_facts import _job, _releases, deployed_in_turn
from services.policy.state import State, pair_key
from tests.unit.policy.policy_scenes import Scene, linear, rollback, uid

IDS = tuple(uid(f"resource r{n}") for n in range(7))


def one_by_one(state: State, key: str, version_id: str, turns: list[tuple[datetime, str]]) -> State:
    pair = state.pairs[key]
    last, ids = turns[-1][0], tuple(one for _, one in turns)
    place = {"deployment_id": pair.deployment_id, "environment_id": pair.environment_id, "version_id": version_id}
    cleared = TargetsCleared(**place, resource_ids=ids, at=0, cleared_at=last)
    jobs = (fact for at, one in turns for fact in _job(pair, one, version_id, at))
    for fact in (cleared, *_releases(pair, ids, version_id, last), *jobs):
        state = apply(state, fact, state.position + 1)
    return state


def history() -> tuple[Scene, str, str]:
    """Targets that have nothing, an older version, this one, a try of it that failed, a newer version, and a mark; an older and a newer version."""
    scene = Scene(*IDS)
    scene.policy(linear(60), rollback("failure"), selector='environment.name == "production"')
    old = scene.version("v0")
    scene.advance(minutes=1)
    version = scene.version("v1")
    scene.deploy(old, *IDS[1:6])
    scene.deploy(version, IDS[2])
    scene.deploy(version, IDS[3], status="failure")
    scene.deploy(version, IDS[4], status="failure")
    scene.record(
        RollbackStarted(
            deployment_id=scene.deployment,
            environment_id=scene.production,
            resource_id=IDS[4],
            version_id=version,
            job_id="job",
            release_id=None,
            to_version_id=None,
            reason="it failed",
            policy_id="",
            rule_id="",
            started_at=scene.world.now,
        )
    )
    scene.advance(minutes=1)
    newer = scene.version("v2")
    scene.deploy(newer, IDS[5])
    return scene, version, newer


@pytest.mark.parametrize("which", ["this one", "the newer one"])
@pytest.mark.parametrize("count", [1, 4, 7])
def test_turns_at_once_come_to_what_their_facts_come_to(which: str, count: int) -> None:
    scene, version, newer = history()
    version_id = version if which == "this one" else newer
    key = pair_key(scene.deployment, scene.production)
    turns = [(scene.world.now + timedelta(minutes=n), one) for n, one in enumerate(IDS[:count])]
    assert deployed_in_turn(scene.state, key, version_id, turns) == one_by_one(scene.state, key, version_id, turns)
