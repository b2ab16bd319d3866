"""All services over one Postgres log, one of them mortal, and an endpoint over sockets: versions are posted, measured and rolled back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg

from libs.eventlog.postgres import PostgresLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.outside import Outside
from libs.runtime.service import Performer
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher import app as dispatcher
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.gateway import app as gateway
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.projector import Projector
from services.gateway.adapters.system import SystemView
from services.gateway.http.app import create_app
from services.gateway.http.deps import Deps
from services.inventory import app as inventory
from services.planner import app as planner
from services.policy import app as policy
from services.verifier import app as verifier
from tests.faults.verification.mortal import Life, Moment
from tests.integration.gateway.gateway_house import House, InProcess, bootstrapped
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.outbound.outside import Got, said
from tests.unit.outbound.outside import outside as serving

PATIENCE_S: Final = 60.0
APPS: Final = {one.service.name: one for one in (inventory, planner, policy, dispatcher, verifier, gateway)}


class Endpoint:
    """What metrics ask: it says that everything is well, but of what is bad.

    Attributes:
        bad: versions and clusters.
        asked: how often it was asked about a version, a cluster and a metric.
    """

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.asked: Counter[tuple[str, str, str]] = Counter()

    async def handle(self, got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = parse_qs(urlsplit(got.line.split(" ")[1]).query)
        about = (query["version"][0], query["cluster"][0], query["metric"][0])
        self.asked[about] += 1
        writer.write(said("503 Service Unavailable" if self.bad & set(about[:2]) else "200 OK", b"{}"))


@dataclass
class Scene:
    """What a test plays with.

    Attributes:
        ids: of the system that `shop` made.
        life: of the mortal service.
    """

    house: House
    endpoint: Endpoint
    url: str
    postgres: str
    ids: dict[str, str]
    life: Life
    _begin: Any

    async def protect(self, *metrics: str, count: int) -> None:
        """Each version is measured, a metric every second, and taken back when it fails."""
        spec = [
            {
                "name": name,
                "intervalSeconds": 1,
                "count": count,
                "provider": {
                    "type": "http",
                    "url": f"{self.url}?version={{{{.version.tag}}}}&cluster={{{{.resource.name}}}}&metric={name}",
                },
                "successCondition": "result.ok",
            }
            for name in metrics
        ]
        rules = [{"verification": {"triggerOn": "jobSuccess", "metrics": spec}}, {"rollback": {"onVerificationFailure": True}}]
        await self.house.call("POST", "/policies", {"name": "healthy", "selector": "true", "rules": rules}, want=202)

    async def clusters(self, names: list[str]) -> None:
        """More targets."""
        provider = (await self.house.call("PUT", "/resource-providers", {"id": "", "name": "sync"}))["id"]
        common = {"kind": "Cluster", "version": "v1", "config": {}, "metadata": {}, "createdAt": "2026-01-01T00:00:00Z"}
        resources = [{"identifier": name, "name": name, **common} for name in names]
        await self.house.call("PUT", f"/resource-providers/{provider}/set", {"resources": resources}, want=202)

    async def post(self, tag: str) -> str:
        """Post a version; its id."""
        body = {"tag": tag, "name": "", "status": "ready"}
        made = await self.house.call("POST", f"/deployments/{self.ids['deployment']}/versions", body, want=200)
        return str(made["id"])

    # --- life --------------------------------------------------------------------------------------------------------------------

    async def dies(self, moment: Moment) -> None:
        """Another process takes over the mortal service, which will die at a moment."""
        await self.life.bury()
        await self._live(moment)

    async def revived(self) -> None:
        """The process dies at its moment, and another one begins."""
        async with asyncio.timeout(PATIENCE_S):
            await self.life.death.came.wait()
        await self.life.bury()
        await self._live(None)

    async def _live(self, moment: Moment | None) -> None:
        self.life = await self._begin(moment)

    # --- what is recorded --------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def count(self, kind: str, version_id: str) -> int:
        """How many facts of a type there are about a version."""
        sql = "SELECT count(*) FROM es.event WHERE type = %s AND data->>'version_id' = %s"
        return int(self.rows(sql, kind, version_id)[0][0])

    async def until(self, kind: str, version_id: str, count: int) -> None:
        """Wait until there are so many of them."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                position = self.house.deps.feed.head(self.house.workspace_id)  # what comes during the look is not waited for
                if self.count(kind, version_id) >= count:
                    return
                await self.house.deps.feed.wait(self.house.workspace_id, position)

    def check_measurements(self) -> None:
        """What must never be: a number that is recorded twice or left out, a sample that was taken before it was due."""
        numbers: dict[tuple[str, str], list[int]] = {}
        sql = """SELECT data->>'verification_id', data->>'metric', (data->>'number')::int,
                        (data->>'measured_at')::timestamptz < (data->>'due_at')::timestamptz
                 FROM es.event WHERE type = 'verifier.measurement_taken.v1' ORDER BY position"""
        for verification_id, metric, number, early in self.rows(sql):
            assert not early, f"{metric} {number} of {verification_id} was measured before it was due"
            numbers.setdefault((verification_id, metric), []).append(number)
        for key, taken in numbers.items():
            assert taken == list(range(1, len(taken) + 1)), f"{key} was measured as {taken}"


@asynccontextmanager
async def scene(mortal: str, postgres: str) -> AsyncIterator[Scene]:
    """A scene in which one service can die; at its end the measurements are checked.

    Args:
        mortal: the service's name.
        postgres: of a fresh database.
    """
    endpoint = Endpoint()
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(PostgresLog.open(postgres))
        server = await stack.enter_async_context(serving(endpoint.handle))
        outbound = await stack.enter_async_context(Outbound(AddressRules.parse("loopback")))
        outside = Outside(log, outbound, Vault(Sources({}, None), None))
        performers: dict[str, Performer] = {
            "dispatcher": performing(built_in_agents(), outside),
            "verifier": verifier.performer(outside),
        }
        feed = Feed(log)
        feeds = [feed]
        log.on_commit(lambda workspace_id, head, recorded: publish(workspace_id, head))

        def publish(workspace_id: str, head: int) -> None:
            for one in feeds:
                one.hint(workspace_id, head)

        requests = InProcess()
        for name, app in APPS.items():
            if name != mortal:
                performer = performers.get(name)
                requests.hosts[name] = Host(app.service, log, feed, performer=performer, system=name == "gateway")

        async def begin(moment: Moment | None) -> Life:
            own = await stack.enter_async_context(PostgresLog.open(postgres))
            feeds[1:] = [Feed(own)]
            for workspace_id, head in (await own.heads()).items():  # as the relay's sweep finds what nobody was told
                publish(workspace_id, head)
            life = Life(APPS[mortal].service, own, feeds[1], publish, performers.get(mortal), moment)
            requests.hosts[mortal] = life.host
            return life

        rows = MemoryRows()
        projector = Projector(feed=feed, sink=rows, store=rows)
        system = SystemView(feed)
        deps = Deps(requests=requests, log=log, feed=feed, store=rows, progress=projector, system=system)
        for host in requests.hosts.values():
            host.start()
        projector.start()
        system.start()
        life = await begin(None)
        here: Scene | None = None
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(deps)), base_url="http://test") as client:
                house = House(deps, client, requests, rows, projector)
                house.workspace_id = await bootstrapped(deps)
                here = Scene(house, endpoint, server.url("/health"), postgres, await shop(house), life, begin)
                yield here
                here.check_measurements()
        finally:
            deps.closing.set()
            await projector.stop()
            await system.stop()
            await (here.life if here is not None else life).host.stop()
            for host in requests.hosts.values():
                await host.stop()
