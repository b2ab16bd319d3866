"""Makes a workspace of Terraform what the template says: its options, its variables, and who is told of its runs.

Everything here may be done any number of times; nothing here starts a run by itself.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs/workspaces
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/workspace-variables
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Final

from contracts.shapes import Json
from services.dispatcher.adapters.outcome import Held, Rejected
from services.dispatcher.adapters.tfe_api import Tfe, attribute
from services.dispatcher.adapters.tfe_workspace import Variable, Workspace, WorkspaceUnusable

NOTIFICATION: Final = "ctrlplane-webhook"
TRIGGERS: Final = ("run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed", "run:errored")
MAX_KEPT: Final = 10_000


async def found_workspace(tfe: Tfe, name: str) -> Json | None:
    """A workspace by its name; None where it is not there. Raises: Held, Rejected."""
    try:
        return await tfe.get(tfe.workspace_path(name))
    except Rejected as no:
        if no.status == 404:
            return None
        raise


async def saved_workspace(tfe: Tfe, workspace: Workspace) -> str:
    """Create or change a workspace and return its id. Raises: Held, Rejected, WorkspaceUnusable."""
    attributes = workspace.attributes()
    project = {"project": await _project(tfe, workspace.project)} if workspace.project else {}
    known = await found_workspace(tfe, workspace.name)
    if known is None:
        try:
            created = await tfe.save("POST", f"{tfe.organization_path}/workspaces", "workspaces", attributes, belongs_to=project)
            return str(created["id"])
        except Rejected as no:
            # A call before may have created it although its answer was lost.
            if no.status != 422 or (known := await found_workspace(tfe, workspace.name)) is None:
                raise
    return str((await tfe.save("PATCH", f"workspaces/{known['id']}", "workspaces", attributes, belongs_to=project))["id"])


async def synced_variables(tfe: Tfe, workspace_id: str, wanted: tuple[Variable, ...]) -> None:
    """Create, change and delete variables until there are those that are wanted; with none wanted they are left alone.

    Raises: Held, Rejected.
    """
    if not wanted:
        return
    path = f"workspaces/{workspace_id}/vars"
    known = {(attribute(one, "key"), attribute(one, "category")): one async for one in tfe.each(path)}
    for variable in wanted:
        there = known.pop(variable.name, None)
        if there is not None and attribute(there, "sensitive") and not variable.sensitive:
            # Terraform never shows again what was sensitive once.
            await _deleted(tfe, f"{path}/{there['id']}")
            there = None
        if there is None:
            await tfe.save("POST", path, "vars", variable.attributes())
        elif variable.sensitive or any(
            (attribute(there, key) or None) != (value or None) for key, value in variable.attributes().items()
        ):
            await tfe.save("PATCH", f"{path}/{there['id']}", "vars", variable.attributes())
    for there in known.values():
        await _deleted(tfe, f"{path}/{there['id']}")


class Notifications:
    """Sees to it that runs are told to us. The secret they are signed with is never shown, so what was set is kept in memory as a hash."""

    def __init__(self) -> None:
        self._set: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def ensure(self, tfe: Tfe, workspace_id: str, url: str, secret: str) -> str:
        """Set the notification of a workspace; returns what went wrong, or an empty text: jobs go on without, since runs are asked for."""
        try:
            await self._ensure(tfe, workspace_id, url, secret)
        except (Held, Rejected) as why:
            return f"Its notifications could not be set up, so its runs are asked for: {why.message}"
        return ""

    async def _ensure(self, tfe: Tfe, workspace_id: str, url: str, secret: str) -> None:
        shown = {"name": NOTIFICATION, "destination-type": "generic", "enabled": True, "url": url, "triggers": list(TRIGGERS)}
        path = f"workspaces/{workspace_id}/notification-configurations"
        known = None
        async for one in tfe.each(path):
            if attribute(one, "name") == NOTIFICATION:
                known = one
                break
        key = (tfe.address, workspace_id)
        mark = sha256(f"{url}\n{secret}".encode()).digest()
        if known is None:
            await tfe.save("POST", path, "notification-configurations", {**shown, "token": secret})
        elif self._set.get(key) != mark or not _same(known, shown):
            await tfe.save(
                "PATCH", f"notification-configurations/{known['id']}", "notification-configurations", {**shown, "token": secret}
            )
        self._set[key] = mark
        if len(self._set) > MAX_KEPT:
            self._set.popitem(last=False)


async def _project(tfe: Tfe, wanted: str) -> str:
    if wanted.startswith("prj-"):
        return wanted
    async for one in tfe.each(f"{tfe.organization_path}/projects", **{"filter[names]": wanted}):
        if attribute(one, "name") == wanted:
            return str(one["id"])
    raise WorkspaceUnusable(
        f"The template names the project {wanted}, which {tfe.organization} does not have, or the token may not see."
    )


async def _deleted(tfe: Tfe, path: str) -> None:
    try:
        await tfe.delete(path)
    except Rejected as no:
        if no.status != 404:
            raise


def _same(known: Json, shown: Json) -> bool:
    return all(
        sorted(attribute(known, key) or ()) == sorted(value) if key == "triggers" else attribute(known, key) == value
        for key, value in shown.items()
    )
