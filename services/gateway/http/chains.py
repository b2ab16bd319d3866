"""What led to a fact, and what it led to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import orjson
from starlette.responses import Response

from contracts.documents import stamp
from contracts.envelope import Recorded
from libs.eventlog.port import EventLog
from services.gateway.http import answers
from services.gateway.http.call import Call
from services.gateway.http.events import event
from services.gateway.http.naming import about, names_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound

routes = Routes("events")

_MOST_CAUSES: Final = 50
_MOST_EFFECTS: Final = 200
_MOST_STEPS: Final = 20
"""How far effects of effects are followed; a version that goes through ten environments comes to that."""


@routes.add("GET", "/events/{position}/chain", answers={200: answers.EventChain})
async def get_event_chain(call: Call) -> Response:
    """The fact at a position, the facts that led to it, and those that it led to, as far as there were any then."""
    log, where = call.deps.log, call.workspace_id
    position = int(told) if (told := call.path["position"]).isascii() and told.isdigit() and len(told) <= 15 else 0
    last = call.as_of.position if call.as_of is not None else await log.head(where)
    found = await log.read(where, position - 1, 1) if 1 <= position <= last else []
    if not found:
        raise NotFound("Event")
    causes = await _causes(log, where, found[0])
    effects, more = await _effects(log, where, found[0], last)
    names = await names_of(call, [found[0], *causes, *effects])
    body = {
        "event": event(found[0]),
        "causes": await asyncio.to_thread(_linked, causes),
        "effects": await asyncio.to_thread(_linked, effects),
        "more": more,
        "names": names,
    }
    return Response(orjson.dumps(body), media_type="application/json")


async def _causes(log: EventLog, where: str, fact: Recorded) -> list[Recorded]:
    """What led to a fact, the nearest first."""
    causes: list[Recorded] = []
    while len(causes) < _MOST_CAUSES:
        found = await log.read_ids(where, [(causes[-1] if causes else fact).causation_id])
        if not found:
            break
        causes.append(found[0])
    return causes


async def _effects(log: EventLog, where: str, fact: Recorded, last: int) -> tuple[list[Recorded], bool]:
    """What a fact led to up to a position, in order, and whether there is more than that."""
    effects: list[Recorded] = []
    newest = [fact]
    for _ in range(_MOST_STEPS):
        room = _MOST_EFFECTS - len(effects)
        found = await log.read_caused(where, [one.id for one in newest], room + 1)
        newest = [one for one in found if one.position <= last]
        effects += newest[:room]
        if len(newest) > room:
            return _in_order(effects), True
        if not newest:
            return _in_order(effects), False
    return _in_order(effects), True


def _in_order(facts: list[Recorded]) -> list[Recorded]:
    return sorted(facts, key=lambda one: one.position)


def _linked(facts: Sequence[Recorded]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "position": one.position,
            "type": one.type,
            "subject": one.stream,
            "time": stamp(one.time),
            "causationid": one.causation_id,
            "authid": one.auth_id,
            "about": about(one),
        }
        for one in facts
    ]
