"""What would go where: versions that may go to a target, and targets that a resource would make."""

from __future__ import annotations

from contracts.commands.inventory import ResourceInput
from contracts.commands.planner import PreviewResource
from contracts.commands.policy.evaluations import EligibleVersions
from libs.cel import contexts
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.filtered import Listing, matching_ids
from services.gateway.http.lists import page_of, program_of
from services.gateway.http.operation import Routes
from services.gateway.http.targets import target_of
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("release targets")


@routes.add(
    "POST",
    "/release-targets/{releaseTargetKey}/eligible-versions",
    answers={200: answers.Page[answers.Version]},
    body=bodies.EligibleBody,
    query=bodies.Paging,
    past=True,
)
async def list_eligible_versions(call: Call) -> Reply:
    """The versions that every rule lets go to a target now, newest first."""
    target, body, paging = target_of(call), call.body, call.query
    candidates: tuple[str, ...] | None = None
    if body.filter is not None:
        program = await program_of(contexts.VERSION, body.filter, path="/body/filter")
        listing = Listing(
            "version",
            "version",
            where={"deploymentId": target.deployment_id},
            order=NEWEST_FIRST,
            enrich=call.views.with_dependencies,
            computed=frozenset({"dependencies"}),
        )
        candidates = tuple(await matching_ids(call, listing, program))
    query = EligibleVersions(
        resource_id=target.resource_id,
        environment_id=target.environment_id,
        deployment_id=target.deployment_id,
        version_ids=candidates,
        exclude_rule_ids=body.exclude_rule_ids,
    )
    ids: list[str] = (await call.look(query, with_rows=True))["version_ids"]
    part = ids[paging.offset : paging.offset + paging.limit]
    rows = await call.store.many(call.workspace_id, "version", part)
    return page_of([shown(rows[one]) for one in part if one in rows], len(ids), paging)


@routes.add(
    "POST",
    "/release-targets/resource-preview",
    answers={200: answers.Page[answers.TargetPreview]},
    body=bodies.PreviewBody,
    query=bodies.Paging,
    past=True,
)
async def preview_resource(call: Call) -> Reply:
    """Where a resource would be deployed to, by names of system, deployment and environment."""
    body, paging = call.body, call.query
    resource = ResourceInput(
        identifier=body.identifier,
        name=body.name,
        kind=body.kind,
        version=body.version,
        config=body.config,
        metadata=body.metadata,
    )
    found = await call.look(PreviewResource(resource=resource), with_rows=True)
    part = found[paging.offset : paging.offset + paging.limit]
    many = call.store.many
    systems = await many(call.workspace_id, "system", [one["system_id"] for one in part])
    deployments = await many(call.workspace_id, "deployment", [one["deployment_id"] for one in part])
    environments = await many(call.workspace_id, "environment", [one["environment_id"] for one in part])
    items = [
        {
            "system": shown(systems[one["system_id"]]),
            "deployment": shown(deployments[one["deployment_id"]]),
            "environment": shown(environments[one["environment_id"]]),
        }
        for one in part
        # One of them may have been deleted since.
        if one["system_id"] in systems and one["deployment_id"] in deployments and one["environment_id"] in environments
    ]
    return page_of(items, len(found), paging)
