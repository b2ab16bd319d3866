"""Asking a service over the bus: request and reply with one id, repeated until somebody answers or the time is over."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import UUID, uuid5

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from pydantic import ValidationError

from contracts.command import NOT_OWNER, Answer, AsOf, Wish
from libs.bus.link import OUTAGES, Link, LinkStopped
from libs.bus.port import Unavailable, Written
from libs.bus.subjects import STAGED
from libs.eventlog.port import EventLog, LogUnavailable

LIMIT_S = 20.0
TRY_S = 5.0
PACE_S = 2.0
"""More of both for each megabyte of a payload: what takes long to decide must not be asked again and again meanwhile."""
PAST_TIMES, PAST_TRIES = 10.0, 4.0
"""So many times as long is waited for an answer about the past, and for the reply to one try: the log may have to be folded from far away."""
AGAIN_S = 0.05
NEXT_REPLICA_S = 0.002
"""First pause after `NOT_OWNER`, doubled up to `AGAIN_S`: another replica is asked at once, a partition that moves is waited for."""

MAX_PAYLOAD = 256 * 1024


class BusRequests:
    """`libs.bus.port.Requests` over NATS. A wish is sent again with the same id, so a repeat gets the first answer."""

    def __init__(self, nats_url: str, log: EventLog, *, limit_s: float = LIMIT_S, try_s: float = TRY_S) -> None:
        """Name the broker.

        Args:
            nats_url: the broker.
            log: where payloads over 256 KB are staged.
            limit_s: seconds after which `ask` gives up, and more for a large payload.
            try_s: seconds that one try waits for its reply, and more for a large payload.
        """
        self._link = Link(nats_url, "requests")
        self._log = log
        self._limit_s = limit_s
        self._try_s = try_s

    async def start(self) -> None:
        """Begin to connect; waits for nothing, again changes nothing."""
        self._link.start()

    async def stop(self) -> None:
        """Close the connection; again changes nothing."""
        await self._link.stop()

    async def ask(
        self,
        wish: Wish | Written,
        *,
        id: str,
        workspace_id: str,
        auth_id: str,
        min_position: int = 0,
        traceparent: str = "",
        as_of: AsOf | None = None,
    ) -> Answer:
        """Send a wish to its owner and wait for the answer; see `libs.bus.port.Requests`.

        Raises:
            Unavailable: nobody answered within 20 s, and 2 s more for each megabyte; within 200 s about the past. The same wish with the
                same id may be sent again.
        """
        if isinstance(wish, Written):
            kind, payload = wish.kind, wish.payload
        else:
            kind, payload = type(wish), wish.model_dump_json(by_alias=True).encode()
        staged_id = str(uuid5(UUID(workspace_id), f"payload {id}")) if len(payload) > MAX_PAYLOAD else None
        body = orjson.dumps(
            {
                "id": id,
                "workspace_id": workspace_id,
                "min_position": min_position,
                "auth_id": auth_id,
                "traceparent": traceparent,
                "payload": {} if staged_id else orjson.Fragment(payload),
                "staged_id": staged_id,
                **({"as_of": as_of.model_dump(mode="json")} if as_of is not None else {}),
            }
        )
        more_s = PACE_S * len(payload) / 1e6
        limit_s, try_s = self._limit_s + more_s, self._try_s + more_s
        if as_of is not None:
            limit_s, try_s = PAST_TIMES * limit_s, PAST_TRIES * try_s
        why, pause = "the broker can not be reached", NEXT_REPLICA_S
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    answer: Answer | None = None
                    try:
                        if staged_id is not None:
                            # Each time: an earlier try may have been answered, and its payload dropped, before the reply got lost.
                            await self._log.stage(staged_id, payload)
                        answer = await self._once(kind.subject(), body, try_s)
                    except LinkStopped:
                        message = (
                            f"{kind.SERVICE} was not asked, because this process is stopping; send it again with the same id"
                        )
                        raise Unavailable(message) from None
                    except NoRespondersError:
                        why = f"nobody answers {kind.subject()}"
                    except LogUnavailable as error:
                        why = f"the log can not be reached: {error}"
                    except OUTAGES:
                        why = f"no reply to {kind.subject()}"
                    if answer is not None:
                        if answer.unavailable is None:
                            return answer
                        why = answer.unavailable
                    pause = min(2 * pause, AGAIN_S) if why == NOT_OWNER else AGAIN_S
                    await asyncio.sleep(pause)
        except TimeoutError:
            raise Unavailable(
                f"{kind.SERVICE} gave no answer within {limit_s:.3g} s: {why}; send it again with the same id"
            ) from None

    async def _once(self, subject: str, body: bytes, try_s: float) -> Answer | None:
        client = await self._link.client()
        reply = await self._reply(client, subject, body, try_s)
        if reply is None:
            return None
        data: bytes | None = reply.data
        if reply.headers and STAGED in reply.headers:
            data = await self._log.staged(reply.headers[STAGED])
            if data is None:
                return Answer(unavailable="the staged answer is gone")
            with contextlib.suppress(LogUnavailable):  # read once; what stays goes by its age
                await self._log.unstage(reply.headers[STAGED])
        try:
            return Answer.model_validate_json(data or b"")
        except ValidationError as error:
            return Answer(unavailable=f"the reply can not be read: {error.error_count()} errors")

    async def _reply(self, client: Client, subject: str, body: bytes, try_s: float) -> Msg | None:
        # A reply that was on its way when the connection broke never comes; waiting out the try would cost seconds.
        interrupted = self._link.interrupted()
        asked = asyncio.ensure_future(client.request(subject, body, timeout=try_s))
        either: set[asyncio.Future[Any]] = {asked, interrupted}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            if not asked.done():
                asked.cancel()
