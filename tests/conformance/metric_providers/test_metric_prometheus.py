"""`prometheus` on a real Prometheus that scrapes an exporter of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from contracts.shapes import Json
from libs.metric_providers import Asking
from libs.metric_providers.prometheus import PROVIDER, PrometheusConfig
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotSent
from tests.conformance.metric_providers.certificates import certificate
from tests.conformance.metric_providers.prometheus_server import PASSWORD, PASSWORD_BCRYPT, USER, Exporter, prometheus
from tests.fakes.oauth2 import CLIENT, SECRET, Door, TokenServer
from tests.fakes.serving import Clock

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    exporter = Exporter()
    with exporter.serving():
        yield exporter


@pytest.fixture(scope="module")
def server(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus without any protection."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), scrapes=exporter.port) as address:
        exporter.asked = f"http://{address}"
        yield exporter.asked


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus with a certificate that nobody signed, and a user."""
    folder = tmp_path_factory.mktemp("guarded")
    public, private = certificate(folder)
    web = {
        "tls_server_config": {"cert_file": str(public), "key_file": str(private)},
        "basic_auth_users": {USER: PASSWORD_BCRYPT},
    }
    with prometheus(folder, web=web) as address:
        yield f"https://{address}"


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    async with Outbound(AddressRules.parse("loopback")) as outbound:
        yield Asking(outbound, lambda: datetime.now(UTC))


async def ask(asking: Asking, address: str, query: str, **fields: Any) -> Json:
    return await PROVIDER.measure(PrometheusConfig.model_validate({"address": address, "query": query, **fields}), asking)


async def test_prov_prometheus_vector_matrix_oauth_bearer(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, {'orders_total{region="eu"}': 7.5})
    tokens = TokenServer(Clock())
    async with tokens.serving():
        door = Door(Clock(), tokens.good | {"by-hand"}, server)
        async with door.serving():
            bearer = await ask(asking, door.url, "orders_total", authentication={"bearerToken": "by-hand"})
            door.good = tokens.good
            oauth2 = {"tokenUrl": tokens.token_url, "clientId": CLIENT, "clientSecret": SECRET, "scopes": ["metrics"]}
            matrix = await ask(
                asking, door.url, "orders_total", authentication={"oauth2": oauth2}, rangeQuery={"step": "1s", "start": "1m"}
            )
    assert (bearer["ok"], bearer["statusCode"], bearer["value"]) == (True, 200, 7.5)
    assert bearer["results"] == [
        {
            "metric": {"__name__": "orders_total", "region": "eu", "instance": f"127.0.0.1:{exporter.port}", "job": "exporter"},
            "value": 7.5,
        }
    ]
    assert bearer["json"]["data"]["resultType"] == "vector"
    assert bearer["duration"] >= 0
    assert (matrix["ok"], matrix["value"]) == (True, 7.5)
    (series,) = matrix["results"]
    assert series["values"][-1][1] == series["value"] == 7.5
    assert matrix["json"]["data"]["resultType"] == "matrix"


async def test_the_last_sample_of_a_range_is_its_value(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, {"queue_length": 2})
    await asyncio.to_thread(exporter.show, {"queue_length": 5})
    result = await ask(asking, server, "queue_length", rangeQuery={"step": "50ms"})
    (series,) = result["results"]
    assert (result["value"], series["values"][-1][1]) == (5, 5)
    instants = [at for at, _ in series["values"]]
    assert 1 <= len(instants) <= 11
    assert all(after - before == pytest.approx(0.05, abs=0.01) for before, after in pairwise(instants))


async def test_a_range_ends_as_long_ago_as_it_says(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, {"young": 1})
    result = await ask(asking, server, "young", rangeQuery={"step": "1m", "start": "3h", "end": "2h"})
    assert (result["ok"], result["results"], result["noData"]) == (True, [], True)


async def test_the_value_of_several_series_is_the_first_ones(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, {'errors{pod="a"}': 1, 'errors{pod="b"}': 4})
    result = await ask(asking, server, "sort_desc(errors)")
    assert (result["value"], [one["value"] for one in result["results"]]) == (4, [4, 1])


