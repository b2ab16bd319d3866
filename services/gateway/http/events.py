"""The log itself: facts as CloudEvents, page by page or as a stream that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.fact import FACTS
from libs.eventlog.port import LogUnavailable
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call
from services.gateway.http.naming import names_of
from services.gateway.http.operation import Routes
from services.gateway.http.seeking import FIRST, PAGE_BYTES, Wanted, fitting, sought
from services.gateway.http.server_sent import resumes_after, streamed

routes = Routes("events")

_BATCH = 500
_RETRY_S = 0.1


def event(one: Recorded) -> dict[str, Any]:
    """The fact as a CloudEvent; its payload is passed on as it is stored."""
    event = one.cloudevent()
    return {
        **event,
        "time": stamp(one.time),
        "recordedtime": stamp(one.recorded_time),
        "data": orjson.Fragment(one.data),
    }


def _types(told: str | None) -> tuple[str, ...]:
    """The types that are named; `policy.*` names all of a service."""
    found: list[str] = []
    for part in (told or "").split(","):
        name = part.strip()
        if name.endswith(".*"):
            # What is named and not known matches nothing, where no name at all would match everything.
            found += [one for one in FACTS if one.startswith(name[:-1])] or [name]
        elif name:
            found.append(name)
    return tuple(dict.fromkeys(found))


@routes.add("GET", "/events", answers={200: answers.EventPage}, query=bodies.EventsQuery)
async def list_events(call: Call) -> Response:
    """Facts of the workspace, in the order of their positions."""
    query: bodies.EventsQuery = call.query
    head = call.as_of.position if call.as_of is not None else await call.deps.log.head(call.workspace_id)
    before = head + 1 if query.before is None else min(query.before, head + 1)
    wanted = Wanted(_types(query.types), query.subject or "", query.text or "", query.after, before, query.order == "desc")
    found, goes_on = await sought(call.deps.log, call.workspace_id, wanted, query.limit)
    page: dict[str, Any] = {"items": [event(one) for one in found], "position": head}
    if goes_on is not None:
        page["next"] = goes_on
    if query.names:
        page["names"] = await names_of(call, found)
    return Response(orjson.dumps(page), media_type="application/json")


@routes.add("GET", "/events/types", answers={200: answers.EventTypes}, past=False)
async def list_event_types(call: Call) -> Response:
    """Every kind of fact that there may be, and what it says."""
    items = [{"type": name, "description": _sentence(FACTS[name].__doc__ or "")} for name in sorted(FACTS)]
    return Response(orjson.dumps({"items": items}), media_type="application/json")


def _sentence(text: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(text.strip().partition("\n\n")[0].split())


@routes.add("GET", "/events/stream", answers={200: None}, query=bodies.StreamQuery, past=False)
async def stream_events(call: Call) -> Response:
    """Facts as server-sent events: `id` is the position, from which a client that was cut off goes on by itself."""
    query: bodies.StreamQuery = call.query
    after = resumes_after(call.request)
    if after is None:
        after = query.after
    if after is None:
        after = await call.deps.log.head(call.workspace_id)
    return streamed(_frames(call, after, frozenset(_types(query.types))))


async def _frames(call: Call, after: int, types: frozenset[str]) -> AsyncIterator[bytes]:
    feed, where, size = call.deps.feed, call.workspace_id, FIRST
    yield b": open\n\n"
    while not call.deps.closing.is_set() and call.may_go_on():
        try:
            found: Sequence[Recorded] = await feed.read(where, after, size)
        except LogUnavailable:
            await asyncio.sleep(_RETRY_S)
            continue
        if found:
            after = found[-1].position
            size = min(_BATCH, fitting(len(found), sum(len(one.data) for one in found)))
            for portion in _portions([one for one in found if not types or one.type in types]):
                yield b"".join(_frame(one) for one in portion)
        elif not await _anything_new(call, after):
            yield b": alive\n\n"


def _portions(facts: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """What is written at once: a reader that is slow takes no more room than a page does."""
    start = size = 0
    for end, one in enumerate(facts):
        size += len(one.data)
        if end > start and size > PAGE_BYTES:
            yield facts[start:end]
            start, size = end, len(one.data)
    if facts:
        yield facts[start:]


def _frame(one: Recorded) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (one.position, one.type.encode(), orjson.dumps(event(one)))


async def _anything_new(call: Call, after: int) -> bool:
    """Wait for facts after the position; False when it is time for a sign of life, or to end."""
    waiting = asyncio.ensure_future(call.deps.feed.wait(call.workspace_id, after, call.deps.heartbeat_s))
    closing = asyncio.ensure_future(call.deps.closing.wait())
    try:
        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() and waiting.result()
    finally:
        waiting.cancel()
        closing.cancel()
