"""Calls against a real server: every way to fail, and whether the other side can have received the request."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from pathlib import Path

import pytest

from libs.outbound.addresses import AddressRules
from libs.outbound.answer import Reading
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed, NotJson, NotSent, PerhapsSent
from libs.outbound.reply import Reply
from tests.unit.outbound.outside import LONG_S, Got, Leaps, calling, listening, outside, said


async def echo(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(said("200 OK", b'{"ok": true}', "Content-Type: application/json", "X-Two: 1", "X-Two: 2"))


async def test_a_request_and_its_answer() -> None:
    async with outside(echo) as server, calling() as outbound:
        answer = await outbound.ask("POST", server.url("/a?b=c"), headers={"X-Key": "Schlüssel"}, json={"n": 1}, timeout_s=LONG_S)
    (got,) = server.got
    assert got.line == "POST /a?b=c HTTP/1.1"
    assert got.header("host") == [f"127.0.0.1:{server.port}"]
    assert got.body == b'{"n":1}'
    assert (answer.status, answer.ok, answer.json(), answer.cut) == (200, True, {"ok": True}, False)
    assert answer.headers.get_list("x-two") == ["1", "2"]
    assert answer.elapsed_s >= 0


async def test_the_name_is_kept_although_the_address_is_connected_to() -> None:
    async with outside(echo) as server, calling() as outbound:
        await outbound.ask("GET", server.url("/", host="argo.example"), timeout_s=LONG_S)
    assert server.got[0].header("host") == [f"argo.example:{server.port}"]


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Internal Server Error", "429 Too Many Requests", "204 No Content", "302 Found"]
)
async def test_every_status_is_an_answer(status: str) -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said(status, b"", "Location: /elsewhere", "Retry-After: 7"))

    async with outside(handle) as server, calling() as outbound:
        answer = await outbound.ask("GET", server.url(), timeout_s=LONG_S)
    assert (answer.status, answer.headers["retry-after"]) == (int(status[:3]), "7")
    assert len(server.got) == 1


async def test_calls_one_after_the_other_share_a_connection() -> None:
    async with outside(echo) as server, calling() as outbound:
        for method in ("GET", "POST", "GET", "DELETE", "PUT"):
            await outbound.ask(method, server.url(), timeout_s=LONG_S)
        assert server.connections == 1


async def test_no_cookie_is_kept_for_the_next_call() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said("200 OK", b"", "Set-Cookie: session=of-somebody-else"))

    async with outside(handle) as server, calling() as outbound:
        for _ in range(2):
            await outbound.ask("GET", server.url(), timeout_s=LONG_S)
    assert [got.header("cookie") for got in server.got] == [[], []]


async def failure(outbound: Outbound, method: str, url: str, *, redirects: int = 0, timeout_s: float = LONG_S) -> CallFailed:
    with pytest.raises(CallFailed) as told:
        await outbound.ask(method, url, timeout_s=timeout_s, connect_s=timeout_s, redirects=redirects)
    assert str(told.value).startswith(method)
    return told.value


async def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with calling() as outbound:
            error = await failure(outbound, "POST", f"http://host:{bound.getsockname()[1]}/p?token=hidden")
    assert (type(error), error.reason, error.status) == (NotSent, "refused", None)
    assert "hidden" not in str(error)


async def test_an_address_that_may_not_be_called_is_not_connected_to() -> None:
    async with outside(echo) as server, calling(AddressRules()) as outbound:
        for host in ("127.0.0.1", "name.example", "[::ffff:127.0.0.1]"):
            error = await failure(outbound, "GET", server.url(host=host))
            assert (type(error), error.reason) == (NotSent, "address")
            assert "SIGNALBOX_OUTBOUND_ALLOW=loopback" in str(error)
    assert server.connections == 0


async def test_a_name_that_does_not_exist() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Outbound(AddressRules(), resolve=resolve) as outbound:
        error = await failure(outbound, "GET", "http://nowhere.example/")
    assert (type(error), error.reason) == (NotSent, "name")
    assert str(error).startswith("GET http://nowhere.example/: the name nowhere.example can not be resolved")


async def test_a_name_that_is_not_resolved_in_time() -> None:
    leaps = Leaps(asyncio.get_running_loop())

    async def resolve(host: str, port: int) -> list[str]:
        leaps.leap()
        await asyncio.Event().wait()
        return []

    async with Outbound(AddressRules(), resolve=resolve) as outbound:
        error = await failure(outbound, "POST", "http://slow.example/")
    assert (type(error), error.reason) == (NotSent, "timeout")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "<no value>", "http://0x7f.1/"])
async def test_an_address_that_is_none_is_not_sent(url: str) -> None:
    async with calling() as outbound:
        error = await failure(outbound, "GET", url)
    assert (type(error), error.reason) == (NotSent, "request")


async def test_two_hosts_are_not_sent() -> None:
    async with outside(echo) as server, calling() as outbound:
        with pytest.raises(NotSent) as told:
            await outbound.ask("POST", server.url(), headers=[("Host", "a"), ("Host", "b")], timeout_s=LONG_S)
    assert told.value.reason == "request"
    assert server.got == []


async def test_a_connection_cut_after_the_request_was_read() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
    assert (type(error), error.reason, error.status) == (PerhapsSent, "cut", None)
    assert len(server.got) == 1


async def test_a_connection_reset_after_the_request_was_read() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
    assert (type(error), error.reason) == (PerhapsSent, "cut")


async def test_a_connection_cut_as_soon_as_it_was_accepted_may_have_been_written_to() -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with listening(accepted) as port, calling() as outbound:
        error = await failure(outbound, "POST", f"http://127.0.0.1:{port}/")
    assert (type(error), error.reason) == (PerhapsSent, "cut")


async def test_silence_after_the_request() -> None:
    leaps = Leaps(asyncio.get_running_loop())

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        leaps.leap()
        await reader.read()

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
    assert (type(error), error.reason, error.status) == (PerhapsSent, "timeout", None)
    assert "it did not answer within 600 s" in str(error)


async def test_headers_that_never_end() -> None:
    leaps = Leaps(asyncio.get_running_loop())

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        await writer.drain()
        leaps.leap()
        await reader.read()

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "GET", server.url())
    assert (type(error), error.reason) == (PerhapsSent, "timeout")


async def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()
    leaps = Leaps(asyncio.get_running_loop())

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        await release.wait()
        await reader.read()

    class Noticing(Reply):
        """Leaps only after the status was read, so that the test says what it means under any load."""

        def feed(self, data: bytes) -> None:
            super().feed(data)
            if self.status is not None:
                leaps.leap()

    monkeypatch.setattr("libs.outbound.asking.Reply", Noticing)
    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
        release.set()
    assert (type(error), error.reason, error.status) == (PerhapsSent, "timeout", 201)
    assert "it answered 201, but not to the end" in str(error)


async def test_a_body_cut_in_the_middle() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhello")
        writer.close()

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
    assert (type(error), error.reason, error.status) == (PerhapsSent, "cut", 201)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer(raw: bytes) -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    async with outside(handle) as server, calling() as outbound:
        error = await failure(outbound, "POST", server.url())
    assert (type(error), error.reason) == (PerhapsSent, "protocol")


async def test_an_unasked_change_of_protocol_ends() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        writer.close()

    async with outside(handle) as server, calling() as outbound:
        assert type(await failure(outbound, "POST", server.url())) is PerhapsSent


async def test_a_large_body_is_read_only_so_far() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # until the client hangs up
            writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            await writer.drain()

    async with outside(handle) as server, calling() as outbound:
        answer = await outbound.ask("GET", server.url(), timeout_s=LONG_S, max_bytes=10_000)
    assert (answer.body, answer.cut) == (b"x" * 10_000, True)
    with pytest.raises(NotJson, match="longer than what is read"):
        answer.json()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("size,cut", [(10, False), (10_000, False), (10_001, True), (50_000_000, True)])
async def test_a_packed_body_is_unpacked_only_so_far(pack: object, size: int, cut: bool) -> None:
    assert callable(pack)
    packed = pack(b"x" * size)
    name = "gzip" if pack is gzip.compress else "deflate"

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said("200 OK", packed, f"Content-Encoding: {name}"))

    async with outside(handle) as server, calling() as outbound:
        answer = await outbound.ask("GET", server.url(), timeout_s=LONG_S, max_bytes=10_000)
    assert (answer.body, answer.cut) == (b"x" * min(size, 10_000), cut)


def test_a_bomb_never_fills_the_memory() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    reading = Reading(10_000, "gzip")
    tracemalloc.start()
    try:
        assert reading.feed(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(reading.body), reading.cut) == (10_000, True)
    assert peak < 1_000_000


async def test_a_packed_body_that_breaks_off_is_cut() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said("200 OK", gzip.compress(bytes(range(256)))[:60], "Content-Encoding: gzip"))

    async with outside(handle) as server, calling() as outbound:
        assert (await outbound.ask("GET", server.url(), timeout_s=LONG_S)).cut


async def test_an_answer_that_is_no_json_tells_no_content() -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said("200 OK", b"<html>hidden\x00\xff", "Content-Type: text/html"))

    async with outside(handle) as server, calling() as outbound:
        answer = await outbound.ask("GET", server.url(), timeout_s=LONG_S)
    with pytest.raises(NotJson, match=r"status 200 is no JSON \(text/html, 14 bytes\)") as told:
        answer.json()
    assert "hidden" not in str(told.value)
    assert answer.text() == "<html>hidden\ufffd\ufffd"


async def moving(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = got.line.split(" ")[1]
    targets = {
        "/once": "/end",
        "/loop": "/loop",
        "/file": "file:///etc/passwd",
        "/inner": "http://169.254.169.254/latest/meta-data/",
    }
    writer.write(said("302 Found", b"", f"Location: {targets[path]}") if path in targets else said("200 OK", b"here"))


async def test_redirects_are_followed_when_asked_for() -> None:
    async with outside(moving) as server, calling() as outbound:
        answer = await outbound.ask("GET", server.url("/once"), headers={"X-Key": "k"}, redirects=1, timeout_s=LONG_S)
    assert (answer.body, answer.url) == (b"here", server.url("/end"))
    assert [got.header("x-key") for got in server.got] == [["k"], ["k"]]


@pytest.mark.parametrize(
    "path,reason,words", [("/loop", "redirect", "more than 3 times"), ("/file", "request", "'file'"), ("/inner", "address", "metadata address")]
)  # fmt: skip
async def test_every_hop_is_checked(path: str, reason: str, words: str) -> None:
    async with outside(moving) as server, calling() as outbound:
        error = await failure(outbound, "GET", server.url(path), redirects=3)
    # The first place did receive something.
    assert (type(error), error.reason) == (PerhapsSent, reason)
    assert words in str(error)


async def test_a_caller_that_is_cancelled_is_cancelled() -> None:
    arrived = asyncio.Event()

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with outside(handle) as server, calling() as outbound:
        call = asyncio.create_task(outbound.ask("GET", server.url(), timeout_s=LONG_S))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_many_calls_at_once_wait_for_a_connection() -> None:
    async with outside(echo) as server, Outbound(AddressRules.parse("loopback"), most=3) as outbound:
        answers = await asyncio.gather(*(outbound.ask("GET", server.url(), timeout_s=LONG_S) for _ in range(40)))
    assert [answer.status for answer in answers] == [200] * 40
    assert server.connections <= 3


async def test_closing_twice_and_calling_again() -> None:
    async with outside(echo) as server, calling() as outbound:
        await outbound.ask("GET", server.url(), timeout_s=LONG_S)
        await outbound.close()
        await outbound.close()
        assert (await outbound.ask("GET", server.url(), timeout_s=LONG_S)).ok


def test_certificates_that_can_not_be_read_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for name in ("none.pem", "missing.pem"):
        with pytest.raises(ValueError, match=f"the certificates in .*{name} can not be read"):
            Outbound(AddressRules(), ca_file=tmp_path / name)
