"""What of an answer, and of what is said about it, is recorded: bounded, and with nothing that a database can not hold."""

from __future__ import annotations

from typing import Any, Final

import orjson

from contracts.shapes import Json

KEPT_TEXT: Final = 4 * 1024
"""Characters of a text of a result that are recorded."""
KEPT_MESSAGE: Final = 2 * 1024
"""Characters of a reason, which may quote a condition and data, that are recorded."""
KEPT_BYTES: Final = 32 * 1024
"""What is recorded of a result, and of what was asked, as JSON."""
KEPT_HEADERS: Final = 32
KEPT_HEADER_TEXT: Final = 256
KEPT_DEPTH: Final = 32
"""Levels of JSON that are recorded."""
LEFT_OUT: Final = "…"


def complete(answer: Json) -> Json:
    """The result that conditions see: with the body as `json`, if it is JSON."""
    body = answer.get("body")
    if not isinstance(body, str):
        return answer
    try:
        return {**answer, "json": orjson.loads(body)}
    except orjson.JSONDecodeError:
        return answer


def bounded(result: Json) -> Json:
    """The result as it is recorded: long texts are cut, JSON is left out where its text was, and then what is largest."""
    kept = dict(result)
    body = kept.get("body")
    if isinstance(body, str) and len(body) > KEPT_TEXT:
        kept.pop("json", None)
    headers = kept.get("headers")
    if isinstance(headers, dict):
        kept["headers"] = {name[:KEPT_HEADER_TEXT]: _short(headers[name]) for name in sorted(headers)[:KEPT_HEADERS]}
    return _fitting({key: storable(value) for key, value in kept.items() if not is_deep(value)})


def message_of(text: str) -> str:
    """A reason as it is recorded."""
    return str(storable(text)) if len(text) <= KEPT_MESSAGE else f"{storable(text[:KEPT_MESSAGE])}{LEFT_OUT}"


def storable(value: Any) -> Any:
    """JSON without NUL characters, which a database text can not hold, though JSON can, and with long texts cut."""
    match value:
        case str():
            return value[:KEPT_TEXT].replace("\x00", "\ufffd")
        case dict():
            return {storable(key): storable(inner) for key, inner in value.items()}
        case list():
            return [storable(inner) for inner in value]
        case _:
            return value


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value[:KEPT_HEADERS]]
    return value[:KEPT_HEADER_TEXT] if isinstance(value, str) else value


def _fitting(result: Json) -> Json:
    """The result without its largest parts, as far as it is too large with them; how it went stays."""
    sizes = {key: len(orjson.dumps({key: value}, option=orjson.OPT_NON_STR_KEYS)) for key, value in result.items()}
    total = sum(sizes.values())
    if total <= KEPT_BYTES:
        return result
    kept = dict(result)
    for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
        if total <= KEPT_BYTES:
            break
        total -= sizes[key]
        if len(key) <= KEPT_HEADER_TEXT:
            kept[key] = LEFT_OUT
            total += len(orjson.dumps({key: LEFT_OUT}))
        else:
            del kept[key]
    return kept


def is_deep(value: Any, levels: int = KEPT_DEPTH) -> bool:
    """Whether JSON data has more than so many levels."""
    level = [value]
    for _ in range(levels):
        level = [
            inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
