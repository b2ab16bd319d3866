"""Versions of deployments, and what people say of them."""

from __future__ import annotations

from contracts.commands.planner import CreateVersion, UpdateVersion
from contracts.commands.policy.approvals import RecordApproval
from contracts.shapes import Json
from libs.cel import contexts
from services.gateway.access import name_of, roles_of
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.filtered import Listing, page_matching
from services.gateway.http.lists import page_of, program_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import Unprocessable, finding
from services.gateway.http.validation import canonical_uuid
from services.gateway.store import Order

routes = Routes("versions")


def _dependencies(body: bodies.CreateVersion) -> dict[str, str]:
    """Selectors by deployment id. Raises: Unprocessable: a key is no id."""
    found: dict[str, str] = {}
    problems: list[Json] = []
    for key, one in body.dependencies.items():
        deployment_id = canonical_uuid(key)
        if deployment_id is None:
            problems.append(finding(f"/body/dependencies/{key}", "must be the id of a deployment", "format"))
        else:
            found[deployment_id] = one.version_selector
    if problems:
        raise Unprocessable(problems)
    return found


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
    find = call.store.find
    if paging.cel is None:
        page = await find(call.workspace_id, "version", where=where, order=order, limit=paging.limit, offset=paging.offset)
        return page_of(await call.views.with_dependencies(page.items), page.total, paging)
    program = await program_of(contexts.VERSION, paging.cel)
    views = call.views.with_dependencies
    listing = Listing("version", "version", where, order, enrich=views, computed=frozenset({"dependencies"}))
    items, total = await page_matching(call, listing, program)
    return page_of(items, total, paging)


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
        dependencies=_dependencies(body),
    )
    made = await call.ask(wish)
    return Reply(200, await call.row("version", made["id"], "Version"))


@routes.add("GET", "/deployment-versions/{deploymentVersionId}", answers={200: answers.VersionWithDependencies})
async def get_version(call: Call) -> Reply:
    """A version."""
    row = await call.row("version", call.id("deploymentVersionId", "Version"), "Version")
    (found,) = await call.views.with_dependencies([row])
    return Reply(200, found)


@routes.add(
    "PATCH",
    "/deploymentversions/{deploymentVersionId}",
    name="patch_version",
    answers={202: answers.Version},
    body=bodies.UpdateVersion,
)
@routes.add(
    "PATCH",
    "/deployment-versions/{deploymentVersionId}",
    name="patch_deployment_version",
    answers={202: answers.Version},
    body=bodies.UpdateVersion,
)
async def update_version(call: Call) -> Reply:
    """Change a version, under either spelling that clients know; what is left out stays."""
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


@routes.add(
    "PUT",
    "/deployment-versions/{deploymentVersionId}/status",
    answers={202: answers.Version},
    body=bodies.VersionStatusBody,
)
async def set_version_status(call: Call) -> Reply:
    """Say how a version stands, `paused` among it, which versions are not posted or patched with."""
    body: bodies.VersionStatusBody = call.body
    wish = UpdateVersion(version_id=call.id("deploymentVersionId", "Version"), status=body.status, message=body.message)
    saved = await call.ask(wish)
    return Reply(202, await call.row("version", saved["id"], "Version"))


@routes.add(
    "PUT",
    "/deployment-versions/{deploymentVersionId}/user-approval-records",
    answers={202: answers.Accepted},
    body=bodies.ApprovalBody,
)
async def record_approval(call: Call) -> Reply:
    """Approve or reject a version for some environments, or for all of its systems when none is named; or withdraw that."""
    body: bodies.ApprovalBody = call.body
    wish = RecordApproval(
        version_id=call.id("deploymentVersionId", "Version"),
        environment_ids=tuple(canonical_uuid(one) or one for one in body.environment_ids),
        user_id=call.who.user_id,
        user_name=name_of(call.deps.system.state, call.who),
        roles=roles_of(call.deps.system.state, call.who, call.workspace_id),
        status=body.status,
        reason=body.reason,
    )
    recorded = await call.ask(wish)
    return accepted(recorded["id"], "User approval record update requested")
