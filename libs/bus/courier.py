"""What brings a service its facts and its requests: a FastStream app that outlives every outage of the broker.

Messages are hints. One that tells nothing new is acknowledged by its headers alone; lost, repeated and reordered ones do no harm,
because readers of the feed read gaps from the log and the relay's sweep finds whatever nobody told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid5

import orjson
from faststream.nats import NatsResponse
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from contracts.command import Answer, Refusal, Refused, Request, Wish
from libs.bus import ranges
from libs.bus.desk import GRACE_S, Desk
from libs.bus.large import read_wish
from libs.bus.link import OUTAGES, RETRY_S
from libs.bus.stream import EVT, ensure
from libs.bus.subjects import STAGED, TO, workspace_of
from libs.eventlog.mapping import decode
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime.ending import end, heed
from libs.runtime.feed import Feed
from libs.runtime.service import Service

WATCH_S = 1.0
GIVE_UP_S = 5.0
"""A connection that is away for so long is closed and made anew: the client's own reconnecting has been seen to stop."""

MAX_ANSWER = 1_000_000
"""Bytes of an answer that is sent itself: a message of the broker holds 1 MiB, headers included."""

W = TypeVar("W", bound=Wish)
AnswerTo = Callable[[Any, Request], Awaitable[Answer]]
"""Answers a valid wish. May raise `Refused` or `LogUnavailable`; runs many times at once."""

log_ = logging.getLogger("signalbox.bus")


