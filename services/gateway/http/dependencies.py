"""What versions depend on: which versions of other deployments must run on the same resource."""

from __future__ import annotations

from contracts.commands.planner import DeleteVersionDependency, SaveVersionDependency
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.operation import Routes

routes = Routes("versions")


def _version_id(call: Call) -> str:
    return call.id("deploymentVersionId", "Deployment version")


@routes.add("GET", "/deployment-versions/{deploymentVersionId}/dependencies", answers={200: answers.VersionDependencies})
async def list_version_dependencies(call: Call) -> Reply:
    """All that a version depends on, by id of the deployment."""
    version_id = _version_id(call)
    await call.row("version", version_id, "Deployment version")
    return Reply(200, (await call.views.dependencies([version_id]))[version_id])


@routes.add(
    "PUT",
    "/deployment-versions/{deploymentVersionId}/dependencies/{dependencyDeploymentId}",
    answers={202: answers.Accepted},
    body=bodies.DependencyBody,
)
async def upsert_version_dependency(call: Call) -> Reply:
    """Say which versions of another deployment will do."""
    body: bodies.DependencyBody = call.body
    wish = SaveVersionDependency(
        version_id=_version_id(call),
        dependency_deployment_id=call.id("dependencyDeploymentId", "Deployment"),
        version_selector=body.version_selector,
    )
    saved = await call.ask(wish)
    return accepted(saved["id"], "Version dependency update requested")


@routes.add(
    "DELETE",
    "/deployment-versions/{deploymentVersionId}/dependencies/{dependencyDeploymentId}",
    answers={202: answers.Accepted},
)
async def delete_version_dependency(call: Call) -> Reply:
    """The version depends on that deployment no longer."""
    wish = DeleteVersionDependency(
        version_id=_version_id(call), dependency_deployment_id=call.id("dependencyDeploymentId", "Version dependency")
    )
    gone = await call.ask(wish)
    return accepted(gone["id"], "Version dependency deletion requested")
