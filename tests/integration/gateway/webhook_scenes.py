"""Jobs that run outside, and webhooks that tell of them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from libs.webhooks.signatures import signed
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, PlanAnswer, PlanRequest
from services.gateway.http.deps import WebhookSecrets
from tests.integration.gateway.gateway_house import PATIENCE_S, House, house
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.secrets.secret_scenes import MASTER

GITHUB, TFE, OWN = "github's secret", "terraform's secret", "the agent's own secret"
STARTED, UPDATED = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"
NOW = datetime(2026, 1, 2, 4, tzinfo=UTC)


class Runs:
    """An agent whose jobs run until somebody tells how they stand."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress", external_id=f"run of {request.agent_id}")

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        return PlanAnswer(status="unsupported")


CONFIGS: dict[str, dict[str, Any]] = {
    "github-app": {"installationId": 7, "owner": "acme", "repo": "shop", "workflowId": 1},
    "tfe": {"address": "https://t.example", "token": "t", "organization": "o", "template": "name: x"},
    "argo-workflow": {"serverUrl": "https://a.example", "template": "kind: Workflow", "webhookSecret": OWN},
    "webhook": {"url": "https://w.example", "secret": OWN},
}


@dataclass
class Running:
    """A job that runs outside, and whoever may tell of it."""

    one: House
    agent: str
    job: str

    async def now(self) -> Any:
        """The job, as all that is recorded says."""
        head = await self.one.deps.log.head(self.one.workspace_id)
        assert await self.one.projector.reached(self.one.workspace_id, head, PATIENCE_S)
        return await self.one.call("GET", f"/jobs/{self.job}", want=200)

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Send a webhook without any credential; the body as it is, or as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.one.client.post(f"/api{path}", content=content, headers=headers)
        assert answer.status_code != 500, answer.text
        return answer

    async def github(self, body: Any, secret: str = GITHUB, event: str = "workflow_run") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        mark = "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        return await self.post("/github/webhook", content, **{"X-Hub-Signature-256": mark, "X-GitHub-Event": event})

    async def tfe(self, body: Any, secret: str = TFE, path: str = "/tfe/webhook") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        mark = hmac.new(secret.encode(), content, hashlib.sha512).hexdigest()
        return await self.post(path, content, **{"X-TFE-Notification-Signature": mark})

    async def ours(self, body: Any, secret: str = OWN, at: datetime = NOW) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.post(f"/webhook/{self.agent}", content, **{"X-Signalbox-Signature": signed(content, secret, at)})


async def run_by(one: House, agent_type: str, config: dict[str, Any] | None = None) -> Running:
    """A job of an agent of this type that runs."""
    ids = await shop(one)
    body = {"name": agent_type, "type": agent_type, "config": CONFIGS[agent_type] if config is None else config}
    await one.call("PUT", f"/job-agents/{ids['agent']}", body, want=202)
    await one.call("POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    path = f"/job-agents/{ids['agent']}/jobs?status=inProgress"
    page = await one.until(lambda: one.call("GET", path, want=200), lambda seen: seen["total"] == 1)
    return Running(one, ids["agent"], page["items"][0]["id"])


@asynccontextmanager
async def told_house() -> AsyncIterator[House]:
    """A gateway that knows the secrets of all who may tell it something, at the time NOW."""
    agents = {name: Runs() for name in CONFIGS}
    vault = Vault(Sources({}, None), MemoryKeys(MASTER))
    async with house(agents, vault=vault, webhook_secrets=WebhookSecrets(GITHUB, TFE), clock=lambda: NOW) as made:
        yield made


def run(job: str, conclusion: str | None = "success", status: str = "completed", **more: Any) -> dict[str, Any]:
    """GitHub's event of a workflow run."""
    told = {
        "id": 42,
        "name": f"deploy {job}",
        "status": status,
        "conclusion": conclusion,
        "html_url": "https://g.example/42",
        "run_started_at": STARTED,
        "updated_at": UPDATED,
    }
    return {"workflow_run": told, "repository": {"full_name": "Acme/shop"}, "installation": {"id": 7}, **more}


def notification(job: str, trigger: str = "run:completed", **more: Any) -> dict[str, Any]:
    """Terraform's notification of a run."""
    first = {"trigger": trigger, "message": "told", "run_updated_at": UPDATED}
    return {
        "run_id": "run-1",
        "run_url": "https://t.example/app/o/w/runs/run-1",
        "run_message": f"Triggered by ctrlplane job {job}",
        "notifications": [first],
        **more,
    }
