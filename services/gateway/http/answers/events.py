"""Recorded facts."""

from __future__ import annotations

from typing import Literal

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
    """Facts, and the newest position there is."""

    items: list[CloudEvent]
    position: int
