"""What a call to the far side of an agent came to, told by the one thing that decides what is done next: can it have had its effect?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotSent, PerhapsSent
from libs.outbound.pause import pause_of

MAX_SAID: Final = 500
"""Characters of a far side's own words that are passed on to people."""

_HOPELESS: Final = frozenset({"request", "address"})
"""Reasons for which a call can not be made, now or later, until somebody changes a configuration."""


class Held(Exception):
    """Nothing happened, for certain, and trying again may help.

    Attributes:
        retry_after_s: as long as the far side wants us to wait; None where it does not say.
        status: what it answered; 0 where no answer came.
    """

    def __init__(self, message: str, retry_after_s: float | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.status = status


class Unsure(Exception):
    """It may have happened: look before the call is made again, if it ever is.

    Attributes:
        status: what the far side answered; 0 where no answer came.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Rejected(Exception):
    """The far side said no, or can not be called as it is configured; the same call would be answered the same.

    Attributes:
        status: what it answered; 0 where it was not called.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


async def asked(
    outbound: Outbound,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    json: Any = None,
    content: bytes | None = None,
    starts: bool = False,
    clock: Callable[[], datetime],
    words: Callable[[Answer], str],
    max_bytes: int = 1024 * 1024,
    redirects: int = 0,
    insecure: bool = False,
    ca: str | None = None,
    also: frozenset[int] = frozenset(),
) -> Answer:
    """Make a call and return its answer, which is a success (2xx).

    Args:
        starts: it starts something that must not be started twice. Any other call may be made again whatever became of it, so for
            those a doubt is no reason to look.
        content, insecure, ca: as of `Outbound.ask`.
        also: statuses that the caller understands as well as a success.
        words: what the far side says is wrong, out of an answer that is no success.

    Raises: Held, Rejected; Unsure only where `starts`.
    """
    try:
        answer = await outbound.ask(
            method,
            url,
            headers=headers,
            json=json,
            content=content,
            max_bytes=max_bytes,
            redirects=redirects,
            insecure=insecure,
            ca=ca,
        )
    except NotSent as error:
        if error.reason in _HOPELESS:
            raise Rejected(f"{error}.") from None
        raise Held(f"{error}.") from None
    except PerhapsSent as error:
        raise (Unsure if starts else Held)(f"{error}.") from None
    if answer.ok or answer.status in also:
        return answer
    said = f"{method} {answer.url.split('?')[0]} was answered with {answer.status}{_words(words, answer)}."
    pause = pause_of(answer, clock())
    match answer.status:
        case 429:
            raise Held(said, pause)
        case 403 | 503 if pause is not None:
            raise Held(said, pause)
        case status if status == 408 or status >= 500:
            raise Unsure(said, status) if starts else Held(said, status=status)
        case status:
            raise Rejected(said, status)


def _words(words: Callable[[Answer], str], answer: Answer) -> str:
    try:
        told = " ".join(words(answer).split())
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        # Proxies answer in HTML, and errors do not always look as their documentation says.
        return ""
    return f": {told[:MAX_SAID].rstrip('.')}" if told else ""
