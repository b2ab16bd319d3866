"""How long an answer asks us to stay away: `Retry-After`, and the rate limits of GitHub, Terraform and others; pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from libs.outbound.answer import Answer

MAX_PAUSE_S: Final = 3600.0
"""The longest pause that is believed; GitHub's primary limit ends within the hour. A server can not switch an agent off for ever."""

SECONDARY_PAUSE_S: Final = 60.0
"""What GitHub's documentation asks for after a secondary limit that names no time."""

_EPOCH_FROM: Final = 1_000_000_000.0
"""A reset above this is an instant (GitHub), below it a number of seconds (Terraform, Datadog, the IETF draft)."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_LIMITING: Final = frozenset({403, 429, 503})
_SAYS_SO: Final = re.compile(rb"secondary rate limit|abuse detection", re.IGNORECASE)


def pause_of(answer: Answer, now: datetime) -> float | None:
    """Seconds until the place that gave this answer wants to be called again, from `now` (aware), 0 to `MAX_PAUSE_S`.

    A success that used up the allowance asks for a pause as well. None when nothing is asked for: a bare 429 or 503 leaves the pause to the
    caller's own backoff.
    """
    headers = answer.headers
    if answer.status in _LIMITING and (told := retry_after(headers.get("retry-after", ""), now)) is not None:
        return told
    for prefix in ("x-ratelimit-", "ratelimit-"):
        if headers.get(f"{prefix}remaining", "").strip() == "0":
            reset = _number(headers.get(f"{prefix}reset", ""))
            if reset is not None:
                return _bounded(reset - now.timestamp() if reset >= _EPOCH_FROM else reset)
    if answer.status in (403, 429) and _SAYS_SO.search(answer.body[:65_536]):
        return SECONDARY_PAUSE_S
    return None


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` means: a number of seconds, or an HTTP date; None when it is neither."""
    value = value.strip()
    seconds = _number(value)
    if seconds is not None:
        return _bounded(seconds)
    try:
        at = parsedate_to_datetime(value)
        # An HTTP date is in GMT also where it does not say so.
        return _bounded((at.replace(tzinfo=UTC) if at.tzinfo is None else at).timestamp() - now.timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text.strip()) else None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), MAX_PAUSE_S) if math.isfinite(seconds) else MAX_PAUSE_S
