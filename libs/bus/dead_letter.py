"""What is kept of a CloudEvent that was refused: enough to find the cause, and no secret in clear; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from contracts.agents import AGENT_CONFIGS, secret_fields
from contracts.command import Answer, Refusal
from contracts.shapes import Json
from libs.secrets.addresses import without_user_info
from libs.secrets.fields import SecretFields
from libs.secrets.hiding import form_of, hidden

MAX_TEXT: Final = 1_000
"""Characters of an attribute of the event."""
MAX_DATA_BYTES: Final = 256 * 1024
"""Of larger data only the form is kept."""

_SECRET: Final = SecretFields.of(*sorted({field for one in AGENT_CONFIGS for field in secret_fields(one)}))
"""What is secret for one type of agents is so in every command: some carry configurations without saying of which type."""
_ATTRIBUTES: Final = ("specversion", "id", "source", "type", "subject", "time", "traceparent")
_QUOTING: Final = frozenset({"value_error", "assertion_error", "union_tag_invalid"})
"""Errors of form whose message may repeat what was sent."""


def letter_of(workspace_id: str, sent: bytes, answer: Answer, *, is_read: bool) -> bytes:
    """The dead letter, as JSON: whose it is, the reason, and the event.

    Args:
        workspace_id: as the subject of the event has it.
        sent: the event.
        answer: what its sender was told.
        is_read: the event's data could be read as the command that it names, so that fields are what their names say. Then the values
            of secret fields are masked; else no value at all is kept, only names of fields, and types and sizes.
    """
    event = _parsed(sent)
    data = event.get("data") if event is not None else None
    shown, redacted = hidden(data, _SECRET)
    if not is_read or len(orjson.dumps(shown)) > MAX_DATA_BYTES:
        shown = form_of(data)
    kept: Json = {"bytes": len(sent)}
    if event is not None:
        kept |= {
            name: redacted.text(without_user_info(event[name][:MAX_TEXT]))
            for name in _ATTRIBUTES
            if isinstance(event.get(name), str)
        }
        kept |= {"data": shown} if "data" in event else {"fields": form_of(event)}
    reason = _reason(answer.refusal, is_read=is_read) if answer.refusal is not None else {"message": answer.unavailable}
    return orjson.dumps({"workspace_id": workspace_id, "reason": redacted.json(reason), "event": kept})


def _parsed(sent: bytes) -> Mapping[str, Any] | None:
    try:
        event = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _reason(refusal: Refusal, *, is_read: bool) -> Json:
    """The refusal; of data that could not be read, without what may repeat a value."""
    told = refusal.model_dump(mode="json")
    details = refusal.details
    if is_read or not isinstance(details, list) or not any(_quotes(one) for one in details):
        return told
    told["details"] = [{**one, "message": "can not be used"} if _quotes(one) else one for one in details]
    told["message"] = f"malformed: {', '.join(str(one.get('path', '')) for one in details if isinstance(one, dict))[:MAX_TEXT]}"
    return told


def _quotes(detail: Any) -> bool:
    return isinstance(detail, dict) and detail.get("errorCode") in _QUOTING
