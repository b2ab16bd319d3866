"""Versions of deployments, and what people say of them."""

from __future__ import annotations

from contracts.commands.planner import CreateVersion, UpdateVersion
from contracts.commands.policy import RecordApproval
from contracts.shapes import Json
from libs.cel import contexts
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import cut, page_of, picked, program_of
from services.gateway.http.operation import Routes
from services.gateway.store import Order
from services.gateway.views import shown

routes = Routes("versions")


def _listed(row: Json) -> Json:
    return {**shown(row), "dependencies": {}}


@routes.add(
    "GET",
    "/deployments/{deploymentId}/versions",
    answers={200: answers.Page[answers.VersionWithDependencies]},
    query=bodies.VersionPaging,
)
async def list_versions(call: Call) -> Reply:
    """Versions of a deployment, by age and tag."""
    deployment_id = call.id("deploymentId", "Deployment")
    await call.row("deployment", deployment_id, "Deployment")
    paging: bodies.VersionPaging = call.query
    where = {"deploymentId": deployment_id}
    order = Order(("$createdAt", "tag"), descending=paging.order == "desc")
    find = call.deps.store.find
    if paging.cel is None:
        page = await find(call.workspace_id, "version", where=where, order=order, limit=paging.limit, offset=paging.offset)
        return page_of([_listed(one) for one in page.items], page.total, paging)
    program = await program_of(contexts.VERSION, paging.cel)
    every = [_listed(one) for one in (await find(call.workspace_id, "version", where=where, order=order)).items]
    return cut(await picked(call, every, program.filter), paging)


@routes.add("POST", "/deployments/{deploymentId}/versions", answers={200: answers.Version}, body=bodies.CreateVersion)
async def create_version(call: Call) -> Reply:
    """Post a version of a deployment; its tag is unique there."""
    body: bodies.CreateVersion = call.body
    wish = CreateVersion(
        deployment_id=call.id("deploymentId", "Deployment"),
        tag=body.tag,
        name=body.name,
        status=body.status,
        message=body.message,
        config=body.config,
        job_agent_config=body.job_agent_config,
        metadata=body.metadata,
    )
    made = await call.ask(wish)
    return Reply(200, await call.row("version", made["id"], "Version"))


async def update_version(call: Call) -> Reply:
    """Change a version; what is left out stays."""
    body: bodies.UpdateVersion = call.body
    wish = UpdateVersion(
        version_id=call.id("deploymentVersionId", "Version"),
        tag=body.tag,
        name=body.name,
        status=body.status,
        message=body.message,
        config=body.config,
        job_agent_config=body.job_agent_config,
        metadata=body.metadata,
    )
    saved = await call.ask(wish)
    return Reply(202, await call.row("version", saved["id"], "Version"))


@routes.add("PATCH", "/deploymentversions/{deploymentVersionId}", answers={202: answers.Version}, body=bodies.UpdateVersion)
async def patch_version(call: Call) -> Reply:
    """Change a version; what is left out stays."""
    return await update_version(call)


@routes.add("PATCH", "/deployment-versions/{deploymentVersionId}", answers={202: answers.Version}, body=bodies.UpdateVersion)
async def patch_deployment_version(call: Call) -> Reply:
    """Change a version, under the other spelling that clients know."""
    return await update_version(call)


@routes.add(
    "PUT",
    "/deployment-versions/{deploymentVersionId}/user-approval-records",
    answers={202: answers.Accepted},
    body=bodies.ApprovalBody,
)
async def record_approval(call: Call) -> Reply:
    """Approve or reject a version for some environments, or for all of its systems when none is named."""
    body: bodies.ApprovalBody = call.body
    wish = RecordApproval(
        version_id=call.id("deploymentVersionId", "Version"),
        environment_ids=body.environment_ids,
        user_id=call.who.user_id,
        status=body.status,
        reason=body.reason,
    )
    recorded = await call.ask(wish)
    return accepted(recorded["id"], "User approval record update requested")
