"""The API of Argo Workflows' server as far as it takes to run workflows.

- `POST /api/v1/workflows/{namespace}` `{"workflow": …}` creates one; without a name Kubernetes appends five random characters to
  `generateName`; a name that is taken is refused with 409 (`AlreadyExists`):
  https://argo-workflows.readthedocs.io/en/latest/swagger/ (WorkflowService_CreateWorkflow)
- Lists are narrowed by `listOptions.labelSelector`; an empty one has `items: null`.
- `PUT …/{name}/stop` ends the steps and lets exit handlers run; one that has ended can not be stopped, which is a 500:
  https://argo-workflows.readthedocs.io/en/latest/cli/argo_stop/
- Finished workflows are deleted when their `ttlStrategy` says so, and may be kept in an archive, by uid:
  https://argo-workflows.readthedocs.io/en/latest/workflow-archive/
"""

from __future__ import annotations

import copy
import re
from typing import Any

from contracts.shapes import Json
from tests.fakes.serving import Asked, Clock, Fake, Reply

TOKEN = "Bearer argo-workflows-token-of-the-tests"


class FakeArgoWorkflows(Fake):
    """One server.

    Attributes:
        workflows: by namespace and name.
        archive: by uid; None where none is kept.
        lag_s: so long after a workflow was created do lists not show it: the server reads them from a copy.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.workflows: dict[str, Json] = {}
        self.archive: dict[str, Json] | None = None
        self.lag_s = 0.0
        self.token = TOKEN
        self._made = 0

    def move(self, phase: str, message: str = "") -> None:
        """The only workflow comes to a phase."""
        (workflow,) = self.workflows.values()
        workflow["status"] = {"phase": phase, **({"message": message} if message else {})}

    def of_job(self, job_id: str) -> list[Json]:
        return [one for one in self.workflows.values() if one["metadata"]["labels"].get("job-id") == job_id]

    def handle(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization", "") != self.token:
            return no(401, 16, "token not valid. see https://argo-workflows.readthedocs.io/en/latest/faq/")
        if archived := re.fullmatch(r"/api/v1/archived-workflows/([^/]+)", asked.path):
            if self.archive is None:
                return no(500, 13, "getting archived workflows not supported")
            kept = self.archive.get(archived[1])
            return Reply(json=kept) if kept else no(404, 5, "not found")
        found = re.fullmatch(r"/api/v1/workflows/([^/]+)(?:/([^/]+))?(/stop)?", asked.path)
        assert found, asked
        namespace, name, stop = found.groups()
        if name is None:
            return self._create(namespace, asked.json) if asked.method == "POST" else self._list(namespace, asked.query)
        workflow = self.workflows.get(f"{namespace}/{name}")
        if workflow is None:
            return no(404, 5, f'workflows.argoproj.io "{name}" not found')
        return self._stop(workflow) if stop else Reply(json=workflow)

    def _create(self, namespace: str, body: Any) -> Reply:
        workflow = copy.deepcopy(body["workflow"])
        if "entrypoint" not in workflow["spec"]:
            return no(400, 3, "spec.entrypoint is required")
        self._made += 1
        metadata = workflow["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}{self._made:05}"
        if f"{namespace}/{name}" in self.workflows:
            return no(409, 6, f'workflows.argoproj.io "{name}" already exists')
        made = {"name": name, "namespace": namespace, "uid": f"uid-{self._made}", "creationTimestamp": self._stamp()}
        workflow["metadata"] = {**metadata, **made}
        workflow["status"] = {}
        self.workflows[f"{namespace}/{name}"] = workflow
        return Reply(json=workflow)

    def _list(self, namespace: str, query: dict[str, str]) -> Reply:
        key, _, value = query["listOptions.labelSelector"].partition("=")
        since = self._stamp(-self.lag_s)
        items = [
            one
            for one in self.workflows.values()
            if one["metadata"]["namespace"] == namespace
            and one["metadata"]["labels"].get(key) == value
            and (not self.lag_s or one["metadata"]["creationTimestamp"] <= since)
        ]
        return Reply(json={"metadata": {}, "items": items or None})

    def _stop(self, workflow: Json) -> Reply:
        if workflow["status"].get("phase") in ("Succeeded", "Failed", "Error"):
            return no(500, 2, "cannot shutdown a completed workflow")
        workflow["spec"]["shutdown"] = "Stop"
        workflow["status"] = {"phase": "Failed", "message": "Stopped with strategy 'Stop'"}
        return Reply(json=workflow)

    def _stamp(self, ahead_s: float = 0.0) -> str:
        at = self.clock().timestamp() + ahead_s
        return type(self.clock()).fromtimestamp(at, self.clock().tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")


def no(status: int, code: int, message: str, **headers: str) -> Reply:
    """How Argo's server says no."""
    return Reply(status, {"code": code, "message": message, "details": []}, {k.replace("_", "-"): v for k, v in headers.items()})
