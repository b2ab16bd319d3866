"""Freezes that come again: by the wall clock of their zone, cut at their start and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.facts.policy import FreezeSaved
from libs.freezes import spell_of
from tests.unit.policy.freeze_scenes import R1, freeze
from tests.unit.policy.policy_scenes import Scene

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
