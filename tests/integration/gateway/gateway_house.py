"""The whole house in one process, without a network: real services over the memory log, and the real application over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter

from contracts.command import Answer, AsOf, Request, Wish
from contracts.commands.gateway import Bootstrap, CreateApiKey
from contracts.envelope import NIL_WORKSPACE
from contracts.facts.gateway import UserCreated
from libs.bus.port import Unavailable, Written
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, EventLog, NewFact
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime import clock
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.outside import Outside
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher import app as dispatcher
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.dispatcher.adapters.port import Agent
from services.gateway import app as gateway
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.projector import Projector
from services.gateway.adapters.system import SystemView
from services.gateway.http.app import create_app, operations
from services.gateway.http.deps import Deps
from services.inventory import app as inventory
from services.planner import app as planner
from services.policy import app as policy
from services.verifier import app as verifier

KEY = "0123456789abcdef." + "ab" * 32
PATIENCE_S = 60


class InProcess:
    """`Requests` that call the hosts of this process, and can be told to have nobody behind them."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host[Any]] = {}
        self.away = False
        self.asked: list[tuple[Wish, str, str]] = []

    async def ask(
        self,
        wish: Wish | Written,
        *,
        id: str,
        workspace_id: str,
        auth_id: str,
        min_position: int = 0,
        traceparent: str = "",
        as_of: AsOf | None = None,
    ) -> Answer:
        if not isinstance(wish, Written):
            wish = Written(type(wish), wish.model_dump_json().encode())
        if self.away:
            raise Unavailable(wish.kind.subject())
        sent = wish.kind.model_validate_json(wish.payload)
        self.asked.append((sent, id, traceparent))
        request = Request(
            id=id,
            workspace_id=workspace_id,
            min_position=min_position,
            auth_id=auth_id,
            traceparent=traceparent,
            as_of=as_of,
        )
        return await self.hosts[sent.SERVICE].answer(sent, request)

    def positions(self, workspace_id: str) -> dict[str, int]:
        found = ((name, host.position(workspace_id)) for name, host in self.hosts.items())
        return {name: position for name, position in found if position is not None}


