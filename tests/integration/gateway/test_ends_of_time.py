"""Reads as of the first and the last of all times that can be written."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.gateway_house import House, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        await made.call("POST", "/systems", {"name": "shop"}, want=202)
        yield made


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B14:00", "0001-01-01T00:00:00Z"])
async def test_the_first_time_is_before_everything(one: House, at: str) -> None:
    board = await one.call("GET", f"/board?at={at}", want=200)
    assert (board["position"], board["cells"]) == (0, [])
    for path in ("/systems", "/freezes", "/freezes/active", "/jobs", "/policies", "/board/approvals"):
        assert (await one.call("GET", f"{path}?at={at}", want=200))["items"] == []
    assert (await one.call("GET", f"/policies/reach?at={at}", want=200))["items"] == []


async def test_the_last_time_has_not_come(one: House) -> None:
    for at in ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999Z"):
        refused = await one.call("GET", f"/board?at={at}", want=400)
        assert "is in the future" in refused["message"]
