"""`sql` on a real Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from contracts.shapes import Json
from libs.metric_providers import Asking, NoResult
from libs.metric_providers.sql import MAX_BYTES, MAX_ROWS, PROVIDER, SqlConfig
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from tests.conformance.metric_providers.certificates import certificate
from tests.conformance.metric_providers.postgres_server import Database, database, secured
from tests.unit.outbound.outside import listening

pytestmark = pytest.mark.integration

HOST = "db.example"
PASSWORD = "pa ss'w@rd/%"
TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, region text, total numeric, at timestamptz, tags text[], extra jsonb);
INSERT INTO orders SELECT n, 'eu', n * 1.5, '2026-05-01 12:00:00+00', ARRAY['a', 'b'], '{"n": 1}' FROM generate_series(1, 250) AS n;
CREATE SEQUENCE touched;
CREATE FUNCTION bump() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO orders (id) VALUES (1000) RETURNING id $$;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with database(tmp_path_factory.mktemp("postgres") / "data") as running:
        with psycopg.connect(running.admin, autocommit=True) as connection:
            connection.execute("SET password_encryption = 'scram-sha-256'")
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'".encode())
            connection.execute(TABLES.encode())
            # Whoever may write changes nothing either.
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
            connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO reader")
        yield running


async def _resolve(host: str, port: int) -> Sequence[str]:
    return {HOST: ["10.1.2.3", "127.0.0.1"], "other.example": ["127.0.0.1"]}[host]


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    async with Outbound(AddressRules.parse("loopback"), resolve=_resolve) as outbound:
        yield Asking(outbound, lambda: datetime.now(UTC))


def url(server: Database, host: str = "127.0.0.1", rest: str = "", password: str = PASSWORD) -> str:
    return f"postgresql://reader:{quote(password, safe='')}@{host}:{server.port}/signalbox{rest}"


async def ask(asking: Asking, dsn: str, query: str, **fields: Any) -> Json:
    result = await PROVIDER.measure(SqlConfig.model_validate({"dsn": dsn, "query": query, **fields}), asking)
    assert result.pop("duration") >= 0
    return result


async def test_the_first_column_of_the_first_row_is_the_value(server: Database, asking: Asking) -> None:
    result = await ask(asking, url(server), "SELECT total, id FROM orders WHERE id <= 2 ORDER BY id DESC")
    assert result == {"ok": True, "rows": [{"total": 3.0, "id": 2}, {"total": 1.5, "id": 1}], "rowCount": 2, "value": 3.0}


async def test_rows_are_written_as_postgres_writes_json(server: Database, asking: Asking) -> None:
    result = await ask(
        asking, url(server), "SELECT region, at AT TIME ZONE 'UTC' AS at, tags, extra, NULL AS nothing FROM orders LIMIT 1"
    )
    row = {"region": "eu", "at": "2026-05-01T12:00:00", "tags": ["a", "b"], "extra": {"n": 1}, "nothing": None}
    assert result == {"ok": True, "rows": [row], "rowCount": 1}


@pytest.mark.parametrize(
    "query", ["SELECT id FROM orders WHERE id < 0", "SELECT avg(total) FROM orders WHERE id < 0", "SELECT 'NaN'::float8"]
)
async def test_nothing_to_judge_is_no_data(server: Database, asking: Asking, query: str) -> None:
    result = await ask(asking, url(server), query)
    assert (result["ok"], result["noData"], "value" in result) == (True, True, False)


async def test_no_more_rows_than_allowed_are_read(server: Database, asking: Asking) -> None:
    exactly = await ask(asking, url(server), f"SELECT id FROM orders ORDER BY id LIMIT {MAX_ROWS}")
    assert (exactly["rowCount"], len(exactly["rows"]), "truncated" in exactly) == (MAX_ROWS, MAX_ROWS, False)
    more = await ask(asking, url(server), "SELECT id FROM orders ORDER BY id")
    assert (more["rowCount"], more["rows"][-1], more["truncated"], more["value"]) == (MAX_ROWS, {"id": MAX_ROWS}, True, 1)


async def test_no_more_bytes_than_allowed_are_read(server: Database, asking: Asking) -> None:
    large = await ask(asking, url(server), f"SELECT repeat('ü', {MAX_BYTES // 8}) AS t FROM generate_series(1, 5)")
    assert (large["ok"], large["rowCount"], large["truncated"]) == (True, 3, True)
    too_large = await ask(asking, url(server), f"SELECT repeat('x', {MAX_BYTES})")
    assert too_large == {"ok": False, "error": f"a row is larger than {MAX_BYTES} bytes; select fewer columns"}


@pytest.mark.parametrize(
    "query,state",
    [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT nextval('touched')", "25006"),
        ("SELECT bump()", "25006"),
        ("SELECT id FROM orders FOR UPDATE", "25006"),
        ("INSERT INTO orders (id) VALUES (1001)", "42601"),
        ("WITH new AS (INSERT INTO orders (id) VALUES (1001) RETURNING id) SELECT id FROM new", "0A000"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "25001"),
        ("COPY orders TO STDOUT", "42601"),
        ("COMMIT", "42601"),
    ],
)
async def test_what_the_database_refuses_is_an_answer(server: Database, asking: Asking, query: str, state: str) -> None:
    result = await ask(asking, url(server), query)
    assert (result["ok"], result["sqlState"]) == (False, state)
    assert result["error"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1) AS q; DELETE FROM orders; SELECT * FROM (SELECT 1",
        "SELECT 1) AS q LIMIT 1) AS q; COMMIT; DELETE FROM orders; SELECT * FROM (SELECT * FROM (SELECT '1' AS told",
    ],
)
async def test_more_than_one_statement_is_refused(server: Database, asking: Asking, query: str) -> None:
    result = await ask(asking, url(server), query)
    assert (result["ok"], result["sqlState"]) == (False, "42601")
    assert result["error"].endswith("Only one statement is asked")
    assert (await ask(asking, url(server), "SELECT count(*) FROM orders"))["value"] == 250


async def test_a_query_may_end_in_a_semicolon_or_a_comment_and_hold_percent_signs(server: Database, asking: Asking) -> None:
    for query in ("SELECT 7 ;\n", "SELECT 7 -- lucky", "SELECT 7 WHERE 'a;b' LIKE '%;%'"):
        assert (await ask(asking, url(server), query))["value"] == 7


async def test_a_query_that_takes_too_long_is_stopped_by_the_database(server: Database, asking: Asking) -> None:
    result = await ask(asking, url(server), "SELECT pg_sleep(600)", timeoutSeconds=3)
    assert (result["ok"], result["sqlState"]) == (False, "57014")
    assert "statement timeout" in result["error"]


async def test_a_number_that_is_too_large_for_json_is_told(server: Database, asking: Asking) -> None:
    result = await ask(asking, url(server), "SELECT 10::numeric ^ 400")
    assert result == {"ok": False, "error": "row 1 holds a number that is too large"}


async def test_a_connection_that_is_lost_gives_no_result(server: Database, asking: Asking) -> None:
    with pytest.raises(NoResult, match="was lost"):
        await ask(asking, url(server), "SELECT pg_terminate_backend(pg_backend_pid())")


async def test_a_wrong_password_gives_no_result_and_is_not_shown(server: Database, asking: Asking) -> None:
    with pytest.raises(NoResult, match="password authentication failed") as refused:
        await ask(asking, url(server, password="quite-wrong"), "SELECT 1")
    assert "quite-wrong" not in str(refused.value)


async def test_a_database_that_is_not_there_gives_no_result(asking: Asking) -> None:
    with pytest.raises(NoResult, match=r"no connection to 127.0.0.1:1/reader: "):
        await ask(asking, "host=127.0.0.1 port=1 user=reader", "SELECT 1")


async def test_a_server_that_says_nothing_gives_no_result(asking: Asking) -> None:
    async def silent(reader: Any, writer: Any) -> None:
        await reader.read()  # what the client sends first
        await reader.read()

    async with listening(silent) as port:
        with pytest.raises(NoResult, match=r"no connection to 127.0.0.1:\d+/reader within 1 s"):
            await ask(asking, f"host=127.0.0.1 port={port} user=reader sslmode=disable", "SELECT 1", timeoutSeconds=1)


async def test_an_address_that_may_not_be_called_is_not_called(server: Database) -> None:
    async with Outbound(AddressRules()) as outbound:
        with pytest.raises(NoResult, match="SIGNALBOX_OUTBOUND_ALLOW=loopback"):
            await ask(Asking(outbound, lambda: datetime.now(UTC)), url(server), "SELECT 1")


async def test_of_a_name_only_addresses_that_may_be_called_are_connected_to(server: Database, asking: Asking) -> None:
    assert (await ask(asking, url(server, HOST), "SELECT 1"))["value"] == 1


async def test_the_certificate_must_be_of_the_name(server: Database, asking: Asking, tmp_path: Path) -> None:
    public, private = certificate(tmp_path, HOST)
    (tmp_path / "foreign").mkdir()
    foreign, _ = certificate(tmp_path / "foreign", HOST)
    ca = public.read_text()
    async with secured(server.port, public, private) as port:

        def there(host: str, rest: str = "") -> str:
            return url(replace(server, port=port), host, rest)

        assert (await ask(asking, there(HOST), "SELECT 1", caCertificate=ca))["value"] == 1
        assert (await ask(asking, there("other.example", "?sslmode=verify-ca"), "SELECT 1", caCertificate=ca))["value"] == 1
        assert (await ask(asking, there(HOST, "?sslmode=require"), "SELECT 1"))["value"] == 1
        with pytest.raises(NoResult, match="does not match host name"):
            await ask(asking, there("other.example"), "SELECT 1", caCertificate=ca)
        with pytest.raises(NoResult, match="certificate verify failed"):
            await ask(asking, there(HOST), "SELECT 1", caCertificate=foreign.read_text())
        with pytest.raises(NoResult, match="certificate verify failed"):
            await ask(asking, there(HOST, "?sslmode=verify-full"), "SELECT 1")


async def test_who_wants_a_certificate_gets_no_connection_without_one(server: Database, asking: Asking, tmp_path: Path) -> None:
    public, _ = certificate(tmp_path, HOST)
    with pytest.raises(NoResult, match="server does not support SSL"):
        await ask(asking, url(server, HOST), "SELECT 1", caCertificate=public.read_text())


async def test_nothing_of_this_machine_is_used(
    server: Database, asking: Asking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text(f"*:*:*:*:{PASSWORD}\n")
    passwords.chmod(0o600)
    services = tmp_path / "services"
    services.write_text(f"[mine]\npassword={PASSWORD}\n")
    ours = {"PGPASSWORD": PASSWORD, "PGPASSFILE": str(passwords), "PGSERVICEFILE": str(services), "PGSERVICE": "mine"}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoResult, match="no password supplied"):
        await ask(asking, f"host=127.0.0.1 port={server.port} user=reader dbname=signalbox", "SELECT 1")
