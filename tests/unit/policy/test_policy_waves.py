"""gradualRollout in waves: who goes in which wave, what a wave waits for, and what stops it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput
from contracts.facts.planner import PinReleased, RedeployItem, RedeployRequested, VersionPinned
from contracts.facts.policy import RuleEvaluated
from contracts.shapes import GradualRollout, Wave
from libs.simulation.world import START
from services.policy.order import places_of
from services.policy.state import Pair, pair_key
from services.policy.wave_plan import Plan, plan_of
from tests.unit.policy.policy_scenes import Scene, approval, linear, rollback, uid, verification

RULE = "gradualRollout"
CANARY = Wave(name="canary", selector='resource.metadata.ring == "canary"')


def waves(*given: Wave, interval: int = 0) -> RuleInput:
    return RuleInput(gradual_rollout=GradualRollout(rollout_type="waves", time_scale_interval=interval, waves=given))


class Rings:
    """Targets in rings, by the metadata of their resources; the rollout of v1 has been posted."""

    def __init__(self, rule: RuleInput, *rules: RuleInput, canary: int = 2, rest: int = 3) -> None:
        self.scene = scene = Scene()
        self.canary = sorted(scene.resource(f"canary {n}", ring="canary") for n in range(canary))
        self.rest = sorted(scene.resource(f"rest {n}", ring="rest") for n in range(rest))
        scene.appear(*self.canary, *self.rest)
        scene.production_policy(rule, *rules)
        self.version = scene.version("v1")

    def open(self) -> list[str]:
        return sorted(self.scene.open(self.version))

    def deploy(self, *targets: str, status: Any = "successful") -> None:
        self.scene.deploy(self.version, *targets, status=status)

    def job(self, one: str, status: Any = "pending", *, attempt: int = 1) -> str:
        """Planner and dispatcher act on a clearance."""
        self.scene.release(self.version, one)
        return self.scene.job(self.version, one, status, attempt=attempt)

    def plan(self) -> Plan:
        policy = next(iter(self.scene.state.policies.values()))
        body = policy.saved.rules[0].gradual_rollout
        assert body is not None
        return plan_of(body, self.scene.state, self.scene.state.pairs[self.key], self.version)

    @property
    def key(self) -> str:
        return pair_key(self.scene.deployment, self.scene.production)

    def reason(self, one: str) -> Any:
        return self.scene.reason(RULE, self.version, one)


# --- who goes in which wave ----------------------------------------------------------------------------------------------------


def percentages(targets: int, *shares: float) -> list[int]:
    ids = [uid(f"many {n}") for n in range(targets)]
    scene = Scene(*ids)
    body = GradualRollout(rollout_type="waves", time_scale_interval=0, waves=tuple(Wave(percentage=one) for one in shares))
    pair = scene.state.pairs[pair_key(scene.deployment, scene.production)]
    version = scene.version("v1")
    plan = plan_of(body, scene.state, pair, version)
    places = places_of(pair, version)
    assert [one for members in plan.members for one in members] == sorted(ids, key=places.__getitem__)
    return [len(members) for members in plan.members]


def test_percentages_are_of_all_targets_in_hash_order_and_the_others_come_last() -> None:
    assert percentages(10, 10, 30) == [1, 3, 6]
    assert percentages(10, 10, 90) == [1, 9]
    assert percentages(3, 1, 50) == [1, 1, 1]
    assert percentages(3, 33.3, 33.3, 33.4) == [1, 1, 1]
    assert percentages(10, 1, 1) == [1, 0, 9]


def test_target_belongs_to_the_first_wave_that_names_it() -> None:
    rings = Rings(waves(CANARY, Wave(percentage=40), Wave(name="again", selector="true")))
    plan = rings.plan()
    assert sorted(plan.members[0]) == rings.canary
    assert [len(members) for members in plan.members] == [2, 2, 1]
    assert set(plan.members[1]) | set(plan.members[2]) == set(rings.rest)
    assert plan.labels == ("wave 1 of 3, canary", "wave 2 of 3", "wave 3 of 3, again")


def test_unnamed_targets_are_a_last_wave() -> None:
    rings = Rings(waves(CANARY))
    assert rings.open() == rings.canary
    assert rings.reason(rings.rest[0]).message.startswith("It is number ")
    assert "wave 2 of 2, all others" in rings.reason(rings.rest[0]).message


def test_target_moves_to_another_wave_with_its_resource() -> None:
    rings = Rings(waves(CANARY))
    moved = rings.rest[0]
    rings.scene.resource("now a canary", id_=moved, ring="canary")
    assert rings.open() == sorted([*rings.canary, moved])


def test_target_that_a_wave_can_not_judge_blocks_it() -> None:
    """Were it passed over, the wave would be through without the target that it may have been made for."""
    rings = Rings(waves(Wave(name="big", selector="resource.metadata.size > 3")), canary=0, rest=2)
    odd = rings.scene.resource("odd", size="large")
    rings.scene.appear(odd)
    assert rings.open() == []
    assert rings.reason(odd).verdict == "blocked"
    assert rings.reason(odd).message.startswith("Whether this target belongs to wave 1 of 2, big can not be told")
    assert rings.reason(odd).ended_by == "a person who mends the selector of that wave"
    assert rings.reason(rings.rest[0]).ended_by == "v1 deployed and verified on the one target of wave 1 of 2, big"


# --- a wave after the other ----------------------------------------------------------------------------------------------------


def test_next_wave_begins_when_all_of_this_one_succeeded() -> None:
    rings = Rings(waves(CANARY))
    reason = rings.reason(rings.rest[0])
    assert reason.verdict == "waiting"
    assert reason.look_again_at is None
    assert reason.ended_by == "v1 deployed and verified on all 2 targets of wave 1 of 2, canary"
    rings.deploy(rings.canary[0])
    assert rings.open() == [rings.canary[1]]
    assert "So far it does on 1." in rings.reason(rings.rest[0]).message
    rings.deploy(rings.canary[1])
    assert rings.open() == rings.rest


def test_next_wave_waits_for_the_verification() -> None:
    rings = Rings(waves(CANARY), verification(), canary=1)
    job = rings.job(rings.canary[0], "successful")
    assert not set(rings.open()) & set(rings.rest)
    rings.scene.verify(job)
    assert set(rings.rest) <= set(rings.open())


def test_targets_of_a_wave_go_together_where_a_verification_covers_them() -> None:
    rings = Rings(waves(CANARY), verification(), rollback("failure"))
    assert rings.open() == rings.canary


def test_inside_a_wave_targets_follow_one_another() -> None:
    rings = Rings(waves(CANARY, interval=60))
    first, second = rings.plan().members[0]
    assert rings.open() == [first]
    assert rings.reason(second).look_again_at == START + timedelta(seconds=60)
    rings.deploy(first)
    rings.scene.advance(seconds=60)
    assert rings.open() == [second]
    rings.scene.advance(seconds=30)
    rings.deploy(second)
    began = START + timedelta(seconds=90)
    later = rings.plan().members[1]
    assert rings.open() == [later[0]]
    assert [rings.reason(one).look_again_at for one in later[1:]] == [
        began + timedelta(seconds=60),
        began + timedelta(seconds=120),
    ]


def test_wave_soaks_from_its_last_needed_success_to_the_exact_instant() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"soak_minutes": 30})))
    rings.deploy(rings.canary[0])
    rings.scene.advance(minutes=10)
    rings.deploy(rings.canary[1])
    reason = rings.reason(rings.rest[0])
    assert reason.look_again_at == START + timedelta(minutes=40)
    assert "wave 1 of 2, canary soaks" in reason.message
    rings.scene.advance(minutes=29, seconds=59.999999)
    assert rings.open() == []
    rings.scene.advance(seconds=0.000001)
    assert rings.open() == rings.rest


def test_soak_begins_when_the_verification_passed() -> None:
    """Else the places of a long wave would be due all at once, when a verification took longer than they are apart."""
    rings = Rings(waves(CANARY, interval=60), verification(), canary=1)
    job = rings.job(rings.canary[0], "successful")
    rings.scene.advance(minutes=10)
    rings.scene.verify(job)
    assert rings.open() == [rings.plan().members[1][0]]


@pytest.mark.parametrize("share, needed", [(50, 2), (50.1, 3), (75, 3), (76, 4), (None, 4)])
def test_share_of_a_wave_is_rounded_up(share: float | None, needed: int) -> None:
    rings = Rings(waves(CANARY.model_copy(update={"success_percentage": share})), canary=4)
    for index, one in enumerate(rings.canary):
        assert set(rings.rest) <= set(rings.open()) or index < needed
        rings.deploy(one)
        assert (set(rings.rest) <= set(rings.open())) is (index + 1 >= needed)


def test_stragglers_of_a_wave_that_is_through_change_nothing() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"success_percentage": 50, "soak_minutes": 10})), canary=4)
    rings.deploy(*rings.canary[:2])
    began = rings.reason(rings.rest[0]).look_again_at
    before = len(rings.scene.facts(RuleEvaluated))
    rings.scene.advance(minutes=5)
    rings.deploy(rings.canary[2])
    rings.deploy(rings.canary[3], status="failure")
    assert rings.reason(rings.rest[0]).look_again_at == began == START + timedelta(minutes=10)
    assert len(rings.scene.facts(RuleEvaluated)) == before


def test_empty_wave_passes_without_a_soak() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"soak_minutes": 60})), canary=0)
    assert rings.open() == rings.rest


def test_wave_that_needs_nothing_passes_after_its_soak() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"success_percentage": 0, "soak_minutes": 5})))
    assert rings.reason(rings.rest[0]).look_again_at == START + timedelta(minutes=5)
    rings.scene.advance(minutes=5)
    assert set(rings.rest) <= set(rings.open())


def test_first_wave_starts_with_the_approval() -> None:
    rings = Rings(waves(CANARY), approval())
    assert rings.open() == []
    assert "not started" in rings.reason(rings.canary[0]).message
    rings.scene.approve(rings.version)
    assert rings.open() == rings.canary


def test_later_wave_says_which_one_comes_first() -> None:
    rings = Rings(waves(CANARY, Wave(percentage=20)))
    last = rings.plan().members[2][0]
    message = rings.reason(last).message
    assert (
        "in wave 3 of 3, all others; wave 2 of 3 begins once v1 runs healthily on all 2 targets of wave 1 of 3, canary" in message
    )
    rings.deploy(*rings.canary)
    assert rings.open() == sorted(rings.plan().members[1])
    assert "once v1 runs healthily on the one target of wave 2 of 3" in rings.reason(last).message


def test_target_that_runs_the_version_already_stays() -> None:
    rings = Rings(waves(CANARY))
    rings.deploy(rings.rest[0])
    assert rings.scene.explain(rings.rest[0]).message == "v1 runs here, the newest version."


# --- what stops it -------------------------------------------------------------------------------------------------------------


def test_failure_stops_the_rollout_with_its_reason() -> None:
    rings = Rings(waves(CANARY))
    job = rings.job(rings.canary[0])
    rings.scene.job_status(job, "failure", message="disk full")
    reason = rings.reason(rings.rest[0])
    assert reason.verdict == "blocked"
    name = rings.scene.state.resource_name(rings.canary[0])
    assert reason.message == f"The rollout of v1 stopped in wave 1 of 2, canary: on {name} its job ended as failure (disk full)."
    assert reason.ended_by == "a person who mends that target, or a newer version"
    assert rings.open() == [], "the other target of the wave is held as well"


def test_failure_takes_back_what_the_next_wave_was_cleared_for_and_has_not_begun() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"success_percentage": 50})))
    rings.deploy(rings.canary[0])
    assert set(rings.rest) <= set(rings.open())
    rings.job(rings.canary[0], "failure", attempt=2)
    rings.job(rings.canary[1], "failure")
    assert rings.open() == []
    assert rings.reason(rings.rest[0]).verdict == "blocked"


def test_failed_verification_stops_the_rollout() -> None:
    rings = Rings(waves(CANARY), verification(), canary=1)
    rings.scene.verify(rings.job(rings.canary[0], "successful"), passed=False)
    assert rings.reason(rings.rest[0]).verdict == "blocked"
    assert "its verification failed" in rings.reason(rings.rest[0]).message


def test_failure_within_the_share_does_not_stop_it() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"success_percentage": 50})), canary=4)
    rings.deploy(*rings.canary[:2], status="failure")
    assert rings.reason(rings.rest[0]).verdict == "waiting"
    rings.deploy(rings.canary[2], status="failure")
    assert rings.reason(rings.rest[0]).verdict == "blocked"
    assert rings.reason(rings.rest[0]).message.endswith("It must run healthily on 2 of the 4 targets there.")


def test_failure_in_the_last_wave_stops_the_rest_of_it() -> None:
    rings = Rings(waves(CANARY, interval=60), canary=0)
    first, second, _ = rings.plan().members[1]
    rings.deploy(first, status="failure")
    assert rings.reason(second).verdict == "blocked"
    rings.scene.advance(minutes=10)
    assert rings.open() == []


def test_stop_ends_when_the_target_is_tried_again_and_succeeds() -> None:
    rings = Rings(waves(CANARY), canary=1)
    rings.deploy(rings.canary[0], status="failure")
    assert rings.reason(rings.rest[0]).verdict == "blocked"
    job = rings.job(rings.canary[0], attempt=2)
    assert rings.reason(rings.rest[0]).verdict == "waiting"
    rings.scene.job_status(job, "successful")
    assert rings.open() == rings.rest


def test_stop_ends_when_a_person_sets_the_job_right() -> None:
    rings = Rings(waves(CANARY), canary=1)
    job = rings.job(rings.canary[0], "failure")
    assert rings.reason(rings.rest[0]).verdict == "blocked"
    rings.scene.job_status(job, "successful")
    assert rings.open() == rings.rest


def test_version_marked_bad_by_hand_stops_the_rollout_until_the_mark_is_lifted() -> None:
    rings = Rings(waves(CANARY.model_copy(update={"soak_minutes": 60})), canary=1)
    one = rings.canary[0]
    rings.deploy(one)
    rings.scene.roll_back(rings.version, one, None)
    reason = rings.reason(rings.rest[0])
    assert reason.verdict == "blocked"
    assert "it was marked bad" in reason.message
    item = RedeployItem(resource_id=one, release_id=rings.scene.release_id(rings.version, one), version_id=rings.version)
    rings.scene.record(
        RedeployRequested(
            deployment_id=rings.scene.deployment, environment_id=rings.scene.production, items=(item,), requested_at=rings.scene.world.now
        )
    )  # fmt: skip
    assert rings.reason(rings.rest[0]).look_again_at == START + timedelta(minutes=60)


def test_redeployment_in_a_wave_holds_the_next_one_until_it_succeeded() -> None:
    rings = Rings(waves(CANARY, interval=60), canary=1)
    rings.deploy(rings.canary[0])
    rings.scene.advance(seconds=30)
    job = rings.job(rings.canary[0], attempt=2)
    second = rings.plan().members[1][1]
    assert rings.reason(second).look_again_at is None
    rings.scene.job_status(job, "successful")
    assert rings.reason(second).look_again_at == START + timedelta(seconds=60)


def test_vanished_target_is_not_waited_for() -> None:
    rings = Rings(waves(CANARY))
    rings.deploy(rings.canary[0])
    rings.scene.vanish(rings.canary[1])
    assert rings.open() == rings.rest


def test_target_pinned_to_another_version_is_not_waited_for() -> None:
    rings = Rings(waves(CANARY))
    scene, one = rings.scene, rings.canary[1]
    scene.advance(seconds=1)
    newer = scene.version("v2")
    scene.set_status(newer, "rejected")
    rings.deploy(rings.canary[0])
    assert not set(rings.open()) & set(rings.rest)
    place = {"deployment_id": scene.deployment, "environment_id": scene.production, "resource_id": one}
    scene.record(VersionPinned(**place, version_id=newer, reason="test", pinned_at=scene.world.now))
    assert set(rings.rest) <= set(rings.open())
    scene.record(PinReleased(**place, version_id=newer, released_at=scene.world.now))
    assert not set(rings.open()) & set(rings.rest)


def test_waves_beside_a_line_do_not_lock_each_other() -> None:
    """The turn in the line goes to nobody whom a wave holds, for else neither would ever end."""
    rings = Rings(waves(CANARY), linear(0), verification(), canary=1, rest=4)
    gone: list[str] = []
    for _ in range(10):
        for one in rings.open():
            gone.append(one)
            rings.scene.release(rings.version, one)
            rings.scene.verify(rings.job(one, "successful"))
    assert gone[0] == rings.canary[0]
    assert sorted(gone) == sorted([*rings.canary, *rings.rest])


# --- few facts, little work ----------------------------------------------------------------------------------------------------


def test_success_that_does_not_end_a_wave_is_no_news() -> None:
    rings = Rings(waves(CANARY), canary=5, rest=5)
    before = len(rings.scene.facts(RuleEvaluated))
    rings.deploy(*rings.canary[:4])
    assert len(rings.scene.facts(RuleEvaluated)) == before


def test_plan_is_kept_while_targets_and_documents_are_the_same() -> None:
    rings = Rings(waves(CANARY))
    plan = rings.plan()
    rings.deploy(rings.canary[0])
    assert rings.plan() is plan
    rings.scene.resource("elsewhere")
    assert rings.plan() is plan
    rings.scene.vanish(rings.rest[0])
    assert rings.plan() is not plan


def test_order_inside_a_wave_is_that_of_the_rollout() -> None:
    rings = Rings(waves(CANARY), canary=8)
    pair: Pair = rings.scene.state.pairs[rings.key]
    places = places_of(pair, rings.version)
    for members in rings.plan().members:
        assert list(members) == sorted(members, key=places.__getitem__)


# --- forms ---------------------------------------------------------------------------------------------------------------------


def _rollout(kind: Any, *given: Wave) -> RuleInput:
    return RuleInput(gradual_rollout=GradualRollout(rollout_type=kind, time_scale_interval=0, waves=given))


@pytest.mark.parametrize(
    "rule, path, said",
    [
        (_rollout("waves"), "", "A rollout in waves needs at least one wave."),
        (_rollout("linear", CANARY), "", "A rollout of type linear has no waves"),
        (_rollout("linear-normalized", CANARY), "", "A rollout of type linear-normalized has no waves"),
        (_rollout("waves", Wave()), "/0", "Wave 1 names no targets: give it a selector or a percentage."),
        (_rollout("waves", CANARY, Wave(selector="true", percentage=1)), "/1", "Wave 2 has a selector and a percentage"),
        (_rollout("waves", Wave(percentage=60), Wave(percentage=40.1)), "/1/percentage", "are 100.1 together, more than 100"),
        (_rollout("waves", *[CANARY] * 51), "", "A rollout has at most 50 waves, not 51."),
        (_rollout("waves", CANARY, Wave(selector="resourec.name")), "/1/selector", "unknown variable 'resourec'"),
        (_rollout("waves", Wave(selector=" ")), "/0/selector", "the expression is empty"),
        (_rollout("waves", Wave(selector="environment.name == 'x'")), "/0/selector", "environment"),
    ],
)
def test_malformed_waves_are_refused_with_their_path(rule: RuleInput, path: str, said: str) -> None:
    scene = Scene()
    with pytest.raises(Refused) as refused:
        scene.policy(linear(0), rule)
    assert refused.value.refusal.kind == "invalid"
    detail = refused.value.refusal.details[0]
    assert detail["path"] == f"/body/rules/1/gradualRollout/waves{path}"
    assert said in detail["message"]
    assert not scene.state.policies


def test_percentages_of_exactly_a_hundred_are_taken() -> None:
    Scene().policy(_rollout("waves", Wave(percentage=33.3), Wave(percentage=33.3), Wave(percentage=33.4)))
