"""Requests get one answer each, whatever happens to the broker and to the replicas behind it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID, uuid5

import nats
import orjson
import pytest

from contracts.command import NOT_OWNER, Answer, Refused, Request, Wish
from contracts.commands.inventory import DeleteProvider, SaveProvider
from libs.bus.courier import AnswerTo, Courier
from libs.bus.port import Unavailable
from libs.bus.requests import TRY_S, BusRequests
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import LogUnavailable
from libs.runtime.feed import Feed
from tests.integration.bus.broker import Broker
from tests.integration.bus.desk_of_inventory import echo, service
from tests.unit.bus.facts import WORKSPACE

pytestmark = pytest.mark.integration

NEVER_S = 3600.0


def numbered(number: int) -> str:
    return str(uuid5(UUID(WORKSPACE), str(number)))


class House:
    """A service that answers on the bus, and somebody who asks it."""

    def __init__(self, broker: Broker, answer: AnswerTo = echo, *, limit_s: float = 60.0, try_s: float = TRY_S) -> None:
        self.log = MemoryLog()
        self.courier = Courier(service, broker.url, Feed(self.log), self.log, answer)
        self.requests = BusRequests(broker.url, self.log, limit_s=limit_s, try_s=try_s)

    async def __aenter__(self) -> House:
        await self.courier.start()
        await self.requests.start()
        await asyncio.wait_for(self.courier.ready.wait(), 60)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.requests.stop()
        await self.courier.stop()

    async def ask(self, wish: Wish, number: int = 1) -> Answer:
        return await self.requests.ask(wish, id=numbered(number), workspace_id=WORKSPACE, auth_id="user:ana", min_position=3)


async def test_answer_comes_back(broker: Broker, stack: AsyncExitStack) -> None:
    house = await stack.enter_async_context(House(broker))
    answer = await house.ask(SaveProvider(name="aws", metadata={"a": "b"}))
    assert answer.position == 7
    assert answer.result["id"] == numbered(1)
    assert (answer.result["wish"]["name"], answer.result["wish"]["metadata"]) == ("aws", {"a": "b"})


async def test_envelope_reaches_the_service(broker: Broker, stack: AsyncExitStack) -> None:
    async def answer(wish: Wish, request: Request) -> Answer:
        return Answer(result=[request.workspace_id, request.auth_id, request.min_position])

    house = await stack.enter_async_context(House(broker, answer))
    assert (await house.ask(SaveProvider(name="aws"))).result == [WORKSPACE, "user:ana", 3]


async def test_ten_requests_are_answered_at_the_same_time(broker: Broker, stack: AsyncExitStack) -> None:
    together = asyncio.Barrier(10)

    async def answer(wish: Wish, request: Request) -> Answer:
        await together.wait()
        return Answer(result=request.id)

    house = await stack.enter_async_context(House(broker, answer))
    answers = await asyncio.gather(*(house.ask(SaveProvider(name="aws"), number) for number in range(10)))
    assert [one.result for one in answers] == [numbered(number) for number in range(10)]


async def test_request_survives_a_restart_of_the_broker(broker: Broker, stack: AsyncExitStack) -> None:
    reached = asyncio.Event()
    asked: list[str] = []

    async def answer(wish: Wish, request: Request) -> Answer:
        asked.append(request.id)
        if len(asked) == 1:
            reached.set()
            await asyncio.Event().wait()  # its reply would have nowhere to go
        return Answer(result="second time")

    house = await stack.enter_async_context(House(broker, answer, try_s=NEVER_S))  # not because nobody answered it
    asking = asyncio.create_task(house.ask(SaveProvider(name="aws")))
    await asyncio.wait_for(reached.wait(), 60)
    broker.restart(wipe=True)
    assert (await asyncio.wait_for(asking, 60)).result == "second time"
    assert asked == [numbered(1), numbered(1)]


async def test_a_large_payload_that_is_sent_again_is_decided_once(broker: Broker, stack: AsyncExitStack) -> None:
    reached, again = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def answer(wish: Wish, request: Request) -> Answer:
        asked.append(request.id)
        if request.id == numbered(2):  # sent after the second telling of the first, so that one has arrived
            again.set()
        reached.set()
        await again.wait()
        return Answer(result=request.id)

    house = await stack.enter_async_context(House(broker, answer))
    large = SaveProvider(name="aws", metadata={"a": "b" * 300_000})
    first = asyncio.create_task(house.ask(large))
    await asyncio.wait_for(reached.wait(), 60)
    second = asyncio.create_task(house.ask(large))
    other = asyncio.create_task(house.ask(large, 2))
    results = [one.result for one in await asyncio.gather(first, second, other)]
    assert results == [numbered(1), numbered(1), numbered(2)]
    assert asked == [numbered(1), numbered(2)]


async def test_request_waits_for_a_service_that_is_not_there_yet(broker: Broker, stack: AsyncExitStack) -> None:
    house = House(broker)
    stack.push_async_exit(house)
    asking = asyncio.create_task(house.ask(SaveProvider(name="aws")))
    await asyncio.sleep(0)
    await house.courier.start()
    assert (await asking).position == 7


async def test_nobody_answers_in_time(broker: Broker, stack: AsyncExitStack) -> None:
    house = House(broker, limit_s=3.0)
    stack.push_async_exit(house)
    await asyncio.wait_for(house.requests._link.client(), 60)  # what takes a moment on a busy machine is no part of the limit
    with pytest.raises(Unavailable, match=r"nobody answers cmd\.v1\.inventory\.save_provider"):
        await house.ask(SaveProvider(name="aws"))
    broker.kill()
    hasty = BusRequests(broker.url, MemoryLog(), limit_s=0.2)
    stack.push_async_callback(hasty.stop)
    with pytest.raises(Unavailable, match=r"within 0\.2 s"):
        await hasty.ask(SaveProvider(name="aws"), id=numbered(1), workspace_id=WORKSPACE, auth_id="user:ana")


async def test_another_replica_is_asked_when_one_does_not_own_the_workspace(broker: Broker, stack: AsyncExitStack) -> None:
    async def not_here(wish: Wish, request: Request) -> Answer:
        return Answer(unavailable=NOT_OWNER)

    house = await stack.enter_async_context(House(broker))
    await stack.enter_async_context(House(broker, not_here))
    answers = await asyncio.gather(*(house.ask(SaveProvider(name="aws"), number) for number in range(20)))
    assert [one.unavailable for one in answers] == [None] * 20


async def test_outage_behind_the_service_is_waited_out(broker: Broker, stack: AsyncExitStack) -> None:
    asked: list[str] = []

    async def answer(wish: Wish, request: Request) -> Answer:
        asked.append(request.id)
        if len(asked) == 1:
            raise LogUnavailable("down")
        return Answer(result=len(asked))

    house = await stack.enter_async_context(House(broker, answer))
    assert (await house.ask(SaveProvider(name="aws"))).result == 2


async def test_bug_in_the_service_is_no_answer(broker: Broker, stack: AsyncExitStack) -> None:
    async def answer(wish: Wish, request: Request) -> Answer:
        raise KeyError("a bug")

    house = await stack.enter_async_context(House(broker, answer, limit_s=3.0))
    with pytest.raises(Unavailable, match="inventory failed to answer save_provider"):
        await house.ask(SaveProvider(name="aws"))


async def test_refusal_comes_back(broker: Broker, stack: AsyncExitStack) -> None:
    async def answer(wish: Wish, request: Request) -> Answer:
        raise Refused("conflict", "aws is there", code="DUPLICATE_NAME")

    house = await stack.enter_async_context(House(broker, answer))
    refusal = (await house.ask(DeleteProvider(name="aws"))).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.code, refusal.message) == ("conflict", "DUPLICATE_NAME", "aws is there")


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"{}",
        orjson.dumps({"id": "no uuid", "workspace_id": WORKSPACE, "auth_id": "x", "payload": {"name": "aws"}}),
        orjson.dumps({"id": WORKSPACE, "workspace_id": WORKSPACE, "auth_id": "x", "payload": {"name": 5}}),
        orjson.dumps({"id": WORKSPACE, "workspace_id": WORKSPACE, "auth_id": "x", "payload": {}}),
    ],
)
async def test_malformed_request_is_refused(broker: Broker, stack: AsyncExitStack, body: bytes) -> None:
    await stack.enter_async_context(House(broker))
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    answer = Answer.model_validate_json((await client.request("cmd.v1.inventory.save_provider", body, timeout=60)).data)
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.code) == ("invalid", "MALFORMED")


async def test_malformed_field_is_named(broker: Broker, stack: AsyncExitStack) -> None:
    await stack.enter_async_context(House(broker))
    client = await nats.connect(broker.url)
    stack.push_async_callback(client.close)
    payload = {"name": "aws", "metadata": {"a": 1}}
    body = orjson.dumps({"id": WORKSPACE, "workspace_id": WORKSPACE, "auth_id": "x", "payload": payload})
    reply = await client.request("cmd.v1.inventory.save_provider", body, timeout=60)
    refusal = Answer.model_validate_json(reply.data).refusal
    assert refusal is not None
    assert refusal.message == "the save_provider is malformed: metadata.a: Input should be a valid string"
    assert refusal.details == [{"path": "metadata.a", "message": "Input should be a valid string", "errorCode": "string_type"}]


async def test_large_payloads_and_answers_are_staged(broker: Broker, stack: AsyncExitStack) -> None:
    house = await stack.enter_async_context(House(broker))
    metadata = {"ballast": "x" * 3_000_000}
    answer = await house.ask(SaveProvider(name="aws", metadata=metadata))
    assert answer.result["wish"]["metadata"] == metadata
    assert house.log._staged == {}, "nothing stays when it was answered and read"
