"""The two servers alone, as other tests use them."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import nats
import psycopg
import pytest
from nats.js.errors import NotFoundError

from infra.embedded import children
from infra.embedded.nats import PORTS, free_port
from infra.embedded.servers import Servers

pytestmark = pytest.mark.integration


def test_a_server_has_a_port_that_no_client_is_given_to_come_from() -> None:
    found = [free_port() for _ in range(20)]
    assert [one for one in found if one not in PORTS] == []
    with socket.create_server(("127.0.0.1", found[0])) as listening:
        assert listening.getsockname()[1] == found[0], "nothing uses it"


async def test_a_broker_comes_back_with_its_streams_unless_they_are_wiped(tmp_path: Path) -> None:
    async with Servers(tmp_path / "servers") as servers:
        url = servers.nats
        client = await nats.connect(url)
        await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
        await client.close()
        servers.kill_nats()
        servers.start_nats()
        assert servers.nats == url
        client = await nats.connect(url)
        assert (await client.jetstream().stream_info("kept")).config.name == "kept"
        await client.close()
        servers.kill_nats()
        servers.start_nats(wipe=True)
        client = await nats.connect(url)
        with pytest.raises(NotFoundError):
            await client.jetstream().stream_info("kept")
        await client.close()


def test_postgres_comes_back_with_what_was_committed(tmp_path: Path) -> None:
    with Servers(tmp_path / "servers") as servers:
        with psycopg.connect(servers.postgres, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        servers.kill_postgres()
        servers.start_postgres()
        with psycopg.connect(servers.postgres) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


# As root there are two ways to run Postgres, and a machine without user namespaces takes the second.
ROOT_MODES = sorted({children.root_mode(), children.setuid_mode()} if os.geteuid() == 0 else {"none"})


@pytest.mark.parametrize("root_mode", ROOT_MODES)
def test_postgres_runs_in_a_closed_folder_in_every_way_there_is(tmp_path: Path, root_mode: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for _ in range(2):
        with Servers(closed / "servers", root_mode=root_mode) as servers, psycopg.connect(servers.postgres) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("signalbox",)
        folders = (closed, closed / "servers", closed / "servers" / "pg")
        assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3


def test_data_made_in_one_way_is_used_in_another(tmp_path: Path) -> None:
    counts = []
    for root_mode in (*ROOT_MODES, *ROOT_MODES):
        with (
            Servers(tmp_path / "servers", root_mode=root_mode) as servers,
            psycopg.connect(servers.postgres, autocommit=True) as connection,
        ):
            connection.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())")
            connection.execute("INSERT INTO visits DEFAULT VALUES")
            counts += connection.execute("SELECT count(*) FROM visits").fetchall()
    assert counts == [(number,) for number in range(1, 2 * len(ROOT_MODES) + 1)]
