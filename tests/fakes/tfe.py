"""The API of Terraform Cloud and Enterprise as far as it takes to run a workspace.

- A workspace is found, created and changed by its organization and name, and a name is taken once (422); what a token may not see is a 404:
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/workspaces
- A variable is one per key and category; the value of a sensitive one is never shown, and it stays sensitive:
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/workspace-variables
- Notifications never show their token: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations
- Runs are listed newest first in pages, searched by `search[basic]` in their message among others; actions on a run that is in no state for
  them are a 409; a run's workspace, which names its organization, comes along where it is asked for:
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run
- The JSON of a plan is kept elsewhere, to where a redirect leads, and is 204 while it is not there:
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.fakes.serving import Asked, Clock, Fake, Reply

TOKEN = "atlas-v1-a-very-secret-token"
ORGANIZATION = "acme"
SHOWN_ACTIONS = ("cancelable", "confirmable", "discardable", "force-cancelable")


class FakeTfe(Fake):
    """One organization.

    Attributes:
        workspaces, variables, notifications, runs: by id, oldest first; objects of JSON:API.
        plans: the JSON of plans, by the id of their run.
        secrets: values and tokens that were given and are never shown, by the id of their object.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.workspaces: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.notifications: dict[str, Any] = {}
        self.runs: dict[str, Any] = {}
        self.plans: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        self.projects = {"prj-1": "Shop"}
        self.page_size = 100
        self._count = 0

    def workspace(self, name: str, **attributes: Any) -> str:
        """A workspace that is there already; returns its id."""
        return self._new("ws", "workspaces", self.workspaces, {"name": name, **attributes})

    def run(self, workspace_id: str, message: str, status: str = "pending", **attributes: Any) -> str:
        """A run that is there already; returns its id."""
        said = {
            "message": message,
            "status": status,
            "created-at": f"{self.clock():%Y-%m-%dT%H:%M:%S.000Z}",
            "plan-only": False,
            "auto-apply": False,
            "actions": {f"is-{one}": one == "cancelable" for one in SHOWN_ACTIONS},
            **attributes,
        }
        run_id = self._new("run", "runs", self.runs, said)
        self.runs[run_id]["relationships"] = {
            "workspace": {"data": {"type": "workspaces", "id": workspace_id}},
            "plan": {"data": {"type": "plans", "id": f"plan-{run_id}"}},
        }
        return run_id

    def move(self, run_id: str, status: str, *able: str) -> None:
        """A run goes on to a status, in which these actions can be taken."""
        actions = {f"is-{one}": one in able for one in SHOWN_ACTIONS}
        self.runs[run_id]["attributes"] |= {"status": status, "actions": actions}

    def handle(self, asked: Asked) -> Reply:
        if asked.path.startswith("/archive/"):
            if "authorization" in asked.headers:
                return no(400, "only one way to sign in is allowed")
            return Reply(json=self.plans[asked.path.removeprefix("/archive/")])
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return no(401, "unauthorized")
        path = asked.path.removeprefix("/api/v2/")
        attributes = asked.json["data"]["attributes"] if asked.json and "data" in asked.json else {}
        routes: tuple[tuple[str, Callable[..., Reply]], ...] = (
            (rf"organizations/{ORGANIZATION}/(workspaces|projects)", self._collection),
            (rf"organizations/{ORGANIZATION}/workspaces/([^/]+)", self._named),
            (r"workspaces/([^/]+)", self._patch_workspace),
            (r"workspaces/([^/]+)/(vars|notification-configurations|runs)", self._of_workspace),
            (r"workspaces/([^/]+)/vars/([^/]+)", self._variable),
            (r"notification-configurations/([^/]+)", self._notification),
            (r"runs", self._start),
            (r"runs/([^/]+)", self._run),
            (r"runs/([^/]+)/actions/(cancel|discard)", self._act),
            (r"plans/plan-([^/]+)", self._plan),
            (r"plans/plan-([^/]+)/json-output", self._json_output),
        )
        for pattern, answer in routes:
            if (found := re.fullmatch(pattern, path)) is not None:
                try:
                    return answer(asked, attributes, *found.groups())
                except KeyError:
                    return no(404, "not found")
        return no(404, "not found")

    def _new(self, prefix: str, type_: str, place: dict[str, Any], attributes: Any) -> str:
        self._count += 1
        new = f"{prefix}-{self._count}"
        place[new] = {"id": new, "type": type_, "attributes": dict(attributes)}
        return new

    def _list(self, asked: Asked, found: list[Any]) -> Reply:
        size, page = min(int(asked.query.get("page[size]", "20")), self.page_size), int(asked.query.get("page[number]", "1"))
        more = page + 1 if page * size < len(found) else None
        return Reply(json={"data": found[(page - 1) * size : page * size], "meta": {"pagination": {"next-page": more}}})

    def _collection(self, asked: Asked, attributes: Any, kind: str) -> Reply:
        if kind == "projects":
            found: list[Any] = [
                {"id": key, "type": "projects", "attributes": {"name": name}} for key, name in self.projects.items()
            ]
            return self._list(asked, [one for one in found if one["attributes"]["name"] == asked.query["filter[names]"]])
        if any(one["attributes"]["name"] == attributes["name"] for one in self.workspaces.values()):
            return no(422, "invalid attribute", "Name has already been taken")
        new = self._new("ws", "workspaces", self.workspaces, attributes)
        self.workspaces[new]["relationships"] = asked.json["data"].get("relationships", {})
        return Reply(201, {"data": self.workspaces[new]})

    def _named(self, asked: Asked, attributes: Any, name: str) -> Reply:
        found = next((one for one in self.workspaces.values() if one["attributes"]["name"] == name), None)
        return Reply(json={"data": found}) if found else no(404, "not found")

    def _patch_workspace(self, asked: Asked, attributes: Any, workspace_id: str) -> Reply:
        self.workspaces[workspace_id]["attributes"] |= attributes
        return Reply(json={"data": self.workspaces[workspace_id]})

    def _of_workspace(self, asked: Asked, attributes: Any, workspace_id: str, kind: str) -> Reply:
        assert_there(self.workspaces, workspace_id)
        if kind == "runs":
            key = asked.query.get("search[basic]", "")
            found = [one for one in self.runs.values() if one["relationships"]["workspace"]["data"]["id"] == workspace_id]
            return self._list(asked, [one for one in reversed(found) if key in one["attributes"]["message"]])
        place = self.variables if kind == "vars" else self.notifications
        there = [one for one in place.values() if one["workspace"] == workspace_id]
        if asked.method == "GET":
            return self._list(asked, there)
        name = (attributes.get("key"), attributes.get("category"))
        if kind == "vars" and any((one["attributes"]["key"], one["attributes"]["category"]) == name for one in there):
            return no(422, "invalid attribute", "Key has already been taken")
        new = self._new("var" if kind == "vars" else "nc", kind, place, {})
        place[new]["workspace"] = workspace_id
        self._keep(place[new], attributes)
        return Reply(201, {"data": place[new]})

    def _keep(self, one: Any, attributes: Any) -> None:
        hidden = "token" if "token" in attributes else "value" if attributes.get("sensitive") else None
        if hidden is not None:
            self.secrets[one["id"]] = attributes[hidden]
        one["attributes"] |= {key: None if key == hidden else value for key, value in attributes.items()}

    def _variable(self, asked: Asked, attributes: Any, workspace_id: str, variable_id: str) -> Reply:
        if asked.method == "DELETE":
            del self.variables[variable_id]
            return Reply(204)
        if self.variables[variable_id]["attributes"]["sensitive"] and not attributes["sensitive"]:
            return no(422, "invalid attribute", "Sensitive can not be undone")
        self._keep(self.variables[variable_id], attributes)
        return Reply(json={"data": self.variables[variable_id]})

    def _notification(self, asked: Asked, attributes: Any, notification_id: str) -> Reply:
        self._keep(self.notifications[notification_id], attributes)
        return Reply(json={"data": self.notifications[notification_id]})

    def _start(self, asked: Asked, attributes: Any) -> Reply:
        workspace_id = asked.json["data"]["relationships"]["workspace"]["data"]["id"]
        assert_there(self.workspaces, workspace_id)
        return Reply(201, {"data": self.runs[self.run(workspace_id, **{"status": "pending", **attributes})]})

    def _run(self, asked: Asked, attributes: Any, run_id: str) -> Reply:
        run = self.runs[run_id]
        if asked.query.get("include") != "workspace":
            return Reply(json={"data": run})
        workspace = self.workspaces[run["relationships"]["workspace"]["data"]["id"]]
        organization = {"organization": {"data": {"id": ORGANIZATION, "type": "organizations"}}}
        related = {**workspace.get("relationships", {}), **organization}
        return Reply(json={"data": run, "included": [{**workspace, "relationships": related}]})

    def _act(self, asked: Asked, attributes: Any, run_id: str, verb: str) -> Reply:
        if not self.runs[run_id]["attributes"]["actions"][f"is-{verb.removesuffix('e')}able"]:
            return no(409, "transition not allowed")
        self.move(run_id, {"cancel": "canceled", "discard": "discarded"}[verb])
        return Reply(202)

    def _plan(self, asked: Asked, attributes: Any, run_id: str) -> Reply:
        counts = {"has-changes": True, "resource-additions": 5, "resource-changes": 6, "resource-destructions": 7}
        return Reply(json={"data": {"id": f"plan-{run_id}", "type": "plans", "attributes": counts}})

    def _json_output(self, asked: Asked, attributes: Any, run_id: str) -> Reply:
        if run_id not in self.plans:
            return Reply(204)
        # Another name is another place, where the token must not go along.
        return Reply(307, headers={"Location": self.server.url(f"/archive/{run_id}", host="localhost")})


def assert_there(place: dict[str, Any], key: str) -> None:
    """Raises: KeyError, which is answered with 404."""
    if key not in place:
        raise KeyError(key)


def no(status: int, title: str, detail: str | None = None, **headers: str) -> Reply:
    """How Terraform says no."""
    error = {"status": str(status), "title": title} | ({"detail": detail} if detail else {})
    return Reply(status, {"errors": [error]}, {name.replace("_", "-"): value for name, value in headers.items()})
