"""What people say of freezes: refused with the path where it makes no sense, and without effect when said twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.command import Refused
from contracts.commands.policy.freezes import OverrideFreeze, SaveFreeze, ThawFreeze
from tests.unit.policy.freeze_scenes import R1, freeze
from tests.unit.policy.policy_scenes import Scene, uid


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
