"""The log over HTTP: pages and the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
from starlette.types import Message

from contracts.envelope import Recorded
from services.gateway.http.app import create_app
from tests.integration.gateway.gateway_house import KEY, House, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house(heartbeat_s=0.05) as made:
        for number in range(5):
            await made.call("POST", "/systems", {"name": f"s{number}"}, want=202)
        yield made


async def test_facts_are_read_page_by_page(one: House) -> None:
    async def positions(query: str) -> list[int]:
        return [entry["position"] for entry in (await one.call("GET", f"/events?{query}", want=200))["items"]]

    page = await one.call("GET", "/events", want=200)
    assert page["position"] == 5
    assert [entry["data"]["name"] for entry in page["items"]] == ["s0", "s1", "s2", "s3", "s4"]
    assert page["items"][0]["type"] == "planner.system_saved.v1"
    assert page["items"][0]["time"].endswith("Z")
    assert await positions("after=2&limit=2") == [3, 4]
    assert await positions("after=1&before=4") == [2, 3]
    assert await positions("order=desc&limit=2") == [5, 4]
    assert await positions("order=desc&before=4&after=1") == [3, 2]
    assert await positions("types=planner.system_saved.v1,other.v1&after=3") == [4, 5]
    assert await positions("types=other.v1") == []
    assert await positions("after=99") == []
    await one.call("GET", "/events?order=up", want=400)


class Stream:
    """A server-sent event stream, read frame by frame over ASGI."""

    def __init__(self, one: House, query: str = "", **headers: str) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.gone = asyncio.Event()
        path = f"/api/v1/workspaces/{one.workspace_id}/events/stream"
        fields = {"x-api-key": KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }
        self.asked = False
        self.task = asyncio.create_task(create_app(one.deps)(scope, self._receive, self.sent.put))

    async def _receive(self) -> Message:
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def start(self) -> int:
        message = await asyncio.wait_for(self.sent.get(), 60)
        status: int = message["status"]
        return status

    async def frames(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = await asyncio.wait_for(self.sent.get(), 60)
            for frame in message.get("body", b"").split(b"\n\n"):
                fields = dict(line.split(b": ", 1) for line in frame.split(b"\n") if b": " in line and not line.startswith(b":"))
                if fields:
                    found.append(
                        {"id": int(fields[b"id"]), "event": fields[b"event"].decode(), "data": orjson.loads(fields[b"data"])}
                    )
        return found

    async def comment(self) -> bytes:
        while True:
            body: bytes = (await asyncio.wait_for(self.sent.get(), 60)).get("body", b"")
            if body.startswith(b": alive"):
                return body

    async def end(self) -> None:
        self.gone.set()
        await asyncio.wait_for(self.task, 60)


async def test_a_stream_goes_on_with_what_happens(one: House) -> None:
    stream = Stream(one)
    assert await stream.start() == 200
    await one.call("POST", "/systems", {"name": "new"}, want=202)
    (frame,) = await stream.frames(1)
    assert (frame["id"], frame["event"], frame["data"]["data"]["name"]) == (6, "planner.system_saved.v1", "new")
    assert await stream.comment() == b": alive\n\n"
    await stream.end()


@pytest.mark.parametrize("query, headers", [("after=3", {}), ("", {"last_event_id": "3"}), ("after=1", {"last_event_id": "3"})])
async def test_a_stream_resumes_after_a_position(one: House, query: str, headers: dict[str, str]) -> None:
    stream = Stream(one, query, **headers)
    await stream.start()
    assert [frame["id"] for frame in await stream.frames(2)] == [4, 5]
    await stream.end()


async def test_a_stream_shows_the_wanted_types_only(one: House) -> None:
    stream = Stream(one, "after=0&types=planner.environment_saved.v1")
    await stream.start()
    await one.call("POST", "/environments", {"name": "e"}, want=202)
    assert [frame["event"] for frame in await stream.frames(1)] == ["planner.environment_saved.v1"]
    await stream.end()


@pytest.mark.parametrize("most, portions", [(1, [1, 1, 1, 1, 1]), (10**6, [5])])
async def test_a_stream_writes_large_facts_a_portion_at_a_time(
    one: House, monkeypatch: pytest.MonkeyPatch, most: int, portions: list[int]
) -> None:
    monkeypatch.setattr("services.gateway.http.events.PAGE_BYTES", most)
    stream = Stream(one, "after=0")
    await stream.start()
    written: list[int] = []
    while sum(written) < 5:
        message = await asyncio.wait_for(stream.sent.get(), 60)
        if count := message.get("body", b"").count(b"event: "):
            written.append(count)
    assert written == portions
    await stream.end()


async def test_a_stream_reads_fewer_facts_at_once_where_they_are_large(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.http.events.FIRST", 2)
    monkeypatch.setattr("services.gateway.http.seeking._BATCH_BYTES", 1)
    feed, asked = one.deps.feed, list[int]()
    read = feed.read

    async def told(workspace_id: str, after: int, limit: int) -> Sequence[Recorded]:
        asked.append(limit)
        return await read(workspace_id, after, limit)

    monkeypatch.setattr(feed, "read", told)
    stream = Stream(one, "after=0")
    await stream.start()
    assert [frame["id"] for frame in await stream.frames(5)] == [1, 2, 3, 4, 5]
    assert asked[:4] == [2, 1, 1, 1]
    await stream.end()


async def test_a_stream_ends_when_the_process_is_about_to(one: House) -> None:
    stream = Stream(one)
    await stream.start()
    one.deps.closing.set()
    await asyncio.wait_for(stream.task, 60)


async def test_a_stream_ends_with_its_key(one: House) -> None:
    made = await one.call("POST", "/api/v1/api-keys", {"name": "short-lived"}, want=201)
    stream = Stream(one, x_api_key=made["apiKey"])
    assert await stream.start() == 200
    await one.call("DELETE", f"/api/v1/api-keys/{made['id']}", want=204)
    await asyncio.wait_for(stream.task, 60)


@pytest.mark.parametrize("path", ["/events/stream", "/stream?topics=events"])
async def test_what_only_looks_like_a_digit_is_no_position(one: House, path: str) -> None:
    url = f"/api/v1/workspaces/{one.workspace_id}{path}"
    answer = await one.client.get(url, headers=[(b"x-api-key", KEY.encode()), (b"last-event-id", "²".encode("latin-1"))])
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "/headers/last-event-id")


async def test_a_stream_from_nonsense_is_refused(one: House) -> None:
    stream = Stream(one, last_event_id="x")
    assert await stream.start() == 400
    await stream.end()
