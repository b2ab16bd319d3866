"""The HTTP provider of measurements against a real server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.service import Intent
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.verifier.adapters.http import MAX_BODY_BYTES, Measurer, go_seconds

WORKSPACE = "11111111-1111-4111-8111-111111111111"
VARIABLES = {"SIGNALBOX_SECRET_TOKEN": "t0p-s3cret-token", "SIGNALBOX_SECRET_OTHER": "another-secret"}
TOKEN, OTHER = ("${secret:env:" + name + "}" for name in VARIABLES)

Ask = Callable[..., Awaitable[dict[str, Any]]]


def answer(status: str, body: bytes, *headers: str) -> bytes:
    """An HTTP answer, byte by byte."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request by its path; `/echo` tells what was asked."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
    body = (await reader.readexactly(length)).decode()
    method, path, _ = head.split("\r\n")[0].split(" ")
    match path:
        case "/json":
            writer.write(answer("200 OK", b'{"status": "ok"}', "content-type: application/json", "x-two: 1", "x-two: 2"))
        case "/broken":
            writer.write(answer("503 Service Unavailable", b"out of order\x00\xff"))
        case "/moved":
            writer.write(answer("302 Found", b"", "location: /json"))
        case "/loop":
            writer.write(answer("302 Found", b"", "location: /loop"))
        case "/large":
            writer.write(answer("200 OK", b"x" * (MAX_BODY_BYTES + 5000)))
        case "/silent":
            await reader.read()  # until the client gives up
        case _:
            sent = [line for line in head.split("\r\n")[1:] if line.lower().startswith("x-")]
            writer.write(answer("200 OK", orjson.dumps({"method": method, "body": body, "headers": sent})))
    with contextlib.suppress(ConnectionError):  # a client that has read enough hangs up
        await writer.drain()
    writer.close()


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = Outbound(AddressRules.parse("loopback"))
    measurer = Measurer(outbound, Vault(Sources(VARIABLES, None), None))

    async def ask(path: str, **fields: Any) -> dict[str, Any]:
        url = path if "://" in path or not path.startswith("/") else f"http://127.0.0.1:{port}{path}"
        request = {
            "type": "http",
            "method": "GET",
            "url": url,
            "headers": {},
            "body": None,
            "timeout": "10s",
            "workspace_id": WORKSPACE,
            **fields,
        }
        return await measurer(Intent("v/1/m", request))

    yield ask
    await outbound.close()
    server.close()
    await server.wait_closed()


async def test_prov_http_result_fields(ask: Ask) -> None:
    result = await ask("/json")
    assert result.pop("duration") >= 0
    headers = result.pop("headers")
    assert headers["Content-Type"] == ["application/json"]
    assert headers["X-Two"] == ["1", "2"]
    assert result == {"ok": True, "statusCode": 200, "body": '{"status": "ok"}'}


async def test_an_error_status_is_a_result(ask: Ask) -> None:
    result = await ask("/broken")
    assert (result["ok"], result["statusCode"], result["body"]) == (False, 503, "out of order\ufffd\ufffd")


async def test_method_headers_and_body_are_sent(ask: Ask) -> None:
    result = await ask("/echo", method="POST", headers={"X-Key": "Schlüssel"}, body="grüß")
    told = orjson.loads(result["body"])
    assert (told["method"], told["body"]) == ("POST", "grüß")
    assert told["headers"] == ["x-key: Schlüssel"]


async def test_redirects_are_followed(ask: Ask) -> None:
    assert (await ask("/moved"))["body"] == '{"status": "ok"}'


async def test_a_large_body_is_read_only_so_far(ask: Ask) -> None:
    assert len((await ask("/large"))["body"]) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    "path,fields,said",
    [
        ("http://127.0.0.1:1/", {}, "no connection"),
        ("http://169.254.169.254/", {}, "SIGNALBOX_OUTBOUND_ALLOW"),
        ("/loop", {}, "it redirected more than 10 times"),
        ("<no value>", {}, "only http: and https: can be called"),
        ("ftp://127.0.0.1/", {}, "only http: and https: can be called"),
        ("http://[::1", {}, "the address is none"),
        ("http://a\nb/", {}, "the address is none"),
        ("/json", {"headers": {"X-A": "a\r\nX-B: b"}}, "the header x-a holds a line break"),
        ("/json", {"headers": {"X A": "b"}}, "'x a' is no name of a header"),
        ("/silent", {"timeout": "50ms"}, "did not answer within 0.05 s"),
        ("/json", {"timeout": "soon"}, "the timeout 'soon' is no duration above 0"),
        ("/json", {"timeout": "0s"}, "the timeout '0s' is no duration above 0"),
    ],
)
async def test_what_goes_wrong_outside_is_told(ask: Ask, path: str, fields: dict[str, Any], said: str) -> None:
    result = await ask(path, **fields)
    assert list(result) == ["error"]
    assert said in result["error"]


async def test_a_sleep_is_over_when_it_is_asked_for() -> None:
    result = await Measurer()(Intent("v/1/m", {"type": "sleep", "durationSeconds": 30}))
    assert result == {"ok": True, "value": 30, "duration": 30_000}


async def test_secrets_are_opened_for_the_call_and_for_nothing_else(ask: Ask) -> None:
    result = await ask(
        "/echo?key=" + TOKEN, headers={"X-Key": f"Bearer {TOKEN}"}, body=f"a{TOKEN}", method="POST", secrets=[TOKEN]
    )
    told = orjson.loads(result["body"])
    assert (told["headers"], told["body"]) == (
        ["x-key: Bearer ••••••"],
        "a••••••",
    )  # it arrived, or there would be nothing to hide
    assert "t0p-s3cret-token" not in str(result)


async def test_a_secret_that_only_data_names_is_left_alone(ask: Ask) -> None:
    result = await ask("/echo", method="POST", body=f"{OTHER} ${{secret:", headers={"X-Key": TOKEN}, secrets=[TOKEN])
    assert orjson.loads(result["body"])["body"] == f"{OTHER} ${{secret:"


async def test_a_secret_that_is_not_there_is_told(ask: Ask) -> None:
    gone = "${secret:env:SIGNALBOX_SECRET_GONE}"
    result = await ask("/json", headers={"X-Key": gone}, secrets=[gone])
    assert list(result) == ["error"]
    assert "there is no variable SIGNALBOX_SECRET_GONE" in result["error"]


async def test_an_error_shows_no_secret(ask: Ask) -> None:
    result = await ask(f"http://127.0.0.1:1/{TOKEN}", secrets=[TOKEN])
    assert list(result) == ["error"]
    assert "t0p-s3cret-token" not in result["error"]


async def test_without_an_outside_nothing_on_this_machine_is_asked() -> None:
    request = {"type": "http", "method": "GET", "url": "http://127.0.0.1:1/", "headers": {}, "body": None, "timeout": "10s"}
    assert "SIGNALBOX_OUTBOUND_ALLOW" in (await Measurer()(Intent("v/1/m", request)))["error"]


@pytest.mark.parametrize(
    "text,seconds",
    [
        ("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25), (".5s", 0.5), ("0s", 0), ("10us", 1e-5), ("2µs", 2e-6), ("7ns", 7e-9),
        ("", None), ("5", None), ("5 s", None), ("-5s", None), ("s", None), ("5sx", None),
    ],
)  # fmt: skip
def test_go_durations(text: str, seconds: float | None) -> None:
    assert go_seconds(text) == pytest.approx(seconds)
