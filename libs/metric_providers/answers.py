"""What results of HTTP providers have in common; pure but for reading the answer's text."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import orjson

from contracts.shapes import Json
from libs.metric_providers.port import NoResult
from libs.outbound.pause import pause_of

if TYPE_CHECKING:
    from datetime import datetime

    from libs.outbound.answer import Answer


def result_of(answer: Answer) -> Json:
    """`ok` (2xx), `statusCode`, `body`, `json` where the body is JSON, and `duration` in milliseconds."""
    body = answer.text()
    result: Json = {
        "ok": answer.ok,
        "statusCode": answer.status,
        "body": body,
        "duration": round(answer.elapsed_s * 1000),
    }
    with contextlib.suppress(orjson.JSONDecodeError):
        result["json"] = orjson.loads(body)
    return result


def headers_of(answer: Answer) -> dict[str, list[str]]:
    """Every header in its usual spelling (`Content-Type`), each with all its values."""
    listed: dict[str, list[str]] = {}
    for name, value in answer.headers.multi_items():
        listed.setdefault("-".join(word.capitalize() for word in name.split("-")), []).append(value)
    return listed


def heed_limits(answer: Answer, who: str, now: datetime) -> None:
    """Go on unless an API says that it is asked too often.

    Raises: NoResult: a 429, or a 503 that says when to come again; with the seconds to wait, where they are told.
    """
    if answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):
        message = f"{who} answered {answer.status}: it wants to be asked less often"
        raise NoResult(message, retry_after_s=pause_of(answer, now))
