"""What is asked of Prometheus and what becomes of its answers, by the error forms of its published API as well."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.metric_providers import NoResult
from libs.metric_providers.prometheus import PROVIDER, PrometheusConfig, address_of
from libs.metric_providers.prometheus_answer import INFINITE, read
from libs.outbound.answer import Answer
from libs.outbound.failures import NotSent
from services.verifier.series import number_of
from tests.fakes.serving import Asked, Clock, Fake, Reply
from tests.unit.metric_providers.asking_scene import asking

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = NOW.timestamp()


def answer(body: Any, status: int = 200) -> Answer:
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, httpx.Headers({"content-type": "application/json"}), text, elapsed_s=0.0421)


def success(kind: str, result: Any) -> Answer:
    return answer({"status": "success", "data": {"resultType": kind, "result": result}})


def configured(**fields: Any) -> PrometheusConfig:
    return PrometheusConfig.model_validate({"address": "http://prometheus:9090", "query": "up", **fields})


class Prometheus(Fake):
    """Answers as it is told."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(Clock())
        self.reply = reply

    def handle(self, asked: Asked) -> Reply:
        return self.reply


@pytest.mark.parametrize(
    "address,place",
    [
        ("http://prometheus:9090", "http://prometheus:9090/api/v1/query?query=up"),
        ("http://prometheus:9090/", "http://prometheus:9090/api/v1/query?query=up"),
        (" https://metrics/team/a/ ", "https://metrics/team/a/api/v1/query?query=up"),
        ("https://metrics/a?tenant=b#c", "https://metrics/a/api/v1/query?tenant=b&query=up"),
    ],
)
def test_the_api_lies_below_the_address(address: str, place: str) -> None:
    assert address_of(configured(address=address), NOW) == place


def test_a_query_is_sent_as_it_is() -> None:
    query = 'sum(rate(errors{path=~"/a b+c.*", é="%"}[5m])) & 1'
    url = address_of(configured(query=query), NOW)
    assert parse_qs(urlsplit(url).query) == {"query": [query]}


