"""JSON in and out, at one place: what may come in, and what can always be written."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

MAX_DEPTH = 64
"""Deeper nesting is refused: serialisers and the database have limits of their own, far less friendly ones."""


class BadJson(ValueError):
    """The text is no JSON that we take; the message says why."""


def parse(text: bytes) -> tuple[Any, bytes]:
    """Parse a request body.

    Returns: the value, and its text again with numbers that every part of the system can hold (integers beyond 64 bits become
    floating point).
    Raises: BadJson: malformed, nested too deeply, or with a NUL character, which the database can not store.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadJson(str(error)) from error
    _check(value, 0, b"\\u0000" in text)
    return value, orjson.dumps(value)


def _check(value: Any, depth: int, look_for_nul: bool) -> None:
    if depth > MAX_DEPTH:
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, inner in value.items():
            if look_for_nul and "\x00" in key:
                raise BadJson("a name contains the character U+0000")
            if isinstance(inner, dict | list | str):
                _check(inner, depth + 1, look_for_nul)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list | str):
                _check(inner, depth + 1, look_for_nul)
    elif look_for_nul and isinstance(value, str) and "\x00" in value:
        raise BadJson("a text contains the character U+0000")


def dump(value: Any) -> bytes:
    """JSON text of what we have made or stored. Integers beyond 64 bits, which only measured data can hold, lose precision."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_bounded(json.loads(json.dumps(value))))


def _bounded(value: Any) -> Any:
    match value:
        case dict():
            return {key: _bounded(inner) for key, inner in value.items()}
        case list():
            return [_bounded(inner) for inner in value]
        case int() if not -(2**63) <= value < 2**64:
            return float(value) if abs(value) < 2**1023 else math.copysign(1.7976931348623157e308, value)
        case _:
            return value
