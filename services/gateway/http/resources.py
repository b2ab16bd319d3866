"""Resources, known by their identifiers."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.commands.inventory import DeleteResource, ResourceInput, SaveResource
from contracts.shapes import Json
from libs.cel import CelProblems, contexts
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.filtered import Listing, page_matching, picked
from services.gateway.http.lists import cut, page_of, page_of_rows, program_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.readmodel import pair_key
from services.gateway.store import ResourceSearch
from services.gateway.views import shown

routes = Routes("resources")


@routes.add("GET", "/resources", answers={200: answers.Page[answers.Resource]}, query=bodies.CelPaging)
async def list_resources(call: Call) -> Reply:
    """Resources that an expression picks, newest first."""
    paging: bodies.CelPaging = call.query
    if paging.cel is None:
        return await page_of_rows(call, "resource")
    program = await program_of(contexts.SELECTOR, paging.cel)
    items, total = await page_matching(call, Listing("resource", "resource"), program)
    return page_of(items, total, paging)


@routes.add("POST", "/resources/search", answers={200: answers.Page[answers.Resource]}, body=bodies.ResourceSearch)
async def search_resources(call: Call) -> Reply:
    """Resources for which all given filters hold."""
    search: bodies.ResourceSearch = call.body
    wanted = ResourceSearch(
        any_of={
            "providerId": search.provider_ids,
            "version": search.versions,
            "identifier": search.identifiers,
            "kind": search.kinds,
        },
        text=search.query or "",
        metadata=search.metadata,
        sort_by=search.sort_by,
        descending=search.order == "desc",
    )
    page = await call.deps.store.search_resources(call.workspace_id, wanted, limit=search.limit, offset=search.offset)
    items = [shown(one) for one in page.items]
    return Reply(200, {"items": items, "total": page.total, "limit": search.limit, "offset": search.offset})


async def _resource(call: Call) -> Json:
    return await call.row_named("resource", call.path["identifier"], "Resource", field="identifier")


@routes.add("GET", "/resources/identifier/{identifier}", answers={200: answers.Resource})
async def get_resource(call: Call) -> Reply:
    """A resource by its identifier."""
    return Reply(200, await _resource(call))


@routes.add("PUT", "/resources/identifier/{identifier}", answers={202: answers.Accepted}, body=bodies.ResourceBody)
async def upsert_resource(call: Call) -> Reply:
    """Create or replace a resource."""
    body: bodies.ResourceBody = call.body
    resource = ResourceInput(
        identifier=call.path["identifier"],
        name=body.name,
        kind=body.kind,
        version=body.version,
        config=body.config,
        metadata=body.metadata,
    )
    saved = await call.ask(SaveResource(resource=resource, variables=body.variables))
    return accepted(saved["id"], "Resource update requested")


@routes.add("DELETE", "/resources/identifier/{identifier}", answers={200: answers.Accepted})
async def delete_resource(call: Call) -> Reply:
    """Delete a resource."""
    gone = await call.ask(DeleteResource(identifier=call.path["identifier"]))
    return Reply(200, {"id": gone["id"], "message": "Resource deleted"})


@routes.add(
    "GET", "/resources/identifier/{identifier}/deployments", answers={200: answers.Page[answers.Deployment]}, query=bodies.Paging
)
async def list_deployments_of_resource(call: Call) -> Reply:
    """Deployments whose selector picks the resource, by name."""
    resource = await _resource(call)
    every = [shown(one) for one in (await call.deps.store.find(call.workspace_id, "deployment")).items]

    def picking(part: Sequence[Json]) -> list[int]:
        return [index for index, one in enumerate(part) if _picks(one["resourceSelector"], resource)]

    found = await picked(call, every, picking)
    return cut(sorted(found, key=lambda one: (one["name"], one["id"])), call.query)


def _picks(selector: str, resource: Json) -> bool:
    try:
        return contexts.SELECTOR.compile(selector).matches(resource=resource)
    except CelProblems:
        # Saved before such a text was refused; it picks nothing.
        return False


@routes.add(
    "GET",
    "/resources/{resourceIdentifier}/release-targets/deployment/{deploymentId}",
    answers={200: answers.ReleaseTarget},
)
async def get_target_of_resource(call: Call) -> Reply:
    """The first release target of a resource for a deployment."""
    identifier, deployment_id = call.path["resourceIdentifier"], call.id("deploymentId", "Release target")
    resource = await call.row_named("resource", identifier, "Resource", field="identifier")
    rows = await call.deps.store.among(call.workspace_id, "target", "$resource", [resource["id"]])
    for row in rows:
        if row["$pair"] == pair_key(deployment_id, row["environmentId"]) and not row["$gone"]:
            return Reply(200, shown(row))
    raise NotFound("Release target")
