"""Waves where a verification or rollback rule applies: the wave is what is waited for, unless a linear rollout stands beside it."""

from __future__ import annotations

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.shapes import GradualRollout, Wave
from services.policy.wave_plan import plan_of
from tests.unit.policy.policy_scenes import Scene, linear, rollback, uid, verification

CANARY = Wave(name="canary", selector='resource.metadata.ring == "canary"')
HALF = CANARY.model_copy(update={"success_percentage": 50})


class Paced:
    """Four canaries and four others, with a verification and a rollback rule; the rollout of v1 has been posted."""

    def __init__(self, wave: Wave, *rules: RuleInput, interval: int = 0) -> None:
        self.scene = scene = Scene()
        self.canary = sorted(scene.resource(f"canary {n}", id_=uid(f"canary {n}"), ring="canary") for n in range(4))
        self.rest = sorted(scene.resource(f"rest {n}", id_=uid(f"rest {n}"), ring="rest") for n in range(4))
        scene.appear(*self.canary, *self.rest)
        self.body = GradualRollout(rollout_type="waves", time_scale_interval=interval, waves=(wave,))
        both = (verification(), rollback("failure", verification_failure=True))
        scene.production_policy(RuleInput(gradual_rollout=self.body), *both, *rules)
        self.version = scene.version("v1")

    def open(self) -> list[str]:
        return sorted(self.scene.open(self.version))

    def job(self, one: str) -> str:
        """Planner and dispatcher act on a clearance; the job succeeds, and its verification runs."""
        self.scene.release(self.version, one)
        return self.scene.job(self.version, one, "successful")

    def order(self) -> list[str]:
        """The targets, wave by wave."""
        (pair,) = [pair for pair in self.scene.state.pairs.values() if pair.targets]
        plan = plan_of(self.body, self.scene.state, pair, self.version)
        return [one for members in plan.members for one in members]

    def verdict(self, one: str) -> str:
        return str(self.scene.reason("gradualRollout", self.version, one).verdict)


def test_targets_of_a_covered_wave_go_by_the_clock_while_others_are_under_way() -> None:
    paced = Paced(CANARY, interval=60)
    first, second, third, _, *_ = paced.order()
    assert paced.open() == [first]
    paced.job(first)
    paced.scene.advance(seconds=60)
    assert paced.open() == [second], "the verification of the one before still runs"
    paced.job(second)
    paced.scene.advance(seconds=60)
    assert paced.open() == [third]


def test_next_covered_wave_waits_for_every_verification_of_this_one() -> None:
    paced = Paced(CANARY)
    jobs = [paced.job(one) for one in paced.canary]
    for job in jobs[:-1]:
        paced.scene.verify(job)
        assert paced.open() == []
    paced.scene.verify(jobs[-1])
    assert paced.open() == paced.rest


@pytest.mark.parametrize("failures, verdict", [(1, "waiting"), (2, "waiting"), (3, "blocked")])
def test_failures_stop_a_covered_wave_when_its_share_is_out_of_reach(failures: int, verdict: str) -> None:
    paced = Paced(HALF)
    for one in paced.canary[:failures]:
        paced.scene.verify(paced.job(one), passed=False)
    assert paced.verdict(paced.rest[0]) == verdict
    assert paced.open() == ([] if verdict == "blocked" else paced.canary[failures:])


def test_first_failure_stops_a_covered_wave_that_must_succeed_as_a_whole() -> None:
    paced = Paced(CANARY)
    assert paced.open() == paced.canary
    paced.scene.verify(paced.job(paced.canary[0]), passed=False)
    assert paced.open() == [], "what was cleared and has no job yet is taken back"
    assert {paced.verdict(one) for one in (*paced.canary[1:], *paced.rest)} == {"blocked"}


def test_linear_rollout_beside_waves_lets_targets_go_one_at_a_time_in_each_wave() -> None:
    paced = Paced(CANARY, linear(0))
    gone: list[str] = []
    while paced.open():
        (one,) = paced.open()
        job = paced.job(one)
        assert paced.open() == [], "nobody goes while the one before is not verified"
        gone.append(one)
        paced.scene.verify(job)
    assert sorted(gone[:4]) == paced.canary
    assert sorted(gone[4:]) == paced.rest


def test_linear_rollout_beside_waves_stops_at_the_first_failure_whatever_the_share() -> None:
    paced = Paced(HALF, linear(0))
    (one,) = paced.open()
    paced.scene.verify(paced.job(one), passed=False)
    assert paced.open() == []
    told = [
        reason.verdict
        for reason in paced.scene.standing(paced.version, paced.rest[0]).reasons
        if reason.rule_type == "gradualRollout"
    ]
    assert sorted(told) == ["blocked", "waiting"]
