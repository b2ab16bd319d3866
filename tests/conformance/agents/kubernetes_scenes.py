"""A cluster, pretended or real, an agent that knows it, and manifests to apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi
from services.dispatcher.adapters.kubernetes_seen import WATCHING
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, PlanAnswer, PlanRequest
from tests.conformance.agents.agent_scenes import JOB, answered, following
from tests.fakes.serving import Clock

WORKSPACE = "77777777-2222-4333-8444-555555555555"
CONTEXT: Json = {"version": {"tag": "v1.2.3"}, "resource": {"name": "web", "config": {"replicas": 3}}, "job": {"id": JOB}}

AT = "2026-05-01T12:00:00Z"
RUNNING: Json = {"active": 1, "ready": 0, "startTime": AT, "uncountedTerminatedPods": {}}
SUCCEEDED: Json = {
    "active": 0,
    "ready": 0,
    "succeeded": 1,
    "startTime": AT,
    "completionTime": "2026-05-01T12:01:00Z",
    "uncountedTerminatedPods": {},
    "conditions": [
        {"type": "SuccessCriteriaMet", "status": "True", "lastTransitionTime": AT},
        {"type": "Complete", "status": "True", "lastTransitionTime": AT},
    ],
}
FAILED: Json = {
    "active": 0,
    "ready": 0,
    "failed": 1,
    "startTime": AT,
    "uncountedTerminatedPods": {},
    "conditions": [
        {"type": "FailureTarget", "status": "True", "lastTransitionTime": AT},
        {
            "type": "Failed",
            "status": "True",
            "lastTransitionTime": AT,
            "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
        },
    ],
}

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {tag: "{{.version.tag}}"}
"""
POD_SPEC = "{containers: [{name: main, image: 'shop:{{.version.tag}}'}], restartPolicy: Never}"
RUN = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate}}
spec: {{template: {{spec: {POD_SPEC}}}}}
"""
UNNAMED = RUN.replace("name: migrate", "generateName: migrate-")


def rolled(kind: str) -> str:
    """A manifest of a kind that is rolled out."""
    spec = "{{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web, image: web}}]}}}}"
    more = {"Deployment": "replicas: 3, ", "StatefulSet": "replicas: 3, serviceName: web, ", "DaemonSet": ""}[kind]
    body = spec.replace("{{", "{").replace("}}", "}")
    return f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web}}\nspec: {{{more}selector: {body}}}\n"


@dataclass
class House:
    """A cluster, a namespace in it, and an agent that knows both."""

    url: str
    token: str
    namespace: str
    outbound: Outbound
    clock: Clock
    agent: Kubernetes
    ca: str | None = None

    def restarted(self) -> Kubernetes:
        """The agent in another process."""
        return Kubernetes(KubernetesApi(self.outbound, clock=self.clock, environ={}), clock=self.clock)

    def config(self, template: str, **more: Any) -> Json:
        config = {
            "serverUrl": self.url,
            "token": self.token,
            "caCertificate": self.ca,
            "namespace": self.namespace,
            "template": template,
            **more,
        }
        return {key: value for key, value in config.items() if value is not None}

    def job(self, *templates: str, job_id: str = JOB, again: bool = False, **more: Any) -> AgentRequest:
        config = self.config("\n---\n".join(templates), **more)
        return AgentRequest(job_id, "kubernetes", config, workspace_id=WORKSPACE, context=CONTEXT, again=again)

    async def handed(self, request: AgentRequest) -> tuple[AgentAnswer, AgentRequest]:
        """The answer, and the job after it."""
        answer = answered(await self.agent.dispatch(request))
        return answer, following(request, answer)

    async def seen(self, request: AgentRequest) -> AgentAnswer:
        return answered(await self.agent.observe(request))

    async def plan(self, *templates: str, **more: Any) -> PlanAnswer:
        config = self.config("\n---\n".join(templates), **more)
        answer = await self.agent.plan(PlanRequest("result", "kubernetes", config, WORKSPACE, context=CONTEXT))
        assert isinstance(answer, PlanAnswer), answer
        return answer

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json | None:
        """Call the API server as its controllers do; None where there is nothing."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        answer = await self.outbound.ask(method, f"{self.url}{path}", headers=headers, json=body, ca=self.ca)
        if answer.status == 404:
            return None
        assert answer.ok, answer.text()
        told: Json = answer.json()
        return told

    def path(self, kind: str, name: str) -> str:
        plural, root = {
            "ConfigMap": ("configmaps", "/api/v1"),
            "Secret": ("secrets", "/api/v1"),
            "Pod": ("pods", "/api/v1"),
            "Job": ("jobs", "/apis/batch/v1"),
        }.get(kind, (f"{kind.lower()}s", "/apis/apps/v1"))
        return f"{root}/namespaces/{self.namespace}/{plural}/{name}"

    async def there(self, kind: str, name: str) -> Json:
        found = await self.ask("GET", self.path(kind, name))
        assert found is not None, f"{kind} {name} is not there"
        return found

    async def status(self, kind: str, name: str, status: Json) -> None:
        """Let an object stand so."""
        await self.ask("PATCH", f"{self.path(kind, name)}/status", {"status": status})

    async def runs(self, request: AgentRequest) -> list[str]:
        """The names of the Jobs that a job made."""
        noted = orjson.loads(request.metadata.get(WATCHING, "[]"))
        return [one["name"] for one in noted if one["kind"] == "Job"]
