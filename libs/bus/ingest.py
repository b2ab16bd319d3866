"""CloudEvents from CI and syncers: a command without HTTP. What is refused is kept with its reason and without its secrets
(`dead_letter.py`), and the sender is told.

A structured JSON CloudEvent on `ingest.v1.<workspace>` names a command by its type (`planner.create_version`) and carries the wish
as data. Its source and id make the command id, so that sending it again gets the first answer. Send it as a request to learn what
came of it; who may publish on a workspace's subject is decided by the broker's permissions.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID, uuid5

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.command import WISHES, Answer, Refusal, Wish
from contracts.shapes import Json
from libs.bus.courier import malformed
from libs.bus.dead_letter import letter_of
from libs.bus.link import OUTAGES, Link
from libs.bus.port import Requests, Unavailable
from libs.bus.stream import DLQ, ensure
from libs.bus.subjects import INGEST, dead_subject, workspace_of
from libs.runtime.ending import end

QUEUE = "ingest"
AUTH_ID = "service:ingest"
CONCURRENT = 64

log_ = logging.getLogger("signalbox.bus")


class CloudEvent(BaseModel):
    """What is read of a structured CloudEvent; other attributes are let through."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    specversion: str = Field(pattern=r"^1\.")
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str
    data: Json
    traceparent: str = ""


def commands() -> dict[str, type[Wish]]:
    """The commands that may come in as CloudEvents, by type. Those of the gateway may not: users and keys are made over HTTP alone."""
    return {f"{one.SERVICE}.{one.NAME}": one for one in WISHES.values() if one.KIND == "cmd" and one.SERVICE != "gateway"}


class Ingest:
    """Hands CloudEvents to the services that own the commands they name.

    Attributes:
        ready: set once it has subscribed.
    """

    def __init__(self, nats_url: str, requests: Requests) -> None:
        """Name the broker, and whom to ask."""
        self.ready = asyncio.Event()
        self._requests = requests
        self._link = Link(nats_url, "ingest", self._subscribe)
        self._room = asyncio.Semaphore(CONCURRENT)
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin; never waits for the broker, again changes nothing."""
        self._link.start()

    async def stop(self) -> None:
        """End; again changes nothing."""
        await self._link.stop()
        for task in tuple(self._running):
            await end(task)

    async def _subscribe(self, client: Client) -> None:
        with contextlib.suppress(*OUTAGES):
            await ensure(client.jetstream(timeout=2), DLQ)
        await client.subscribe(INGEST, queue=QUEUE, cb=self._take)
        await client.flush()
        self.ready.set()

    async def _take(self, message: Msg) -> None:
        await self._room.acquire()
        task = asyncio.create_task(self._handle(message))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._room.release()

    async def _handle(self, message: Msg) -> None:
        try:
            answer, is_read = await self._answer(workspace_of(message.subject), message.data)
            # Somebody who waits for the reply can send it again; who does not would lose it to an outage.
            if answer.refusal is not None or (answer.unavailable is not None and not message.reply):
                await self._bury(
                    workspace_of(message.subject), letter_of(workspace_of(message.subject), message.data, answer, is_read=is_read)
                )
            if message.reply:
                client = await self._link.client()
                await client.publish(message.reply, answer.model_dump_json(by_alias=True).encode())
        except OUTAGES as error:
            log_.warning("the sender of a CloudEvent was not told what came of it: %s", error)
        except Exception:
            log_.exception("a CloudEvent on %s could not be handled", message.subject)

    async def _answer(self, workspace_id: str, data: bytes) -> tuple[Answer, bool]:
        """What came of an event, and whether its data could be read as the command that it names."""
        try:
            workspace = UUID(workspace_id)
            event = CloudEvent.model_validate_json(data, strict=True)
        except ValueError as error:
            return Answer(refusal=malformed("CloudEvent", error)), False
        known = commands()
        kind = known.get(event.type)
        if kind is None:
            refusal = Refusal(
                kind="invalid",
                code="UNKNOWN_TYPE",
                message=f"no command is named {event.type!r}; the type of the CloudEvent must be one of: {', '.join(sorted(known))}",
            )
            return Answer(refusal=refusal), False
        try:
            wish: Wish = kind.model_validate_json(orjson.dumps(event.data), strict=True)
        except ValidationError as error:
            return Answer(refusal=malformed(kind.NAME, error)), False
        try:
            answer = await self._requests.ask(
                wish,
                id=str(uuid5(workspace, f"{event.source}\n{event.id}")),
                workspace_id=str(workspace),
                auth_id=AUTH_ID,
                traceparent=event.traceparent,
            )
        except Unavailable as error:
            answer = Answer(unavailable=str(error))
        return answer, True

    async def _bury(self, workspace_id: str, letter: bytes) -> None:
        jetstream = (await self._link.client()).jetstream(timeout=2)
        try:
            await jetstream.publish(dead_subject(workspace_id), letter)
        except OUTAGES:
            # Most likely the stream was wiped with the broker's store.
            await ensure(jetstream, DLQ)
            await jetstream.publish(dead_subject(workspace_id), letter)
