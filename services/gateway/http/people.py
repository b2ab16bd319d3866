"""Who is in a workspace, by name: pages tell facts, approvals and jobs by the names of people."""

from __future__ import annotations

from services.gateway.access import people_of
from services.gateway.http import answers
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes

routes = Routes("people")


@routes.add("GET", "/people", answers={200: answers.People}, past=False)
async def list_people(call: Call) -> Reply:
    """Everybody who is or ever was able to act in the workspace, by name."""
    found = people_of(call.deps.system.state, call.workspace_id)
    return Reply(200, {"items": [{"id": one.id, "name": one.name} for one in found]})
