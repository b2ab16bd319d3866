"""What takes measurements, against a real server on this machine: due times, secrets, whatever goes wrong, and how hard one party is asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from contracts.shapes import Json
from libs.metric_providers.port import MAX_ANSWER_BYTES, Asking, NoResult, Provider, ProviderConfig
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.service import Intent, NotYet
from libs.secrets.fields import SecretFields
from libs.secrets.keys import KeysUnavailable, MasterKey
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from libs.simulation.world import START, WORKSPACE
from services.verifier.adapters.asking import BUSY_S, Asker
from services.verifier.adapters.parties import AT_ONCE, REMEMBERED, Busy, Parties

VARIABLES = {"SIGNALBOX_SECRET_TOKEN": "t0p-s3cret-token", "SIGNALBOX_SECRET_OTHER": "another-secret"}
TOKEN, OTHER = ("${secret:env:" + name + "}" for name in VARIABLES)

Ask = Callable[..., Awaitable[Json]]


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
            writer.write(answer("200 OK", b"x" * (MAX_ANSWER_BYTES + 5000)))
        case "/silent":
            await reader.read()  # until the client gives up
        case _:
            sent = [line for line in head.split("\r\n")[1:] if line.lower().startswith(("x-", "authorization"))]
            writer.write(answer("200 OK", orjson.dumps({"method": method, "path": path, "body": body, "headers": sent})))
    with contextlib.suppress(ConnectionError):  # a client that has read enough hangs up
        await writer.drain()
    writer.close()


def intent(provider: Json, *secrets: str, **fields: Any) -> Intent:
    return Intent("v/1/m", {"provider": provider, "secrets": list(secrets), "workspace_id": WORKSPACE}, **fields)


async def outcome_of(asker: Asker, one: Intent) -> Json:
    outcome = await asker(one)
    assert not isinstance(outcome, NotYet)
    return outcome


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = Outbound(AddressRules.parse("loopback"))
    asker = Asker(outbound, Vault(Sources(VARIABLES, None), None))

    async def ask(path: str, *secrets: str, **fields: Any) -> Json:
        url = path if "://" in path or not path.startswith("/") else f"http://127.0.0.1:{port}{path}"
        return await outcome_of(asker, intent({"type": "http", "url": url, "timeout": "10s", **fields}, *secrets))

    yield ask
    await outbound.close()
    server.close()
    await server.wait_closed()


# --- what comes of a question ----------------------------------------------------------------------------------------------------


async def test_an_outcome_says_what_was_asked_when_and_what_came_back(ask: Ask) -> None:
    outcome = await ask("/json")
    assert sorted(outcome) == ["asked", "measured_at", "result"]
    assert outcome["asked"]["timeout"] == "10s"
    assert datetime.fromisoformat(outcome["measured_at"]).tzinfo is not None
    result = outcome["result"]
    assert result.pop("duration") >= 0
    headers = result.pop("headers")
    assert headers["Content-Type"] == ["application/json"]
    assert headers["X-Two"] == ["1", "2"]
    # The body as JSON is made again from its text.
    assert result == {"ok": True, "statusCode": 200, "body": '{"status": "ok"}'}


async def test_an_error_status_is_a_result(ask: Ask) -> None:
    result = (await ask("/broken"))["result"]
    assert (result["ok"], result["statusCode"], result["body"]) == (False, 503, "out of order\ufffd\ufffd")


async def test_method_headers_and_body_are_sent(ask: Ask) -> None:
    result = (await ask("/echo", method="POST", headers={"X-Key": "Schlüssel"}, body="grüß"))["result"]
    told = orjson.loads(result["body"])
    assert (told["method"], told["body"]) == ("POST", "grüß")
    assert told["headers"] == ["x-key: Schlüssel"]


async def test_redirects_are_followed(ask: Ask) -> None:
    assert (await ask("/moved"))["result"]["body"] == '{"status": "ok"}'


async def test_a_large_body_is_read_only_so_far(ask: Ask) -> None:
    assert len((await ask("/large"))["result"]["body"]) == MAX_ANSWER_BYTES


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
        ("/json", {"timeout": "soon"}, "timeout: 'soon' is no duration above 0"),
        ("/json", {"timeout": "0s"}, "timeout: '0s' is no duration above 0"),
        ("/json", {"method": "BREW"}, "method: must be"),
        ("/json", {"type": "nobody"}, "there is no provider 'nobody'; there are"),
    ],
)
async def test_what_goes_wrong_outside_is_told(ask: Ask, path: str, fields: dict[str, Any], said: str) -> None:
    outcome = await ask(path, **fields)
    assert sorted(outcome) == ["asked", "error", "measured_at"]
    assert said in outcome["error"]


async def test_a_sleep_is_over_when_it_is_asked_for() -> None:
    outcome = await outcome_of(Asker(), intent({"type": "sleep", "durationSeconds": 30}))
    assert outcome["result"] == {"ok": True, "value": 30, "duration": 30_000}


async def test_without_an_outside_nothing_on_this_machine_is_asked() -> None:
    outcome = await outcome_of(Asker(), intent({"type": "http", "url": "http://127.0.0.1:1/"}))
    assert "SIGNALBOX_OUTBOUND_ALLOW" in outcome["error"]


# --- secrets -----------------------------------------------------------------------------------------------------------------------


async def test_secrets_are_opened_for_the_call_and_for_nothing_else(ask: Ask) -> None:
    outcome = await ask("/echo?key=" + TOKEN, TOKEN, headers={"X-Key": f"Bearer {TOKEN}"}, body=f"a{TOKEN}", method="POST")
    told = orjson.loads(outcome["result"]["body"])
    # It arrived, or there would be nothing to hide.
    assert (told["headers"], told["body"], told["path"]) == (["x-key: Bearer ••••••"], "a••••••", "/echo?key=••••••")
    assert "t0p-s3cret-token" not in str(outcome)
    assert outcome["asked"]["body"] == f"a{TOKEN}"


async def test_a_secret_that_only_data_names_is_left_alone(ask: Ask) -> None:
    outcome = await ask("/echo", TOKEN, method="POST", body=f"{OTHER} ${{secret:", headers={"X-Key": TOKEN})
    assert orjson.loads(outcome["result"]["body"])["body"] == f"{OTHER} ${{secret:"


async def test_a_secret_that_is_not_there_is_told(ask: Ask) -> None:
    gone = "${secret:env:SIGNALBOX_SECRET_GONE}"
    outcome = await ask("/json", gone, headers={"X-Key": gone})
    assert "there is no variable SIGNALBOX_SECRET_GONE" in outcome["error"]


async def test_an_error_shows_no_secret(ask: Ask) -> None:
    outcome = await ask(f"http://127.0.0.1:1/{TOKEN}", TOKEN)
    assert "no connection" in outcome["error"]
    assert "t0p-s3cret-token" not in str(outcome)


async def test_what_is_in_clear_where_a_secret_belongs_is_sent_and_not_recorded(ask: Ask) -> None:
    outcome = await ask("/echo", headers={"Authorization": "Bearer in-clear", "X-Api-Key": "k3y-in-clear"})
    told = orjson.loads(outcome["result"]["body"])
    assert sorted(told["headers"]) == ["authorization: ••••••", "x-api-key: ••••••"]
    assert "in-clear" not in str(outcome)


async def test_what_is_sealed_is_opened_and_recorded_as_a_mask() -> None:
    vault = Vault(Sources({}, None), MemoryKeys(MasterKey(b"m" * 32)))
    sealed = (await vault.sealed(WORKSPACE, {"password": "t0p-s3cret-token"}, SecretFields()))["password"]
    told: list[str] = []

    async def measure(config: _Config, asking: Asking) -> Json:
        told.append(config.text)
        return {"ok": True, "echo": [config.text, {config.text: 1}]}

    asker = Asker(vault=vault, providers={"own": Provider("own", _Config, measure)})
    outcome = await outcome_of(asker, intent({"type": "own", "text": f"a {sealed}"}, sealed))
    assert told == ["a t0p-s3cret-token"]
    assert outcome["asked"]["text"] == "a ••••••"
    assert outcome["result"]["echo"] == ["a ••••••", {"a ••••••": 1}]


async def test_keys_that_are_away_for_a_moment_are_nothing_to_record() -> None:
    class Away(MemoryKeys):
        async def existing(self, workspace_id: str) -> bytes | None:
            raise KeysUnavailable("the database is away")

    asker = Asker(vault=Vault(Sources({}, None), Away(MasterKey(b"m" * 32))))
    with pytest.raises(KeysUnavailable):
        await asker(intent({"type": "sleep"}, "${secret:sealed:abc}"))


# --- providers of any kind -------------------------------------------------------------------------------------------------------


class _Config(ProviderConfig):
    text: str = ""


def own(measure: Callable[[_Config, Asking], Awaitable[Json]]) -> dict[str, Provider[Any]]:
    return {"own": Provider("own", _Config, measure)}


OWN = {"type": "own", "text": "x"}


async def test_a_pause_that_a_provider_wants_is_passed_on() -> None:
    async def limited(config: _Config, asking: Asking) -> Json:
        raise NoResult("too many", retry_after_s=12.5)

    outcome = await outcome_of(Asker(providers=own(limited)), intent(OWN))
    assert (outcome["error"], outcome["retry_after_s"]) == ("too many", 12.5)


async def test_a_provider_that_breaks_is_a_question_without_a_result(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(config: _Config, asking: Asking) -> Json:
        raise KeyError("no such thing")

    with caplog.at_level(logging.ERROR):
        outcome = await outcome_of(Asker(providers=own(broken)), intent(OWN))
    assert outcome["error"] == "the own provider broke (KeyError); the service's log says where"
    assert [one.message for one in caplog.records] == ["a provider broke"]


async def test_an_answer_that_is_too_deep_to_be_recorded_is_none() -> None:
    async def deep(config: _Config, asking: Asking) -> Json:
        return {"ok": True, "rows": orjson.loads("[" * int(config.text) + "]" * int(config.text))}

    asker = Asker(providers=own(deep))
    outcome = await outcome_of(asker, intent({"type": "own", "text": "300"}))
    assert outcome["error"] == "the own provider's answer has more than 100 levels, which is too deep to be judged"
    shallow = await outcome_of(asker, intent({"type": "own", "text": "90"}))
    assert orjson.loads(orjson.dumps(shallow))["result"]["ok"]


async def test_what_a_template_puts_where_a_secret_belongs_is_not_recorded() -> None:
    filled = {"type": "sql", "url": "host=127.0.0.1 port=1 user=u password=h0tel-alpha", "query": "SELECT 1 AS h0tel"}
    outcome = await outcome_of(Asker(Outbound(AddressRules.parse("loopback"))), intent(filled))
    assert outcome["asked"] == {**filled, "url": "••••••"}
    assert "h0tel-alpha" not in str(outcome)
    named = {**filled, "url": TOKEN}
    assert (await outcome_of(Asker(), intent(named)))["asked"] == named


async def test_a_provider_that_never_answers_is_given_up() -> None:
    async def silent(config: _Config, asking: Asking) -> Json:
        await asyncio.Event().wait()
        return {}

    outcome = await outcome_of(Asker(providers=own(silent), longest_s=0.01), intent(OWN))
    assert outcome["error"] == "the own provider gave no answer within 0.01 s"


async def test_nothing_is_measured_before_it_is_due() -> None:
    times = iter([START, START + timedelta(seconds=1)])
    asker = Asker(now=lambda: next(times, START + timedelta(seconds=1)))
    one = intent({"type": "sleep"}, not_before=START + timedelta(milliseconds=3))
    assert await asker(one) == NotYet(0.003)
    assert (await outcome_of(asker, one))["measured_at"] == (START + timedelta(seconds=1)).isoformat()


# --- how hard one party is asked -------------------------------------------------------------------------------------------------


async def test_one_party_is_asked_so_often_at_a_time_and_others_beside_it() -> None:
    go = asyncio.Event()
    asked: list[str] = []

    async def waiting(config: _Config, asking: Asking) -> Json:
        asked.append(config.text)
        if config.text == "slow":
            await go.wait()
        return {"ok": True}

    asker = Asker(providers=own(waiting))
    slow = [asyncio.create_task(asker(intent({"type": "own", "text": "slow"}, lane="a"))) for _ in range(AT_ONCE + 1)]
    (first,) = (await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED, timeout=60))[0]
    assert await first == NotYet(BUSY_S)
    for lane in ("b", ""):
        assert (await outcome_of(asker, intent(OWN, lane=lane)))["result"] == {"ok": True}
    go.set()
    await asyncio.gather(*slow)
    assert asked.count("slow") == AT_ONCE
    assert (await outcome_of(asker, intent(OWN, lane="a")))["result"] == {"ok": True}


async def test_questions_to_one_party_do_not_begin_in_one_moment() -> None:
    parties = Parties(per_second=1_000)
    loop = asyncio.get_running_loop()
    begun: list[float] = []

    async def one() -> None:
        async with parties.turn("a"):
            begun.append(loop.time())

    start = loop.time()
    await asyncio.gather(*(one() for _ in range(40)))
    assert all(at >= start + place * 0.001 - 1e-4 for place, at in enumerate(sorted(begun)))


async def test_whoever_is_asked_as_much_as_may_be_is_busy() -> None:
    parties = Parties(at_once=1)
    async with parties.turn("a"):
        with pytest.raises(Busy):
            async with parties.turn("a"):
                pass
        async with parties.turn("b"), parties.turn(""), parties.turn(""):
            pass
    async with parties.turn("a"):
        pass


async def test_parties_that_nobody_asks_are_forgotten_and_those_that_are_asked_are_not() -> None:
    parties = Parties(at_once=1, per_second=1_000_000)
    async with parties.turn("asked"):
        for number in range(REMEMBERED + 1):
            async with parties.turn(str(number)):
                pass
        with pytest.raises(Busy):
            async with parties.turn("asked"):
                pass


# --- templates whose values are not there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url,said",
    [
        ("", "url: must have at least 1 character ({{.variables.url}} came to nothing: is the value there?)"),
        ("<no value>", "url: the address must begin with http:// or https://, for example https://example.com/health ({{.variables.url}} came"),
        ("https:///health", "url: the address names no host ({{.variables.url}} came to nothing"),
    ],
)  # fmt: skip
async def test_a_value_that_is_missing_in_an_address_is_named(url: str, said: str) -> None:
    outcome = await outcome_of(Asker(), lacking({"type": "http", "url": url}, url="{{.variables.url}}", body="{{.b}}"))
    assert outcome["error"].startswith(said)
    assert "{{.b}}" not in outcome["error"]


async def test_a_value_that_is_missing_where_nothing_is_wrong_keeps_nobody_from_asking() -> None:
    outcome = await outcome_of(Asker(), lacking({"type": "sleep", "note": ""}, note="{{.version.metadata.tag}}"))
    assert outcome["result"]["ok"]


def lacking(provider: Json, **actions: str) -> Intent:
    """The measurement of a provider with texts whose templates came to nothing."""
    whole = intent(provider)
    return replace(whole, request={**whole.request, "unfilled": {path: [action] for path, action in actions.items()}})
