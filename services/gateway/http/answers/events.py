"""Recorded facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.shapes import Json
from services.gateway.http.answers.form import AnswerModel, Timestamp


class CloudEvent(AnswerModel):
    """A recorded fact."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: Timestamp
    datacontenttype: str
    dataschema: str
    position: int
    recordedtime: Timestamp
    correlationid: str
    causationid: str
    authid: str
    traceparent: str
    data: Json


class EventPage(AnswerModel):
    """Facts, and the newest position there is.

    Attributes:
        next: where it goes on, for `before` or `after`; absent at the end. A page may be short of the limit, or empty, and still go on: so
            many facts are looked through for a text at once.
        names: what the things are called that the facts name, by id, where that was asked.
    """

    items: list[CloudEvent]
    position: int
    next: int = 0
    names: dict[str, str] = Field(default_factory=dict)


class EventType(AnswerModel):
    """A kind of fact that there may be; the service that records it comes first in its name."""

    type: str
    description: str


class EventTypes(AnswerModel):
    """Every kind of fact, by name."""

    items: list[EventType]


class LinkedEvent(AnswerModel):
    """A fact in a chain, by its envelope and what is short in its payload.

    Attributes:
        causationid: what led to it: a fact of the chain, or a request.
        about: the texts at the top of the payload.
    """

    id: str
    position: int
    type: str
    subject: str
    time: Timestamp
    causationid: str
    authid: str
    about: dict[str, str]


class EventChain(AnswerModel):
    """A fact, what led to it, and what it led to.

    Attributes:
        causes: the nearest first; the last one was a request's, or the clock's.
        effects: in the order in which they were recorded, those of effects among them.
        more: there are more effects than are told.
    """

    event: CloudEvent
    causes: list[LinkedEvent]
    effects: list[LinkedEvent]
    more: bool
    names: dict[str, str]
