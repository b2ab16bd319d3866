"""`http` against a real server on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from contracts.shapes import Json
from libs.metric_providers import Asking
from libs.metric_providers.http import PROVIDER, HttpConfig
from libs.metric_providers.port import MAX_ANSWER_BYTES
from libs.outbound.addresses import AddressRules
from libs.outbound.failures import CallFailed, NotSent, PerhapsSent
from tests.fakes.serving import Asked, Clock, Fake, Fault, Reply
from tests.unit.metric_providers.asking_scene import asking as asking_with


class Shop(Fake):
    """Answers by path; `/echo` tells what was sent."""

    def handle(self, asked: Asked) -> Reply:
        match asked.path:
            case "/json":
                return Reply(200, {"status": "ok"}, {"x-build": "7"})
            case "/text":
                return Reply(200, body=b"out of order\x00\xff", headers={"Content-Type": "text/plain"})
            case "/broken":
                return Reply(503, {"status": "down"})
            case "/moved":
                return Reply(302, headers={"Location": "/json"})
            case "/loop":
                return Reply(302, headers={"Location": "/loop"})
            case "/away":
                return Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
            case "/large":
                return Reply(200, body=b"x" * (MAX_ANSWER_BYTES + 5000))
            case _:
                return Reply(200, {"method": asked.method, "body": asked.body.decode(), "key": asked.headers.get("x-key")})


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop(Clock())
    async with shop.serving():
        yield shop


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    async with asking_with() as one:
        yield one


async def ask(asking: Asking, url: str, **fields: Any) -> Json:
    return await PROVIDER.measure(HttpConfig.model_validate({"url": url, **fields}), asking)


async def test_prov_http_result_fields(shop: Shop, asking: Asking) -> None:
    result = await ask(asking, f"{shop.url}/json")
    assert result.pop("duration") >= 0
    headers = result.pop("headers")
    assert headers["Content-Type"] == ["application/json"]
    assert headers["X-Build"] == ["7"]
    assert result == {"ok": True, "statusCode": 200, "body": '{"status":"ok"}', "json": {"status": "ok"}}


async def test_every_status_is_a_result(shop: Shop, asking: Asking) -> None:
    result = await ask(asking, f"{shop.url}/broken")
    assert (result["ok"], result["statusCode"], result["json"]) == (False, 503, {"status": "down"})


async def test_what_is_no_json_has_no_json(shop: Shop, asking: Asking) -> None:
    result = await ask(asking, f"{shop.url}/text")
    assert (result["body"], "json" in result) == ("out of order\ufffd\ufffd", False)


async def test_method_headers_and_body_are_sent(shop: Shop, asking: Asking) -> None:
    result = await ask(asking, f"{shop.url}/echo", method="POST", headers={"X-Key": "Schluessel"}, body="grüß")
    assert orjson.loads(result["body"]) == {"method": "POST", "body": "grüß", "key": "Schluessel"}


async def test_redirects_are_followed_and_each_hop_is_checked(shop: Shop, asking: Asking) -> None:
    assert (await ask(asking, f"{shop.url}/moved"))["json"] == {"status": "ok"}
    with pytest.raises(CallFailed, match="it redirected more than 10 times"):
        await ask(asking, f"{shop.url}/loop")
    with pytest.raises(CallFailed, match=r"169\.254\.169\.254 is at a metadata address, which may not be called"):
        await ask(asking, f"{shop.url}/away")


async def test_a_large_body_is_read_only_so_far(shop: Shop, asking: Asking) -> None:
    assert len((await ask(asking, f"{shop.url}/large"))["body"]) == MAX_ANSWER_BYTES


async def test_an_answer_that_does_not_come_in_time_gives_no_result(shop: Shop, asking: Asking) -> None:
    shop.faults.append(Fault("GET /json"))
    with pytest.raises(PerhapsSent, match=r"did not answer within 0\.5 s") as late:
        await ask(asking, f"{shop.url}/json", timeout="500ms")
    assert late.value.reason == "timeout"


async def test_a_connection_that_is_cut_gives_no_result(shop: Shop, asking: Asking) -> None:
    shop.faults.append(Fault("GET /json", cut=True))
    with pytest.raises(PerhapsSent, match="the connection was cut"):
        await ask(asking, f"{shop.url}/json")


@pytest.mark.parametrize(
    "url,fields,message",
    [
        ("http://127.0.0.1:1/", {}, "no connection"),
        ("http://169.254.169.254/", {}, "SIGNALBOX_OUTBOUND_ALLOW"),
        ("http://10.0.0.1/", {}, "SIGNALBOX_OUTBOUND_ALLOW=private"),
        ("<no value>", {}, "only http: and https: can be called"),
        ("ftp://127.0.0.1/", {}, "only http: and https: can be called"),
        ("http://[::1", {}, "the address is none"),
        ("http://a\nb/", {}, "the address is none"),
        ("http://127.0.0.1/", {"headers": {"X-A": "a\r\nX-B: b"}}, "the header x-a holds a line break"),
        ("http://127.0.0.1/", {"headers": {"X A": "b"}}, "'x a' is no name of a header"),
    ],
)
async def test_what_can_not_be_sent_gives_no_result(asking: Asking, url: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(NotSent) as failed:
        await ask(asking, url, **fields)
    assert message in str(failed.value)


async def test_this_machine_is_asked_only_where_that_is_allowed(shop: Shop) -> None:
    async with asking_with(rules=AddressRules()) as strict:
        with pytest.raises(NotSent, match="SIGNALBOX_OUTBOUND_ALLOW=loopback"):
            await ask(strict, f"{shop.url}/json")
    assert shop.asked == []


@pytest.mark.parametrize(
    "url,party",
    [
        ("https://ana:secret@shop.example:8443/health?key=1", "https://shop.example:8443"),
        ("http://{{.resource.name}}:{{.variables.port}}/x", "http://{{.resource.name}}:{{.variables.port}}"),
        ("{{.resource.config.url}}", "://"),
        ("http://[broken/secret", "http://"),
    ],
)
def test_the_party_is_the_place_without_secrets(url: str, party: str) -> None:
    assert PROVIDER.party(HttpConfig(url=url)) == party
