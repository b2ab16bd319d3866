"""Connections that are kept: who gets which, when one is not used any more, and how many there are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.outbound.failures import CallFailed, PerhapsSent
from tests.unit.outbound.outside import LONG_S, Got, Handle, Stands, calling, listening, outside, said


async def echo(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(said("200 OK", b"here"))


async def get(outbound: Outbound, url: str) -> int:
    return (await outbound.ask("GET", url, timeout_s=LONG_S)).status


async def test_one_that_the_other_side_closed_is_not_used_again() -> None:
    closed: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said("200 OK", b"here"))
        await writer.drain()
        await closed.put(writer)

    async with listening(accepted) as port, calling() as outbound:
        for _ in range(3):
            assert await get(outbound, f"http://127.0.0.1:{port}/") == 200
            await (await closed.get()).wait_closed()


async def test_one_that_was_idle_for_long_is_not_used_again() -> None:
    clock = Stands(asyncio.get_running_loop())
    async with outside(echo) as server, calling() as outbound:
        await get(outbound, server.url())
        clock.forward(4)
        await get(outbound, server.url())
        assert server.connections == 1
        clock.forward(6)
        await get(outbound, server.url())
        assert server.connections == 2


async def test_a_call_that_starts_something_takes_only_one_that_was_used_just_now() -> None:
    clock = Stands(asyncio.get_running_loop())
    async with outside(echo) as server, calling() as outbound:
        for seconds, connections in ((0, 1), (0.5, 1), (2, 2), (0, 2)):
            clock.forward(seconds)
            await outbound.ask("POST", server.url(), timeout_s=LONG_S)
            assert server.connections == connections


async def test_one_is_not_used_for_ever_because_names_move() -> None:
    clock = Stands(asyncio.get_running_loop())
    async with outside(echo) as server, calling() as outbound:
        for _ in range(14):
            await get(outbound, server.url())
            clock.forward(4)
        assert server.connections == 1
        clock.forward(4.5)
        await get(outbound, server.url())
        assert server.connections == 2


async def test_one_that_is_idle_is_closed_without_another_call() -> None:
    hung_up = asyncio.Event()
    clock = Stands(asyncio.get_running_loop())

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said("200 OK", b"here"))
        assert await reader.read() == b""
        hung_up.set()

    async with listening(accepted) as port, calling() as outbound:
        await get(outbound, f"http://127.0.0.1:{port}/")
        clock.forward(6)
        await hung_up.wait()


@pytest.mark.parametrize(
    "raw",
    [
        said("200 OK", b"here", "Connection: close"),
        said("200 OK", b"here").replace(b"HTTP/1.1", b"HTTP/1.0"),
        said("200 OK", b"here") + said("200 OK", b"for somebody else"),
        said("200 OK", b"here") + b"what is this",
    ],
)
async def test_one_whose_answer_speaks_against_it_is_not_used_again(raw: bytes) -> None:
    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    async with outside(handle) as server, calling() as outbound:
        for _ in range(2):
            assert (await outbound.ask("GET", server.url(), timeout_s=LONG_S)).body == b"here"
        assert server.connections == 2


async def test_what_nobody_asked_for_is_no_answer_to_the_next_call() -> None:
    late: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said("200 OK", b"here"))
        await writer.drain()
        late.put_nowait(writer)

    async with outside(handle) as server, calling() as outbound:
        for path in ("/1", "/2"):
            assert (await outbound.ask("POST", server.url(path), timeout_s=LONG_S)).body == b"here"
            writer = await late.get()
            writer.write(said("200 OK", b"for somebody else"))
            await writer.drain()
            await writer.wait_closed()  # the client hangs up
        assert server.connections == 2


def once() -> Handle:
    """Answers the first request of a connection, and hangs up at the second."""
    seen: set[asyncio.StreamWriter] = set()

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer in seen:
            writer.close()
        else:
            seen.add(writer)
            writer.write(said("200 OK", b"here"))

    return handle


async def test_a_call_on_a_kept_connection_that_ends_without_a_word_may_have_been_received_and_is_not_made_again() -> None:
    async with outside(once()) as server, calling() as outbound:
        for method in ("POST", "PUT", "PATCH", "DELETE", "GET"):
            await outbound.ask(method, server.url("/first"), timeout_s=LONG_S)
            with pytest.raises(PerhapsSent) as told:
                await outbound.ask(method, server.url("/second"), timeout_s=LONG_S)
            assert (told.value.reason, told.value.status) == ("cut", None)
    assert [got.line.split(" ")[1] for got in server.got] == ["/first", "/second"] * 5
    assert server.connections == 5


async def test_places_do_not_share_connections() -> None:
    async with outside(echo) as one, outside(echo) as other, calling() as outbound:
        for server in (one, other, one, other):
            await get(outbound, server.url())
        await get(outbound, one.url(host="localhost.example"))
        assert (one.connections, other.connections) == (2, 1)


async def test_the_one_that_was_idle_longest_makes_room_for_another_place() -> None:
    async with outside(echo) as server, Outbound(AddressRules.parse("loopback"), resolve=resolve, most=2) as outbound:
        for host in ("a", "b", "a", "c", "a"):
            await get(outbound, server.url(host=host))
        assert server.connections == 3
        await get(outbound, server.url(host="b"))
        assert server.connections == 4


async def test_a_call_that_failed_or_was_given_up_frees_its_place() -> None:
    arrived = asyncio.Event()

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = got.line.split(" ")[1]
        if path == "/cut":
            writer.close()
        elif path == "/silent":
            arrived.set()
            await reader.read()
        else:
            writer.write(said("200 OK", b"here"))

    async with outside(handle) as server, Outbound(AddressRules.parse("loopback"), most=1) as outbound:
        with pytest.raises(CallFailed):
            await get(outbound, server.url("/cut"))
        given_up = asyncio.create_task(get(outbound, server.url("/silent")))
        await arrived.wait()
        waiting = asyncio.create_task(get(outbound, server.url("/")))
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert await waiting == 200
        assert await get(outbound, server.url("/")) == 200


async def test_a_connection_that_is_lent_is_nobody_elses() -> None:
    both = asyncio.Barrier(2)

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(said("200 OK", b"here"))

    async with outside(handle) as server, calling() as outbound:
        for _ in range(2):
            answers = await asyncio.gather(*(get(outbound, server.url(path)) for path in ("/1", "/2")))
            assert answers == [200, 200]
        assert server.connections == 2


async def resolve(host: str, port: int) -> list[Any]:
    return ["127.0.0.1"]
