"""A pretended GitHub, an agent that knows it, and what it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.github_app import GithubApp
from services.dispatcher.adapters.port import AgentRequest
from tests.conformance.agents.agent_scenes import JOB
from tests.fakes.github import APP, INSTALLATION, WORKFLOW, FakeGithub
from tests.fakes.serving import Clock
from tests.unit.outbound.outside import calling

CONFIG: Json = {"installationId": INSTALLATION, "owner": "acme", "repo": "shop", "workflowId": WORKFLOW}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
DISPATCH = "POST .*/dispatches"


@dataclass
class House:
    """A GitHub, and an agent that knows it."""

    github: FakeGithub
    outbound: Outbound
    clock: Clock
    own: AppKey
    agent: GithubApp

    def restarted(self) -> GithubApp:
        """The agent in another process."""
        return GithubApp(GithubApi(self.outbound, self.own, clock=self.clock), clock=self.clock, pause=self.clock.pause)

    def runs_of(self, job_id: str = JOB) -> list[dict[str, Any]]:
        return [run for run in self.github.runs if job_id in run["name"]]


@asynccontextmanager
async def standing() -> AsyncIterator[House]:
    clock = Clock()
    github = FakeGithub(KEY.public_key(), clock)
    async with github.serving(), calling() as outbound:
        own = AppKey(APP, PEM, github.url)
        house = House(
            github, outbound, clock, own, GithubApp(GithubApi(outbound, own, clock=clock), clock=clock, pause=clock.pause)
        )
        yield house
        assert all(one.headers.get("authorization", "").startswith("Bearer ") for one in github.asked)


def asking(
    house: House, *, again: bool = False, external_id: str | None = None, metadata: Any = None, **config: Any
) -> AgentRequest:
    whole = {**CONFIG, "apiUrl": house.github.url, **config}
    whole = {key: value for key, value in whole.items() if value is not None}
    return AgentRequest(JOB, "github-app", whole, external_id, metadata=metadata or {}, again=again)
