"""All services over one Postgres log, a far side over sockets, and the application: a version is posted, and becomes a job out there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import psycopg

from libs.eventlog.postgres import PostgresLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.outside import Outside
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.state import Job
from services.gateway import app as gateway
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.projector import Projector
from services.gateway.adapters.system import SystemView
from services.gateway.http.app import create_app
from services.gateway.http.deps import Deps, WebhookSecrets
from services.inventory import app as inventory
from services.planner import app as planner
from services.policy import app as policy
from services.verifier import app as verifier
from tests.faults.dispatch.far_sides import FAR_SIDES, HOST, SECRETS, FarSide, Told
from tests.faults.dispatch.hours import Hours
from tests.faults.dispatch.life import Life, Moment
from tests.integration.gateway.gateway_house import House, InProcess, bootstrapped
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.secrets.secret_scenes import MASTER

PATIENCE_S = 60.0


@dataclass
class Scene:
    """What a test plays with.

    Attributes:
        up: whether the far side's machine can be reached.
        agent_id: the agent behind the only deployment.
    """

    house: House
    far: FarSide
    clock: Hours
    postgres: str
    _begin: Callable[[Moment | None], Life]
    life: Life
    up: bool = True
    agent_id: str = ""
    _deployment: str = ""

    async def build(self) -> None:
        """A target, and the agent that its jobs go to."""
        ids = await shop(self.house)
        self.agent_id, self._deployment = ids["agent"], ids["deployment"]
        body = {"name": self.far.type, "type": self.far.type, "config": self.far.config()}
        await self.house.call("PUT", f"/job-agents/{self.agent_id}", body, want=202)

    async def post(self) -> None:
        """Post a version."""
        body = {"tag": "v1", "name": "", "status": "ready"}
        await self.house.call("POST", f"/deployments/{self._deployment}/versions", body, want=200)

    # --- what there is -----------------------------------------------------------------------------------------------------------

    @property
    def job_id(self) -> str:
        """The id of the only job there ever was."""
        (job_id,) = {
            row[0] for row in self._rows("SELECT data->>'job_id' FROM es.event WHERE type = 'dispatcher.job_created.v1'")
        }
        return str(job_id)

    @property
    def runs(self) -> list[Any]:
        """The runs there ever were of it."""
        return self.far.runs(self.job_id)

    def statuses(self) -> list[str]:
        """How the job went on, as it is recorded."""
        sql = "SELECT data->>'status' FROM es.event WHERE type = 'dispatcher.job_status_changed.v1' ORDER BY position"
        return [row[0] for row in self._rows(sql)]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    async def check(self) -> None:
        """What must never be: two runs, a job that goes on for ever, a secret that is recorded."""
        job = await self.life.job(self.house.workspace_id)
        assert job is not None
        assert len(self.runs) <= 1
        assert not job.is_active or job.deadline_at > self.clock()
        for name, secret in SECRETS.items():
            found = self._rows(f"SELECT type FROM es.event WHERE position('{secret}' in data::text) > 0")
            assert not found, f"the secret {name} is recorded in {found}"

    # --- time --------------------------------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[Job], bool]) -> Job:
        """Let time pass for whoever waits, until the job is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.clock.changed.clear()
                job = await self.life.job(self.house.workspace_id)
                if job is not None and holds(job):
                    return job
                at = self.clock.next()
                if at is not None and job is not None and job.is_active:
                    at = min(at, job.deadline_at)
                if at is not None and at > self.clock():
                    self._forward(at)
                await self.clock.changed.wait()

    async def ended(self) -> Job:
        """Let time pass until the job has ended."""
        return await self.until(lambda job: not job.is_active)

    async def deadline(self) -> Job:
        """Let it be as late as the job's deadline, whoever waits or not."""
        job = await self.until(lambda job: True)
        self._forward(job.deadline_at)
        return await self.ended()

    def _forward(self, at: datetime) -> None:
        self.clock.forward_to(at)
        self.life.wake(self.house.workspace_id)

    # --- life --------------------------------------------------------------------------------------------------------------------

    async def dies(self, moment: Moment) -> None:
        """Another dispatcher takes over, which will die at a moment."""
        await self.life.bury()
        self._live(moment)

    async def death(self) -> None:
        """Let time pass until the dispatcher's moment has come."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.life.death.came.is_set():
                self.clock.changed.clear()
                at = self.clock.next()
                if at is not None:
                    self._forward(at)
                await self.clock.changed.wait()

    async def revived(self) -> None:
        """The dispatcher dies at its moment, and another one begins."""
        await self.death()
        await self.life.bury()
        self._live(None)

    def _live(self, moment: Moment | None) -> None:
        self.life = self._begin(moment)
        self.house.requests.hosts["dispatcher"] = self.life.host

    # --- webhooks ----------------------------------------------------------------------------------------------------------------

    async def told(self, *, want: int = 200, **how: Any) -> Any:
        """The far side sends its webhook; what it is answered."""
        return await self.send(self.far.told(self.agent_id, self.job_id, **how), want=want)

    async def send(self, told: Told, *, want: int = 200) -> Any:
        answer = await self.house.client.post(f"/api{told.path}", content=told.body, headers=told.headers)
        assert answer.status_code == want, f"{answer.status_code} {answer.text}"
        return answer.json()


@asynccontextmanager
async def scene(kind: str, postgres: str) -> AsyncIterator[Scene]:
    """A scene with a far side of a kind; at its end it is checked.

    Args:
        postgres: of a fresh database.
    """
    clock = Hours()
    far = FAR_SIDES[kind](clock)
    here: list[Scene] = []

    async def resolve(host: str, port: int) -> list[str]:
        assert host == HOST
        # Nothing listens on the other address: the connection is refused.
        return ["127.0.0.1" if not here or here[0].up else "127.0.0.99"]

    async with (
        PostgresLog.open(postgres) as log,
        far.fake.serving(),
        Outbound(AddressRules.parse("loopback"), resolve=resolve) as outbound,
    ):
        keys = MemoryKeys(MASTER)
        vault = Vault(Sources({}, None), keys)
        feed = Feed(log)
        outside = Outside(log, outbound, vault, keys)

        def begin(moment: Moment | None) -> Life:
            return Life(log, feed, outside, {far.type: far.agent(outbound)}, clock, moment)

        life = begin(None)
        requests = InProcess()
        for app in (inventory, planner, policy, verifier, gateway):
            performer = app.performer() if hasattr(app, "performer") else None
            name = app.service.name
            requests.hosts[name] = Host(app.service, log, feed, performer=performer, system=name == "gateway", clock=clock)
        requests.hosts["dispatcher"] = life.host
        rows = MemoryRows()
        projector = Projector(feed=feed, sink=rows, store=rows)
        system = SystemView(feed)
        secrets = WebhookSecrets(SECRETS["github"])
        deps = Deps(
            requests=requests,
            log=log,
            feed=feed,
            store=rows,
            progress=projector,
            system=system,
            vault=vault,
            keys=keys,
            clock=clock,
            webhook_secrets=secrets,
        )
        for host in requests.hosts.values():
            host.start()
        projector.start()
        system.start()
        feed.listen(lambda workspace_id, head: clock.changed.set())
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(deps)), base_url="http://test") as client:
                house = House(deps, client, requests, rows, projector)
                house.workspace_id = await bootstrapped(deps)
                here.append(Scene(house, far, clock, postgres, begin, life))
                await here[0].build()
                yield here[0]
                await here[0].check()
        finally:
            deps.closing.set()
            await projector.stop()
            await system.stop()
            for host in requests.hosts.values():
                await host.stop()
