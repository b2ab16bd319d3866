"""The outside as tests need it: a server that answers by path, byte by byte, and a clock that can leap."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound

LOOPBACK = AddressRules.parse("loopback")
LONG_S = 600.0
"""A time-out that only a leap of the clock can reach."""


@dataclass
class Got:
    """A request as the server read it."""

    line: str
    headers: list[str]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [line.split(":", 1)[1].strip() for line in self.headers if line.lower().startswith(f"{name.lower()}:")]


Handle = Callable[[Got, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def said(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Outside:
    """A running server.

    Attributes:
        got: requests, in order of their arrival.
        connections: how many were opened.
    """

    port: int = 0
    scheme: str = "http"
    got: list[Got] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that treats each connection by this function; at the end of the block nothing of it is left."""
    tasks: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # A client that has read enough, or gave up, hangs up; so do tests that are over.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def outside(handle: Handle, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Outside]:
    """Serve every request by this function until the block ends; a connection stays open for the next request."""
    running = Outside(scheme="http" if tls is None else "https")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *headers = head.strip().split("\r\n")
            got = Got(line, headers, b"")
            length = int((got.header("content-length") or ["0"])[0])
            got.body = await reader.readexactly(length)
            running.got.append(got)
            await handle(got, reader, writer)
            await writer.drain()

    async with listening(serve, tls=tls) as running.port:
        yield running


class Leaps:
    """The running event loop's clock, which can be put forward, so that time-outs come exactly when a test wants them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._real = loop.time
        self._ahead_s = 0.0
        loop.time = self._time  # type: ignore[method-assign]  # the loop asks itself for the time

    def _time(self) -> float:
        return self._real() + self._ahead_s

    def leap(self) -> None:
        """Put the clock past every time-out that was set."""
        self._ahead_s += 10 * LONG_S


class Stands:
    """The running event loop's clock, which stands still but for when it is put forward."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now = loop.time()
        loop.time = lambda: self._now  # type: ignore[method-assign]  # the loop asks itself for the time

    def forward(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._now += seconds


@asynccontextmanager
async def calling(rules: AddressRules = LOOPBACK) -> AsyncIterator[Outbound]:
    """A client with names that are all 127.0.0.1."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with Outbound(rules, resolve=resolve) as outbound:
        yield outbound
