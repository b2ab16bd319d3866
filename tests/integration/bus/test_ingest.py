"""A CloudEvent on a workspace's ingest subject is a command; what is refused is kept, and the sender is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid5

import nats
import orjson
import pytest
from nats.aio.client import Client

from contracts.command import Answer
from libs.bus.courier import Courier
from libs.bus.ingest import Ingest
from libs.bus.requests import BusRequests
from libs.eventlog.memory import MemoryLog
from libs.runtime.feed import Feed
from tests.integration.bus.broker import Broker
from tests.integration.bus.desk_of_inventory import echo, service
from tests.unit.bus.facts import WORKSPACE

pytestmark = pytest.mark.integration


@pytest.fixture
async def client(broker: Broker, stack: AsyncExitStack) -> Client:
    """A sender, with ingest and a service behind the broker."""
    log = MemoryLog()
    courier = Courier(service, broker.url, Feed(log), log, echo)
    requests = BusRequests(broker.url, log, limit_s=3.0)
    ingest = Ingest(broker.url, requests)
    for one in (courier, requests, ingest):
        await one.start()
        stack.push_async_callback(one.stop)
    await asyncio.wait_for(courier.ready.wait(), 60)
    await asyncio.wait_for(ingest.ready.wait(), 60)
    sender = await nats.connect(broker.url)
    stack.push_async_callback(sender.close)
    return sender


def event(**changed: Any) -> bytes:
    base = {"specversion": "1.0", "id": "42", "source": "/ci", "type": "inventory.save_provider", "data": {"name": "aws"}}
    return orjson.dumps(base | changed)


async def ask(client: Client, body: bytes, workspace_id: str = WORKSPACE) -> Answer:
    return Answer.model_validate_json((await client.request(f"ingest.v1.{workspace_id}", body, timeout=60)).data)


async def dead_letter(client: Client) -> Any:
    subscription = await client.jetstream().subscribe("dlq.v1.*", ordered_consumer=True)
    return orjson.loads((await subscription.next_msg(timeout=60)).data)


async def test_event_is_answered_like_a_command(client: Client) -> None:
    answer = await ask(client, event())
    assert answer.result["wish"]["name"] == "aws"
    assert answer.result["id"] == str(uuid5(UUID(WORKSPACE), "/ci\n42"))


async def test_event_sent_again_is_the_same_command(client: Client) -> None:
    first, again, other = [await ask(client, event(id=one)) for one in ("1", "1", "2")]
    assert first.result["id"] == again.result["id"] != other.result["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        event(specversion="0.3"),
        event(type="inventory.no_such_thing"),
        event(type="gateway.create_workspace"),
        event(data={"name": 5}),
    ],
)
async def test_refused_event_is_kept_with_its_reason(client: Client, body: bytes) -> None:
    answer = await ask(client, body)
    assert answer.refusal is not None
    letter = await dead_letter(client)
    assert letter["event"]["bytes"] == len(body)
    assert letter["event"].get("id") == (None if body == b"nonsense" else "42")
    assert letter["workspace_id"] == WORKSPACE
    assert letter["reason"]["message"] == answer.refusal.message


async def test_workspace_that_is_no_id_is_refused(client: Client) -> None:
    answer = await ask(client, event(), "default")
    assert answer.refusal is not None


async def test_event_that_nobody_can_take_is_kept_when_nobody_waits_for_the_answer(client: Client) -> None:
    await client.publish(f"ingest.v1.{WORKSPACE}", event(type="planner.delete_system", data={"system_id": WORKSPACE}))
    letter = await dead_letter(client)
    assert "nobody answers cmd.v1.planner.delete_system" in letter["reason"]["message"]


async def test_dead_letters_are_kept_after_the_stream_was_deleted(client: Client) -> None:
    await client.jetstream().delete_stream("DLQ")
    await ask(client, b"nonsense")
    assert (await dead_letter(client))["event"] == {"bytes": len(b"nonsense")}


SECRET = "s3cr3t-in-clear"
AGENT = {"agent_id": WORKSPACE, "name": "argo", "type": "argo-cd", "config": {"serverUrl": "https://argo", "apiKey": SECRET}}


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "dispatcher.save_job_agent", "data": AGENT},
        {"type": "dispatcher.save_job_agent", "data": {**AGENT, "name": 5}},
        {"type": "dispatcher.save_job_agent", "data": {**AGENT, "config": SECRET}},
        {"type": "dispatcher.no_such_command", "data": AGENT},
        {"specversion": "0.3", "type": "dispatcher.save_job_agent", "data": AGENT},
        {"data": [SECRET]},
    ],
)
async def test_no_secret_is_kept_in_clear(client: Client, changed: Any) -> None:
    """An event that is refused, or that nobody can take, by its bytes in the stream."""
    body = event(**changed)
    await client.publish(f"ingest.v1.{WORKSPACE}", body)
    await client.flush()
    subscription = await client.jetstream().subscribe("dlq.v1.*", ordered_consumer=True)
    kept = (await subscription.next_msg(timeout=60)).data
    assert SECRET.encode() not in kept
    letter = orjson.loads(kept)
    assert (letter["event"]["id"], letter["event"]["type"]) == ("42", orjson.loads(body)["type"])
    assert letter["reason"]["message"]
    if changed["data"] == {**AGENT, "name": 5} and "specversion" not in changed:
        assert letter["reason"]["details"][0]["path"] == "name"
        assert letter["event"]["data"]["config"] == {"apiKey": "text of 15 characters", "serverUrl": "text of 12 characters"}
