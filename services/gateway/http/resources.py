"""Resources, known by their identifiers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from contracts.commands.inventory import DeleteResource, ListRelationsOf, ResourceInput, SaveResource
from contracts.shapes import Json, Target
from libs.cel import CelProblems, contexts
from services.gateway.facets import Facets
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.filtered import Listing, matching, page_matching, picked
from services.gateway.http.lists import cut, page_of, page_of_rows, program_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.readmodel import pair_key
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST, ResourceSearch
from services.gateway.views import shown

routes = Routes("resources")

_EVERY: Final = contexts.SELECTOR.compile("true")
_TABLES: Final[dict[str, Table]] = {"resource": "resource", "deployment": "deployment", "environment": "environment"}
"""Where what is related stands."""


@routes.add("GET", "/resources", answers={200: answers.Page[answers.Resource]}, query=bodies.CelPaging)
async def list_resources(call: Call) -> Reply:
    """Resources that an expression picks, newest first."""
    paging: bodies.CelPaging = call.query
    if paging.cel is None:
        return await page_of_rows(call, "resource")
    program = await program_of(contexts.SELECTOR, paging.cel)
    items, total = await page_matching(call, Listing("resource", "resource"), program)
    return page_of(items, total, paging)


@routes.add("POST", "/resources/search", answers={200: answers.Page[answers.Resource]}, body=bodies.ResourceSearch, past=True)
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
    page = await call.store.search_resources(call.workspace_id, wanted, limit=search.limit, offset=search.offset)
    items = [shown(one) for one in page.items]
    return Reply(200, {"items": items, "total": page.total, "limit": search.limit, "offset": search.offset})


@routes.add("GET", "/resources/facets", answers={200: answers.ResourceFacets}, query=bodies.Cel)
async def get_facets(call: Call) -> Reply:
    """What resources can be filtered by, and how many have it: of all, or of those that an expression picks."""
    cel: str | None = call.query.cel
    program = _EVERY if cel is None else await program_of(contexts.SELECTOR, cel)
    facets = Facets()
    async for found in matching(call, Listing("resource", "resource"), program):
        await asyncio.to_thread(facets.add, found)
    return Reply(200, facets.told(await call.store.many(call.workspace_id, "provider", facets.provider_ids)))


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
    every = [shown(one) for one in (await call.store.find(call.workspace_id, "deployment")).items]

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
    "/resources/identifier/{identifier}/release-targets",
    answers={200: answers.Page[answers.TargetWithState]},
    query=bodies.Paging,
)
async def list_targets_of_resource(call: Call) -> Reply:
    """The release targets of a resource with their states, by names of deployment and environment."""
    resource = await _resource(call)
    rows = await call.store.among(call.workspace_id, "target", "$resource", [resource["id"]])
    there = [shown(one) for one in rows if not one["$gone"]]
    names = {
        table: await call.store.many(call.workspace_id, table, sorted({one[f"{table}Id"] for one in there}))
        for table in (_TABLES["deployment"], _TABLES["environment"])
    }

    def named(one: Json) -> tuple[str, ...]:
        parts = ((names[table].get(one[f"{table}Id"]) or {}).get("name", "") for table in names)
        return (*parts, one["deploymentId"], one["environmentId"])

    paging: bodies.Paging = call.query
    page = sorted(there, key=named)[paging.offset : paging.offset + paging.limit]
    keys = [Target(one["resourceId"], one["environmentId"], one["deploymentId"]).key for one in page]
    states = await call.views.states(keys)
    return page_of(
        [{"releaseTarget": one, "state": states[key]} for one, key in zip(page, keys, strict=True)], len(there), paging
    )


@routes.add(
    "GET",
    "/resources/identifier/{identifier}/relations",
    answers={200: answers.Page[answers.ResourceRelation]},
    query=bodies.Paging,
)
async def list_relations_of_resource(call: Call) -> Reply:
    """What a resource is related to and by which rule: first what it refers to, then what refers to it."""
    paging: bodies.Paging = call.query
    resource = await _resource(call)
    query = ListRelationsOf(type="resource", id=resource["id"], limit=paging.limit, offset=paging.offset)
    found = await call.look(query, with_rows=True)
    rules = await call.store.many(call.workspace_id, "relationship_rule", sorted({one["ruleId"] for one in found["items"]}))
    ends: dict[str, dict[str, Json]] = {}
    for kind, table in _TABLES.items():
        ids = sorted({one["entity"]["id"] for one in found["items"] if one["entity"]["type"] == kind})
        ends[kind] = await call.store.many(call.workspace_id, table, ids)
    # An end that was deleted just now is still counted, but has no name any more.
    items = [
        {
            "direction": one["direction"],
            "rule": {key: rules[one["ruleId"]][key] for key in ("id", "name", "reference")},
            "entity": {**one["entity"], **_called(ends[one["entity"]["type"]][one["entity"]["id"]])},
        }
        for one in found["items"]
        if one["ruleId"] in rules and one["entity"]["id"] in ends[one["entity"]["type"]]
    ]
    return page_of(items, found["total"], paging)


def _called(row: Json) -> Json:
    return {key: row[key] for key in ("name", "identifier", "kind") if row.get(key)}


@routes.add(
    "GET", "/resources/identifier/{identifier}/history", answers={200: answers.Page[answers.ResourceThen]}, query=bodies.Paging
)
async def list_history_of_resource(call: Call) -> Reply:
    """What a resource was like, the newest first, each since the position that it names."""
    paging: bodies.Paging = call.query
    resource = await _resource(call)
    page = await call.store.find(
        call.workspace_id,
        "history",
        where={"$of": f"resource/{resource['id']}"},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    items = [{**shown(one), "position": one["$position"]} if "$position" in one else shown(one) for one in page.items]
    return page_of(items, page.total, paging)


@routes.add(
    "GET",
    "/resources/{resourceIdentifier}/release-targets/deployment/{deploymentId}",
    answers={200: answers.ReleaseTarget},
)
async def get_target_of_resource(call: Call) -> Reply:
    """The first release target of a resource for a deployment."""
    identifier, deployment_id = call.path["resourceIdentifier"], call.id("deploymentId", "Release target")
    resource = await call.row_named("resource", identifier, "Resource", field="identifier")
    rows = await call.store.among(call.workspace_id, "target", "$resource", [resource["id"]])
    for row in rows:
        if row["$pair"] == pair_key(deployment_id, row["environmentId"]) and not row["$gone"]:
            return Reply(200, shown(row))
    raise NotFound("Release target")
