"""Argo CD's API as far as it takes to put applications and to see what they render to.

- `POST /api/v1/applications?upsert=true` creates or changes an application by its name; without `upsert` another one of the same name is
  refused; labels and annotations that are there already stay:
  https://github.com/argoproj/argo-cd/blob/master/assets/swagger.json (ApplicationService_Create)
- `GET /api/v1/applications/{name}/manifests` gives every manifest as a JSON text (ApplicationService_GetManifests); those of an application
  carry its name in the tracking label: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
- `DELETE …?cascade=false` leaves alone what was deployed: https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/
- Errors are those of grpc-gateway: `{"error", "code", "message"}`. Who may see only some projects is told 403 of an application that is not
  there, unless the project is named: https://argo-cd.readthedocs.io/en/stable/operator-manual/upgrading/2.5-2.6/
"""

from __future__ import annotations

import copy
import re
from typing import Any

import orjson

from contracts.shapes import Json
from tests.fakes.serving import Asked, Clock, Fake, Reply

TOKEN = "argo-token-of-the-tests"


class FakeArgoCd(Fake):
    """One Argo CD in the namespace `argocd`.

    Attributes:
        applications: by name.
        renders: what an application's spec renders to: manifests without the tracking label.
        rendering: so many times an application's manifests are not there yet.
        narrow: the account may see one project only.
        removed: the names of applications that were deleted, each with its query.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.applications: dict[str, Json] = {}
        self.rendering = 0
        self.narrow = False
        self.removed: list[tuple[str, dict[str, str]]] = []

    def renders(self, application: Json) -> list[Json]:
        """A config map that holds the revision, and a Helm-like name."""
        name = application["metadata"]["name"]
        revision = application["spec"]["source"]["targetRevision"]
        return [
            manifest("Secret", f"{name}-key", name, data={"key": "c2VjcmV0"}),
            manifest("ConfigMap", f"{name}-web", name, data={"revision": revision}),
        ]

    def handle(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return no(401, 16, "invalid session: token is malformed")
        if asked.path == "/api/v1/applications":
            return self._put(asked) if asked.method == "POST" else self._list(asked.query)
        found = re.fullmatch(r"/api/v1/applications/([^/]+)(/manifests)?", asked.path)
        name = found[1] if found else ""
        application = self.applications.get(name)
        if application is None:
            seen = not self.narrow or "project" in asked.query
            return no(404, 5, f'applications.argoproj.io "{name}" not found') if seen else no(403, 7, "permission denied")
        if found and found[2]:
            return self._manifests(application)
        if asked.method == "DELETE":
            self.removed.append((name, asked.query))
            del self.applications[name]
            return Reply(json={})
        return Reply(json=application)

    def _put(self, asked: Asked) -> Reply:
        given = copy.deepcopy(asked.json)
        name = given["metadata"]["name"]
        known = self.applications.get(name)
        if known is not None and asked.query.get("upsert") != "true" and known["spec"] != given["spec"]:
            return no(400, 3, "existing application spec is different, use upsert flag to force update")
        if "destination" not in given["spec"]:
            return no(
                400,
                3,
                f"application spec for {name} is invalid: InvalidSpecError: application destination can't have both name and server undefined",
            )
        metadata = given["metadata"]
        for field in ("labels", "annotations"):
            metadata[field] = {**(known["metadata"].get(field) or {} if known else {}), **(metadata.get(field) or {})}
        metadata |= {"namespace": metadata.get("namespace", "argocd"), "resourceVersion": "7", "uid": f"uid-{name}"}
        given["spec"].setdefault("project", "default")
        given["status"] = {"sync": {"status": "OutOfSync"}, "health": {"status": "Missing"}}
        self.applications[name] = given
        return Reply(json=given)

    def _list(self, query: dict[str, str]) -> Reply:
        key, _, value = query.get("selector", "").partition("=")
        items = [one for one in self.applications.values() if not key or one["metadata"]["labels"].get(key) == value]
        return Reply(json={"metadata": {}, "items": items or None})

    def _manifests(self, application: Json) -> Reply:
        if self.rendering > 0:
            self.rendering -= 1
            return Reply(json={"revision": "", "manifests": None})
        return Reply(json={"revision": "abc", "manifests": [orjson.dumps(one).decode() for one in self.renders(application)]})


def manifest(kind: str, name: str, application: str, **fields: Any) -> Json:
    """A manifest as Argo CD renders it, with the label by which it tells whose it is."""
    labels = {"app.kubernetes.io/instance": application}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}, **fields}


def no(status: int, code: int, message: str, **headers: str) -> Reply:
    """How Argo CD says no."""
    return Reply(
        status, {"error": message, "code": code, "message": message}, {k.replace("_", "-"): v for k, v in headers.items()}
    )
