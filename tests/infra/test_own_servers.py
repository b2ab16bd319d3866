"""A server of one's own that can not be reached is said at once, and without its password."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.options import Options
from infra.embedded.own_servers import check_own_servers, greets
from infra.embedded.problem import CannotStart
from infra.embedded.supervisor import past_proxies, run


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that nothing listens on, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def test_a_postgres_that_does_not_answer_is_named_without_its_password(tmp_path: Path, dead_port: int) -> None:
    options = Options(tmp_path, postgres=f"postgresql://ann:sesame@127.0.0.1:{dead_port}/signalbox")
    with pytest.raises(CannotStart, match=rf"--postgres: connection .*{dead_port}.* failed") as refused:
        await check_own_servers(options)
    assert "sesame" not in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_broker_that_does_not_answer_is_refused(tmp_path: Path, dead_port: int) -> None:
    with pytest.raises(CannotStart, match="no NATS server answers"):
        await check_own_servers(Options(tmp_path, nats=f"nats://127.0.0.1:{dead_port}"))


@pytest.mark.parametrize("greeting, is_one", [(b"INFO {}\r\n", True), (b"HTTP/1.1 400 Bad Request\r\n", False), (b"", False)])
async def test_a_broker_is_known_by_its_greeting(greeting: bytes, is_one: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        async def answer() -> None:
            connection, _ = await asyncio.get_running_loop().sock_accept(server)
            with connection:
                await asyncio.get_running_loop().sock_sendall(connection, greeting)

        answering = asyncio.create_task(answer())
        assert await greets(f"nats://token@127.0.0.1:{server.getsockname()[1]}") is is_one
        await answering


async def test_an_address_without_a_port_number_is_no_broker() -> None:
    assert not await greets("nats://127.0.0.1:no-port")


def test_the_way_to_this_machine_leads_past_proxies() -> None:
    assert past_proxies({})["no_proxy"] == "127.0.0.1,localhost"
    assert past_proxies({"NO_PROXY": "intranet.example"})["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"


def test_it_is_one_line_and_exit_code_1(tmp_path: Path, dead_port: int) -> None:
    said: list[str] = []
    code = run(Options(tmp_path, port=0, demo=False, nats=f"nats://127.0.0.1:{dead_port}"), said.append)
    assert (code, len(said), said[-1].startswith("no NATS server answers")) == (1, 2, True)
