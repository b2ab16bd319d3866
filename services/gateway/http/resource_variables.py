"""Variables of resources."""

from __future__ import annotations

from contracts.commands.inventory import SetResourceVariables
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply, accepted
from services.gateway.http.lists import cut
from services.gateway.http.operation import Routes

routes = Routes("resources")

_PATH = "/resources/identifier/{identifier}/variables"


@routes.add("GET", _PATH, answers={200: answers.Page[answers.ResourceVariable]}, query=bodies.Paging)
async def list_resource_variables(call: Call) -> Reply:
    """The variables of a resource, by key."""
    resource = await call.row_named("resource", call.path["identifier"], "Resource", field="identifier")
    row = await call.store.get(call.workspace_id, "resource_variables", resource["id"])
    variables = row["variables"] if row is not None else {}
    items = [{"resourceId": resource["id"], "key": key, "value": variables[key]} for key in sorted(variables)]
    return cut(items, call.query)


@routes.add("PATCH", _PATH, answers={202: answers.Accepted}, body=bodies.ResourceVariables)
async def set_resource_variables(call: Call) -> Reply:
    """Make these the variables of a resource, all of them."""
    body: bodies.ResourceVariables = call.body
    saved = await call.ask(SetResourceVariables(identifier=call.path["identifier"], variables=body.root))
    return accepted(saved["id"], "Resource variables update requested")
