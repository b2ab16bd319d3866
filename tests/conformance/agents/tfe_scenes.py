"""A pretended Terraform Cloud, an agent that knows it, and what it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.port import AgentRequest, PlanRequest
from services.dispatcher.adapters.tfe import OwnNotifications, TfeAgent
from tests.conformance.agents.agent_scenes import JOB
from tests.fakes.serving import Clock
from tests.fakes.tfe import ORGANIZATION, TOKEN, FakeTfe
from tests.unit.outbound.outside import calling

RESULT = "77777777-2222-4333-8444-555555555555"
SECRET = "the secret that notifications are signed with"
HOOK = "https://signalbox.example/api/tfe/webhook"
RUN = "POST /api/v2/runs$"
TEMPLATE = "name: shop-{{ .resource.name }}\n"
CONTEXT: Json = {"resource": {"name": "eu"}, "variables": {"size": 3}, "job": {"id": JOB}}


@dataclass
class House:
    """A Terraform, and an agent that knows it."""

    tfe: FakeTfe
    outbound: Outbound
    clock: Clock
    agent: TfeAgent

    def restarted(self) -> TfeAgent:
        """The agent in another process."""
        return TfeAgent(self.outbound, OwnNotifications(SECRET, self.tfe.url), clock=self.clock, pause=self.clock.pause)

    def runs_of(self, key: str = JOB) -> list[Any]:
        return [run for run in self.tfe.runs.values() if key in run["attributes"]["message"]]


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    tfe = FakeTfe(clock)
    async with tfe.serving(), calling() as outbound:
        house = House(tfe, outbound, clock, TfeAgent(outbound, clock=clock))
        house.agent = house.restarted()
        yield house


def asking(
    house: House, *, again: bool = False, external_id: str | None = None, metadata: Any = None, **config: Any
) -> AgentRequest:
    whole = {"address": house.tfe.url, "token": TOKEN, "organization": ORGANIZATION, "template": TEMPLATE, **config}
    return AgentRequest(JOB, "tfe", whole, external_id, context=CONTEXT, metadata=metadata or {}, again=again)


def planning(house: House, *, again: bool = False, template: str = TEMPLATE) -> PlanRequest:
    return PlanRequest(RESULT, "tfe", asking(house, template=template).config, context=CONTEXT, again=again)
