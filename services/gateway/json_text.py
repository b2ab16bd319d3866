"""JSON in and out, at one place: what may come in, and what can always be written."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
from msgspec import Raw

from libs.runtime.pieces import elements, members, pieces

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


def normal(text: bytes) -> bytes:
    """The text that `parse` returns, of a large body: some elements at a time, so that it is nowhere as a whole but as text. Raises: BadJson."""
    found = members(text)
    if found is not None:
        look_for_nul = b"\\u0000" in text
        try:
            parts = [_again(name, 1, look_for_nul) + b":" + _member(raw, look_for_nul) for name, raw in found.items()]
        except (BadJson, orjson.JSONDecodeError):
            pass  # what is wrong is told of the whole text
        else:
            return b"{" + b",".join(parts) + b"}"
    return parse(text)[1]


def _member(raw: Raw, look_for_nul: bool) -> bytes:
    listed = elements(raw)
    if listed is None:
        return _again(orjson.loads(bytes(raw)), 1, look_for_nul)
    return b"[" + b",".join(_again(orjson.loads(one), 1, look_for_nul)[1:-1] for one in pieces(listed)) + b"]"


def _again(value: Any, depth: int, look_for_nul: bool) -> bytes:
    _check(value, depth, look_for_nul)
    return orjson.dumps(value)


def _check(value: Any, depth: int, look_for_nul: bool) -> None:
    if depth > MAX_DEPTH:
        raise BadJson(f"nested deeper than {MAX_DEPTH} levels")
    # Texts are most of what a body holds, and nothing can be wrong with one unless it may hold a NUL, or lies too deep.
    looked_at = (dict, list, str) if look_for_nul or depth == MAX_DEPTH else (dict, list)
    if isinstance(value, dict):
        for key, inner in value.items():
            if look_for_nul and "\x00" in key:
                raise BadJson("a name contains the character U+0000")
            if isinstance(inner, looked_at):
                _check(inner, depth + 1, look_for_nul)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, looked_at):
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
