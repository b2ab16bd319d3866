"""A forecast in words: when each target goes, and what holds those that time alone does not bring on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.command import Refused
from contracts.commands.policy.forecasts import Forecast, ForecastRollout
from contracts.commands.policy.skips import CreateSkip
from tests.unit.policy.policy_scenes import Scene, approval, linear, progression, rollback, uid

TARGETS = [uid(f"target {n}") for n in range(3)]


def forecast(scene: Scene, version: str) -> Forecast:
    answer: Forecast = scene.world.ask(ForecastRollout(version_id=version, environment_id=scene.production))
    return answer


@pytest.mark.parametrize("covered", [False, True])
def test_each_target_at_its_turn(covered: bool) -> None:
    scene = Scene(*TARGETS)
    scene.production_policy(linear(90), *((rollback("failure"),) if covered else ()))
    start = scene.world.now
    told = forecast(scene, scene.version("v1"))
    assert [one.at for one in told.targets] == [start + timedelta(seconds=90 * n) for n in range(3)]
    assert told.done_at == start + timedelta(seconds=180)
    assert told.message == (
        "v1 in production: if nothing else changes, the last of 3 targets is cleared at 2026-01-01 00:03:00 UTC."
    )
    assert told.position == len(scene.world.log)


def test_approval_does_not_come_by_itself() -> None:
    scene = Scene(*TARGETS)
    scene.production_policy(approval(), linear(90))
    told = forecast(scene, scene.version("v1"))
    held_by = "Waiting for approval: 0/1 given. What ends it: approval by 1 more person."
    assert {(one.at, one.held_by) for one in told.targets} == {(None, held_by)}
    assert told.done_at is None
    assert told.message == f"v1 in production: all 3 targets will not go by time alone. {held_by}"


def test_success_upstream_is_foreseen_with_its_soak_time() -> None:
    scene = Scene(*TARGETS)
    scene.appear(uid("staged"), env=scene.staging)
    scene.production_policy(progression(percent=100, soak=10), linear(60))
    start = scene.world.now
    told = forecast(scene, scene.version("v1"))
    assert [one.at for one in told.targets] == [start + timedelta(minutes=10 + n) for n in range(3)]


def test_forecast_leaves_no_trace() -> None:
    scene = Scene(*TARGETS)
    scene.production_policy(linear(90))
    version = scene.version("v1")
    before, length = scene.state, len(scene.world.log)
    assert forecast(scene, version) == forecast(scene, version)
    assert scene.state == before
    assert len(scene.world.log) == length


def test_older_version_does_not_come_any_more() -> None:
    scene = Scene(*TARGETS)
    older = scene.version("v1")
    scene.advance(seconds=1)
    scene.version("v2")
    scene.follow()
    assert {(one.at, one.held_by) for one in forecast(scene, older).targets} == {(None, "v2 goes there instead.")}


def test_unknown_version_is_not_found() -> None:
    with pytest.raises(Refused) as refused:
        forecast(Scene(*TARGETS), uid("nothing"))
    assert refused.value.refusal.kind == "not_found"


def test_explanation_names_the_skip_that_lets_a_version_pass() -> None:
    scene = Scene(*TARGETS)
    policy = scene.production_policy(approval())
    version = scene.version("v1")
    rule = scene.state.policies[policy].saved.rules[0]
    skip_id = scene.world.do(CreateSkip(version_id=version, rule_id=rule.id, reason="it burns"))["id"]
    reason = scene.reason("anyApproval", version, TARGETS[0])
    assert (reason.verdict, reason.skip_id) == ("allowed", skip_id)
