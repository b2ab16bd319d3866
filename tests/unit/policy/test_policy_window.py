"""deploymentWindow: when it opens and closes, what it shifts, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput
from contracts.facts.policy import ClearanceWithdrawn, TargetsCleared
from contracts.shapes import DeploymentWindow, Rule
from libs.recurrence import MalformedRule, read_recurrence
from services.policy.instants import lasting
from services.policy.window import judge_window
from tests.unit.policy.policy_scenes import Scene, approval, linear, uid

R1, R2, R3 = (uid(f"resource r{n}") for n in (1, 2, 3))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hour, minutes=minute)


def judged(
    now: datetime, rrule: str = "FREQ=DAILY;BYHOUR=9", *, minutes: int = 480, allow: bool = True, zone: str | None = None
) -> tuple[str, datetime | None]:
    body = DeploymentWindow(rrule=rrule, duration_minutes=minutes, allow_window=allow, timezone=zone)
    finding = judge_window(body, Rule(id=uid("rule"), created_at="2026-01-15T13:37:11Z", deployment_window=body), now)
    return finding.verdict, finding.look_again_at


def test_win_allow_inside() -> None:
    assert judged(at(10)) == ("allowed", at(17))


def test_win_allow_outside_pending() -> None:
    assert judged(at(18)) == ("waiting", at(9, days=1))


def test_win_deny_inside_pending() -> None:
    assert judged(at(10), allow=False) == ("waiting", at(17))


def test_win_deny_outside() -> None:
    assert judged(at(18), allow=False) == ("allowed", at(9, days=1))


def test_win_opens_and_closes_at_the_very_instant() -> None:
    tick = timedelta(microseconds=1)
    assert [judged(one)[0] for one in (at(9) - tick, at(9), at(17) - tick, at(17))] == [
        "waiting",
        "allowed",
        "allowed",
        "waiting",
    ]


def test_win_default_is_allow() -> None:
    body = DeploymentWindow.model_validate({"rrule": "FREQ=DAILY", "durationMinutes": 1})
    assert body.allow_window


@pytest.mark.parametrize(
    "zone, hour",
    [("Asia/Tokyo", 0), ("America/New_York", 14), ("Europe/London", 9), ("Asia/Kolkata", 3.5), (None, 9), ("", 9)],
)
def test_win_timezones(zone: str | None, hour: float) -> None:
    opens = MONDAY + timedelta(hours=hour)
    assert judged(opens, zone=zone) == ("allowed", opens + timedelta(hours=8))
    assert judged(opens - timedelta(minutes=1), minutes=60, zone=zone) == ("waiting", opens)


@pytest.mark.parametrize("zone", [None, ""])
def test_win_bad_timezone_utc_where_none_is_named(zone: str | None) -> None:
    assert judged(at(9), zone=zone) == ("allowed", at(17))
    assert judged(at(8), minutes=60, zone=zone) == ("waiting", at(9))


@pytest.mark.parametrize("zone", ["Mars/Olympus", " ", "UTC+25", "Europe/berlin/"])
def test_win_bad_timezone_utc_is_no_guess_for_an_unknown_one(zone: str) -> None:
    """A zone that nobody knows is refused when it is saved; where one exists all the same, its window blocks."""
    assert judged(at(9), zone=zone) == ("blocked", None)
    scene = Scene(R1)
    body = DeploymentWindow(rrule="FREQ=DAILY", duration_minutes=60, timezone=zone)
    with pytest.raises(Refused) as refused:
        scene.policy(RuleInput(deployment_window=body))
    assert [one["path"] for one in refused.value.refusal.details] == ["/body/rules/0/deploymentWindow/timezone"]


def test_win_dst_wall_clock() -> None:
    before, after = datetime(2026, 3, 28, 8, tzinfo=UTC), datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert judged(before, minutes=60, zone="Europe/Berlin") == ("allowed", before + timedelta(hours=1))
    assert judged(before + timedelta(hours=2), minutes=60, zone="Europe/Berlin") == ("waiting", after)


def test_win_time_that_the_clock_jumps_over_comes_as_much_later() -> None:
    jumped = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    rule = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
    assert judged(jumped - timedelta(minutes=5), rule, minutes=10, zone="Europe/Berlin") == ("waiting", jumped)


def test_win_daily_byhour_open_since_earlier() -> None:
    assert judged(at(16, 59))[0] == "allowed"
    assert judged(at(3), "FREQ=DAILY;BYHOUR=22")[0] == "allowed"


def test_win_weekly_business_hours() -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9"
    assert judged(at(10, days=4), rule)[0] == "allowed"
    assert judged(at(10, days=5), rule) == ("waiting", at(9, days=7))


def test_win_sunday_maintenance() -> None:
    rule = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2"
    assert judged(at(3, days=6), rule, minutes=120, allow=False) == ("waiting", at(4, days=6))
    assert judged(at(3), rule, minutes=120, allow=False) == ("allowed", at(2, days=6))


def test_win_without_dtstart_is_anchored_at_midnight_of_the_day_of_the_rule() -> None:
    assert judged(at(0), "FREQ=DAILY", minutes=60) == ("allowed", at(1))
    every_other = "FREQ=DAILY;INTERVAL=2"  # 46 days after the day of the rule
    assert [judged(at(0, 30, days=n), every_other, minutes=60)[0] for n in range(4)] == ["allowed", "waiting"] * 2


def test_win_dtstart_is_respected() -> None:
    later_on = "DTSTART:20260304T120000Z\nRRULE:FREQ=DAILY"
    assert judged(at(13), later_on, minutes=60) == ("waiting", at(12, days=2))
    berlin = "DTSTART;TZID=Europe/Berlin:20260101T090000\nFREQ=DAILY"
    assert judged(at(8), berlin, minutes=60) == ("allowed", at(9))


def test_win_spans_that_touch_are_one() -> None:
    assert judged(at(10), "FREQ=DAILY;BYHOUR=9,10,11", minutes=60) == ("allowed", at(12))


def test_win_no_future_occurrence() -> None:
    assert judged(at(10), "DTSTART:20260101T090000Z\nFREQ=DAILY;COUNT=3", minutes=60) == ("waiting", None)
    assert judged(at(10), "DTSTART:20260101T090000Z\nFREQ=DAILY;UNTIL=20260105", minutes=60) == ("waiting", None)


def test_win_detail_fields_and_duration_text() -> None:
    texts = [lasting(timedelta(seconds=one)) for one in (45, 720, 10_800, 11_100, 172_800, 183_600)]
    assert texts == ["45s", "12m", "3h", "3h 5m", "2d", "2d 3h"]


def test_win_rule_that_can_not_be_read_blocks() -> None:
    assert judged(at(10), "FREQ=NEVER")[0] == "blocked"
    assert judged(at(10), zone="Mars/Olympus")[0] == "blocked"


# --- what is refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rrule, zone, field, said",
    [
        ("not a rule", None, "rrule", "no part of a rule"),
        ("", None, "rrule", "There is no rule"),
        ("FREQ=FORTNIGHTLY", None, "rrule", "FREQ is 'FORTNIGHTLY'"),
        ("FREQ=DAILY;BYHOUR=25", None, "rrule", "BYHOUR is '25'"),
        ("FREQ=DAILY;FREQ=DAILY", None, "rrule", "twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101", None, "rrule", "exclude each other"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", None, "rrule", "never happens"),
        ("FREQ=WEEKLY;BYDAY=2MO", None, "rrule", "only MONTHLY and YEARLY"),
        ("FREQ=SECONDLY", None, "rrule", "leaves no gap"),
        ("FREQ=DAILY;COUNT=2000000000", None, "rrule", "from 1 to 10000"),
        ("FREQ=MINUTELY;BYMONTH=2", None, "rrule", "can not have BYMONTH"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))) + ";BYSECOND=0,30",
         None, "rrule", "2880 times a day"),
        ("DTSTART:yesterday\nFREQ=DAILY", None, "rrule", "DTSTART is 'YESTERDAY'"),
        ("FREQ=DAILY", "Mars/Olympus", "timezone", "no time zone"),
        ("FREQ=DAILY", "../etc/passwd", "timezone", "no time zone"),
    ],
)  # fmt: skip
def test_win_bad_rrule(rrule: str, zone: str | None, field: str, said: str) -> None:
    scene = Scene(R1)
    body = DeploymentWindow(rrule=rrule, duration_minutes=60, timezone=zone)
    with pytest.raises(Refused) as refused:
        scene.policy(approval(), RuleInput(deployment_window=body))
    (detail,) = refused.value.refusal.details
    assert detail["path"] == f"/body/rules/1/deploymentWindow/{field}"
    assert said in detail["message"]
    assert not scene.state.policies


def test_win_longer_than_a_year_is_refused() -> None:
    with pytest.raises(MalformedRule, match="from 1 to 527040 minutes"):
        read_recurrence("FREQ=DAILY", None, 2**31 - 1, MONDAY)


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    "rrule",
    [
        "DTSTART:19000101T000000Z\nFREQ=MINUTELY",
        "DTSTART:19000101T000000Z\nFREQ=MINUTELY;COUNT=10000",
        "FREQ=YEARLY;INTERVAL=1000000",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=1;BYMONTH=7",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=DAILY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MINUTELY;INTERVAL=999983",
    ],
)
def test_win_hostile_rules_come_to_an_end(rrule: str) -> None:
    assert judged(at(10), rrule, minutes=1)[0] in ("allowed", "waiting", "blocked")


# --- in a workspace ------------------------------------------------------------------------------------------------------------


def window(scene: Scene, *, opens_in: float, lasts: int = 60, allow: bool = True) -> RuleInput:
    """A daily window that opens so many minutes from now."""
    start = scene.world.now + timedelta(minutes=opens_in)
    rrule = f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY"
    return RuleInput(deployment_window=DeploymentWindow(rrule=rrule, duration_minutes=lasts, allow_window=allow))


@pytest.mark.parametrize("allow", [True, False])
def test_win_first_deployment_bypass_is_none(allow: bool) -> None:
    """Windows bind first deployments, so the opposite of the reference's `win_first_deployment_bypass` holds."""
    scene = Scene(R1)
    scene.production_policy(window(scene, opens_in=60 if allow else 0, allow=allow))
    assert scene.open(scene.version("v1")) == set()


