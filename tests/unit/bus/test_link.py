"""A connection that is told to end does so at once, whatever the client is doing just then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contracts.command import Wish
from libs.bus import link
from libs.bus.desk import Desk
from libs.bus.link import Link, end


class Refusing:
    """In place of the way to the broker: refuses when it is let, so that a cancellation can come in the very same moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = asyncio.Event()
        self.refuse = asyncio.Event()
        monkeypatch.setattr(asyncio, "open_connection", self.open)

    async def open(self, *_place: object, **_how: object) -> None:
        self.asked.set()
        await self.refuse.wait()
        raise ConnectionRefusedError


async def ended_as_it_is_refused(monkeypatch: pytest.MonkeyPatch, connect: Callable[[], Awaitable[object]]) -> None:
    refusing = Refusing(monkeypatch)
    monkeypatch.setattr(link, "END_AGAIN_S", 3600.0)  # nothing is left to being told again
    task = asyncio.ensure_future(connect())
    await refusing.asked.wait()
    ending = asyncio.create_task(end(task))
    refusing.refuse.set()
    async with asyncio.timeout(10):
        await ending
    assert task.cancelled()


async def test_a_link_ends_as_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    await ended_as_it_is_refused(monkeypatch, Link("nats://127.0.0.1:1", "ending")._keep)


async def test_a_desk_ends_as_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    await ended_as_it_is_refused(monkeypatch, Desk("policy", "nats://127.0.0.1:1", reply=unasked).broker.connect)


async def unasked(_kind: type[Wish], _payload: bytes) -> bytes:
    raise AssertionError("nobody can have asked")
