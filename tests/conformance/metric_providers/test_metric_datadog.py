"""`datadog` against a pretended Datadog."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import KNOWN, NoResult, problems
from libs.metric_providers.datadog import DatadogConfig, address_of, read
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed
from tests.conformance.metric_providers.far_sides import answer, measured
from tests.fakes.datadog import API_KEY, APP_KEY, FakeDatadog, no
from tests.fakes.serving import Clock, Fault, Reply
from tests.unit.outbound.outside import calling

ERRORS, HITS = "sum:errors{service:web}", "sum:hits{service:web}"
RATE = "errors / hits"


@dataclass
class Scene:
    """A Datadog, and who asks it."""

    fake: FakeDatadog
    outbound: Outbound
    clock: Clock

    async def ask(self, **more: Any) -> Json:
        config = {"apiKey": API_KEY, "appKey": APP_KEY, "queries": {"errors": ERRORS}, "site": self.fake.url, **more}
        return await measured(self.outbound, self.clock(), type="datadog", **config)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = Clock()
    fake = FakeDatadog(clock)
    fake.known = {ERRORS: 5, HITS: 200.5, RATE: 0.025}
    async with fake.serving(), calling() as outbound:
        yield Scene(fake, outbound, clock)


async def test_the_only_query_is_the_value(scene: Scene) -> None:
    result = await scene.ask()
    body = orjson.loads(result.pop("body"))
    assert result.pop("duration") >= 0
    assert result.pop("json") == body
    assert result == {"ok": True, "statusCode": 200, "queries": {"errors": 5}, "value": 5}


async def test_what_is_asked_is_the_last_interval(scene: Scene) -> None:
    await scene.ask(aggregator="avg", intervalSeconds=60)
    (asked,) = scene.fake.asked
    now_ms = round(scene.clock().timestamp() * 1000)
    assert asked.json == {
        "data": {
            "type": "scalar_request",
            "attributes": {
                "from": now_ms - 60_000,
                "to": now_ms,
                "queries": [{"data_source": "metrics", "name": "errors", "query": ERRORS, "aggregator": "avg"}],
            },
        }
    }
    assert asked.headers["content-type"] == "application/json"


async def test_without_more_said_it_is_the_last_value_of_five_minutes(scene: Scene) -> None:
    await scene.ask()
    attributes = scene.fake.asked[0].json["data"]["attributes"]
    assert (attributes["to"] - attributes["from"], attributes["queries"][0]["aggregator"]) == (300_000, "last")


async def test_a_formula_is_the_value_and_the_queries_are_there_as_well(scene: Scene) -> None:
    result = await scene.ask(queries={"errors": ERRORS, "hits": HITS}, formula=RATE)
    assert (result["value"], result["queries"]) == (0.025, {"errors": 5, "hits": 200.5})
    assert scene.fake.asked[0].json["data"]["attributes"]["formulas"] == [
        {"formula": "errors"}, {"formula": "hits"}, {"formula": RATE},
    ]  # fmt: skip


async def test_columns_of_other_names_are_found_by_their_order(scene: Scene) -> None:
    scene.fake.columns = {"errors": "query1", "hits": "query2", RATE: "formula1"}
    result = await scene.ask(queries={"errors": ERRORS, "hits": HITS}, formula=RATE)
    assert (result["value"], result["queries"]) == (0.025, {"errors": 5, "hits": 200.5})


async def test_a_formula_that_is_a_query_chooses_the_value(scene: Scene) -> None:
    result = await scene.ask(queries={"errors": ERRORS, "hits": HITS}, formula="hits")
    assert (result["value"], result["queries"]) == (200.5, {"errors": 5, "hits": 200.5})


async def test_several_queries_without_a_formula_have_no_one_value(scene: Scene) -> None:
    result = await scene.ask(queries={"errors": ERRORS, "hits": HITS})
    assert result["queries"] == {"errors": 5, "hits": 200.5}
    assert "value" not in result
    assert "noData" not in result


async def test_prov_datadog_null_series(scene: Scene) -> None:
    scene.fake.known |= {ERRORS: None, RATE: None}
    alone = await scene.ask()
    assert (alone["ok"], alone["queries"], alone["noData"], "value" in alone) == (True, {"errors": None}, True, False)
    one_of_two = await scene.ask(queries={"errors": ERRORS, "hits": HITS})
    assert (one_of_two["queries"], "noData" in one_of_two) == ({"errors": None, "hits": 200.5}, False)
    formula = await scene.ask(queries={"errors": ERRORS, "hits": HITS}, formula=RATE)
    assert (formula["noData"], "value" in formula, formula["queries"]["hits"]) == (True, False, 200.5)


async def test_a_series_that_nobody_ever_sent_is_no_data(scene: Scene) -> None:
    scene.fake.faults = [Fault("POST", Reply(json={"data": {"type": "scalar_response", "attributes": {"columns": []}}}))]
    result = await scene.ask()
    assert (result["ok"], result["queries"], result["noData"]) == (True, {"errors": None}, True)


async def test_a_value_of_zero_is_a_value(scene: Scene) -> None:
    scene.fake.known[ERRORS] = 0
    result = await scene.ask()
    assert (result["value"], "noData" in result) == (0, False)


async def test_of_groups_the_first_number_counts(scene: Scene) -> None:
    scene.fake.known[ERRORS] = {"a": None, "b": 7, "c": 9}
    assert (await scene.ask())["queries"] == {"errors": 7}


@pytest.mark.parametrize(
    "given,status,said",
    [
        ({"apiKey": "wrong"}, 403, "Forbidden"),
        ({"appKey": "wrong"}, 403, "Forbidden"),
        ({"queries": {"errors": "sum:errors{"}}, 400, "Error parsing query: sum:errors{"),
        ({"formula": "errors +"}, 400, "Invalid formula: errors +"),
    ],
)
async def test_what_datadog_refuses_is_an_answer_that_says_why(scene: Scene, given: Json, status: int, said: str) -> None:
    result = await scene.ask(**given)
    assert (result["ok"], result["statusCode"], result["error"]) == (False, status, said)
    assert result["queries"] == {"errors": None}
    assert not {"value", "noData"} & set(result)


@pytest.mark.parametrize(
    "reply,said",
    [
        (Reply(500, body=b"<html>"), "Datadog answered 500"),
        (Reply(400, {"errors": [{"title": "Bad Request", "detail": "no such metric"}]}), "Bad Request: no such metric"),
        (Reply(200, {"errors": "query timed out"}), "query timed out"),
        (Reply(503), "Datadog answered 503"),
    ],
)
async def test_errors_of_other_shapes_are_told_too(scene: Scene, reply: Reply, said: str) -> None:
    scene.fake.faults = [Fault("POST", reply)]
    result = await scene.ask()
    assert (result["ok"], result["error"]) == (False, said)


LIMIT = {"X_RateLimit_Limit": "10", "X_RateLimit_Period": "60", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "17"}


@pytest.mark.parametrize(
    "reply,seconds",
    [
        (no(429, "Rate limit of 10 requests in 60 seconds reached.", **LIMIT), 17.0),
        (no(429, "Too many requests", Retry_After="9"), 9.0),
        (no(429, "Too many requests"), None),
        (no(503, "Unavailable", Retry_After="3"), 3.0),
    ],
)
async def test_who_is_asked_too_often_is_left_alone(scene: Scene, reply: Reply, seconds: float | None) -> None:
    scene.fake.faults = [Fault("POST", reply)]
    with pytest.raises(NoResult) as told:
        await scene.ask()
    assert told.value.retry_after_s == seconds


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b'{"data": {}}', b'{"data": {"attributes": {"columns": 1}}}'])
async def test_an_answer_of_somebody_else_is_no_result(scene: Scene, body: bytes) -> None:
    scene.fake.faults = [Fault("POST", Reply(200, body=body))]
    with pytest.raises(NoResult, match="no answer of Datadog"):
        await scene.ask()


async def test_a_connection_that_is_cut_is_no_result(scene: Scene) -> None:
    scene.fake.faults = [Fault("POST", cut=True)]
    with pytest.raises(CallFailed):
        await scene.ask()


async def test_a_redirect_takes_no_keys_along(scene: Scene) -> None:
    scene.fake.faults = [Fault("POST", Reply(307, headers={"Location": scene.fake.server.url("/api/v2/query/scalar")}))]
    result = await scene.ask()
    assert (result["ok"], result["error"], len(scene.fake.asked)) == (False, "Datadog answered 307", 1)


@pytest.mark.parametrize(
    "site,address",
    [
        ("datadoghq.com", "https://api.datadoghq.com"),
        (" us3.datadoghq.com ", "https://api.us3.datadoghq.com"),
        ("ddog-gov.com", "https://api.ddog-gov.com"),
        ("http://127.0.0.1:8126/", "http://127.0.0.1:8126"),
        ("https://proxy.example/datadog", "https://proxy.example/datadog"),
    ],
)
def test_a_site_is_a_host_below_api_and_an_address_stands_as_it_is(site: str, address: str) -> None:
    assert address_of(site) == address


@pytest.mark.parametrize(
    "site", ["", "<no value>", "datadoghq.com/path", "me@evil.example", "a b", "datadoghq.com#", "https://x?y"]
)
def test_what_is_no_site_is_called_nowhere(site: str) -> None:
    with pytest.raises(NoResult):
        address_of(site)


def test_whom_it_asks_is_known_before_templates_are_rendered() -> None:
    sent = {"apiKey": "k", "appKey": "k", "queries": {"a": "b"}}
    config = [DatadogConfig.model_validate({**sent, **more}) for more in ({}, {"site": "https://proxy.example/x"})]
    assert [KNOWN["datadog"].party(one) for one in config] == ["https://api.datadoghq.com", "https://proxy.example"]


@pytest.mark.parametrize(
    "wrong,path",
    [
        ({"queries": {}}, "queries"),
        ({"queries": {"a": ""}}, "queries/a"),
        ({"queries": "avg:x"}, "queries"),
        ({"aggregator": "median"}, "aggregator"),
        ({"intervalSeconds": 0}, "intervalSeconds"),
        ({"intervalSeconds": 3601}, "intervalSeconds"),
        ({"apiKey": None}, "apiKey"),
        ({"appKey": ""}, "appKey"),
        ({"site": ""}, "site"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_saved(wrong: Json, path: str) -> None:
    sent = {"type": "datadog", "apiKey": "k", "appKey": "k", "queries": {"a": "avg:x"}}
    assert list(problems(MetricProvider.model_validate(sent))) == []
    assert [where for where, _ in problems(MetricProvider.model_validate({**sent, **wrong}))] == [path]


KEYS = st.sampled_from(["data", "attributes", "columns", "values", "name", "type", "errors", "title", "a"])
BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a", "group"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)
COLUMNS = st.lists(st.dictionaries(KEYS, BODIES, max_size=4), max_size=3)


@given(BODIES | COLUMNS.map(lambda one: {"data": {"attributes": {"columns": one}}}), st.sampled_from([200, 400, 500]))
def test_whatever_comes_back_is_a_result_or_none(body: Any, status: int) -> None:
    config = DatadogConfig.model_validate({"apiKey": "k", "appKey": "k", "queries": {"a": "x", "b": "y"}, "formula": "a / b"})
    try:
        result = read(config, answer(body, status))
    except NoResult:
        return
    assert set(result["queries"]) == {"a", "b"}
    assert ("error" in result) is not result["ok"]
    assert not (("value" in result) and ("noData" in result))
