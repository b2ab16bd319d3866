"""Workspaces: read from the system log as this process sees it."""

from __future__ import annotations

from contracts.commands.gateway import CreateWorkspace, DeleteWorkspace, UpdateWorkspace
from contracts.documents import stamp
from contracts.envelope import NIL_WORKSPACE
from contracts.shapes import Json
from services.gateway.access import may_see, visible
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.state import Workspace

routes = Routes("workspaces")


def _shown(workspace: Workspace) -> Json:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "slug": workspace.slug,
        "createdAt": stamp(workspace.created_at),
    }


def _read(call: Call, workspace_id: str) -> Json:
    found = call.deps.system.state.workspaces.get(workspace_id)
    if found is None or not may_see(call.deps.system.state, call.who, workspace_id):
        raise NotFound("Workspace")
    return _shown(found)


@routes.add("GET", "/workspaces", answers={200: answers.WorkspaceList}, workspace=False)
async def list_workspaces(call: Call) -> Reply:
    """The workspaces that the caller may see, oldest first."""
    found = [_shown(one) for one in visible(call.deps.system.state, call.who)]
    return Reply(200, {"workspaces": found, "total": len(found)})


@routes.add("POST", "/workspaces", answers={201: answers.Workspace}, body=bodies.CreateWorkspace, workspace=False)
async def create_workspace(call: Call) -> Reply:
    """Create a workspace; the caller becomes its admin."""
    wish = CreateWorkspace(name=call.body.name, slug=call.body.slug, user_id=call.who.user_id)
    made = await call.ask(wish, NIL_WORKSPACE)
    return Reply(201, _read(call, made["id"]))


@routes.add("GET", "/workspaces/slug/{workspaceSlug}", answers={200: answers.Workspace}, workspace=False)
async def get_workspace_by_slug(call: Call) -> Reply:
    """A workspace by its slug."""
    found = call.deps.system.state.slugs.get(call.path["workspaceSlug"])
    if found is None:
        raise NotFound("Workspace")
    return Reply(200, _read(call, found))


@routes.add("GET", "", answers={200: answers.Workspace}, past=False)
async def get_workspace(call: Call) -> Reply:
    """A workspace."""
    return Reply(200, _read(call, call.workspace_id))


@routes.add("PATCH", "", answers={200: answers.Workspace}, body=bodies.UpdateWorkspace)
async def update_workspace(call: Call) -> Reply:
    """Change name or slug of a workspace."""
    wish = UpdateWorkspace(workspace_id=call.workspace_id, name=call.body.name, slug=call.body.slug)
    await call.ask(wish, NIL_WORKSPACE)
    return Reply(200, _read(call, call.workspace_id))


@routes.add("DELETE", "", answers={204: None})
async def delete_workspace(call: Call) -> Reply:
    """Delete a workspace; what happened in it stays in its log, out of reach, and its secrets are destroyed."""
    await call.ask(DeleteWorkspace(workspace_id=call.workspace_id), NIL_WORKSPACE)
    if call.deps.keys is not None:
        await call.deps.keys.destroy(call.workspace_id)
    return Reply(204)
