"""Real servers for tests: started once per test process, with a database of its own for each test that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from infra.embedded.servers import Servers
from libs.eventlog.migration import migrate

_numbers = count(1)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres and nats-server, shared by the tests of this process; who kills one starts servers of its own."""
    with Servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """Name of a migrated database that others are copied from, which takes a tenth of the time of migrating each."""
    name = "template_eventlog"
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    asyncio.run(migrate(make_conninfo(servers.postgres, dbname=name)))
    return name


@pytest.fixture
def postgres(servers: Servers, template: str) -> Iterator[str]:
    """Connection string of a fresh database with the log's schema."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        yield make_conninfo(servers.postgres, dbname=name)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
