"""One message is one contiguous range of one workspace: a JSON batch of CloudEvents, whose payloads are never parsed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import orjson

from contracts.envelope import Recorded
from contracts.fact import Fact
from libs.bus.subjects import FROM, TO, facts_subject

MAX_FACTS = 256
MAX_BYTES = 512 * 1024
CONTENT_TYPE = "application/cloudevents-batch+json"

Decode = Callable[[str, bytes], Fact]
"""From wire type and payload to the fact in today's shape."""


class Corrupt(Exception):
    """A message that is no range; it is dropped, because the log has what it was meant to carry."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published. `headers` carry the positions, so that most readers never look into the body."""

    subject: str
    headers: dict[str, str]
    body: bytes


class _Event(msgspec.Struct):
    id: str
    type: str
    subject: str
    time: datetime
    position: int
    recordedtime: datetime
    correlationid: str
    causationid: str
    authid: str
    data: msgspec.Raw
    traceparent: str = ""


_decoder = msgspec.json.Decoder(list[_Event])


def cut(workspace_id: str, recorded: Sequence[Recorded]) -> Iterator[Message]:
    """Cut a contiguous ascending run into messages of at most 256 facts and about 512 KB."""
    batch: list[bytes] = []
    size = first = 0
    for one in recorded:
        event = one.cloudevent()
        event["data"] = orjson.Fragment(one.data)
        body = orjson.dumps(event)
        if batch and (len(batch) == MAX_FACTS or size + len(body) > MAX_BYTES):
            yield _message(workspace_id, first, batch)
            batch, size = [], 0
        if not batch:
            first = one.position
        batch.append(body)
        size += len(body) + 1
    if batch:
        yield _message(workspace_id, first, batch)


def _message(workspace_id: str, first: int, batch: list[bytes]) -> Message:
    last = first + len(batch) - 1
    return Message(
        subject=facts_subject(workspace_id),
        headers={
            "Nats-Msg-Id": f"{workspace_id}:{first}-{last}",
            "content-type": CONTENT_TYPE,
            FROM: str(first),
            TO: str(last),
        },
        body=b"[" + b",".join(batch) + b"]",
    )


def read(workspace_id: str, body: bytes, decode: Decode) -> list[Recorded]:
    """The facts of a message, ascending, without a gap.

    Raises:
        Corrupt: the body is no batch of facts, or has gaps.
    """
    try:
        events = _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise Corrupt(f"a message of workspace {workspace_id} is no batch of facts: {error}") from error
    if any(event.position != events[0].position + offset for offset, event in enumerate(events)):
        raise Corrupt(f"a message of workspace {workspace_id} has gaps in its positions")
    return [
        Recorded(
            workspace_id=workspace_id,
            position=event.position,
            id=event.id,
            type=event.type,
            stream=event.subject,
            time=event.time,
            recorded_time=event.recordedtime,
            correlation_id=event.correlationid,
            causation_id=event.causationid,
            auth_id=event.authid,
            traceparent=event.traceparent,
            data=bytes(event.data),
            decode=decode,
        )
        for event in events
    ]
