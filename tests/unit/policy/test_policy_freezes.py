"""Freezes: nothing goes in their scope, from their start until their end, unless a person lets one version pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.command import Refused
from contracts.commands.policy import FreezeEffect, OverrideFreeze, SaveFreeze, ThawFreeze
from contracts.facts.planner import DeploymentDeleted, EnvironmentUnlinked, SystemDeleted, SystemSaved
from contracts.facts.policy import ClearanceWithdrawn, FreezeSaved, RuleEvaluated, TargetsCleared
from contracts.tags import GATE, tags_of
from libs.freezes import spell_of
from services.policy.freezes import FREEZE
from tests.unit.policy.policy_scenes import Scene, approval, uid

R1, R2 = uid("r1"), uid("r2")


def freeze(scene: Scene, *, minutes: float | None = None, starts: float = 0, **said: Any) -> str:
    """Freeze from `starts` minutes from now, for `minutes`."""
    starts_at = scene.world.now + timedelta(minutes=starts)
    ends_at = starts_at + timedelta(minutes=minutes) if minutes is not None else None
    given_ = {"reason": "incident 42", "starts_at": starts_at, "ends_at": ends_at, **said}
    freeze_id: str = scene.world.do(SaveFreeze.model_validate(given_))["id"]
    return freeze_id


def let_pass(scene: Scene, freeze_id: str, version_id: str, *, minutes: float, **where: str) -> None:
    expires_at = scene.world.now + timedelta(minutes=minutes)
    wish = OverrideFreeze(freeze_id=freeze_id, version_id=version_id, reason="the fix itself", expires_at=expires_at, **where)
    scene.world.do(wish)


def effect(scene: Scene, **said: Any) -> Any:
    return scene.world.ask(FreezeEffect(**said))


# --- holding -------------------------------------------------------------------------------------------------------------------


def test_freeze_holds_the_first_deployment_too() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, minutes=10, link="https://incidents.example/42")
    version = scene.version("v1")
    assert scene.open(version) == set()
    reason = scene.reason(FREEZE, version, R1)
    end = scene.world.now + timedelta(minutes=10)
    assert (reason.rule_id, reason.verdict, reason.look_again_at) == (freeze_id, "waiting", end)
    for said in ("ana", "incident 42", "https://incidents.example/42", "2026" if end.year == 2026 else str(end.year)):
        assert said in reason.message
    assert "thaws" in reason.ended_by


def test_freeze_ends_at_its_very_end_by_itself() -> None:
    scene = Scene(R1)
    freeze(scene, minutes=10)
    version = scene.version("v1")
    scene.advance(seconds=599.999)
    assert scene.open(version) == set()
    scene.advance(seconds=0.001)
    assert scene.open(version) == {R1}


def test_freeze_that_is_to_come_holds_nothing_now_and_ends_the_clearance_at_its_start() -> None:
    scene = Scene(R1)
    freeze(scene, starts=5, minutes=10)
    version = scene.version("v1")
    assert scene.open(version) == {R1}, "it goes until the freeze begins"
    assert scene.facts(TargetsCleared)[-1].valid_until == scene.world.now + timedelta(minutes=5)
    scene.advance(seconds=299.999)
    assert scene.open(version) == {R1}
    scene.advance(seconds=0.001)
    assert scene.open(version) == set()
    assert "incident 42" in scene.facts(ClearanceWithdrawn)[-1].reason
    scene.advance(minutes=10)
    assert scene.open(version) == {R1}


def test_freeze_without_end_is_blocked_until_somebody_thaws_it() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    reason = scene.reason(FREEZE, version, R1)
    assert (reason.verdict, reason.look_again_at) == ("blocked", None)
    scene.advance(minutes=100_000)
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=freeze_id, reason="all good"))
    assert scene.open(version) == {R1}
    assert scene.facts(RuleEvaluated)[-1].groups[0].verdict == "allowed"


def test_freeze_withdraws_unused_clearances_in_the_same_append_and_carries_the_gate() -> None:
    scene = Scene(R1, R2)
    version = scene.version("v1")
    scene.deploy(version, R1)
    scene.world.ask(SaveFreeze(reason="stop the line"))
    _, round_ = scene.world.rounds[-1]
    assert [type(one.fact) for one in round_.append.facts] == [FreezeSaved, ClearanceWithdrawn]
    assert GATE in tags_of(round_.append.facts[0].fact)
    assert scene.facts(ClearanceWithdrawn)[0].resource_ids == (R2,), "the job that was made already runs on"
    scene.world.run()
    assert scene.open(version) == set()


def test_freeze_elsewhere_makes_clearances_stale_and_they_are_issued_again() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    freeze(scene, scope="environment", scope_id=scene.staging)
    saved = next(one.position for one in scene.world.log if isinstance(one.fact, FreezeSaved))
    assert scene.facts(ClearanceWithdrawn) == []
    assert scene.facts(TargetsCleared)[-1].at >= saved
    assert scene.open(version) == {R1}


def test_of_overlapping_freezes_all_must_end() -> None:
    scene = Scene(R1)
    freeze(scene, minutes=10)
    second = freeze(scene, minutes=20, reason="audit")
    version = scene.version("v1")
    assert len([one for one in scene.standing(version, R1).reasons if one.rule_type == FREEZE]) == 2
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=second))
    assert scene.open(version) == {R1}


def test_thawed_one_of_two_freezes_leaves_the_other() -> None:
    scene = Scene(R1)
    first, second = freeze(scene), freeze(scene, reason="audit")
    version = scene.version("v1")
    scene.world.do(ThawFreeze(freeze_id=first))
    assert scene.open(version) == set()
    scene.world.do(ThawFreeze(freeze_id=second))
    assert scene.open(version) == {R1}


def test_extended_freeze_holds_until_its_new_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, minutes=10)
    version = scene.version("v1")
    scene.advance(minutes=9)
    scene.world.do(SaveFreeze(freeze_id=freeze_id, ends_at=scene.world.now + timedelta(minutes=11)))
    assert scene.state.freezes[freeze_id].saved.reason == "incident 42", "what is not named stays"
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.advance(minutes=1)
    assert scene.open(version) == {R1}


def test_shortened_freeze_ends_at_its_new_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    scene.world.do(SaveFreeze(freeze_id=freeze_id, ends_at=scene.world.now + timedelta(minutes=1)))
    scene.advance(minutes=1)
    assert scene.open(version) == {R1}


def test_freeze_says_nothing_of_targets_that_have_the_newest_version() -> None:
    scene = Scene(R1)
    version = scene.version("v1")
    scene.deploy(version, R1)
    before = len(scene.facts(RuleEvaluated))
    freeze(scene, minutes=10)
    scene.advance(minutes=10)
    assert len(scene.facts(RuleEvaluated)) == before


def test_freeze_and_approval_both_hold_and_both_are_told() -> None:
    scene = Scene(R1)
    scene.production_policy(approval())
    freeze(scene, minutes=10)
    version = scene.version("v1")
    assert {one.rule_type for one in scene.standing(version, R1).reasons if one.verdict != "allowed"} == {"anyApproval", FREEZE}
    scene.advance(minutes=10)
    assert scene.open(version) == set()
    scene.approve(version)
    assert scene.open(version) == {R1}


# --- scope ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope, name", [("environment", "staging"), ("deployment", "deployment"), ("system", "system")])
def test_freeze_holds_its_scope_alone(scope: str, name: str) -> None:
    scene = Scene(R1)
    scene.appear(R2, env=scene.staging)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze(scene, scope=scope, scope_id=getattr(scene, name))
    version = scene.version("v1")
    assert scene.open(version, scene.staging) == set()
    assert scene.open(version) == ({R1} if scope == "environment" else set())


def test_freeze_of_a_system_ends_for_an_environment_that_leaves_it() -> None:
    scene = Scene(R1)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze(scene, scope="system", scope_id=scene.system)
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.record(EnvironmentUnlinked(system_id=scene.system, environment_id=scene.production))
    assert scene.open(version) == {R1}


def test_freeze_whose_scope_was_deleted_holds_nothing_and_is_shown_as_dead() -> None:
    scene = Scene(R1)
    scene.record(SystemSaved(system_id=scene.system, name="shop", created_at=scene.world.now))
    freeze_id = freeze(scene, scope="system", scope_id=scene.system)
    version = scene.version("v1")
    assert effect(scene, freeze_id=freeze_id).dead is False
    scene.record(SystemDeleted(system_id=scene.system))
    assert scene.open(version) == {R1}
    held = effect(scene, freeze_id=freeze_id)
    assert (held.dead, held.active, held.targets) == (True, False, 0)


def test_freeze_of_a_deleted_deployment_is_dead() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, scope="deployment", scope_id=scene.deployment)
    scene.record(DeploymentDeleted(deployment_id=scene.deployment))
    assert effect(scene, freeze_id=freeze_id).dead is True


def test_selector_narrows_a_freeze_to_some_targets() -> None:
    scene = Scene()
    eu, us = scene.resource("eu", region="eu"), scene.resource("us", region="us")
    scene.appear(eu, us)
    freeze(scene, selector='resource.metadata.region == "eu" && environment.name == "production"')
    version = scene.version("v1")
    assert scene.open(version) == {us}


def test_missing_key_in_the_selector_does_not_hold() -> None:
    scene = Scene()
    bare = scene.resource("bare")
    scene.appear(bare)
    freeze(scene, selector='resource.metadata.region == "eu"')
    assert scene.open(scene.version("v1")) == {bare}


def test_any_other_error_of_the_selector_holds_and_is_told() -> None:
    scene = Scene()
    odd = scene.resource("odd", size="large")
    scene.appear(odd)
    freeze(scene, selector="int(resource.metadata.size) > 3")
    version = scene.version("v1")
    assert scene.open(version) == set()
    assert "can not be told" in scene.reason(FREEZE, version, odd).message


def test_resource_that_changes_leaves_or_enters_a_freeze() -> None:
    scene = Scene()
    moving = scene.resource("moving", region="eu")
    scene.appear(moving)
    freeze(scene, selector='resource.metadata.region == "eu"')
    version = scene.version("v1")
    assert scene.open(version) == set()
    scene.resource("moving", region="us")
    assert scene.open(version) == {moving}
    scene.resource("moving", region="eu")
    assert scene.open(version) == set()


# --- letting one version pass --------------------------------------------------------------------------------------------------


def test_override_lets_its_version_pass_and_no_other() -> None:
    scene = Scene(R1, R2)
    freeze_id = freeze(scene)
    first = scene.version("v1")
    let_pass(scene, freeze_id, first, minutes=10)
    assert scene.open(first) == {R1, R2}
    reason = scene.reason(FREEZE, first, R1)
    assert (reason.verdict, "the fix itself" in reason.message) == ("allowed", True)
    scene.deploy(first, R1)
    scene.advance(seconds=1)
    second = scene.version("v2")
    assert scene.open(second) == set()
    assert scene.open(first) == {R2}


def test_override_ends_at_its_very_end() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    let_pass(scene, freeze_id, version, minutes=10)
    assert scene.facts(TargetsCleared)[-1].valid_until == scene.world.now + timedelta(minutes=10)
    scene.advance(seconds=599.999)
    assert scene.open(version) == {R1}
    scene.advance(seconds=0.001)
    assert scene.open(version) == set()


def test_override_counts_where_it_was_given_alone() -> None:
    scene = Scene(R1, R2)
    scene.resource("r1", id_=R1)
    scene.resource("r2", id_=R2)
    freeze_id = freeze(scene)
    version = scene.version("v1")
    let_pass(scene, freeze_id, version, minutes=10, resource_id=R1)
    assert scene.open(version) == {R1}
    let_pass(scene, freeze_id, version, minutes=10, environment_id=scene.staging)
    assert scene.open(version) == {R1}


def test_override_of_one_of_two_freezes_is_not_enough() -> None:
    scene = Scene(R1)
    first, second = freeze(scene), freeze(scene, reason="audit")
    version = scene.version("v1")
    let_pass(scene, first, version, minutes=10)
    assert scene.open(version) == set()
    let_pass(scene, second, version, minutes=10)
    assert scene.open(version) == {R1}


# --- recurring -----------------------------------------------------------------------------------------------------------------

NIGHTLY = FreezeSaved(
    freeze_id="f", reason="backup", starts_at=datetime(2026, 3, 1, tzinfo=UTC), rrule="FREQ=DAILY;BYHOUR=22;BYMINUTE=0;BYSECOND=0",
    duration_minutes=120, timezone="Europe/Berlin", created_by="user:ana", created_at=datetime(2026, 3, 1, tzinfo=UTC),
)  # fmt: skip


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    "now, holds, change",
    [
        (at(28, 20, 59, 59), False, at(28, 21)),
        (at(28, 21), True, at(28, 23)),  # 22:00 in winter
        (at(28, 23), False, at(29, 20)),
        (at(29, 20), True, at(29, 22)),  # 22:00 in summer, which began that night
        (at(29, 22), False, at(30, 20)),
    ],
)
def test_recurring_freeze_keeps_its_wall_clock_over_a_change_of_clocks(now: datetime, holds: bool, change: datetime) -> None:
    spell = spell_of(NIGHTLY, now)
    assert (spell.holds, spell.next_change) == (holds, change)


def test_recurring_freeze_is_cut_at_its_start_and_end() -> None:
    cut = NIGHTLY.model_copy(update={"starts_at": at(10, 22), "ends_at": at(12, 22)})
    assert spell_of(cut, at(10, 21, 30)).next_change == at(10, 22), "an occurrence that began before counts from the start"
    assert spell_of(cut, at(10, 22)).holds
    assert spell_of(cut, at(12, 21, 30)).until == at(12, 22), "the last occurrence stops with the freeze"
    assert spell_of(cut, at(12, 22)).next_change is None


def test_recurring_freeze_holds_and_lets_go_by_itself() -> None:
    scene = Scene(R1)
    anchor = (scene.world.now + timedelta(minutes=30)).strftime("%Y%m%dT%H%M%SZ")
    freeze(scene, rrule=f"DTSTART:{anchor}\nFREQ=HOURLY;INTERVAL=2", duration_minutes=60)
    version = scene.version("v1")
    seen = []
    for _ in range(8):
        seen.append(scene.open(version) == {R1})
        scene.advance(minutes=30)
    assert seen == [True, False, False, True, True, False, False, True]


def test_rule_that_can_not_be_read_holds() -> None:
    spell = spell_of(NIGHTLY.model_copy(update={"rrule": "FREQ=SOMETIMES"}), at(10, 12))
    assert (spell.holds, bool(spell.problem)) == (True, True)


@given(
    starts=st.integers(0, 3_000),
    lasts=st.none() | st.integers(1, 10_000),
    minutes=st.integers(1, 2_000),
    rrule=st.none()
    | st.sampled_from(["FREQ=DAILY;BYHOUR=1", "FREQ=HOURLY;INTERVAL=7", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=30"]),
    now=st.integers(0, 40_000),
    step=st.integers(1, 40_000),
)
@settings(max_examples=80)
def test_freeze_changes_at_no_instant_that_it_has_not_named(
    starts: int, lasts: int | None, minutes: int, rrule: str | None, now: int, step: int
) -> None:
    begin = datetime(2026, 3, 20, tzinfo=UTC)
    starts_at = begin + timedelta(minutes=starts)
    saved = NIGHTLY.model_copy(
        update={
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=lasts) if lasts else None,
            "rrule": rrule,
            "duration_minutes": minutes,
        }
    )
    spell = spell_of(saved, begin + timedelta(minutes=now))
    later = begin + timedelta(minutes=now + step)
    if spell.next_change is None or later < spell.next_change:
        assert spell_of(saved, later).holds == spell.holds


# --- what it holds -------------------------------------------------------------------------------------------------------------


def test_effect_counts_targets_and_what_waits_before_and_after() -> None:
    scene = Scene(R1, R2)
    version = scene.version("v1")
    scene.deploy(version, R1)
    before = effect(scene)
    assert (before.targets, before.waiting, before.active) == (2, 1, False)
    assert [(one.version_id, one.targets) for one in before.rollouts] == [(version, 1)]
    freeze_id = freeze(scene, minutes=10)
    after = effect(scene, freeze_id=freeze_id)
    assert (after.targets, after.waiting, after.active) == (2, 1, True)
    assert after.next_change == scene.world.now + timedelta(minutes=10)
    assert after.rollouts == before.rollouts


def test_effect_of_what_is_not_there_is_refused() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    scene.world.do(ThawFreeze(freeze_id=freeze_id))
    for unknown in (freeze_id, uid("nothing")):
        with pytest.raises(Refused) as refused:
            effect(scene, freeze_id=unknown)
        assert refused.value.refusal.kind == "not_found"


# --- commands ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said, path",
    [
        ({"reason": " "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 3_000}, "reason"),
        ({"scope": "environment"}, "scopeId"),
        ({"scope": "environment", "scope_id": uid("nothing")}, "scopeId"),
        ({"scope": "system", "scope_id": uid("nothing")}, "scopeId"),
        ({"scope": "deployment", "scope_id": uid("nothing")}, "scopeId"),
        ({"scope_id": uid("nothing")}, "scopeId"),
        ({"selector": "resource.name =="}, "selector"),
        ({"selector": 'version.tag == "v1"'}, "selector"),
        ({"selector": "nobody.name"}, "selector"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"ends_at": "2020-01-01T00:00:00Z", "starts_at": "2019-01-01T00:00:00Z"}, "endsAt"),
        ({"ends_at": "2030-01-01T00:00:00Z", "starts_at": "2030-01-01T00:00:00Z"}, "endsAt"),
        ({"ends_at": "2030-01-01T00:00:00"}, "endsAt"),
        ({"starts_at": "2030-01-01T00:00:00"}, "startsAt"),
        ({"rrule": "FREQ=DAILY"}, "durationMinutes"),
        ({"duration_minutes": 5}, "durationMinutes"),
        ({"timezone": "Europe/Berlin"}, "timezone"),
        ({"rrule": "FREQ=SOMETIMES", "duration_minutes": 5}, "rrule"),
        ({"rrule": "FREQ=DAILY", "duration_minutes": 0}, "durationMinutes"),
        ({"rrule": "FREQ=DAILY", "duration_minutes": 5, "timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_freeze_that_makes_no_sense_is_refused_with_the_path(said: dict[str, Any], path: str) -> None:
    scene = Scene(R1)
    before = len(scene.world.log)
    with pytest.raises(Refused) as refused:
        scene.world.ask(SaveFreeze.model_validate({"reason": "incident", **said}))
    refusal = refused.value.refusal
    assert (refusal.kind, refusal.details[0]["path"]) == ("invalid", f"/body/{path}")
    assert len(scene.world.log) == before


@pytest.mark.parametrize(
    "said, path",
    [
        ({"version_id": uid("nothing")}, "versionId"),
        ({"environment_id": uid("nothing")}, "environmentId"),
        ({"resource_id": uid("nothing")}, "resourceId"),
        ({"reason": ""}, "reason"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expires_at": "2090-01-01T00:00:00"}, "expiresAt"),
    ],
)
def test_override_that_makes_no_sense_is_refused_with_the_path(said: dict[str, Any], path: str) -> None:
    scene = Scene(R1)
    freeze_id, version = freeze(scene), scene.version("v1")
    wish = {"freeze_id": freeze_id, "version_id": version, "reason": "why", "expires_at": "2090-01-01T00:00:00Z", **said}
    with pytest.raises(Refused) as refused:
        scene.world.ask(OverrideFreeze.model_validate(wish))
    assert refused.value.refusal.details[0]["path"] == f"/body/{path}"


def test_thawed_freeze_is_changed_no_more_and_thawed_again_without_effect() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    scene.world.do(ThawFreeze(freeze_id=freeze_id))
    facts = len(scene.world.log)
    scene.world.do(ThawFreeze(freeze_id=freeze_id))
    assert len(scene.world.log) == facts
    with pytest.raises(Refused) as refused:
        scene.world.ask(SaveFreeze(freeze_id=freeze_id, reason="again"))
    assert refused.value.refusal.kind == "conflict"
    with pytest.raises(Refused) as refused:
        scene.world.ask(ThawFreeze(freeze_id=uid("nothing")))
    assert refused.value.refusal.kind == "not_found"


def test_same_freeze_again_appends_nothing() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene)
    facts = len(scene.world.log)
    scene.world.do(SaveFreeze(freeze_id=freeze_id, reason="incident 42"))
    assert len(scene.world.log) == facts


def test_empty_text_takes_selector_link_and_recurrence_away() -> None:
    scene = Scene(R1)
    freeze_id = freeze(
        scene, selector="true", link="https://a.example", rrule="FREQ=DAILY", duration_minutes=5, timezone="Europe/Berlin"
    )
    scene.world.do(SaveFreeze(freeze_id=freeze_id, selector="", link="", rrule=""))
    saved = scene.state.freezes[freeze_id].saved
    assert (saved.selector, saved.link, saved.rrule, saved.duration_minutes, saved.timezone) == (None,) * 5


def test_end_that_is_taken_away_ends_nothing() -> None:
    scene = Scene(R1)
    freeze_id = freeze(scene, minutes=10)
    scene.world.do(SaveFreeze(freeze_id=freeze_id, without_end=True))
    version = scene.version("v1")
    scene.world.advance(timedelta(hours=1))
    assert (scene.state.freezes[freeze_id].saved.ends_at, scene.open(version)) == (None, set())
    scene.world.do(SaveFreeze(freeze_id=freeze_id, ends_at=scene.world.now + timedelta(minutes=1)))
    scene.world.advance(timedelta(minutes=1))
    assert scene.open(version) == {R1}