def test_win_requeue_then_open() -> None:
    scene = Scene(R1, R2)
    scene.production_policy(window(scene, opens_in=30))
    v1 = scene.version("v1")
    opening = scene.world.now + timedelta(minutes=30)
    assert scene.reason("deploymentWindow", v1, R1).look_again_at == opening
    scene.advance(minutes=29)
    assert scene.cleared(v1) == []
    scene.advance(minutes=1)
    assert scene.open(v1) == {R1, R2}
    assert [one.valid_until for one in scene.facts(TargetsCleared)] == [opening + timedelta(hours=1)]


def test_win_all_versions_blocked() -> None:
    scene = Scene(R1)
    scene.production_policy(window(scene, opens_in=30))
    scene.version("v1"), scene.version("v2")
    assert not scene.facts(TargetsCleared)


def test_win_closes_before_the_job_is_made() -> None:
    scene = Scene(R1)
    scene.production_policy(window(scene, opens_in=0, lasts=10))
    v1 = scene.version("v1")
    scene.advance(minutes=10)
    assert scene.open(v1) == set()
    assert [one.version_id for one in scene.facts(ClearanceWithdrawn)] == [v1]
    scene.advance(minutes=24 * 60 - 10)
    assert scene.open(v1) == {R1}


def test_win_deny_beats_allow() -> None:
    scene = Scene(R1)
    scene.production_policy(window(scene, opens_in=0), window(scene, opens_in=0, lasts=20, allow=False))
    v1 = scene.version("v1")
    assert scene.open(v1) == set()
    scene.advance(minutes=20)
    assert scene.open(v1) == {R1}


