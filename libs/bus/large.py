"""Reads a large wish some elements at a time, so that whoever shares the process gets turns meanwhile."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import orjson
from pydantic import TypeAdapter, ValidationError

from contracts.command import Wish
from libs.runtime.pieces import PIECE, elements, members, pieces

W = TypeVar("W", bound=Wish)

LARGE_BYTES = 256 * 1024


async def read_wish(kind: type[W], payload: bytes) -> W:
    """The wish of a payload (JSON). Raises: ValidationError: it is not valid in shape."""
    if len(payload) < LARGE_BYTES or (lists := _lists(kind)) is None:
        return kind.model_validate_json(payload, strict=True)
    found = members(payload) or {}
    read: dict[str, Any] = {}
    try:
        for name, adapter in lists.items():
            listed = elements(found[name]) if name in found else None
            if listed is None or len(listed) <= PIECE:
                continue
            items: list[Any] = []
            for piece in pieces(listed):
                items.extend(adapter.validate_json(piece, strict=True))
                await asyncio.sleep(0)
            read[name] = tuple(items)
        rest = {name: [] if name in read else orjson.Fragment(bytes(raw)) for name, raw in found.items()}
        if read:
            return kind.model_validate_json(orjson.dumps(rest), strict=True).model_copy(update=read)
    except ValidationError:
        pass  # the whole payload tells where it is wrong
    return kind.model_validate_json(payload, strict=True)


@cache
def _lists(kind: type[Wish]) -> dict[str, TypeAdapter[tuple[Any, ...]]] | None:
    """The fields that are lists and nothing more, by name; None for a wish that looks at its fields as a whole."""
    own = kind.__pydantic_decorators__
    if own.model_validators or own.field_validators or own.root_validators or own.validators:
        return None
    return {
        name: TypeAdapter[tuple[Any, ...]](field.annotation)  # type: ignore[arg-type]  # a hint, known only now
        for name, field in kind.model_fields.items()
        if get_origin(field.annotation) is tuple
        and get_args(field.annotation)[1:] == (Ellipsis,)
        and not field.metadata
        and field.validation_alias is None
    }
