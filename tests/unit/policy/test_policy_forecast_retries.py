"""A forecast over retries: one that may be made is made and succeeds, one that is held is none, and the target goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.policy.freezes import SaveFreeze
from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import RollbackRequired
from contracts.shapes import Retry
from tests.unit.policy.forecast_scenes import check, forecast
from tests.unit.policy.policy_scenes import Scene, linear, rollback, uid

TARGETS = [uid(f"target {n}") for n in range(3)]
RETRY = RuleInput(retry=Retry(max_retries=1, backoff_seconds=60))


def failed_once(*, back: bool) -> tuple[Scene, str]:
    """A rollout one after the other, whose first target failed and is to be tried again in a minute."""
    scene = Scene()
    for n, one in enumerate(TARGETS):
        scene.resource(f"cluster-{n}", id_=one)
    scene.appear(*TARGETS)
    older = scene.version("v1")
    scene.deploy(older, *TARGETS)
    scene.production_policy(linear(90), RETRY, rollback(*(("failure",) if back else ()), verification_failure=True))
    scene.advance(seconds=1)
    version = scene.version("v2")
    scene.follow("failure")
    return scene, version


def run_on(scene: Scene) -> None:
    """Whatever is cleared is deployed well at once, and what is to go back does."""
    end = scene.world.now + timedelta(days=1)
    while True:
        while scene.follow():
            pass
        for required in scene.facts(RollbackRequired):
            standing = scene.state.pairs[f"{required.deployment_id}/{required.environment_id}"].standings[required.resource_id]
            if required.version_id not in standing.bad:
                scene.roll_back(required.version_id, required.resource_id, uid("version v1"))
        due = scene.world.next_due()
        if due is None or due > end:
            return
        scene.advance(seconds=(due - scene.world.now).total_seconds())


@pytest.mark.parametrize("back", [True, False])
def test_retry_that_may_be_made_brings_the_rollout_on(back: bool) -> None:
    scene, version = failed_once(back=back)
    told = forecast(scene, version)
    assert [one.at is not None for one in told.targets] == [True, True, True]
    run_on(scene)
    check(scene, told, TARGETS)


def test_retry_that_a_freeze_holds_is_given_up_and_the_rollout_does_not_go_on() -> None:
    scene, version = failed_once(back=True)
    now = scene.world.now
    scene.world.do(SaveFreeze(scope="workspace", reason="an incident", starts_at=now, ends_at=now + timedelta(minutes=10)))
    told = forecast(scene, version)
    assert [one.at for one in told.targets if one.at is not None and one.at > now] == []
    run_on(scene)
    assert scene.facts(RollbackRequired)
    check(scene, told, TARGETS)


def test_retry_that_a_freeze_holds_is_made_later_where_nothing_goes_back() -> None:
    scene, version = failed_once(back=False)
    now = scene.world.now
    scene.world.do(SaveFreeze(scope="workspace", reason="an incident", starts_at=now, ends_at=now + timedelta(minutes=10)))
    told = forecast(scene, version)
    assert [one.at is None for one in told.targets] == [False, False, False]
    assert {one.at for one in told.targets if one.at is not None and one.at > now} >= {now + timedelta(minutes=10)}
    run_on(scene)
    check(scene, told, TARGETS)
