"""Systems and their links."""

from __future__ import annotations

from contracts.commands.planner import (
    DeleteSystem,
    LinkDeployment,
    LinkEnvironment,
    SaveSystem,
    UnlinkDeployment,
    UnlinkEnvironment,
)
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of_rows
from services.gateway.http.operation import Routes
from services.gateway.views import shown

routes = Routes("systems")


def _system_id(call: Call) -> str:
    return call.id("systemId", "System")


def _wish(call: Call, system_id: str | None) -> SaveSystem:
    body: bodies.SystemBody = call.body
    return SaveSystem(system_id=system_id, name=body.name, description=body.description, metadata=body.metadata)


@routes.add("GET", "/systems", answers={200: answers.Page[answers.System]}, query=bodies.Paging)
async def list_systems(call: Call) -> Reply:
    """Systems, newest first."""
    return await page_of_rows(call, "system")


@routes.add("POST", "/systems", answers={202: answers.Accepted}, body=bodies.SystemBody)
async def create_system(call: Call) -> Reply:
    """Create a system."""
    made = await call.ask(_wish(call, None))
    return accepted(made["id"], "System creation requested")


@routes.add("GET", "/systems/{systemId}", answers={200: answers.SystemWithLinkedEntities})
async def get_system(call: Call) -> Reply:
    """A system with what is linked to it."""
    system_id = _system_id(call)
    system = await call.row("system", system_id, "System")
    links = await call.store.among(call.workspace_id, "link", "systemId", [system_id])
    ids = [link["$entity"] for link in links]
    deployments = await call.store.many(call.workspace_id, "deployment", ids)
    environments = await call.store.many(call.workspace_id, "environment", ids)
    return Reply(
        200,
        {
            **system,
            "deployments": [shown(deployments[one]) for one in ids if one in deployments],
            "environments": [shown(environments[one]) for one in ids if one in environments],
        },
    )


@routes.add("PUT", "/systems/{systemId}", answers={202: answers.Accepted}, body=bodies.SystemBody)
async def upsert_system(call: Call) -> Reply:
    """Create or replace a system under the caller's id."""
    saved = await call.ask(_wish(call, await call.own_id("systemId", "system", "System")))
    return accepted(saved["id"], "System update requested")


@routes.add("DELETE", "/systems/{systemId}", answers={202: answers.Accepted})
async def delete_system(call: Call) -> Reply:
    """Delete a system and its links; what was linked stays."""
    gone = await call.ask(DeleteSystem(system_id=_system_id(call)))
    return accepted(gone["id"], "System deletion requested")


# --- links -----------------------------------------------------------------------------------------------------------------------------


@routes.add("GET", "/systems/{systemId}/deployments/{deploymentId}", answers={200: answers.DeploymentLink})
async def get_deployment_link(call: Call) -> Reply:
    """Whether a deployment is in a system."""
    link = f"{_system_id(call)}/{call.id('deploymentId', 'Deployment')}"
    return Reply(200, await call.row("link", link, "Deployment system link"))


@routes.add("PUT", "/systems/{systemId}/deployments/{deploymentId}", answers={202: answers.Accepted})
async def link_deployment(call: Call) -> Reply:
    """Put a deployment into a system; again changes nothing."""
    wish = LinkDeployment(system_id=_system_id(call), deployment_id=call.id("deploymentId", "Deployment"))
    linked = await call.ask(wish)
    return accepted(linked["id"], "Deployment link requested")


@routes.add("DELETE", "/systems/{systemId}/deployments/{deploymentId}", answers={202: answers.Accepted})
async def unlink_deployment(call: Call) -> Reply:
    """Take a deployment out of a system."""
    wish = UnlinkDeployment(system_id=_system_id(call), deployment_id=call.id("deploymentId", "Deployment"))
    unlinked = await call.ask(wish)
    return accepted(unlinked["id"], "Deployment unlink requested")


@routes.add("GET", "/systems/{systemId}/environments/{environmentId}", answers={200: answers.EnvironmentLink})
async def get_environment_link(call: Call) -> Reply:
    """Whether an environment is in a system."""
    link = f"{_system_id(call)}/{call.id('environmentId', 'Environment')}"
    return Reply(200, await call.row("link", link, "Environment system link"))


@routes.add("PUT", "/systems/{systemId}/environments/{environmentId}", answers={202: answers.Accepted})
async def link_environment(call: Call) -> Reply:
    """Put an environment into a system; again changes nothing."""
    wish = LinkEnvironment(system_id=_system_id(call), environment_id=call.id("environmentId", "Environment"))
    linked = await call.ask(wish)
    return accepted(linked["id"], "Environment link requested")


@routes.add("DELETE", "/systems/{systemId}/environments/{environmentId}", answers={202: answers.Accepted})
async def unlink_environment(call: Call) -> Reply:
    """Take an environment out of a system."""
    wish = UnlinkEnvironment(system_id=_system_id(call), environment_id=call.id("environmentId", "Environment"))
    unlinked = await call.ask(wish)
    return accepted(unlinked["id"], "Environment unlink requested")
