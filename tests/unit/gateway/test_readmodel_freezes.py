"""What facts about freezes and skips do to the read tables, and how a freeze stands at an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.fact import Fact
from contracts.facts import policy
from services.gateway.freezes import standing
from services.gateway.views import shown
from tests.unit.gateway.readmodel_scenes import (
    AT,
    FREEZE,
    OVERRIDE,
    SKIP,
    STAMP,
    WORKSPACE,
    D,
    E,
    V,
    freeze,
    overridden,
    project,
    skip,
    thawed,
    uid,
)

HOUR = timedelta(hours=1)


async def stands(*facts: Fact, at: datetime = AT, present: tuple[str, ...] = ()) -> Any:
    row = await (await project(*facts)).get(WORKSPACE, "freeze", FREEZE)
    assert row is not None
    return standing(row, at, present)


async def test_a_freeze_is_shown_as_people_described_it() -> None:
    assert await stands(freeze()) == {
        "id": FREEZE,
        "workspaceId": WORKSPACE,
        "scope": "workspace",
        "reason": "incident",
        "startsAt": STAMP,
        "holdsRollbacks": False,
        "createdBy": "user:a",
        "createdAt": STAMP,
        "active": True,
        "dead": False,
    }
    recurring = freeze(rrule="FREQ=DAILY", duration_minutes=30, timezone="UTC", link="https://example.org", selector="true")
    told = await stands(recurring)
    assert [told[name] for name in ("rrule", "durationMinutes", "timezone", "link", "selector")] == [
        "FREQ=DAILY", 30, "UTC", "https://example.org", "true",
    ]  # fmt: skip


async def test_a_freeze_holds_from_its_start_inclusive_until_its_end_exclusive() -> None:
    saved = freeze(starts_at=AT + HOUR, ends_at=AT + 2 * HOUR)
    moments = [AT, AT + HOUR, AT + 2 * HOUR - timedelta(microseconds=1), AT + 2 * HOUR]
    told = [await stands(saved, at=at) for at in moments]
    assert [one["active"] for one in told] == [False, True, True, False]
    assert [one.get("nextChange") for one in told] == [told[0]["startsAt"], told[0]["endsAt"], told[0]["endsAt"], None]


async def test_a_change_replaces_the_whole_document() -> None:
    told = await stands(freeze(link="https://example.org", ends_at=AT + HOUR), freeze("another"))
    assert (told["reason"], "link" in told, "endsAt" in told) == ("another", False, False)


@pytest.mark.parametrize("reason,shown_reason", [("over", "over"), ("", None)])
async def test_a_freeze_that_was_thawed_stays_in_sight_and_holds_nothing(reason: str, shown_reason: str | None) -> None:
    told = await stands(freeze(ends_at=AT + 9 * HOUR), thawed(reason))
    assert (told["active"], told["thawedBy"], told["thawedAt"]) == (False, "user:b", "2026-01-01T13:00:00.123Z")
    assert (told.get("thawReason"), "nextChange" in told) == (shown_reason, False)


async def test_a_freeze_for_what_is_gone_is_dead() -> None:
    of = freeze(scope="deployment", scope_id=D)
    alive, dead = await stands(of, present=(D,)), await stands(of, present=(E,))
    assert [(one["active"], one["dead"]) for one in (alive, dead)] == [(True, False), (False, True)]


async def test_an_override_is_found_by_its_freeze() -> None:
    rows = await project(freeze(), overridden(E))
    (found,) = await rows.among(WORKSPACE, "freeze_override", "freezeId", [FREEZE])
    assert shown(found) == {
        "id": OVERRIDE,
        "freezeId": FREEZE,
        "versionId": V,
        "environmentId": E,
        "reason": "the fix",
        "createdBy": "user:a",
        "expiresAt": "2026-01-01T14:00:00.123Z",
        "createdAt": STAMP,
    }


async def test_a_skip_is_shown_until_it_is_taken_back() -> None:
    row = await (await project(skip(E, reason="fine", expires_at=AT + HOUR))).get(WORKSPACE, "skip", SKIP)
    assert row is not None
    assert shown(row) == {
        "id": SKIP,
        "workspaceId": WORKSPACE,
        "versionId": V,
        "ruleId": uid(21),
        "environmentId": E,
        "reason": "fine",
        "createdBy": "user:a",
        "expiresAt": "2026-01-01T13:00:00.123Z",
        "createdAt": STAMP,
    }
    assert await (await project(skip(), policy.SkipDeleted(skip_id=SKIP))).get(WORKSPACE, "skip", SKIP) is None
