"""Variables of deployments and their values."""

from __future__ import annotations

from contracts.commands.planner import (
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
)
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import page_of
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.validation import canonical_uuid
from services.gateway.store import NEWEST_FIRST

routes = Routes("deployment variables")

_VARIABLE = "Deployment variable"
_VALUE = "Deployment variable value"


def _id(text: str) -> str:
    """An id in a body, as ids are written; what is no id names nothing, which its owner will say."""
    return canonical_uuid(text) or text


@routes.add(
    "GET",
    "/deployments/{deploymentId}/variables",
    answers={200: answers.Page[answers.DeploymentVariableWithValues]},
    query=bodies.Paging,
)
async def list_deployment_variables(call: Call) -> Reply:
    """Variables of a deployment with their values, newest first; none for a deployment that is not there."""
    paging: bodies.Paging = call.query
    page = await call.store.find(
        call.workspace_id,
        "deployment_variable",
        where={"deploymentId": _id(call.path["deploymentId"])},
        order=NEWEST_FIRST,
        limit=paging.limit,
        offset=paging.offset,
    )
    return page_of(await call.views.with_values(page.items), page.total, paging)


@routes.add("GET", "/deployment-variables/{variableId}", answers={200: answers.DeploymentVariableWithValues})
async def get_deployment_variable(call: Call) -> Reply:
    """A variable of a deployment with its values."""
    row = await call.store.get(call.workspace_id, "deployment_variable", call.id("variableId", _VARIABLE))
    if row is None:
        raise NotFound(_VARIABLE)
    (found,) = await call.views.with_values([row])
    return Reply(200, found)


@routes.add("PUT", "/deployment-variables/{variableId}", answers={202: answers.Accepted}, body=bodies.DeploymentVariableBody)
async def upsert_deployment_variable(call: Call) -> Reply:
    """Declare a variable under the caller's id, or change it."""
    body: bodies.DeploymentVariableBody = call.body
    wish = SaveDeploymentVariable(
        variable_id=await call.own_id("variableId", "deployment_variable", _VARIABLE),
        deployment_id=_id(body.deployment_id),
        key=body.key,
        description=body.description,
    )
    saved = await call.ask(wish)
    return accepted(saved["id"], "Deployment variable update requested")


@routes.add("DELETE", "/deployment-variables/{variableId}", answers={202: answers.Accepted})
async def delete_deployment_variable(call: Call) -> Reply:
    """Delete a variable and its values."""
    gone = await call.ask(DeleteDeploymentVariable(variable_id=call.id("variableId", _VARIABLE)))
    return accepted(gone["id"], "Deployment variable deletion requested")


@routes.add("GET", "/deployment-variable-values/{valueId}", answers={200: answers.DeploymentVariableValue})
async def get_deployment_variable_value(call: Call) -> Reply:
    """A value of a deployment variable."""
    return Reply(200, await call.row("deployment_variable_value", call.id("valueId", _VALUE), _VALUE))


@routes.add(
    "PUT",
    "/deployment-variable-values/{valueId}",
    answers={202: answers.Accepted},
    body=bodies.DeploymentVariableValueBody,
)
async def upsert_deployment_variable_value(call: Call) -> Reply:
    """Create or replace a value under the caller's id."""
    body: bodies.DeploymentVariableValueBody = call.body
    wish = SaveDeploymentVariableValue(
        value_id=await call.own_id("valueId", "deployment_variable_value", _VALUE),
        variable_id=_id(body.deployment_variable_id),
        value=body.value,
        resource_selector=body.resource_selector,
        priority=body.priority,
    )
    saved = await call.ask(wish)
    return accepted(saved["id"], "Deployment variable value update requested")


@routes.add("DELETE", "/deployment-variable-values/{valueId}", answers={202: answers.Accepted})
async def delete_deployment_variable_value(call: Call) -> Reply:
    """Delete a value of a deployment variable."""
    gone = await call.ask(DeleteDeploymentVariableValue(value_id=call.id("valueId", _VALUE)))
    return accepted(gone["id"], "Deployment variable value deletion requested")
