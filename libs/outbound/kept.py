"""Connections that are lent to one call at a time, and kept for the next one to the same place.

The library's own pool looks through all of its connections twice a call, so that a call costs the more the more there are.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

from libs.outbound.connecting import CheckedNetwork

Place = tuple[bytes, bytes, int]
"""Scheme, host and port."""


class Connections:
    """Connections with one idea of whom to trust.

    Args:
        context: tells whose certificates are believed.
        network: opens them.
        most: are open at a time; whoever wants another one waits, and who came first goes first.
        idle_s: one that was not used for so long is not used again; 0 keeps none.
    """

    def __init__(self, context: ssl.SSLContext, network: CheckedNetwork, most: int, idle_s: float) -> None:
        self._context = context
        self._network = network
        self._most = most
        self._idle_s = idle_s
        self._turns = asyncio.Semaphore(most)
        self._lent = 0
        # Since when each is idle, longest first; and those of each place, of which the last one is the likeliest to be alive.
        self._idle: dict[httpcore.AsyncHTTPConnection, tuple[Place, float]] = {}
        self._places: dict[Place, dict[httpcore.AsyncHTTPConnection, None]] = {}

    @asynccontextmanager
    async def lent(self, origin: httpcore.Origin) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection to a place for one call, which must have read or closed its answer at the end of the block."""
        place = (origin.scheme, origin.host, origin.port)
        async with self._turns:
            self._lent += 1
            try:
                connection = await self._kept(place) or await self._new(origin)
                try:
                    yield connection
                finally:
                    if self._idle_s > 0 and connection.is_idle() and not connection.is_closed():
                        self._keep(place, connection)
                    else:
                        await connection.aclose()
            finally:
                self._lent -= 1

    async def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            await self._drop(next(iter(self._idle)))

    def _keep(self, place: Place, connection: httpcore.AsyncHTTPConnection) -> None:
        self._idle[connection] = (place, time.monotonic())
        self._places.setdefault(place, {})[connection] = None

    async def _kept(self, place: Place) -> httpcore.AsyncHTTPConnection | None:
        """The one that was used last of those to a place; None when none is alive."""
        old = time.monotonic() - self._idle_s
        while self._idle and next(iter(self._idle.values()))[1] <= old:
            await self._drop(next(iter(self._idle)))
        while known := self._places.get(place):
            connection = next(reversed(known))
            if not connection.has_expired():
                self._forget(connection)
                return connection
            await self._drop(connection)
        return None

    async def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        while self._idle and len(self._idle) + self._lent > self._most:
            await self._drop(next(iter(self._idle)))
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._context, keepalive_expiry=self._idle_s, network_backend=self._network
        )

    async def _drop(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._forget(connection)
        await connection.aclose()

    def _forget(self, connection: httpcore.AsyncHTTPConnection) -> None:
        place, _ = self._idle.pop(connection)
        known = self._places[place]
        del known[connection]
        if not known:
            del self._places[place]
