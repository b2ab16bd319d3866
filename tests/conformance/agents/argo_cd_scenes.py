"""A pretended Argo CD, an agent that knows it, and what it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.argo_cd import ArgoCd
from services.dispatcher.adapters.port import AgentRequest, PlanRequest
from tests.conformance.agents.agent_scenes import JOB
from tests.fakes.argo_cd import TOKEN, FakeArgoCd
from tests.fakes.serving import Clock
from tests.unit.outbound.outside import calling

RESULT = "22222222-2222-4333-8444-555555555555"
REFERENCE = "${secret:env:SIGNALBOX_SECRET_ARGO}"
TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: Shop_{{ .resource.name }}
  namespace: argocd
  labels:
    team: Shop Team
    version: 1.20
    nothing:
  finalizers: [resources-finalizer.argocd.argoproj.io]
  annotations:
    notifications.argoproj.io/subscribe.on-synced.slack: shop
    owner: Ana
spec:
  source: {repoURL: https://git.example/shop, path: deploy, targetRevision: "{{ .version.tag }}"}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  syncPolicy: {automated: {prune: true}, syncOptions: [CreateNamespace=true]}
operation: {sync: {}}
"""
PUT = "POST .*/applications"


@dataclass
class House:
    """An Argo CD, and an agent that knows it."""

    argo: FakeArgoCd
    outbound: Outbound
    clock: Clock
    agent: ArgoCd

    def restarted(self) -> ArgoCd:
        """The agent in another process."""
        return ArgoCd(self.outbound, clock=self.clock)

    def config(self, **fields: Any) -> Json:
        return {"serverUrl": self.argo.url, "apiKey": TOKEN, "template": TEMPLATE, **fields}

    def context(self, tag: str = "v2", **fields: Any) -> Json:
        """What a job is made from; its configuration as it is recorded."""
        recorded = {**self.config(**fields), "apiKey": fields.get("apiKey", REFERENCE)}
        return {"resource": {"name": "EU.1"}, "version": {"tag": tag}, "jobAgentConfig": recorded}

    def request(self, tag: str = "v2", **fields: Any) -> AgentRequest:
        return AgentRequest(JOB, "argo-cd", self.config(**fields), context=self.context(tag, **fields))

    def dry_run(self, tag: str = "v2", **fields: Any) -> PlanRequest:
        return PlanRequest(RESULT, "argo-cd", self.config(**fields), context=self.context(tag, **fields))

    @property
    def names(self) -> list[str]:
        return sorted(self.argo.applications)


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    argo = FakeArgoCd(clock)
    async with argo.serving(), calling() as outbound:
        yield House(argo, outbound, clock, ArgoCd(outbound, clock=clock))
