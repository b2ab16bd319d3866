"""A large wish that is read some elements at a time is the same wish, and as wrong where it is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from contracts.commands.inventory import SetProviderResources
from libs.bus.large import LARGE_BYTES, read_wish
from libs.runtime.pieces import PIECE

COUNT = 3 * PIECE + 1


def resources() -> list[dict[str, Any]]:
    config = {"text": "x" * (LARGE_BYTES // COUNT), "ä": [1, 1.0, None, {"deep": True}]}
    return [
        {"identifier": f"r{number}", "name": "é", "kind": "K", "version": "v1", "config": config, "metadata": {"n": str(number)}}
        for number in range(COUNT)
    ]


def wish_of(**members: Any) -> bytes:
    return orjson.dumps({"provider_id": "p", "resources": resources(), "unknown": 1, **members})


def test_a_large_wish_is_read_as_a_whole_one_would_be() -> None:
    payload = wish_of()
    read = asyncio.run(read_wish(SetProviderResources, payload))
    assert read == SetProviderResources.model_validate_json(payload, strict=True)
    assert len(read.resources) == COUNT


async def _turns_of_others(payload: bytes) -> int:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await read_wish(SetProviderResources, payload)
    task.cancel()
    return turns


def test_others_get_turns_while_a_large_wish_is_read() -> None:
    assert asyncio.run(_turns_of_others(wish_of())) >= COUNT // PIECE


@pytest.mark.parametrize(
    "payload",
    [
        wish_of(resources=[*resources(), {"identifier": "x"}]),
        wish_of(resources=[*resources()[:-1], 7]),
        wish_of(resources={"a": "x" * LARGE_BYTES}),
        wish_of(provider_id=7),
        wish_of()[:-1],
        orjson.dumps({"resources": resources()}),
        orjson.dumps(resources()),
    ],
)
def test_what_is_wrong_with_a_large_wish_is_told_as_of_a_whole_one(payload: bytes) -> None:
    with pytest.raises(ValidationError) as told:
        asyncio.run(read_wish(SetProviderResources, payload))
    with pytest.raises(ValidationError) as whole:
        SetProviderResources.model_validate_json(payload, strict=True)
    assert told.value.errors(include_url=False) == whole.value.errors(include_url=False)
