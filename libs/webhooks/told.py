"""What a webhook says of a run, whoever sent it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from contracts.shapes import JobStatus, Json

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Told:
    """A run outside, as the webhook says it stands.

    Attributes:
        job_id: the job that the run names; None where it names none, and `external_id` has to do.
        status: None where the run is only made known.
        told_at: when that was so, by the sender's clock; None where it does not say.
    """

    job_id: str | None
    external_id: str | None
    status: JobStatus | None
    message: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine webhook that is not about a run of ours; `reason` for the log."""

    reason: str


class NoWebhook(ValueError):
    """The body is not what its sender documents; the message says what is wrong with it."""


def parsed(body: bytes) -> Json:
    """The JSON object of a body. Raises: NoWebhook."""
    try:
        value = orjson.loads(body)
    except ValueError as error:
        raise NoWebhook(f"The body is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise NoWebhook("The body is JSON, but no object.")
    return value


def job_named_in(text: Any) -> str | None:
    """The first UUID in lower case in a text: runs carry the id of their job in their name or message."""
    found = _UUID.search(text) if isinstance(text, str) else None
    return found[0] if found else None


def moment(value: Any) -> datetime | None:
    """A time of RFC 3339, in UTC; None for anything else: a sender's odd time must not lose its news."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def links(**named: Any) -> str:
    """Links for people as the metadata key `ctrlplane/links` holds them: JSON of labels to URLs; what is no URL is left out."""
    known = {label: url for label, url in named.items() if isinstance(url, str) and url.startswith(("https://", "http://"))}
    return orjson.dumps(known).decode()


def as_object(value: Any) -> Json:
    """The value if it is an object, else an empty one: what is missing in a webhook says nothing."""
    return value if isinstance(value, dict) else {}
