"""Deployments."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.commands.planner import DeleteDeployment, SaveDeployment
from contracts.commands.policy.gates import DeploymentGates, Gates
from contracts.shapes import Json
from libs.cel import contexts
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.filtered import Listing, page_matching
from services.gateway.http.lists import page_of, program_of
from services.gateway.http.operation import Routes
from services.gateway.http.telling import told
from services.gateway.store import NEWEST_FIRST
from services.gateway.views import shown

routes = Routes("deployments")


def _wish(body: bodies.DeploymentBody, deployment_id: str | None) -> SaveDeployment:
    return SaveDeployment(
        deployment_id=deployment_id,
        name=body.name,
        description=body.description,
        resource_selector=body.resource_selector,
        job_agent_selector=body.job_agent_selector,
        job_agent_config=body.job_agent_config,
        metadata=body.metadata,
        supersession=body.supersession,
    )


async def _with_systems(call: Call, deployments: Sequence[Json]) -> list[Json]:
    """Deployments as they were sent (clients compare), each with its systems."""
    deployments = await call.as_sent(deployments, "jobAgentConfig")
    systems = await call.views.systems_of([one["id"] for one in deployments])
    return [{"deployment": one, "systems": systems[one["id"]]} for one in deployments]


@routes.add("GET", "/deployments", answers={200: answers.Page[answers.DeploymentAndSystems]}, query=bodies.CelPaging)
async def list_deployments(call: Call) -> Reply:
    """Deployments with their systems, newest first."""
    paging: bodies.CelPaging = call.query
    store = call.store
    if paging.cel is None:
        page = await store.find(call.workspace_id, "deployment", order=NEWEST_FIRST, limit=paging.limit, offset=paging.offset)
        return page_of(await _with_systems(call, [shown(one) for one in page.items]), page.total, paging)
    program = await program_of(contexts.TARGET, paging.cel)
    found, total = await page_matching(call, Listing("deployment", "deployment"), program)
    return page_of(await _with_systems(call, found), total, paging)


@routes.add("POST", "/deployments", answers={202: answers.Accepted}, body=bodies.DeploymentBody)
async def create_deployment(call: Call) -> Reply:
    """Create a deployment."""
    made = await call.ask(_wish(call.body, None))
    return accepted(made["id"], "Deployment creation requested")


async def _whole(call: Call, deployment: Json) -> Reply:
    (found,) = await _with_systems(call, [deployment])
    return Reply(200, {**found, "variables": await call.views.variables_of(deployment["id"])})


@routes.add("GET", "/deployments/name/{name}", answers={200: answers.DeploymentWithVariablesAndSystems})
async def get_deployment_by_name(call: Call) -> Reply:
    """A deployment by its name."""
    return await _whole(call, await call.row_named("deployment", call.path["name"], "Deployment"))


@routes.add("GET", "/deployments/{deploymentId}", answers={200: answers.DeploymentWithVariablesAndSystems})
async def get_deployment(call: Call) -> Reply:
    """A deployment with its systems and variables."""
    return await _whole(call, await call.row("deployment", call.id("deploymentId", "Deployment"), "Deployment"))


@routes.add("PUT", "/deployments/{deploymentId}", answers={202: answers.Accepted}, body=bodies.DeploymentBody)
async def upsert_deployment(call: Call) -> Reply:
    """Create or replace a deployment under the caller's id."""
    saved = await call.ask(_wish(call.body, await call.own_id("deploymentId", "deployment", "Deployment")))
    return accepted(saved["id"], "Deployment update requested")


@routes.add("DELETE", "/deployments/{deploymentId}", answers={202: answers.Accepted})
async def delete_deployment(call: Call) -> Reply:
    """Delete a deployment."""
    gone = await call.ask(DeleteDeployment(deployment_id=call.id("deploymentId", "Deployment")))
    return accepted(gone["id"], "Deployment deletion requested")


@routes.add("GET", "/deployments/{deploymentId}/gates", answers={200: answers.DeploymentGates})
async def get_gates(call: Call) -> Reply:
    """The policies that versions of a deployment pass, by environment, and where they must have succeeded before."""
    deployment = await call.row("deployment", call.id("deploymentId", "Deployment"), "Deployment")
    found = Gates.model_validate(await call.look(DeploymentGates(deployment_id=deployment["id"]), with_rows=True))
    ids = sorted({gate.policy_id for one in found.items for gate in one.gates})
    rows = await call.store.many(call.workspace_id, "policy", ids)
    policies = await call.as_sent([shown(rows[one]) for one in ids if one in rows], "rules")
    return Reply(200, {**told(found), "policies": policies})
