"""Resource providers and their sets of resources."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from contracts.commands.inventory import DeleteProvider, ResourceInput, SaveProvider, SetProviderResources
from contracts.shapes import Json
from libs.bus.port import Written
from libs.runtime.pieces import elements, members, pieces
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.validation import canonical_uuid
from services.gateway.json_text import dump
from services.gateway.store import Cursor
from services.gateway.views import shown

routes = Routes("resource providers")

_BATCH = 5_000

_AS_SENT = TypeAdapter(tuple[bodies.ProvidedResource, ...])
_AS_TOLD = TypeAdapter(tuple[ResourceInput, ...])


@routes.add("PUT", "/resource-providers", answers={202: answers.Provider}, body=bodies.ProviderBody)
async def upsert_provider(call: Call) -> Reply:
    """Create a provider, rename the one with this id, or find it by its name."""
    body: bodies.ProviderBody = call.body
    saved = await call.ask(SaveProvider(provider_id=canonical_uuid(body.id), name=body.name, metadata=body.metadata))
    return Reply(202, await call.row("provider", saved["id"], "Resource provider"))


@routes.add("GET", "/resource-providers/name/{name}", answers={200: answers.Provider})
async def get_provider(call: Call) -> Reply:
    """A provider by its name."""
    return Reply(200, await call.row_named("provider", call.path["name"], "Resource provider"))


@routes.add("DELETE", "/resource-providers/name/{name}", answers={202: answers.Provider})
async def delete_provider(call: Call) -> Reply:
    """Delete a provider that owns no resource."""
    gone = await call.ask(DeleteProvider(name=call.path["name"]))
    deleted = await call.last_known("provider", gone["id"])
    if deleted is None:
        raise NotFound("Resource provider")
    return Reply(202, deleted)


@routes.add("GET", "/resource-providers/name/{name}/resources", answers={200: answers.ResourceList})
async def list_provider_resources(call: Call) -> Response:
    """All resources of a provider, in the order in which it first told of them."""
    provider = await call.row_named("provider", call.path["name"], "Resource provider")
    parts: list[bytes] = []
    total = 0
    after: Cursor | None = None
    while True:
        # There may be 100,000: they are written out some at a time, since their text takes a tenth of the room that they take.
        batch = await call.store.scan(
            call.workspace_id, "resource", where={"providerId": provider["id"]}, after=after, limit=_BATCH
        )
        if batch.items:
            parts.append(await asyncio.to_thread(_written, batch.items))
        total += len(batch.items)
        after = batch.cursor
        if after is None:
            break
    end = dump({"total": total, "limit": max(total, 1), "offset": 0})[1:]
    return Response(b'{"items":[' + b",".join(parts) + b"]," + end, media_type="application/json")


def _written(rows: Sequence[Json]) -> bytes:
    """Rows as the elements of a JSON array."""
    return dump([shown(one) for one in rows])[1:-1]


@dataclass(frozen=True, slots=True)
class LargeSet:
    """The resources of a large set, checked and written out as the command carries them: the text of a JSON list."""

    resources: bytes


def _large_set(text: bytes) -> LargeSet | None:
    found = members(text)
    listed = elements(found["resources"]) if found is not None and "resources" in found else None
    if listed is None:
        return None
    parts: list[bytes] = []
    for piece in pieces(listed):
        try:
            parts.append(_AS_TOLD.dump_json(_AS_SENT.validate_json(piece, strict=True))[1:-1])
        except ValidationError:
            return None
    return LargeSet(b"[" + b",".join(parts) + b"]")


@routes.add(
    "PUT",
    "/resource-providers/{providerId}/set",
    answers={202: answers.SetAccepted},
    body=bodies.ProviderSet,
    large=_large_set,
)
async def set_provider_resources(call: Call) -> Reply:
    """Make these the provider's resources; those that are not named are deleted."""
    provider_id, body = call.id("providerId", "Resource provider"), call.body
    wish: SetProviderResources | Written
    if isinstance(body, LargeSet):
        wish = Written(SetProviderResources, b'{"provider_id":' + dump(provider_id) + b',"resources":' + body.resources + b"}")
    else:
        wish = SetProviderResources(provider_id=provider_id, resources=body.resources)
    counts = await call.ask(wish)
    return Reply(202, {"ok": True, "method": "direct", **counts})