class Courier:
    """The courier of one service in one process.

    Attributes:
        ready: set while the app is started and its subscribers are up.
        revived: set when the subscriber of facts had to be made again, because the broker had lost its consumer.
    """

    def __init__(
        self,
        service: Service[Any],
        nats_url: str,
        feed: Feed,
        log: EventLog,
        answer: AnswerTo,
        *,
        decode: ranges.Decode = decode,
        hints: bool = False,
        middlewares: Sequence[Any] = (),
    ) -> None:
        """Wire the courier; it does nothing until started.

        Args:
            service: what it is for; its commands and queries are answered on `cmd.v1.<service>.…` and `query.v1.<service>.…`.
            nats_url: the broker.
            feed: is offered every range that tells something new.
            log: keeps payloads and answers that are too large for a message.
            answer: answers a wish that is valid in shape.
            decode: from wire type and payload to a fact.
            hints: have the broker send the positions of ranges alone. For a process that runs every service: nearly all facts are its own
                appends, and six times their bodies would be received only to be dropped.
            middlewares: FastStream middlewares (telemetry).
        """
        self.ready = asyncio.Event()
        self.revived = asyncio.Event()
        self._service = service
        self._feed = feed
        self._log = log
        self._answer = answer
        self._decode = decode
        self._look = asyncio.Event()
        self._deciding: dict[tuple[str, str, str], asyncio.Task[Answer]] = {}
        self._task: asyncio.Task[None] | None = None
        self._desk = Desk(
            service.name,
            nats_url,
            wishes=[handler.wish for handlers in (service.commands, service.queries) for handler in handlers.values()],
            take=self._take,
            reply=self._reply,
            hints=hints,
            middlewares=middlewares,
            on_back=self._back,
        )

    async def start(self) -> None:
        """Begin; never waits for the broker, again changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, giving requests on their way two seconds; again changes nothing."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    # --- staying up ------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                # The client loses a cancellation where what it waits for is there in the same moment.
                for step in (self._desk.broker.connect, self._see_to_stream, self._desk.app.start):
                    await step()
                    heed()
                self.ready.set()
                await self._watch()
            except OUTAGES as error:
                log_.debug("%s can not reach the broker: %s", self._service.name, error)
            except Exception:
                log_.exception("the courier of %s failed; it starts again", self._service.name)
            finally:
                self.ready.clear()
                await self._down()
            heed()
            await asyncio.sleep(RETRY_S)

    async def _see_to_stream(self) -> None:
        await ensure(self._jetstream, EVT)

    async def _down(self) -> None:
        state = self._desk.broker.config.connection_state
        client: Client | None = state.connection if state else None
        if client is None:
            return
        try:
            async with asyncio.timeout(2 * GRACE_S):
                await self._desk.app.stop()
        except OUTAGES as error:
            log_.debug("%s was stopped without the broker: %s", self._service.name, error)
        with contextlib.suppress(*OUTAGES):
            async with asyncio.timeout(GRACE_S):
                await client.close()
        # Where the stop was cut short, the broker object would think that it is still connected.
        self._desk.broker._connection = None
        self._desk.broker.config.disconnect()
        for subscriber in self._desk.broker.subscribers:
            subscriber.subscription = None  # type: ignore[attr-defined]  # every NATS subscriber has one

    async def _back(self) -> None:
        self._look.set()

    async def _watch(self) -> None:
        """Look after the consumer until the connection is given up."""
        client = self._desk.broker.config.connection_state.connection
        clock = asyncio.get_running_loop().time
        connected_at = clock()
        while not client.is_closed:
            heed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):  # not wait_for: on Python 3.11 it can swallow the cancellation of a stop
                    await self._look.wait()
            self._look.clear()
            if not client.is_connected:
                if clock() - connected_at > GIVE_UP_S:
                    return
                continue
            connected_at = clock()
            try:
                await self._jetstream.consumer_info("EVT", self._service.name)
            except NotFoundError:
                # A wiped or restarted broker: the subscriber would receive nothing for ever and say nothing.
                try:
                    await self._revive()
                except OUTAGES as error:
                    log_.info("the subscriber of %s could not be made again yet: %s", self._service.name, error)
            except OUTAGES as error:
                log_.debug("the consumer of %s can not be looked at now: %s", self._service.name, error)

    async def _revive(self) -> None:
        facts = self._desk.facts
        assert facts is not None
        await ensure(self._jetstream, EVT)
        try:
            await facts.stop()
        finally:
            facts.subscription = None  # else a start would believe the dead one
        await facts.start()
        self.revived.set()

    @property
    def _jetstream(self) -> JetStreamContext:
        stream: JetStreamContext = self._desk.broker.config.connection_state.stream
        return stream

    # --- facts -----------------------------------------------------------------------------------------------------------------

    async def _take(self, message: Msg) -> None:
        workspace_id = workspace_of(message.subject)
        receive(self._feed, workspace_id, message.headers or {}, message.data, self._decode)
        with contextlib.suppress(*OUTAGES):
            await message.ack()

    # --- requests --------------------------------------------------------------------------------------------------------------

    async def _reply(self, wish: type[Wish], data: bytes) -> bytes | NatsResponse:
        request_id, answer = await self._answer_to(wish, data)
        body = answer.model_dump_json(by_alias=True).encode()
        if len(body) <= MAX_ANSWER:
            return body
        staged_id = str(uuid5(UUID(request_id), f"answer {answer.position}"))
        try:
            await self._log.stage(staged_id, body)
        except LogUnavailable as error:
            return Answer(unavailable=f"the log can not be reached: {error}").model_dump_json().encode()
        return NatsResponse(b"", headers={STAGED: staged_id})

    async def _answer_to(self, wish: type[Wish], data: bytes) -> tuple[str, Answer]:
        try:
            request = Request.model_validate_json(data, strict=True)
            UUID(request.id)
            UUID(request.workspace_id)
        except ValueError as error:
            return "", Answer(refusal=malformed("request", error))
        try:
            if request.staged_id is None:
                return request.id, await self._decide(wish, request, orjson.dumps(request.payload))
            return request.id, await self._decide_once(wish, request, request.staged_id)
        except Refused as refused:
            return request.id, Answer(refusal=refused.refusal)
        except LogUnavailable as error:
            return request.id, Answer(unavailable=f"the log can not be reached: {error}")
        except Exception:
            # Our own bug. The sender is told that there is no answer now, and may try again once it is mended.
            log_.exception("%s could not answer %s %s", self._service.name, wish.NAME, request.id)
            return request.id, Answer(unavailable=f"{self._service.name} failed to answer {wish.NAME}; its log says why")

    async def _decide_once(self, wish: type[Wish], request: Request, staged_id: str) -> Answer:
        """Answer a wish with a large payload. Who asks again while it is being decided gets that answer, and costs nothing."""
        key = (wish.subject(), request.workspace_id, request.id)
        task = self._deciding.get(key)
        if task is None:
            task = self._deciding[key] = asyncio.create_task(self._decide_staged(wish, request, staged_id))
            task.add_done_callback(lambda _: self._deciding.pop(key))
        return await asyncio.shield(task)

    async def _decide_staged(self, wish: type[Wish], request: Request, staged_id: str) -> Answer:
        payload = await self._log.staged(staged_id)
        if payload is None:
            return Answer(unavailable="the staged payload is gone")
        valid = await _valid(wish, payload)
        del payload  # an answer may take a minute
        answer = await self._answer(valid, request) if isinstance(valid, Wish) else Answer(refusal=valid)
        if answer.unavailable is None:
            with contextlib.suppress(LogUnavailable):  # a retry stages it again; what a crash leaves goes by its age
                await self._log.unstage(staged_id)
        return answer

    async def _decide(self, wish: type[Wish], request: Request, payload: bytes) -> Answer:
        valid = await _valid(wish, payload)
        return await self._answer(valid, request) if isinstance(valid, Wish) else Answer(refusal=valid)


async def _valid(wish: type[Wish], payload: bytes) -> Wish | Refusal:
    """The wish of a payload, or what is wrong with it."""
    try:
        return await read_wish(wish, payload)
    except ValidationError as error:
        return malformed(wish.NAME, error)


def receive(feed: Feed, workspace_id: str, headers: Mapping[str, str], body: bytes, decode: ranges.Decode) -> None:
    """Offer a message's facts to the feed; one whose headers promise nothing new, or that can not be read, is dropped.

    One without a body only tells how far the log is.
    """
    last = headers.get(TO, "")
    if last.isdigit():
        if int(last) <= feed.head(workspace_id):
            return
        if not body:
            feed.hint(workspace_id, int(last))
            return
    try:
        feed.offer(workspace_id, ranges.read(workspace_id, body, decode))
    except ranges.Corrupt as error:
        log_.warning("dropped, the log has it: %s", error)


def malformed(what: str, error: ValueError) -> Refusal:
    """Say what is wrong with the shape of something that was sent: one detail for each field."""
    if not isinstance(error, ValidationError):
        return Refusal(kind="invalid", code="MALFORMED", message=f"the {what} is malformed: {error}")
    details = [
        {"path": ".".join(str(step) for step in one["loc"]), "message": one["msg"], "errorCode": one["type"]}
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = details[0]
    return Refusal(
        kind="invalid", code="MALFORMED", message=f"the {what} is malformed: {first['path']}: {first['message']}", details=details
    )
