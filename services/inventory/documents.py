"""How a document is saved: only when it changed, and only when it fits."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import orjson

from contracts.command import Refused
from contracts.fact import Fact
from contracts.shapes import Json
from libs.eventlog.port import MAX_FACT_BYTES

F = TypeVar("F", bound=Fact)

SHOWN: Final = 200
"""Characters of a name that a refusal repeats: what is too large need not be told in full."""


NOT_STORABLE: Final = "holds an integer beyond 64 bits, or is nested too deeply"


def shown(text: str) -> str:
    """A client's text as a refusal repeats it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def bounded(fact: F, what: str, at_most: int | None = None) -> F:
    """The fact itself. Raises: Refused: it is too large for the log.

    Args:
        at_most: bytes of JSON that it has at most; where these fit it is not written out only to be measured.
    """
    if at_most is not None and at_most <= MAX_FACT_BYTES:
        return fact
    size = len(fact.to_json())
    if size > MAX_FACT_BYTES:
        raise Refused("invalid", f"{shown(what)} is too large: {size} bytes of JSON, at most {MAX_FACT_BYTES}; shorten it")
    return fact


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same text; the order of keys is no content."""
    # As JSON, because Python holds 1, 1.0 and True for equal and JSON does not.
    return one == other and orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


def problem(path: str, message: str, code: str) -> Json:
    """One line of a refusal's details."""
    return {"path": path, "message": message, "errorCode": code}


def storable(value: Any) -> bool:
    """Whether a JSON value can be kept; where it is not, the reason is `NOT_STORABLE`."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