def test_roll_allow_window_shifts_start() -> None:
    scene = Scene(R1, R2, R3)
    scene.production_policy(linear(60), window(scene, opens_in=30))
    v1 = scene.version("v1")
    scene.advance(minutes=30)
    assert len(scene.cleared(v1)) == 1
    scene.advance(minutes=1)
    assert len(scene.cleared(v1)) == 2


def test_roll_deny_window_shifts_start() -> None:
    scene = Scene(R1, R2, R3)
    scene.production_policy(linear(60), window(scene, opens_in=0, lasts=45, allow=False))
    v1 = scene.version("v1")
    scene.advance(minutes=45)
    assert len(scene.cleared(v1)) == 1
    scene.advance(minutes=1)
    assert len(scene.cleared(v1)) == 2


def test_roll_window_no_frontloading() -> None:
    scene = Scene(R1, R2, R3)
    scene.production_policy(approval(), linear(600), window(scene, opens_in=180))
    v1 = scene.version("v1")
    scene.approve(v1)
    scene.advance(minutes=180)
    assert len(scene.cleared(v1)) == 1
    scene.advance(minutes=20)
    assert len(scene.cleared(v1)) == 3


def test_roll_window_ignored_on_first_deploy_is_not_so() -> None:
    """Windows bind first deployments, so the opposite of the reference's `roll_window_ignored_on_first_deploy` holds."""
    scene = Scene(R1, R2)
    scene.production_policy(linear(600), window(scene, opens_in=60))
    v1 = scene.version("v1")
    scene.advance(minutes=60)
    assert len(scene.cleared(v1)) == 1
