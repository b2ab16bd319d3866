"""The two JetStream streams and the consumers of facts: how they are set up, and made again when somebody wiped them."""

from __future__ import annotations

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from libs.bus.subjects import DEAD, FACTS

EVT = StreamConfig(
    name="EVT",
    description="Ranges of facts on their way; the log is the truth, so memory is enough and everything here may be lost",
    subjects=[FACTS],
    discard=DiscardPolicy.OLD,
    storage=StorageType.MEMORY,
    max_age=3600,
    max_bytes=256 << 20,
    max_msg_size=1 << 20,
    duplicate_window=120,
)

DLQ = StreamConfig(
    name="DLQ",
    description="Input that was refused, with the reason",
    subjects=[DEAD],
    discard=DiscardPolicy.OLD,
    storage=StorageType.FILE,
    max_age=7 * 86_400,
    max_bytes=256 << 20,
)


def facts_consumer(*, hints: bool = False) -> ConsumerConfig:
    """How a service consumes ranges: only new ones, because history comes from the log.

    Args:
        hints: without their bodies, where the process that runs the service knows the facts already.
    """
    return ConsumerConfig(
        headers_only=hints or None,
        deliver_policy=DeliverPolicy.NEW,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=15,
        max_ack_pending=1024,
        max_deliver=-1,
        inactive_threshold=3600,
    )


async def ensure(jetstream: JetStreamContext, stream: StreamConfig) -> None:
    """Make the stream, or bring an older one to this shape; repeating it changes nothing.

    Only EVT is made anew when its shape can not be changed in place (its storage, for one): nothing in it is worth keeping.

    Raises:
        nats.errors.Error, TimeoutError: the broker can not do it now.
    """
    assert stream.name is not None
    # Looked for first, because the broker refuses a second creation when it has no memory to reserve for two.
    found = await _found(jetstream, stream.name)
    if found is None:
        try:
            await jetstream.add_stream(stream)
            return
        except APIError:
            found = await _found(jetstream, stream.name)  # somebody else was faster
            if found is None:
                raise
    if all(value is None or getattr(found, key) == value for key, value in stream.__dict__.items()):
        return
    try:
        await jetstream.update_stream(stream)
    except APIError:
        if stream is not EVT:
            raise
        await jetstream.delete_stream(stream.name)
        await jetstream.add_stream(stream)


async def _found(jetstream: JetStreamContext, name: str) -> StreamConfig | None:
    try:
        return (await jetstream.stream_info(name)).config
    except NotFoundError:
        return None
