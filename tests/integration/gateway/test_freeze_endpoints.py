"""Stopping what is deployed and letting it go again, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_choice_endpoints import posted, runs, state_of
from tests.integration.gateway.test_story_in_process import shop

LATER = "2100-01-01T00:00:00.000Z"


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def held_by_freeze(one: House, version: str, environment: str) -> Any:
    path = f"/deployment-versions/{version}/environments/{environment}/explanation"
    return await one.until(
        lambda: one.call("GET", path, want=200), lambda seen: seen["total"] == 1 and seen["waiting"] + seen["blocked"] == 1
    )


async def test_a_stopped_line_holds_versions_until_it_is_thawed(one: House) -> None:
    ids = await shop(one)
    await posted(one, ids["deployment"], "v1")
    await state_of(one, ids, runs("v1"))
    stopped = await one.call("POST", "/stop-the-line", {"reason": "database on fire"}, want=202)
    freeze = stopped["freeze"]
    assert (stopped["before"]["targets"], stopped["after"]["targets"], stopped["after"]["active"]) == (1, 1, True)
    second = await posted(one, ids["deployment"], "v2")
    told = await held_by_freeze(one, second, ids["environment"])
    assert "database on fire" in " ".join(reason["message"] for reason in told["reasons"])
    effect = await one.until(
        lambda: one.call("GET", f"/freezes/{freeze['id']}/effect", want=200), lambda seen: seen["waiting"] == 1
    )
    assert effect["rollouts"] == [
        {"deploymentId": ids["deployment"], "environmentId": ids["environment"], "versionId": second, "targets": 1}
    ]
    thawed = await one.call("POST", f"/freezes/{freeze['id']}/thaw", want=202)
    assert (thawed["active"], thawed["thawedBy"]) == (False, freeze["createdBy"])
    await state_of(one, ids, runs("v2"))
    # Again changes nothing, and what was thawed holds nothing.
    assert await one.call("POST", f"/freezes/{freeze['id']}/thaw", want=202) == thawed
    over = await one.call("GET", f"/freezes/{freeze['id']}/effect", want=200)
    assert (over["targets"], over["waiting"], over["active"]) == (0, 0, False)
    await one.call("PATCH", f"/freezes/{freeze['id']}", {"reason": "again"}, want=409)


async def test_an_override_lets_one_version_pass(one: House) -> None:
    ids = await shop(one)
    freeze = await one.call("POST", "/freezes", {"reason": "holidays", "scope": "system", "scopeId": ids["system"]}, want=202)
    version = await posted(one, ids["deployment"], "v1")
    await held_by_freeze(one, version, ids["environment"])
    body = {"versionId": version, "reason": "the fix", "expiresAt": LATER}
    override = await one.call("POST", f"/freezes/{freeze['id']}/overrides", body, want=202)
    await state_of(one, ids, runs("v1"))
    assert (await one.call("GET", f"/freezes/{freeze['id']}", want=200))["overrides"] == [override]


async def test_a_freeze_is_dead_once_what_it_is_for_is_gone(one: House) -> None:
    environment = (await one.call("POST", "/environments", {"name": "prod"}, want=202))["id"]
    body = {"reason": "r", "scope": "environment", "scopeId": environment.upper(), "endsAt": LATER}
    freeze = await one.call("POST", "/freezes", body, want=202)
    assert (freeze["scopeId"], freeze["active"], freeze["dead"]) == (environment, True, False)
    await one.call("DELETE", f"/environments/{environment}", want=202)
    dead = await one.call("GET", f"/freezes/{freeze['id']}", want=200)
    assert (dead["active"], dead["dead"], "nextChange" in dead) == (False, True, False)
    assert (await one.call("GET", "/freezes/active", want=200))["items"] == []
    assert (await one.call("GET", f"/freezes/{freeze['id']}/effect", want=200))["dead"] is True


async def test_a_freeze_that_recurs_says_when_it_holds_next(one: House) -> None:
    body = {"reason": "nights", "startsAt": "2099-06-01T00:00:00Z", "rrule": "FREQ=DAILY;BYHOUR=22", "durationMinutes": 480}
    freeze = await one.call("POST", "/freezes", {**body, "timezone": "Europe/Berlin"}, want=202)
    # Ten in the evening in summer; the evening before the start does not count.
    assert (freeze["active"], freeze["nextChange"]) == (False, "2099-06-01T20:00:00.000Z")


@pytest.mark.parametrize(
    "wrong,field",
    [
        ({"expiresIn": "P1M"}, "expiresIn"),
        ({"expiresIn": "PT0S"}, "expiresIn"),
        ({"expiresIn": "PT1H", "endsAt": LATER}, "expiresIn"),
        ({"scope": "system"}, "scopeId"),
        ({"scope": "system", "scopeId": str(uuid4())}, "scopeId"),
        ({"reason": " "}, "reason"),
        ({"selector": "resource."}, "selector"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"startsAt": LATER, "endsAt": LATER}, "endsAt"),
        ({"rrule": "FREQ=NEVER", "durationMinutes": 1}, "rrule"),
        ({"rrule": "FREQ=DAILY", "durationMinutes": 1, "timezone": "Mars/Base"}, "timezone"),
        ({"durationMinutes": 0}, "durationMinutes"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(one: House, wrong: dict[str, Any], field: str) -> None:
    refused = await one.call("POST", "/freezes", {"reason": "r", **wrong}, want=400)
    assert refused["details"][0]["path"] == f"/body/{field}"
    assert (await one.call("GET", "/freezes", want=200))["total"] == 0