async def test_a_gauge_that_is_gone_is_no_data(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show_only, {"short_lived": 1})
    await asyncio.to_thread(exporter.show_only, {})
    assert (await ask(asking, server, "last_over_time(short_lived[1h])"))["value"] == 1
    gone = await ask(asking, server, "short_lived")
    assert (gone["ok"], gone["results"], gone["noData"]) == (True, [], True)
    assert "value" not in gone


async def test_no_number_is_no_data(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, {"ratio": "NaN"})
    for query in ("ratio", "vector(0) / vector(0)", "scalar(ratio)", "nothing_of_this_name", '"text"'):
        result = await ask(asking, server, query)
        assert (result["ok"], result.get("noData"), "value" in result) == (True, True, False), query


@pytest.mark.parametrize("query,value", [("vector(1)", 1), ("2.5", 2.5), ("vector(1) / 0", 1e290), ("-1 / vector(0)", -1e290)])
async def test_numbers(server: str, asking: Asking, query: str, value: float) -> None:
    result = await ask(asking, server, query)
    assert (result["ok"], result["value"], "noData" in result) == (True, value, False)


async def test_a_query_that_is_wrong_is_an_answer(server: str, asking: Asking) -> None:
    result = await ask(asking, server, "sum(up")
    assert (result["ok"], result["statusCode"], result["errorType"]) == (False, 400, "bad_data")
    assert "unclosed left parenthesis" in result["error"]
    assert "noData" not in result


async def test_a_query_that_can_not_be_carried_out_is_an_answer(exporter: Exporter, server: str, asking: Asking) -> None:
    await asyncio.to_thread(exporter.show, dict.fromkeys(('left{a="1"}', 'left{a="2"}', 'right{b="1"}', 'right{b="2"}'), 1))
    result = await ask(asking, server, "left * on() right")
    assert (result["ok"], result["statusCode"], result["errorType"]) == (False, 422, "execution")
    assert "many-to-many" in result["error"]


async def test_too_many_steps_are_an_answer(server: str, asking: Asking) -> None:
    result = await ask(asking, server, "up", rangeQuery={"step": "1s", "start": "24h"})
    assert (result["ok"], result["statusCode"], result["errorType"]) == (False, 400, "bad_data")


async def test_what_is_no_api_is_an_answer_that_is_not_ok(server: str, asking: Asking) -> None:
    result = await ask(asking, f"{server}/-/", "up")
    assert (result["ok"], result["statusCode"]) == (False, 404)
    assert result["error"].startswith("the answer with status 404 is none of Prometheus' API")
    assert "errorType" not in result


async def test_an_address_may_end_in_a_slash_and_hold_a_query(exporter: Exporter, server: str, asking: Asking) -> None:
    for address in (f"{server}/", f"{server}?dedup=true"):
        assert (await ask(asking, address, "vector(3)"))["value"] == 3


async def test_a_user_and_a_certificate_that_nobody_signed(guarded: str, asking: Asking) -> None:
    basic = {"basic": {"username": USER, "password": PASSWORD}}
    assert (await ask(asking, guarded, "vector(1)", insecure=True, authentication=basic))["value"] == 1
    wrong = {"basic": {"username": USER, "password": "wrong"}}
    refused = await ask(asking, guarded, "vector(1)", insecure=True, authentication=wrong)
    assert (refused["ok"], refused["statusCode"]) == (False, 401)
    with pytest.raises(NotSent) as untrusted:
        await ask(asking, guarded, "vector(1)", authentication=basic)
    assert untrusted.value.reason == "tls"


async def test_a_server_that_is_not_there_gives_no_result(asking: Asking) -> None:
    with pytest.raises(NotSent, match="no connection"):
        await ask(asking, "http://127.0.0.1:1", "up")


async def test_a_server_on_this_machine_is_asked_only_where_that_is_allowed(server: str) -> None:
    async with Outbound(AddressRules()) as outbound:
        with pytest.raises(NotSent, match="SIGNALBOX_OUTBOUND_ALLOW=loopback"):
            await ask(Asking(outbound, lambda: datetime.now(UTC)), server, "up")
