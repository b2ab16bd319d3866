"""One message is one contiguous range, small enough, and read back as it was."""

from __future__ import annotations

import orjson
import pytest

from contracts.facts.inventory import ProviderSaved
from libs.bus import ranges
from libs.bus.subjects import FROM, TO
from libs.eventlog.mapping import decode
from libs.eventlog.memory import MemoryLog
from tests.unit.bus.facts import AT, WORKSPACE, append


async def cut(count: int, size: int = 0) -> list[ranges.Message]:
    log = MemoryLog()
    await append(log, 1, count, size=size)
    return list(ranges.cut(WORKSPACE, await log.read(WORKSPACE, 0, count)))


async def test_range_is_read_back_as_it_was() -> None:
    log = MemoryLog()
    await append(log, 1, 3)
    sent = await log.read(WORKSPACE, 0, 10)
    (message,) = ranges.cut(WORKSPACE, sent)
    got = ranges.read(WORKSPACE, message.body, decode)
    assert got == sent
    assert [one.data for one in got] == [one.data for one in sent]
    assert (got[2].time, got[2].recorded_time, got[2].stream) == (AT, sent[2].recorded_time, sent[2].stream)
    assert (got[2].correlation_id, got[2].auth_id) == (sent[2].correlation_id, "service:inventory")
    assert isinstance(got[2].fact, ProviderSaved)
    assert got[2].fact.name == "n3"


async def test_message_is_a_batch_of_cloudevents_named_after_its_range() -> None:
    (message,) = await cut(2)
    assert message.subject == f"evt.v1.10.{WORKSPACE}"
    assert message.headers == {
        "Nats-Msg-Id": f"{WORKSPACE}:1-2",
        "content-type": "application/cloudevents-batch+json",
        FROM: "1",
        TO: "2",
    }
    first, _ = orjson.loads(message.body)
    assert (first["specversion"], first["position"], first["data"]["name"]) == ("1.0", 1, "n1")


async def test_long_run_is_cut_after_256_facts() -> None:
    messages = await cut(600)
    assert [(one.headers[FROM], one.headers[TO]) for one in messages] == [("1", "256"), ("257", "512"), ("513", "600")]


async def test_large_facts_are_cut_by_size() -> None:
    messages = await cut(7, size=200_000)
    assert [one.headers[TO] for one in messages] == ["2", "4", "6", "7"]
    assert all(len(one.body) <= ranges.MAX_BYTES + 2 for one in messages)


async def test_no_facts_are_no_message() -> None:
    assert await cut(0) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"id": "x"}]', b"\xff"])
def test_other_body_is_corrupt(body: bytes) -> None:
    with pytest.raises(ranges.Corrupt, match=WORKSPACE):
        ranges.read(WORKSPACE, body, decode)


async def test_body_with_a_gap_is_corrupt() -> None:
    (message,) = await cut(3)
    first, _, third = orjson.loads(message.body)
    with pytest.raises(ranges.Corrupt, match="gaps"):
        ranges.read(WORKSPACE, orjson.dumps([first, third]), decode)
