"""Connections that are lent to one call at a time, and kept for the next one to the same place."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from libs.outbound.connecting import CheckedNetwork
from libs.outbound.connection import Connection

IDLE_S: Final = 5.0
"""One that was not used for so long is closed: the other side is about to do so as well."""
AGE_S: Final = 60.0
"""One that was opened so long ago is not lent again: the name may have another address by now."""


class Place(NamedTuple):
    """Whom a connection leads to, and how that was found out: one that was trusted by one rule is never lent under another."""

    host: str
    port: int
    secured: ssl.SSLContext | None


class Connections:
    """Connections that are lent and kept.

    Args:
        network: opens them.
        most: are open at a time; whoever wants another one waits, and who came first goes first.
    """

    def __init__(self, network: CheckedNetwork, most: int) -> None:
        self._network = network
        self._most = most
        self._turns = asyncio.Semaphore(most)
        self._lent = 0
        # Since when each is idle, longest first; and those of each place, of which the last one is the likeliest to be alive.
        self._idle: dict[Connection, tuple[Place, float]] = {}
        self._places: dict[Place, dict[Connection, None]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def lent(self, place: Place, within_s: float, idle_s: float) -> AsyncIterator[Connection]:
        """A connection to a place for one call.

        Args:
            within_s: seconds to open one, as of `CheckedNetwork.opened`.
            idle_s: one that was idle for longer is not taken; 0 opens one in any case.

        Raises: NoWay.
        """
        async with self._turns:
            self._lent += 1
            try:
                connection = self._kept(place, idle_s)
                if connection is None:
                    if self._idle and len(self._idle) + self._lent > self._most:
                        self._drop(next(iter(self._idle)))
                    connection = await self._network.opened(place.host, place.port, within_s, place.secured)
                try:
                    yield connection
                finally:
                    if connection.usable:
                        self._keep(place, connection)
            finally:
                self._lent -= 1

    async def close(self) -> None:
        """Close those that are idle."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in (closing := list(self._idle)):
            self._drop(connection)
        await asyncio.gather(*(connection.closed() for connection in closing))

    def _kept(self, place: Place, idle_s: float) -> Connection | None:
        """The one that was used last of those to a place; None when none is fit."""
        now = asyncio.get_running_loop().time()
        while known := self._places.get(place):
            connection = next(reversed(known))
            if connection.since <= now - AGE_S or not connection.alive():
                self._drop(connection)
                continue
            if self._idle[connection][1] <= now - idle_s:
                return None
            self._forget(connection)
            return connection
        return None

    def _keep(self, place: Place, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._idle[connection] = (place, loop.time())
        self._places.setdefault(place, {})[connection] = None
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_S, self._close_old)

    def _close_old(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        while self._idle:
            connection, (_, since) = next(iter(self._idle.items()))
            if since > loop.time() - IDLE_S:
                self._sweep = loop.call_at(since + IDLE_S, self._close_old)
                return
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: Connection) -> None:
        place, _ = self._idle.pop(connection)
        known = self._places[place]
        del known[connection]
        if not known:
            del self._places[place]