@pytest.mark.parametrize(
    "given,start,end,step",
    [
        ({"step": "30s"}, AT - 300, AT, 30),
        ({"step": "30s", "end": "1m"}, AT - 360, AT - 60, 30),
        ({"step": "30s", "start": "1h"}, AT - 3600, AT, 30),
        ({"step": "1m30s", "start": "2h", "end": "1h"}, AT - 7200, AT - 3600, 90),
        ({"step": "250ms", "start": "0s"}, AT, AT, 0.25),
    ],
)
def test_a_range_counts_back_from_now(given: dict[str, str], start: float, end: float, step: float) -> None:
    parts = urlsplit(address_of(configured(rangeQuery=given), NOW))
    assert parts.path == "/api/v1/query_range"
    asked = {name: value for name, (value,) in parse_qs(parts.query).items()}
    assert asked == {"query": "up", "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}


def test_an_address_that_is_none_gives_no_result() -> None:
    with pytest.raises(NoResult, match="the address is none"):
        address_of(configured(address="http://[::1"), NOW)


def test_a_vector() -> None:
    result = read(
        success("vector", [{"metric": {"pod": "a"}, "value": [AT, "0.25"]}, {"metric": {"pod": "b"}, "value": [AT, "NaN"]}])
    )
    assert (result["ok"], result["statusCode"], result["duration"], result["value"]) == (True, 200, 42, 0.25)
    assert result["results"] == [{"metric": {"pod": "a"}, "value": 0.25}, {"metric": {"pod": "b"}, "value": None}]
    assert json.loads(result["body"]) == result["json"]
    assert "noData" not in result


def test_the_value_of_a_matrix_is_the_last_sample_of_its_first_series() -> None:
    result = read(success("matrix", [{"metric": {}, "values": [[AT, "1"], [AT + 1, "NaN"], [AT + 2, "3"]]}]))
    assert result["value"] == 3
    assert result["results"] == [{"metric": {}, "value": 3, "values": [[AT, 1], [AT + 1, None], [AT + 2, 3]]}]
    ends_in_nothing = read(success("matrix", [{"metric": {}, "values": [[AT, "1"], [AT + 1, "NaN"]]}]))
    assert (ends_in_nothing["noData"], "value" in ends_in_nothing) == (True, False)


@pytest.mark.parametrize(
    "kind,result",
    [
        ("vector", []),
        ("matrix", []),
        ("vector", [{"metric": {}, "value": [AT, "NaN"]}]),
        ("scalar", [AT, "NaN"]),
        ("string", [AT, "text"]),
        ("vector", [{"metric": {}, "histogram": [AT, {"count": "1", "sum": "2"}]}]),
        ("vector", None),
        ("vector", [{"metric": None, "value": [None, 1]}]),
        ("matrix", [{"metric": {}, "values": []}]),
        ("streams", [{"values": []}]),
    ],
)
def test_what_holds_no_number_is_no_data(kind: str, result: Any) -> None:
    read_ = read(success(kind, result))
    assert (read_["ok"], read_["noData"], "value" in read_) == (True, True, False)


def test_an_infinite_sample_can_be_compared_and_added_up() -> None:
    assert number_of(INFINITE) == INFINITE
    assert number_of(-INFINITE) == -INFINITE


@pytest.mark.parametrize("text,value", [("+Inf", INFINITE), ("-Inf", -INFINITE), ("1e-05", 1e-05), ("-0", 0)])
def test_numbers_as_prometheus_writes_them(text: str, value: float) -> None:
    assert read(success("scalar", [AT, text]))["value"] == value


@pytest.mark.parametrize(
    "status,kind,error",
    [
        (400, "bad_data", "1:4: parse error: unclosed left parenthesis"),
        (422, "execution", "found duplicate series for the match group"),
        (503, "timeout", "query timed out in expression evaluation"),
        (503, "canceled", "query was canceled"),
        (500, "internal", "out of luck"),
    ],
)
def test_errors_of_the_api_are_answers(status: int, kind: str, error: str) -> None:
    result = read(answer({"status": "error", "errorType": kind, "error": error}, status))
    assert (result["ok"], result["statusCode"], result["errorType"], result["error"]) == (False, status, kind, error)
    assert "noData" not in result
    assert "results" not in result


def test_an_error_with_status_200_is_not_ok() -> None:
    assert read(answer({"status": "error", "errorType": "bad_data", "error": "e"}))["ok"] is False


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"success"', b'{"status": "fine"}'])
def test_what_is_none_of_the_api_is_not_ok_and_says_so(body: bytes) -> None:
    result = read(answer(body))
    assert (result["ok"], "errorType" in result) == (False, False)
    assert result["error"] == "the answer with status 200 is none of Prometheus' API (application/json)"


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metric", "value", "values", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(kind=st.sampled_from(["vector", "matrix", "scalar", "string", "?"]), result=_json)
def test_whatever_comes_back_can_be_read_and_recorded(kind: str, result: Any) -> None:
    found = read(success(kind, result))
    assert found["ok"]
    assert ("value" in found) != ("noData" in found)
    assert "value" not in found or math.isfinite(found["value"])
    orjson.loads(orjson.dumps(found))


@pytest.mark.parametrize(
    "status,headers,pause", [(429, {"Retry-After": "17"}, 17), (503, {"Retry-After": "3"}, 3), (429, {}, None)]
)
async def test_who_wants_to_be_left_alone_gives_no_result(status: int, headers: dict[str, str], pause: float | None) -> None:
    server = Prometheus(Reply(status, {"status": "error"}, headers))
    async with server.serving(), asking() as one:
        with pytest.raises(NoResult, match=f"answered {status}: it wants to be asked less often") as refused:
            await PROVIDER.measure(configured(address=server.url), one)
    assert refused.value.retry_after_s == pause


async def test_an_answer_that_is_too_long_gives_no_result() -> None:
    server = Prometheus(Reply(body=b"[" + b" " * 1_100_000 + b"]"))
    async with server.serving(), asking() as one:
        with pytest.raises(NoResult, match="longer than 1048576 bytes; ask for fewer series"):
            await PROVIDER.measure(configured(address=server.url), one)


async def test_headers_and_who_asks_are_sent() -> None:
    server = Prometheus(Reply(200, {"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}))
    async with server.serving(), asking() as one:
        headers = [{"key": "X-Scope-OrgID", "value": "shop"}, {"key": "X-Two", "value": "2"}]
        basic = {"basic": {"username": "ana", "password": "pä:ss"}}
        await PROVIDER.measure(configured(address=server.url, headers=headers, authentication=basic), one)
        await PROVIDER.measure(configured(address=server.url, authentication={"bearerToken": "t0ken"}), one)
        await PROVIDER.measure(configured(address=server.url.replace("http://", "http://bo:pw@")), one)
    sent = [asked.headers for asked in server.asked]
    assert (sent[0]["x-scope-orgid"], sent[0]["x-two"]) == ("shop", "2")
    assert [one["authorization"] for one in sent] == ["Basic YW5hOnDDpDpzcw==", "Bearer t0ken", "Basic Ym86cHc="]


async def test_what_can_not_be_reached_gives_no_result() -> None:
    async with asking() as one:
        with pytest.raises(NotSent):
            await PROVIDER.measure(configured(address="http://127.0.0.1:1"), one)
        with pytest.raises(NotSent, match="only http: and https: can be called"):
            await PROVIDER.measure(configured(address="prometheus:9090"), one)


@pytest.mark.parametrize(
    "address,party",
    [
        ("https://prometheus:9090/a?b", "https://prometheus:9090"),
        ("https://ana:secret@prometheus/a", "https://prometheus"),
        ("https://{{.resource.name}}.example:9090/x", "https://{{.resource.name}}.example:9090"),
        ("http://[::1/secret", "http://"),
    ],
)
def test_the_party_is_the_place_without_secrets(address: str, party: str) -> None:
    assert PROVIDER.party(configured(address=address)) == party
