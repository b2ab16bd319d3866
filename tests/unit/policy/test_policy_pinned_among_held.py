"""Targets that are pinned elsewhere while a rule holds them say nothing about those that it still holds."""

from __future__ import annotations

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.shapes import GradualRollout, Wave
from tests.unit.policy.policy_scenes import progression
from tests.unit.policy.random_estate import PRODUCTION, SELECTORS, Estate, PolicyPlan
from tests.unit.policy.random_policies import wait
from tests.unit.policy.test_policy_forecast_estates import run_on

WAVES = RuleInput(
    gradual_rollout=GradualRollout(
        rollout_type="waves", time_scale_interval=0, waves=(Wave(percentage=25, success_percentage=50), Wave(percentage=25))
    )
)
AFTER_STAGING = progression(percent=None, statuses=None, soak=None, age=None, verified=False)


@pytest.mark.parametrize("rules", [(AFTER_STAGING,), (AFTER_STAGING, WAVES), (WAVES,)], ids=["progression", "both", "waves"])
@pytest.mark.parametrize("free", range(len(PRODUCTION)))
def test_the_one_that_is_not_pinned_goes_when_the_rule_is_content(rules: tuple[RuleInput, ...], free: int) -> None:
    # Whichever is free: the rule's verdicts are kept by resource, in an order that differs from process to process.
    estate = Estate([PolicyPlan(SELECTORS[1], rules)], [Estate.settle, wait(30), Estate.post])
    for number in range(len(PRODUCTION)):
        if number != free:
            estate.turn_pin(number, 1)
    run_on(estate)
    version = estate.version(0)
    assert version is not None
    gone = [
        one for one in sorted(estate.pair.targets) if version in {job.version_id for job in estate.pair.jobs_of(one, version)}
    ]
    assert len(gone) == 1
