"""The wire between a browser and the gateway, which a test can cut, and on which it sees who listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_STREAM = (b"GET /api/v1/workspaces/", b"/stream?")


@dataclass
class Wire:
    """Passes bytes on, in both directions, as they come.

    Attributes:
        url: where the browser goes instead of the gateway.
    """

    gateway: str
    url: str = ""
    _server: asyncio.Server | None = None
    _port: int = 0
    _open: dict[asyncio.StreamWriter, bool] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def streams(self) -> int:
        """How many of the connections that are open listen to what happens."""
        return sum(self._open.values())

    async def mend(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def cut(self) -> None:
        """End all connections, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self._open[writer] = False
        place = urlsplit(self.gateway)
        out = None
        try:
            back, out = await asyncio.open_connection(place.hostname, place.port)
            ways = [asyncio.create_task(self._ask(reader, out, writer)), asyncio.create_task(_pass(back, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # one side is gone, and so the other goes
        finally:
            del self._open[writer]
            self._running.discard(task)
            for one in (writer, out):
                if one is not None:
                    one.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, known: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            # A browser sends a request whole, and the next one on a connection only after the answer.
            line = data.split(b"\r\n", 1)[0]
            self._open[known] = line.startswith(_STREAM[0]) and _STREAM[1] in line
            out.write(data)
            await out.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def wire_to(gateway: str) -> AsyncIterator[Wire]:
    """A wire that is whole."""
    made = Wire(gateway)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
