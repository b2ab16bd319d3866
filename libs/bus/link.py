"""A connection to the broker that is simply there again after an outage: nobody who uses it waits for the broker at start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.errors import Error

from libs.runtime.ending import end, heed

RETRY_S = 0.1
CLOSE_LIMIT_S = 2.0
OUTAGES = (Error, OSError, asyncio.TimeoutError)
"""What nats-py raises when the broker is away, slow, or has lost something."""

log_ = logging.getLogger("signalbox.bus")


async def quiet(error: Exception) -> None:
    """Take connection errors without a traceback for each attempt; an outage is normal and ends by itself.

    Raises: CancelledError: whoever connects was told to end. The client loses that where an attempt fails in the same moment
        (`asyncio.wait_for` of Python 3.11 prefers the result), and would try for ever.
    """
    log_.debug("broker: %s", error)
    heed()


class LinkStopped(Error):
    """There is no connection any more, and there will be none: whoever had it made does not need it."""


class Link:
    """One nats-py connection.

    Attributes:
        up: set while connected.
    """

    def __init__(self, url: str, name: str, on_connected: Callable[[Client], Awaitable[None]] | None = None) -> None:
        """Name the broker; nothing is connected yet.

        Args:
            url: `nats://…`, with the token or user in it.
            name: what the broker shows for this connection.
            on_connected: called once per connection, before `up` is set; subscriptions made there survive reconnections.
        """
        self.up = asyncio.Event()
        self._url = url
        self._name = name
        self._on_connected = on_connected
        self._client: Client | None = None
        self._interrupted: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to connect; never waits, again changes nothing."""
        if self._task is None:
            self._stopped = False
            self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the connection; again changes nothing. Who waits for it, or asks for it later, is told that there is none."""
        self._stopped = True
        task, self._task = self._task, None
        if task is not None:
            await end(task)
        self.up.set()
        self.up.clear()

    async def client(self) -> Client:
        """The connection, as soon as there is one. Raises: LinkStopped."""
        while not self._stopped:
            self.start()
            await self.up.wait()
            if self._client is not None:
                return self._client
        raise LinkStopped

    def interrupted(self) -> asyncio.Future[None]:
        """Done when the connection breaks: what was asked before gets no answer any more."""
        if self._interrupted is None or self._interrupted.done():
            self._interrupted = asyncio.get_running_loop().create_future()
        return self._interrupted

    async def _keep(self) -> None:
        while True:
            closed = asyncio.Event()
            client = Client()
            try:
                await self._connect(client, closed)
                heed()
                self._client = client
                if self._on_connected is not None:
                    await self._on_connected(client)
                heed()
                self.up.set()
                await closed.wait()
            except OUTAGES as error:
                log_.debug("no connection to the broker: %s", error)
            finally:
                self._broke()
                self._client = None
                with contextlib.suppress(*OUTAGES):
                    async with asyncio.timeout(CLOSE_LIMIT_S):
                        await client.close()
            heed()
            await asyncio.sleep(RETRY_S)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def on_closed() -> None:
            closed.set()

        async def on_broken() -> None:
            self._broke()

        async def on_back() -> None:
            self.up.set()

        await client.connect(
            self._url,
            name=self._name,
            error_cb=quiet,
            closed_cb=on_closed,
            disconnected_cb=on_broken,
            reconnected_cb=on_back,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # declared int, but only ever slept for
        )

    def _broke(self) -> None:
        self.up.clear()
        if self._interrupted is not None and not self._interrupted.done():
            self._interrupted.set_result(None)
