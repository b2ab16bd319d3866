"""A real Postgres that listens on TCP and asks for passwords, and a door in front of it that speaks TLS, which this build of it can not."""

from __future__ import annotations

import asyncio
import ssl
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from infra.embedded import children
from infra.embedded.children import Child
from infra.embedded.datadir import DataDir
from infra.embedded.nats import free_port
from infra.embedded.postgres import Postgres

START_LIMIT_S = 60.0
SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)
"""What a client sends first that wants TLS (PostgreSQL documentation, "Message Formats"); `S` agrees."""


@dataclass(frozen=True)
class Database:
    """A running server.

    Attributes:
        admin: connection string of its superuser, over a socket of this machine.
    """

    port: int
    admin: str


class _OnTcp(Postgres):
    def __init__(self, datadir: DataDir, root_mode: str, port: int) -> None:
        super().__init__(datadir, root_mode)
        self.port = port

    def child(self) -> Child:
        child = super().child()
        command = list(child.command)
        command[command.index("-h") + 1] = "127.0.0.1"
        command[command.index("-p") + 1] = str(self.port)
        settings = ("fsync=off", "shared_buffers=16MB")
        return replace(child, command=[*command, *(word for one in settings for word in ("-c", one))])


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """A server with an empty database `signalbox`, until the block ends.

    Args:
        folder: an empty one.
    """
    datadir = DataDir(folder)
    server = _OnTcp(datadir, children.root_mode(), free_port())
    assert children.start(server.making()).wait() == 0, server.log.read_text()
    server.made()
    rules = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (server.folder / "pg_hba.conf").write_text(rules)
    process = children.start(server.child())
    try:
        end = time.monotonic() + START_LIMIT_S
        while not server.is_ready(process):
            assert process.poll() is None, server.log.read_text()
            assert time.monotonic() < end, server.log.read_text()
            time.sleep(0.005)
        admin = server.conninfo("postgres").replace("port=5432", f"port={server.port}")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE signalbox")
        yield Database(server.port, admin.replace("dbname=postgres", "dbname=signalbox"))
    finally:
        process.kill()
        process.wait()
        datadir.close()


@asynccontextmanager
async def secured(port: int, public: Path, private: Path) -> AsyncIterator[int]:
    """The port of a door that takes connections with TLS alone, and hands on what comes to a server on another port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with AsyncExitStack() as stack:
            # A stream whose handshake failed never tells that it is closed, so none is waited for.
            stack.callback(writer.transport.abort)
            assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
            writer.write(b"S")
            # Clients that do not like the certificate hang up in the middle of the handshake.
            stack.enter_context(suppress(OSError))
            await writer.start_tls(context)
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(behind_writer.transport.abort)
            ways = [_handed_on(reader, behind_writer), _handed_on(behind_reader, writer)]
            tasks = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    served: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(lambda *streams: served.add(asyncio.create_task(serve(*streams))), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


async def _handed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()
