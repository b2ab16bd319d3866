"""A forecast says what then happens, whatever governs the estate and whatever befell it: every kind of rule, freezes and skips that end."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policy.forecast_scenes import check, forecast
from tests.unit.policy.random_estate import Estate, PolicyPlan, Step
from tests.unit.policy.random_policies import histories, policies

LONG = timedelta(days=15)
"""Longer than any rule of the estate takes to let somebody go."""


def run_on(estate: Estate) -> None:
    """Time goes on until nothing is due any more, for two weeks at most; whatever is cleared is deployed well at once."""
    end = estate.now + LONG
    estate.settle()
    while (due := estate.scene.world.next_due()) is not None and due <= end:
        estate.scene.advance(seconds=(due - estate.now).total_seconds())
        estate.settle()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(policies, histories, st.booleans())
def test_forecast_over_every_kind_of_rule_is_what_then_happens(plans: list[PolicyPlan], steps: list[Step], settled: bool) -> None:
    estate = Estate(plans, steps)
    if settled:
        estate.settle()
    versions = [version_id for back in (0, 1) if (version_id := estate.version(back)) is not None]
    told = [forecast(estate.scene, version_id) for version_id in versions]
    targets = set(estate.pair.targets)
    run_on(estate)
    for one in told:
        check(estate.scene, one, targets)
