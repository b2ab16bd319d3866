"""Where a resource would be deployed to if it were there."""

from __future__ import annotations

from contracts.command import Asked
from contracts.commands.planner import PreviewResource
from contracts.shapes import Json
from libs.cel import CelProblems, contexts
from services.planner.catalog import NO_IDS
from services.planner.state import PlannerState

_NOWHERE_YET = "00000000-0000-0000-0000-000000000000"
"""The id of a resource that does not exist."""


def preview_resource(wish: PreviewResource, state: PlannerState, asked: Asked, position: int) -> list[Json]:
    """Every system's deployments and environments whose selectors both match the resource, by the names of the three."""
    catalog = state.catalog
    document = {"id": _NOWHERE_YET, "workspaceId": asked.workspace_id, **wish.resource.model_dump()}
    answers: dict[str, bool] = {}

    def matches(source: str) -> bool:
        if source not in answers:
            try:
                answers[source] = contexts.SELECTOR.compile(source).matches(resource=document)
            except CelProblems:
                # Saved before such a text was refused; it matches nothing.
                answers[source] = False
        return answers[source]

    found = []
    for system_id, system in catalog.systems.items():
        deployments = [catalog.deployments[one] for one in catalog.deployments_of.get(system_id, NO_IDS)]
        environments = [catalog.environments[one] for one in catalog.environments_of.get(system_id, NO_IDS)]
        here = [one for one in environments if matches(one.resource_selector)]
        found += [
            ((system.name, deployment.name, environment.name, system_id), deployment.deployment_id, environment.environment_id)
            for deployment in deployments
            if here and matches(deployment.resource_selector)
            for environment in here
        ]
    return [
        {"system_id": names[3], "deployment_id": deployment_id, "environment_id": environment_id}
        for names, deployment_id, environment_id in sorted(found)
    ]
