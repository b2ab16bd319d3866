"""Resource providers and their sets of resources."""

from __future__ import annotations

from contracts.commands.inventory import DeleteProvider, SaveProvider, SetProviderResources
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.validation import canonical_uuid
from services.gateway.views import shown

routes = Routes("resource providers")


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
async def list_provider_resources(call: Call) -> Reply:
    """All resources of a provider, in the order in which it first told of them."""
    provider = await call.row_named("provider", call.path["name"], "Resource provider")
    page = await call.deps.store.find(call.workspace_id, "resource", where={"providerId": provider["id"]})
    items = [shown(one) for one in page.items]
    return Reply(200, {"items": items, "total": page.total, "limit": max(page.total, 1), "offset": 0})


@routes.add("PUT", "/resource-providers/{providerId}/set", answers={202: answers.SetAccepted}, body=bodies.ProviderSet)
async def set_provider_resources(call: Call) -> Reply:
    """Make these the provider's resources; those that are not named are deleted."""
    body: bodies.ProviderSet = call.body
    wish = SetProviderResources(provider_id=call.id("providerId", "Resource provider"), resources=body.resources)
    counts = await call.ask(wish)
    return Reply(202, {"ok": True, "method": "direct", **counts})
