"""The HTTP application: every router, the pages and the intake before them, and one shape for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from services.gateway.http import (
    agents,
    api_keys,
    board,
    chains,
    choices,
    dependencies,
    deployments,
    eligible,
    environments,
    evaluations,
    events,
    explanations,
    freezes,
    health,
    histories,
    jobs,
    machinery,
    people,
    plans,
    policies,
    providers,
    relationship_rules,
    resource_variables,
    resources,
    session,
    skips,
    stream,
    systems,
    targets,
    variable_sets,
    variables,
    verifications,
    versions,
    webhooks,
    workflows,
    workspaces,
)
from services.gateway.http.deps import Deps
from services.gateway.http.files import Folder
from services.gateway.http.intake import Intake
from services.gateway.http.operation import Operation, Routes, answer_of
from services.gateway.http.pages import Pages
from services.gateway.http.problem import Problem

ROUTES: tuple[Routes, ...] = (
    workspaces.routes,
    api_keys.routes,
    people.routes,
    systems.routes,
    deployments.routes,
    variables.routes,
    versions.routes,
    plans.routes,
    dependencies.routes,
    environments.routes,
    resources.routes,
    resource_variables.routes,
    providers.routes,
    variable_sets.routes,
    relationship_rules.routes,
    agents.routes,
    jobs.routes,
    workflows.routes,
    policies.routes,
    freezes.routes,
    skips.routes,
    explanations.routes,
    targets.routes,
    eligible.routes,
    evaluations.routes,
    choices.routes,
    verifications.routes,
    events.routes,
    chains.routes,
    board.routes,
    machinery.routes,
    histories.routes,
    stream.routes,
)
"""Every endpoint of the v1 API that needs a credential, by noun."""

BUSY = (agents.routes, jobs.routes)
"""What agents ask all day long. The framework tries one path after the other, so theirs come first."""


def operations() -> Mapping[str, Operation]:
    """Every endpoint, by operation id."""
    return {one.name: one for routes in ROUTES for one in routes.operations}


def create_app(deps: Deps, folder: Folder | None = None) -> FastAPI:
    """The application: the API under `/api`, the dashboard everywhere else.

    Args:
        folder: with the dashboard's files; by default where they are made.
    """
    app = FastAPI(
        title="Signalbox",
        version=deps.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _routing_problem},
    )
    health.serve(app, deps)
    session.serve(app, deps)
    webhooks.serve(app, deps)
    for routes in sorted(ROUTES, key=lambda one: one not in BUSY):
        routes.serve(app, deps)
    app.add_middleware(Pages, deps=deps, folder=folder, first=board.of_page)
    app.add_middleware(Intake)
    return app


async def _routing_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return answer_of(Problem(404, "not found", "Not Found"))
    answer = answer_of(Problem(405, f"{request.method} method not allowed", "Method Not Allowed"))
    # Each method of a path is a route of its own, so that the framework knows only one of them here.
    routes = (one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE)
    answer.headers["Allow"] = ", ".join(sorted({method for one in routes for method in one.methods}))
    return answer
