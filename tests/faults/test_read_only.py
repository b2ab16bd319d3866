"""A failover leaves the log connected to a server that takes no writes any more."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from libs.eventlog.port import Append, LogUnavailable
from libs.eventlog.postgres import PostgresLog
from tests.conformance.eventlog.builders import new, workspace

pytestmark = pytest.mark.integration


async def test_a_server_that_takes_no_writes_is_an_outage_and_is_left(postgres: str) -> None:
    name, at = Identifier(str(conninfo_to_dict(postgres)["dbname"])), workspace()
    with psycopg.connect(postgres, autocommit=True, dbname="postgres") as server:
        server.execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        async with PostgresLog.open(postgres) as log:
            with pytest.raises(LogUnavailable):
                await log.append(Append(at, [new()]))
            server.execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = off").format(name))
            # A session keeps what it began with, so this succeeds on a new connection only.
            assert (await log.append(Append(at, [new()]))).head == 1
