"""The gateway as a process starts it: a real socket, real read tables, a key from a file, and an end that does not hang."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from libs.eventlog.migration import migrate
from libs.eventlog.postgres import PostgresLog
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.settings import Settings
from services.gateway import app
from services.gateway.serve import MIGRATIONS, BadKeyFile, Gateway
from services.planner import app as planner
from tests.integration.gateway.gateway_house import KEY, InProcess


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    await migrate(settings.postgres, component="gateway", folder=MIGRATIONS)
    async with PostgresLog.open(settings.postgres) as log:
        feed, requests = Feed(log), InProcess()
        for one in (app, planner):
            name = one.service.name
            requests.hosts[name] = Host(one.service, log, feed, system=name == "gateway")
            requests.hosts[name].start()
        gateway = Gateway(settings, log, feed, requests, health=list)
        await gateway.start()
        url = "http://{}:{}".format(*gateway.address)
        async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": KEY}, timeout=20) as client:
            yield gateway, client
        await gateway.stop()
        await gateway.stop()
        for host in requests.hosts.values():
            await host.stop()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n", encoding="ascii")
    return path


@pytest.mark.integration
async def test_it_serves_with_the_key_of_its_file_and_again_after_a_restart(postgres: str, key_file: Path) -> None:
    settings = Settings(postgres=postgres, port=0, bootstrap_key_file=key_file)
    ids = []
    for number in range(2):
        async with serving(settings) as (_, client):
            assert (await client.get("/api/readyz")).status_code == 200
            (workspace,) = (await client.get("/api/v1/workspaces")).json()["workspaces"]
            ids.append(workspace["id"])
            systems = f"/api/v1/workspaces/{workspace['id']}/systems"
            made = await client.post(systems, json={"name": f"s{number}"})
            assert made.status_code == 202
            assert (await client.get(f"{systems}/{made.json()['id']}")).json()["name"] == f"s{number}"
            assert (await client.get(systems)).json()["total"] == number + 1
    assert ids[0] == ids[1]


@pytest.mark.integration
async def test_it_takes_over_a_listening_socket_and_ends_with_a_stream_open(
    postgres: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "services.gateway.http.serving._GRACE_S", 3_600
    )  # the stream ends by itself, not because its time is over
    with socket.create_server(("127.0.0.1", 0)) as held:
        # What the process gets is a descriptor of its own for the socket that its supervisor keeps.
        settings = Settings(postgres=postgres, listen_fd=held.dup().detach(), bootstrap_key_file=key_file)
        async with serving(settings) as (gateway, client):
            assert gateway.address == held.getsockname()
            (workspace,) = (await client.get("/api/v1/workspaces")).json()["workspaces"]
            async with client.stream("GET", f"/api/v1/workspaces/{workspace['id']}/events/stream?after=0") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == ": open"
                await client.post(f"/api/v1/workspaces/{workspace['id']}/systems", json={"name": "s"})
                seen = [line async for line in first_of(lines, 4)]
                assert seen[:3] == ["", "id: 1", "event: planner.system_saved.v1"]
                async with asyncio.timeout(4):
                    await gateway.stop()


async def first_of(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)


class Listener:
    """A client of the stream of facts that comes back after every cut, with the last position that it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[int] = []
        self.cuts = 0

    async def listen(self, client: httpx.AsyncClient, until: int) -> None:
        while not self.seen or self.seen[-1] < until:
            headers = {"Last-Event-ID": str(self.seen[-1] if self.seen else 0)}
            try:
                async with client.stream("GET", self.url, headers=headers) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("id: "):
                            self.seen.append(int(line[4:]))
                            if self.seen[-1] == until:
                                return
            except httpx.TransportError:
                pass
            self.cuts += 1


@pytest.mark.integration
async def test_many_streams_go_on_over_a_restart_without_a_gap_or_a_repeat(postgres: str, key_file: Path) -> None:
    total, many = 40, 50
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:

        def settings() -> Settings:
            return Settings(postgres=postgres, listen_fd=held.dup().detach(), bootstrap_key_file=key_file)

        url = "http://{}:{}".format(*held.getsockname())
        limits = httpx.Limits(max_connections=2 * many)
        async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": KEY}, timeout=20, limits=limits) as outside:
            async with serving(settings()) as (_, client):
                (workspace,) = (await client.get("/api/v1/workspaces")).json()["workspaces"]
                root = f"/api/v1/workspaces/{workspace['id']}"
                listeners = [Listener(f"{root}/events/stream") for _ in range(many)]
                listening = [asyncio.create_task(one.listen(outside, total)) for one in listeners]
                for number in range(total // 2):
                    assert (await client.post(f"{root}/systems", json={"name": f"a{number}"})).status_code == 202
            async with serving(settings()) as (_, client):
                for number in range(total // 2):
                    assert (await client.post(f"{root}/systems", json={"name": f"b{number}"})).status_code == 202
                async with asyncio.timeout(60):
                    await asyncio.gather(*listening)
    assert all(one.seen == list(range(1, total + 1)) for one in listeners)
    assert all(one.cuts >= 1 for one in listeners)


@pytest.mark.integration
async def test_a_reader_that_does_not_read_holds_nobody_up(postgres: str, key_file: Path) -> None:
    async with serving(Settings(postgres=postgres, port=0, bootstrap_key_file=key_file)) as (gateway, client):
        (workspace,) = (await client.get("/api/v1/workspaces")).json()["workspaces"]
        root = f"/api/v1/workspaces/{workspace['id']}"
        # More than the buffers of both ends hold: whoever waits for this reader waits for ever.
        description = "x" * 200_000
        for number in range(30):
            body = {"name": f"s{number}", "description": description}
            assert (await client.post(f"{root}/systems", json=body)).status_code == 202
        sleeping = []
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*gateway.address, limit=1_024)
            request = f"GET {root}/events/stream?after=0 HTTP/1.1\r\nHost: here\r\nX-API-Key: {KEY}\r\n\r\n"
            writer.write(request.encode("ascii"))
            assert b"200" in await reader.readline()
            sleeping.append(writer)
        listener = Listener(f"{root}/events/stream")
        async with asyncio.timeout(60):
            assert (await client.post(f"{root}/systems", json={"name": "last"})).status_code == 202
            await listener.listen(client, 31)
        assert listener.seen == list(range(1, 32))
        for writer in sleeping:
            writer.close()


@pytest.mark.integration
async def test_a_key_file_that_holds_no_key_is_told(postgres: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("nonsense", encoding="ascii")
    async with PostgresLog.open(postgres) as log:
        gateway = Gateway(Settings(postgres=postgres, bootstrap_key_file=path), log, Feed(log), InProcess(), health=list)
        with pytest.raises(BadKeyFile, match="16 hex digits"):
            await gateway.start()
        await gateway.stop()
