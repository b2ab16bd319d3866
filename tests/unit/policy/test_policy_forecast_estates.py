"""A forecast says what then happens, whatever governs the estate and whatever befell it: every kind of rule, freezes and skips that end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policy.forecast_scenes import check, forecast
from tests.unit.policy.random_estate import Estate, Step
from tests.unit.policy.random_policies import KINDS, governed_by, histories

LONG = timedelta(days=15)
"""Longer than any rule of the estate takes to let somebody go."""


def run_on(estate: Estate) -> None:
    """Time goes on until nothing is due any more, for two weeks at most; whatever is cleared is deployed well at once."""
    end = estate.now + LONG
    estate.settle()
    while (due := estate.scene.world.next_due()) is not None and due <= end:
        estate.scene.advance(seconds=(due - estate.now).total_seconds())
        estate.settle()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(st.data(), histories, st.booleans())
def test_forecast_over_every_kind_of_rule_is_what_then_happens(
    kind: str, data: st.DataObject, steps: list[Step], settled: bool
) -> None:
    estate = Estate(data.draw(governed_by(kind)), steps)
    if settled:
        estate.settle()
    versions = [version_id for back in (0, 1) if (version_id := estate.version(back)) is not None]
    told = [forecast(estate.scene, version_id) for version_id in versions]
    targets = set(estate.pair.targets)
    run_on(estate)
    for one in told:
        check(estate.scene, one, targets)
