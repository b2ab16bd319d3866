"""The FastStream app of a service: which subjects it answers and where its facts come in. The AsyncAPI page is written from it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, NatsResponse, PullSub
from faststream.nats.subscriber.usecases import PullStreamSubscriber
from faststream.specification import AsyncAPI
from nats.aio.msg import Msg

from contracts.command import Wish
from libs.bus.link import RETRY_S, quiet
from libs.bus.stream import EVT, facts_consumer
from libs.bus.subjects import FACTS

BATCH = 64
FETCH_S = 1.0
CONCURRENT = 256
"""Requests of one kind that are answered at the same time; more wait in the client's buffer."""

GRACE_S = 2.0
"""Seconds that handlers get to end when the app stops."""

Take = Callable[[Msg], Awaitable[None]]
Reply = Callable[[type[Wish], bytes], Awaitable[bytes | NatsResponse]]


class Desk:
    """A service's app and broker, not started yet.

    Attributes:
        app: the FastStream app.
        broker: its broker, one connection.
        facts: the subscriber of ranges, or None for an app without one.
    """

    def __init__(
        self,
        name: str,
        nats_url: str,
        *,
        wishes: Iterable[type[Wish]] = (),
        take: Take | None = None,
        reply: Reply,
        hints: bool = False,
        middlewares: Sequence[Any] = (),
        on_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Declare the subscribers.

        Args:
            name: of the service; queue group, durable consumer and title.
            nats_url: the broker.
            wishes: commands and queries that it answers.
            take: is given each message with a range, and acknowledges it; None for a desk that takes no facts.
            reply: answers a request (its class and its JSON); several run at once.
            hints: take ranges without their bodies.
            middlewares: FastStream middlewares (telemetry).
            on_back: called when a broken connection is back.
        """
        # Without FastDepends and with a decoder that leaves the message alone, a message costs no thread hop and no validation.
        self.broker = NatsBroker(
            nats_url,
            name=name,
            apply_types=False,
            decoder=_raw,
            middlewares=middlewares,
            logger=None,
            graceful_timeout=GRACE_S,
            error_cb=quiet,
            reconnected_cb=on_back,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # declared int, but only ever slept for
        )
        self.facts: PullStreamSubscriber | None = None
        if take is not None:
            self.facts = self.broker.subscriber(
                FACTS,
                stream=JStream("EVT", declare=False),
                durable=name,
                config=facts_consumer(hints=hints),
                pull_sub=PullSub(batch_size=BATCH, timeout=FETCH_S),
                ack_policy=AckPolicy.MANUAL,
                title="facts",
                description=f"{EVT.description}: JSON batches of CloudEvents, each a contiguous range of one workspace.",
            )
            self.facts(_taker(take))
        for wish in wishes:
            self.broker.subscriber(
                wish.subject(), queue=name, max_workers=CONCURRENT, title=wish.NAME, description=inspect.getdoc(wish)
            )(_replier(wish, reply))
        self.specification = AsyncAPI(title=name, version="1", schema_version="3.0.0")
        self.app = FastStream(self.broker, logger=None, specification=self.specification)


async def _raw(message: StreamMessage[Msg]) -> Msg:
    return message.raw_message


def _taker(take: Take) -> Callable[[Any], Awaitable[None]]:
    async def facts(message: Any) -> None:
        await take(message)

    return facts


def _replier(wish: type[Wish], reply: Reply) -> Callable[[Any], Awaitable[bytes | NatsResponse]]:
    async def answer(message: Any) -> bytes | NatsResponse:
        return await reply(wish, message.data)

    return answer
