"""One connection: a request is written and its answer read, then perhaps the next."""

from __future__ import annotations

import asyncio
import select
import socket
from typing import cast

from libs.outbound.failures import NoWay
from libs.outbound.reply import Reply


class Connection(asyncio.Protocol):
    """A connection for one exchange at a time.

    Attributes:
        since: when it was made, by the clock of the event loop.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.since = loop.time()
        self._loop = loop
        self._lost: asyncio.Future[None] = loop.create_future()
        self._gone = False
        self._reply: Reply | None = None
        self._ended: asyncio.Future[None] | None = None

    async def exchange(self, request: bytes, reply: Reply) -> None:
        """Write a request and read its answer into `reply`; a connection that can not be used again is closed at the end.

        Raises: NoWay: `cut` or `protocol`.
        """
        assert self._reply is None, "one exchange at a time"
        if self._gone:
            raise NoWay("cut", "the connection was cut")
        self._reply, self._ended = reply, self._loop.create_future()
        try:
            self._transport.write(request)
            await self._ended
        finally:
            self._reply = self._ended = None
            if not reply.ended:
                self._gone = True
                self._transport.abort()
            elif not (reply.lasting and self.usable and self._transport.get_write_buffer_size() == 0):
                self.close()

    @property
    def usable(self) -> bool:
        """Whether nothing is known that speaks against another exchange."""
        return not self._gone

    def alive(self) -> bool:
        """Whether the other side has said nothing until this moment: it would be an end, or something that nobody asked for."""
        if self._gone:
            return False
        looked = select.poll()
        looked.register(self._socket, select.POLLIN)
        return not looked.poll(0)

    def close(self) -> None:
        """Say goodbye, and do not wait for an answer. Again changes nothing."""
        self._gone = True
        if not self._transport.is_closing():
            self._transport.close()
            self._loop.call_soon(self._transport.abort)

    async def closed(self) -> None:
        """Wait until nothing is left of it."""
        await asyncio.shield(self._lost)

    # --- told by the event loop ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._socket = cast(socket.socket, transport.get_extra_info("socket")).fileno()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        reply, ended = self._reply, self._ended
        if reply is None or ended is None or ended.done():
            self.close()
            return
        try:
            reply.feed(data)
        except NoWay as error:
            ended.set_exception(error)
        else:
            if reply.ended:
                ended.set_result(None)

    def eof_received(self) -> None:
        """The other side says nothing more."""
        self._cut(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._cut(exc)
        self._lost.set_result(None)

    def _cut(self, exc: Exception | None) -> None:
        self._gone = True
        reply, ended = self._reply, self._ended
        if reply is None or ended is None or ended.done():
            return
        if exc is None and reply.cut():
            ended.set_result(None)
        else:
            ended.set_exception(NoWay("cut", f"the connection was cut{f': {exc}' if exc is not None else ''}"))
