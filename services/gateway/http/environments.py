"""Environments."""

from __future__ import annotations

from contracts.commands.planner import DeleteEnvironment, SaveEnvironment
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of_rows
from services.gateway.http.operation import Routes

routes = Routes("environments")


def _wish(body: bodies.EnvironmentBody, environment_id: str | None) -> SaveEnvironment:
    return SaveEnvironment(
        environment_id=environment_id,
        name=body.name,
        description=body.description,
        resource_selector=body.resource_selector,
        metadata=body.metadata,
    )


async def _with_systems(call: Call, environment: Json) -> Reply:
    systems = await call.views.systems_of([environment["id"]])
    return Reply(200, {**environment, "systems": systems[environment["id"]]})


@routes.add("GET", "/environments", answers={200: answers.Page[answers.Environment]}, query=bodies.Paging)
async def list_environments(call: Call) -> Reply:
    """Environments, newest first."""
    return await page_of_rows(call, "environment")


@routes.add("POST", "/environments", answers={202: answers.Accepted}, body=bodies.EnvironmentBody)
async def create_environment(call: Call) -> Reply:
    """Create an environment."""
    made = await call.ask(_wish(call.body, None))
    return accepted(made["id"], "Environment creation requested")


@routes.add("GET", "/environments/name/{name}", answers={200: answers.EnvironmentWithSystems})
async def get_environment_by_name(call: Call) -> Reply:
    """An environment by its name."""
    return await _with_systems(call, await call.row_named("environment", call.path["name"], "Environment"))


@routes.add("GET", "/environments/{environmentId}", answers={200: answers.EnvironmentWithSystems})
async def get_environment(call: Call) -> Reply:
    """An environment with its systems."""
    environment_id = call.id("environmentId", "Environment")
    return await _with_systems(call, await call.row("environment", environment_id, "Environment"))


@routes.add("PUT", "/environments/{environmentId}", answers={202: answers.Accepted}, body=bodies.EnvironmentBody)
async def upsert_environment(call: Call) -> Reply:
    """Create or replace an environment under the caller's id."""
    saved = await call.ask(_wish(call.body, await call.own_id("environmentId", "environment", "Environment")))
    return accepted(saved["id"], "Environment update requested")


@routes.add("DELETE", "/environments/{environmentId}", answers={202: answers.Accepted})
async def delete_environment(call: Call) -> Reply:
    """Delete an environment."""
    gone = await call.ask(DeleteEnvironment(environment_id=call.id("environmentId", "Environment")))
    return accepted(gone["id"], "Environment deletion requested")
