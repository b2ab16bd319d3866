"""A connection that is told to end does so at once, whatever the client is doing just then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts.command import Answer, Request, Wish
from contracts.commands.inventory import ListRelations
from libs.bus import link as link_
from libs.bus.courier import Courier
from libs.bus.desk import Desk
from libs.bus.link import Link, LinkStopped
from libs.bus.port import Unavailable
from libs.bus.requests import BusRequests
from libs.eventlog.memory import MemoryLog
from libs.runtime import ending
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from tests.unit.bus.facts import WORKSPACE
from tests.unit.runtime.counter import service


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


class Welcome:
    """In place of the client of a broker that is there."""

    async def connect(self, *_place: object, **_how: object) -> None:
        """At once."""

    async def close(self) -> None:
        """At once."""


async def ended_as_it_is_refused(monkeypatch: pytest.MonkeyPatch, connect: Callable[[], Awaitable[object]]) -> None:
    refusing = Refusing(monkeypatch)
    monkeypatch.setattr(ending, "END_AGAIN_S", 3600.0)  # nothing is left to being told again
    task = asyncio.ensure_future(connect())
    await refusing.asked.wait()
    told = asyncio.create_task(end(task))
    refusing.refuse.set()
    async with asyncio.timeout(60):
        await told
    assert task.cancelled()


async def test_a_link_ends_as_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    await ended_as_it_is_refused(monkeypatch, Link("nats://127.0.0.1:1", "ending")._keep)


async def test_a_desk_ends_as_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    await ended_as_it_is_refused(monkeypatch, Desk("policy", "nats://127.0.0.1:1", reply=unasked).broker.connect)


async def test_a_link_ends_that_is_there_as_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "END_AGAIN_S", 3600.0)
    subscribing, subscribed = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def on_connected(_client: object) -> None:
        subscribing.set()
        await asyncio.wait_for(subscribed, 3600)  # as the client waits for its answers

    monkeypatch.setattr(link_, "Client", Welcome)
    link = Link("nats://127.0.0.1:1", "ending", on_connected)
    link.start()
    await subscribing.wait()
    subscribed.set_result(None)
    async with asyncio.timeout(60):
        await link.stop()
    assert not link.up.is_set()


async def test_a_courier_ends_that_is_there_as_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "END_AGAIN_S", 3600.0)
    connecting, connected = asyncio.Event(), asyncio.get_running_loop().create_future()
    log = MemoryLog()
    courier = Courier(service, "nats://127.0.0.1:1", Feed(log), log, unanswered)

    async def connect() -> None:
        connecting.set()
        await asyncio.wait_for(connected, 3600)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(courier._desk.broker, "connect", connect)
    monkeypatch.setattr(Courier, "_jetstream", None)
    monkeypatch.setattr("libs.bus.courier.ensure", never)
    await courier.start()
    await connecting.wait()
    connected.set_result(None)
    async with asyncio.timeout(60):
        await courier.stop()


async def unanswered(_wish: Any, _request: Request) -> Answer:
    raise AssertionError("nobody can have asked")


async def unasked(_kind: type[Wish], _payload: bytes) -> bytes:
    raise AssertionError("nobody can have asked")


async def test_who_waits_for_a_link_that_is_stopped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing(monkeypatch)
    link = Link("nats://127.0.0.1:1", "ending")
    waiting = asyncio.create_task(link.client())
    await refusing.asked.wait()
    refusing.asked.clear()
    await link.stop()
    async with asyncio.timeout(60):
        with pytest.raises(LinkStopped):
            await waiting
        with pytest.raises(LinkStopped):
            await link.client()
    await asyncio.sleep(0)
    assert not refusing.asked.is_set(), "nobody connects again for somebody who is late"
    link.start()
    await refusing.asked.wait()
    await link.stop()


async def test_who_asks_after_the_stop_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing(monkeypatch)
    requests = BusRequests("nats://127.0.0.1:1", MemoryLog(), limit_s=3600.0)
    await requests.start()
    await refusing.asked.wait()
    refusing.asked.clear()
    await requests.stop()
    async with asyncio.timeout(60):
        with pytest.raises(Unavailable, match="stopping"):
            await requests.ask(ListRelations(rule_id="r"), id=WORKSPACE, workspace_id=WORKSPACE, auth_id="user:a")
    assert not refusing.asked.is_set()