@dataclass
class House:
    """What a test talks to."""

    deps: Deps
    client: httpx.AsyncClient
    requests: InProcess
    rows: MemoryRows
    projector: Projector
    workspace_id: str = ""
    checked: set[tuple[str, int]] = field(default_factory=set)

    async def call(self, method: str, path: str, body: Any = None, *, want: int | None = None, **more: Any) -> Any:
        """Send a request to the workspace (or, with a leading `/api`, anywhere) and return its JSON, held against its declared shape."""
        answer = await self.send(method, path, body, **more)
        if want is not None:
            assert answer.status_code == want, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """As `call`, but the whole answer."""
        url = path if path.startswith("/api") else f"/api/v1/workspaces/{self.workspace_id}{path}"
        headers = {"X-API-Key": KEY, **more.pop("headers", {})}
        answer = await self.client.request(method, url, json=body, headers=headers, **more)
        check_shape(method, url.partition("?")[0], answer)
        assert answer.status_code != 500, answer.text
        return answer

    async def until(self, look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        """Look again whenever rows have moved on, until what is seen is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                # Before the look: what moves during it is not waited for once more.
                position = await self.rows.checkpoint(self.workspace_id)
                if holds(seen := await look()):
                    return seen
                await self.projector.reached(self.workspace_id, position + 1, PATIENCE_S)

    def path_of(self, identifier: str) -> str:
        """The path of a resource."""
        return f"/resources/identifier/{quote(identifier, safe='')}"


def _matching(method: str, path: str) -> Any:
    parts = path.removeprefix("/api").strip("/").split("/")
    found = []
    for one in operations().values():
        wanted = one.path.strip("/").split("/")
        if one.method == method and len(wanted) == len(parts):
            fixed = sum(want == part for want, part in zip(wanted, parts, strict=True))
            if all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)):
                found.append((fixed, one.handler.__name__, one))
    return max(found, key=lambda one: one[:2])[2] if found else None


def check_shape(method: str, path: str, answer: httpx.Response) -> None:
    """Hold an answer against what its operation declares: status, and every property."""
    if answer.status_code >= 400:
        body = answer.json()
        assert isinstance(body["message"], str)
        assert body["error"] == body["message"]
        assert set(body) <= {"message", "error", "code", "details"}
        return
    operation = _matching(method, path)
    if operation is None:
        return
    assert answer.status_code in operation.answers, f"{method} {path} does not declare {answer.status_code}"
    model: type[BaseModel] | None = operation.answers[answer.status_code]
    if model is not None:
        assert answer.headers["content-type"] == "application/json"
        TypeAdapter(model).validate_json(answer.content)


@asynccontextmanager
async def house(
    agents: Mapping[str, Agent] | None = None, *, through: Callable[[EventLog], Outside] | None = None, **settings: Any
) -> AsyncIterator[House]:
    """The services, the projector and the application, with a first workspace and a key.

    Args:
        agents: by type, beside those that call nobody; they get their secrets from the `vault` of the settings.
        through: makes what dispatcher's and verifier's calls go through; by default it reaches public addresses alone.
    """
    log = MemoryLog()
    feed = Feed(log)
    requests = InProcess()
    vault = settings.get("vault") or Vault(Sources({}, None), None)
    outside = through(log) if through is not None else Outside(log, Outbound(AddressRules.parse("")), vault)
    performers = {
        dispatcher: performing({**built_in_agents(), **(agents or {})}, outside),
        verifier: verifier.performer(outside),
    }
    for app in (inventory, planner, policy, dispatcher, verifier, gateway):
        performer = performers.get(app)
        name = app.service.name
        requests.hosts[name] = Host(app.service, log, feed, performer=performer, system=name == "gateway")
    rows = MemoryRows()
    projector = Projector(feed=feed, sink=rows, store=rows)
    system = SystemView(feed)
    settings.setdefault("positions", requests.positions)
    deps = Deps(requests=requests, log=log, feed=feed, store=rows, progress=projector, system=system, **settings)
    for host in requests.hosts.values():
        host.start()
    projector.start()
    system.start()
    transport = httpx.ASGITransport(app=create_app(deps))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            made = House(deps, client, requests, rows, projector)
            made.workspace_id = await bootstrapped(deps)
            yield made
    finally:
        deps.closing.set()
        await projector.stop()
        await system.stop()
        for host in requests.hosts.values():
            await host.stop()


async def bootstrapped(deps: Deps) -> str:
    """Make the first workspace, an admin and `KEY`; the workspace's id."""
    prefix, secret = KEY.split(".")
    wish = Bootstrap(key_prefix=prefix, key_secret_sha256=sha256(secret.encode()).hexdigest())
    answer = await deps.requests.ask(wish, id=str(uuid4()), workspace_id=NIL_WORKSPACE, auth_id="service:test")
    assert await deps.system.reached(answer.position, PATIENCE_S)
    workspace_id: str = answer.result["workspace_id"]
    return workspace_id


async def another_user(house: House, prefix: str = "fedcba9876543210", **more: Any) -> str:
    """A key of a user who is admin of nothing."""
    now = clock.now()
    user_id = str(uuid4())
    fact = NewFact(
        id=str(uuid4()),
        fact=UserCreated(user_id=user_id, name="bo", created_at=now),
        time=now,
        correlation_id=user_id,
        causation_id=user_id,
        auth_id="service:test",
    )
    await house.deps.log.append(Append(workspace_id=NIL_WORKSPACE, facts=(fact,)))
    secret = "cd" * 32
    wish = CreateApiKey(
        user_id=user_id, name="bo's", key_prefix=prefix, key_secret_sha256=sha256(secret.encode()).hexdigest(), **more
    )
    head = await house.deps.log.head(NIL_WORKSPACE)
    answer = await house.deps.requests.ask(
        wish, id=str(uuid4()), workspace_id=NIL_WORKSPACE, auth_id="service:test", min_position=head
    )
    assert answer.refusal is None, answer
    assert await house.deps.system.reached(answer.position, PATIENCE_S)
    return f"{prefix}.{secret}"
