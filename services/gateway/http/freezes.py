"""Freezes: making, changing and thawing them, letting a version pass one, and what one holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.commands.policy.freezes import FreezeEffect, HeldTargets, OverrideFreeze, SaveFreeze, ThawFreeze
from contracts.shapes import Json
from services.gateway.freezes import standings
from services.gateway.http import answers, bodies
from services.gateway.http.bodies.freezes import FreezeBody
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import cut, page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, Unprocessable, finding
from services.gateway.http.telling import told
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("freezes")

_SCOPES: Final[dict[str, Table]] = {"system": "system", "environment": "environment", "deployment": "deployment"}
"""Where what a freeze is for stands."""


async def _shown(call: Call, rows: Sequence[Json]) -> list[Json]:
    """Rows with how they stand now; reading many recurring ones takes a while, so that it is done beside everything else."""
    present: set[str] = set()
    for scope, table in _SCOPES.items():
        ids = sorted({one["scopeId"] for one in rows if one["scope"] == scope})
        present.update(await call.store.many(call.workspace_id, table, ids) if ids else ())
    return await asyncio.to_thread(standings, rows, call.now(), present)


async def _freeze(call: Call, freeze_id: str) -> Json:
    row = await call.store.get(call.workspace_id, "freeze", freeze_id)
    if row is None:
        raise NotFound("Freeze")
    return (await _shown(call, [row]))[0]


def _wish(call: Call, body: FreezeBody, freeze_id: str | None = None) -> SaveFreeze:
    return SaveFreeze(
        freeze_id=freeze_id,
        scope=body.scope,
        scope_id=body.scope_id,
        selector=body.selector,
        reason=body.reason,
        link=body.link,
        starts_at=body.starts_at,
        ends_at=_end(call, body),
        without_end=isinstance(body, bodies.ChangeFreeze) and body.has_no_end,
        rrule=body.rrule,
        duration_minutes=body.duration_minutes,
        timezone=body.timezone,
        holds_rollbacks=body.holds_rollbacks,
    )


def _end(call: Call, body: FreezeBody) -> datetime | None:
    """Until when. Raises: Unprocessable: it is said twice."""
    if body.expires_in is None:
        return body.ends_at
    if "ends_at" in body.model_fields_set:
        raise Unprocessable([finding("/body/expiresIn", "says the same as endsAt: leave one of them out", "format")])
    return call.deps.clock() + body.expires_in


@routes.add("GET", "/freezes", answers={200: answers.Page[answers.Freeze]}, query=bodies.Paging)
async def list_freezes(call: Call) -> Reply:
    """Freezes, those that were thawed or are over too, newest first."""
    paging: bodies.Paging = call.query
    page = await call.store.find(call.workspace_id, "freeze", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
    return page_of(await _shown(call, page.items), page.total, paging)


@routes.add("POST", "/freezes", answers={202: answers.Freeze}, body=bodies.CreateFreeze)
async def create_freeze(call: Call) -> Reply:
    """Let nothing be deployed in a scope for a time."""
    made = await call.ask(_wish(call, call.body))
    return Reply(202, await _freeze(call, made["id"]))


# Declared before what is asked by id, since "active" would be one.
@routes.add("GET", "/freezes/active", answers={200: answers.Page[answers.Freeze]}, query=bodies.Paging)
async def list_active_freezes(call: Call) -> Reply:
    """The freezes that hold now, newest first."""
    page = await call.store.find(call.workspace_id, "freeze", where={"$state": "open"}, order=NEWEST_FIRST)
    return cut([one for one in await _shown(call, page.items) if one["active"]], call.query)


@routes.add("POST", "/freezes/effect", answers={200: answers.HeldTargets}, body=bodies.FreezePreview, past=True)
async def preview_freeze(call: Call) -> Reply:
    """What a freeze would hold, before there is one."""
    body: bodies.FreezePreview = call.body
    return Reply(200, await _effect(call, FreezeEffect(scope=body.scope, scope_id=body.scope_id, selector=body.selector)))


@routes.add("GET", "/freezes/{freezeId}", answers={200: answers.FreezeWithOverrides})
async def get_freeze(call: Call) -> Reply:
    """A freeze, with the versions that may pass it."""
    freeze_id = call.id("freezeId", "Freeze")
    freeze = await _freeze(call, freeze_id)
    overrides = await call.store.among(call.workspace_id, "freeze_override", "freezeId", [freeze_id])
    return Reply(200, {**freeze, "overrides": [shown(one) for one in overrides]})


@routes.add("PATCH", "/freezes/{freezeId}", answers={202: answers.Freeze}, body=bodies.ChangeFreeze)
async def change_freeze(call: Call) -> Reply:
    """Change a freeze that was not thawed; what is left out stays, and an end that is null is taken away."""
    saved = await call.ask(_wish(call, call.body, call.id("freezeId", "Freeze")))
    return Reply(202, await _freeze(call, saved["id"]))


@routes.add("POST", "/freezes/{freezeId}/thaw", answers={202: answers.Freeze}, body=bodies.ThawBody)
async def thaw_freeze(call: Call) -> Reply:
    """End a freeze now; again changes nothing."""
    thawed = await call.ask(ThawFreeze(freeze_id=call.id("freezeId", "Freeze"), reason=call.body.reason))
    return Reply(202, await _freeze(call, thawed["id"]))


@routes.add("POST", "/freezes/{freezeId}/overrides", answers={202: answers.FreezeOverride}, body=bodies.OverrideBody)
async def override_freeze(call: Call) -> Reply:
    """Let one version pass a freeze until an instant."""
    body: bodies.OverrideBody = call.body
    wish = OverrideFreeze(
        freeze_id=call.id("freezeId", "Freeze"),
        version_id=body.version_id,
        environment_id=body.environment_id,
        resource_id=body.resource_id,
        reason=body.reason,
        expires_at=body.expires_at,
    )
    made = await call.ask(wish)
    return Reply(202, await call.row("freeze_override", made["id"], "Override"))


@routes.add("GET", "/freezes/{freezeId}/effect", answers={200: answers.HeldTargets})
async def get_freeze_effect(call: Call) -> Reply:
    """What a freeze holds: its targets, and the rollouts that wait because of it or would."""
    return Reply(200, await _effect(call, FreezeEffect(freeze_id=call.id("freezeId", "Freeze"))))


@routes.add("POST", "/stop-the-line", answers={202: answers.StoppedLine}, body=bodies.StopBody)
async def stop_the_line(call: Call) -> Reply:
    """Freeze the whole workspace in one call, and tell what that holds."""
    body: bodies.StopBody = call.body
    before = await _effect(call, FreezeEffect())
    made = await call.ask(SaveFreeze(scope="workspace", reason=body.reason, link=body.link))
    after = await _effect(call, FreezeEffect(freeze_id=made["id"]))
    return Reply(202, {"freeze": await _freeze(call, made["id"]), "before": before, "after": after})


async def _effect(call: Call, query: FreezeEffect) -> Json:
    return told(HeldTargets.model_validate(await call.look(query)))
