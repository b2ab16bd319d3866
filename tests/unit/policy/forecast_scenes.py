"""A forecast beside what then happens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from unittest.mock import patch

from contracts.commands.policy.forecasts import Forecast, ForecastRollout
from contracts.facts.policy import TargetsCleared
from services.policy import forecast_run
from tests.unit.policy.policy_scenes import Scene


def forecast(scene: Scene, version: str, env: str | None = None) -> Forecast:
    """The forecast of a rollout, which is the same where everything that goes on by itself is found out at once, however little it is."""
    wish = ForecastRollout(version_id=version, environment_id=env or scene.production)
    answer: Forecast = scene.world.ask(wish)
    with patch.object(forecast_run, "FEW", 0):
        assert scene.world.ask(wish) == answer
    return answer


def clearances(scene: Scene, version: str, after: int = 0) -> dict[str, list[datetime]]:
    """When each target of production was cleared for a version, after a position; in order."""
    found: dict[str, list[datetime]] = {}
    for one in scene.world.log[after:]:
        fact = one.fact
        if isinstance(fact, TargetsCleared) and fact.version_id == version and fact.environment_id == scene.production:
            for resource_id in fact.resource_ids:
                found.setdefault(resource_id, []).append(fact.cleared_at)
    return found


def check(scene: Scene, told: Forecast, targets: Collection[str]) -> None:
    """Compare a forecast with what happened after it; targets that had the version then are told with an instant before it."""
    before = clearances(scene, told.version_id)
    then = {one: at[0] for one, at in clearances(scene, told.version_id, told.position).items()}
    said = {one.resource_id: one.at for one in told.targets if one.at is not None}
    known_until = scene.world.log[told.position - 1].time
    had = {one for one, at in said.items() if one not in then and one in before and at <= known_until}
    assert {one: at for one, at in said.items() if one not in had} == then, f"{told.message} {then}"
    assert {one.resource_id for one in told.targets} == set(targets)
    assert all(one.held_by for one in told.targets if one.at is None)
    assert told.done_at == (max(said.values(), default=None) if len(said) == len(targets) else None)
