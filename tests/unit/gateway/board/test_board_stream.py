"""A board that follows its log, and readers: nothing is missed, nothing comes twice, who is too far behind begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import planner
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import Append, NewFact
from libs.runtime.feed import Feed
from libs.simulation.world import WORKSPACE
from services.gateway.board import changes, frames, view
from services.gateway.board.changes import Change, Ring
from services.gateway.board.frames import Topics, UnknownTopic, topics_of
from services.gateway.board.view import BoardView, Reader
from services.gateway.board.views import Boards
from tests.unit.gateway.board.board_scenes import (
    API,
    NOW,
    PLACE,
    PROD,
    R1,
    V1,
    V2,
    V3,
    approvals,
    changed,
    deployed,
    environment,
    held,
    job_id,
    resource,
    uid,
    version,
    vote,
    wanted,
)

ALL = "matrix,approvals,events,jobs"
PATIENCE_S = 20.0


class House:
    """A log in memory and the boards over it."""

    def __init__(self, idle_s: float = 600.0, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.closing = asyncio.Event()
        self.feed = Feed(self.log)
        self.boards = Boards(self.log, self.feed, self.closing, idle_s=idle_s)
        self.number = 0

    async def record(self, *facts: Fact) -> int:
        new = []
        for fact in facts:
            self.number += 1
            new.append(NewFact(uid(5000 + self.number), fact, NOW, uid(0), uid(0), "user:ana"))
        return (await self.log.append(Append(WORKSPACE, new))).head

    async def shop(self) -> int:
        return await self.record(
            planner.DeploymentSaved(deployment_id=API, name="api", created_at=NOW),
            environment(),
            resource(),
            version(V1),
            version(V2),
            planner.TargetsChanged(**PLACE, added=(R1,)),
        )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    one = House()
    yield one
    await one.boards.stop()


async def listen(board: BoardView, names: str, since: int | None = None, who: str = "") -> tuple[Reader, Topics]:
    topics = topics_of(names.split(","))
    return board.join(topics, who, lambda row: row, since), topics


async def heard(reader: Reader, position: int) -> list[dict[str, Any]]:
    """Frames up to one that leads to a position."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_S):
        while not found or found[-1]["position"] < position:
            await reader.more.wait()
            for frame in reader.take():
                kind = frame.split(b"event: ", 1)[1].split(b"\n", 1)[0].decode()
                found.append({"kind": kind, **orjson.loads(frame.split(b"data: ", 1)[1])})
    return found


async def test_a_reader_is_told_what_changed(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        assert await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, ALL)
        head = await house.record(*deployed(V1))
        frames = await heard(reader, head)
    rows = {(topic, key): row for frame in frames for topic, key, row in frame["rows"]}
    assert rows["matrix", f"{API}/{PROD}"]["status"] == "healthy"
    assert rows["matrix", "counters"]["healthy"] == 1
    assert [event["position"] for frame in frames for event in frame["events"]] == list(range(head - 2, head + 1))
    assert ["jobs", job_id(V1)] in [one for frame in frames for one in frame["touched"]]


async def test_rows_that_read_the_same_are_not_sent(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, "matrix,events")
        head = await house.record(resource(R1))
        (frame,) = await heard(reader, head)
    assert frame["rows"] == []


async def test_one_who_was_away_misses_nothing_and_hears_nothing_twice(house: House) -> None:
    first = await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, topics = await listen(board, ALL)
        middle = await house.record(*deployed(V1))
        before = await heard(reader, middle)
        board.leave(topics, "", reader)
        last = await house.record(approvals(), held(V2))
        await board.reached(last, PATIENCE_S)
        again, _ = await listen(board, ALL, before[-1]["position"])
        after = await heard(again, last)
        whole, _ = await listen(board, ALL, first)
        everything = await heard(whole, last)
    told = [event["position"] for frame in [*before, *after] for event in frame["events"]]
    assert told == list(range(first + 1, last + 1)) == [event["position"] for frame in everything for event in frame["events"]]
    assert len(everything) == 1, "what was missed comes at once"

    def rows(frames: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
        return {(topic, key): row for frame in frames for topic, key, row in frame["rows"]}

    assert rows([*before, *after]) == rows(everything)


async def test_one_who_has_everything_is_told_nothing(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, ALL, board.position)
        assert reader.take() == []


async def test_two_readers_are_sent_the_same_bytes(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        (one, _), (other, _) = await listen(board, ALL), await listen(board, ALL)
        head = await house.record(*deployed(V1))
        await board.reached(head, PATIENCE_S)
        await asyncio.wait_for(asyncio.gather(one.more.wait(), other.more.wait()), PATIENCE_S)
        mine, yours = one.take(), other.take()
    assert mine
    assert all(a is b for a, b in zip(mine, yours, strict=True))


async def test_one_who_comes_between_two_frames_does_not_hear_the_first_again(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        one, _ = await listen(board, "events")
        head = await house.record(wanted(V1))
        await board.reached(head, PATIENCE_S)
        other, _ = await listen(board, "events", board.position)
        last = await house.record(vote(V1, "bo"))
        told = [event["position"] for frame in await heard(other, last) for event in frame["events"]]
        assert told == [last]
        assert [event["position"] for frame in await heard(one, last) for event in frame["events"]] == [head, last]


async def test_what_the_ring_has_no_more_begins_anew(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        for since in (board.position - 1, board.position + 5):
            reader, _ = await listen(board, ALL, since)
            assert [frame["kind"] for frame in await heard(reader, board.position)] == ["reset"]


async def test_a_slow_reader_begins_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_BEHIND", 2)
    reader = Reader()
    for position in range(1, 4):
        reader.send(b"id: %d\nevent: patch\ndata: {}\n\n" % position, position)
    assert [frame.split(b"\n")[1] for frame in reader.take()] == [b"event: reset"]
    reader.send(b"id: 4\nevent: patch\ndata: {}\n\n", 4)
    assert len(reader.take()) == 1


async def test_a_slow_reader_of_large_frames_begins_anew_sooner(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_BYTES", 100)
    reader = Reader()
    reader.send(b"id: 1\nevent: patch\ndata: %s\n\n" % (b"x" * 200), 1)
    assert [frame.split(b"\n")[1] for frame in reader.take()] == [b"event: patch"], "one alone is sent however large it is"
    for position in (2, 3):
        reader.send(b"id: %d\nevent: patch\ndata: %s\n\n" % (position, b"x" * 60), position)
    assert [frame.split(b"\n")[1] for frame in reader.take()] == [b"event: reset"]
    reader.send(b"id: 4\nevent: patch\ndata: {}\n\n", 4)
    assert [frame.split(b"\n")[1] for frame in reader.take()] == [b"event: patch"]


async def test_one_who_missed_very_many_facts_begins_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_EVENTS", 2)
    first = await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        head = await house.record(*deployed(V1))
        await board.reached(head, PATIENCE_S)
        one, _ = await listen(board, "events", first)
        assert [frame["kind"] for frame in await heard(one, head)] == ["reset"]
        other, _ = await listen(board, "matrix", first)
        assert [frame["kind"] for frame in await heard(other, head)] == ["patch"]


async def test_readers_of_a_board_that_was_made_anew_are_told_to_begin_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "LOOK_S", 0.01)
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, ALL)

        def broken(recorded: Any) -> None:
            raise ValueError("it can not be read")

        monkeypatch.setattr(board.live, "take", broken)
        head = await house.record(wanted(V1))
        assert [frame["kind"] for frame in await heard(reader, head)] == ["reset"]


async def test_targets_of_a_cell_are_told_one_by_one(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, f"rollout:{API}/{PROD},target:{R1}-{PROD}-{API},version:{V1}")
        head = await house.record(*deployed(V1), planner.TargetsChanged(**PLACE, removed=(R1,)))
        frames = await heard(reader, head)
    assert [row for frame in frames for row in frame["rows"]][-1] == [f"rollout:{API}/{PROD}", f"{R1}-{PROD}-{API}", None]
    assert {tuple(one) for frame in frames for one in frame["touched"]} == {("target", f"{R1}-{PROD}-{API}"), ("version", V1)}


async def test_a_tag_that_changed_has_readers_of_targets_begin_anew(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, f"rollout:{API}/{PROD}")
        head = await house.record(changed(V1, tag="v1.0.1"))
        assert [frame["kind"] for frame in await heard(reader, head)] == ["reset"]


async def test_a_board_is_let_go_of_when_nobody_uses_it() -> None:
    house = House(idle_s=0.0)
    try:
        await house.shop()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(house.boards.used(WORKSPACE))
            async with house.boards.used(WORKSPACE) as board:
                await board.reached_head(PATIENCE_S)
            assert house.boards.workspaces == (WORKSPACE,)
        await asyncio.wait_for(board.ended.wait(), PATIENCE_S)
        assert house.boards.workspaces == ()
        async with house.boards.used(WORKSPACE) as board:
            assert await board.reached_head(PATIENCE_S)
            assert board.live.board.tag(V1) == "v1"
    finally:
        await house.boards.stop()


async def test_readers_hear_that_the_process_ends(house: House) -> None:
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, _ = await listen(board, ALL)
        house.closing.set()
        await asyncio.wait_for(reader.more.wait(), PATIENCE_S)


class Stuck(MemoryLog):
    """A log that knows how long it is, and never gets to tell what is in it."""

    async def read(self, workspace_id: str, after: int, limit: int) -> list[Recorded]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_who_waits_for_a_board_to_be_loaded_does_not_hold_up_the_end_of_the_process() -> None:
    house = House(log=Stuck())
    try:
        await house.shop()
        async with house.boards.used(WORKSPACE) as board:
            waiting = asyncio.create_task(board.reached_head(600))
            await asyncio.sleep(0)
            assert not waiting.done()
            house.closing.set()
            assert await asyncio.wait_for(waiting, PATIENCE_S) is False
        async with house.boards.used(uid(7)) as late:
            assert await asyncio.wait_for(late.reached(1, 600), PATIENCE_S) is False
    finally:
        await house.boards.stop()


async def test_a_reader_is_reminded_after_what_the_log_told(house: House) -> None:
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        reader, topics = await listen(board, "settings,versions")
        head = await house.record(version(V3))
        assert await board.reached(head, PATIENCE_S)
        board.remind(topics, "", reader, ("settings", ""), NOW)
        seen = [orjson.loads(frame.split(b"data: ", 1)[1]) for frame in reader.take()]
        assert [(frame["position"], frame["touched"]) for frame in seen] == [
            (head, [["versions", V3]]),
            (head, [["settings", ""]]),
        ]


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_reader_is_reminded_once_the_board_is_made_anew(
    house: House, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setattr(view, "LOOK_S", 0.01)
    await house.shop()
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        (reader, topics), (other, _) = await listen(board, "settings,versions"), await listen(board, "settings,versions")
        read, failed = house.feed.read, asyncio.Event()

        async def broken(workspace_id: str, after: int, limit: int) -> Sequence[Recorded]:
            monkeypatch.setattr(house.feed, "read", read)
            failed.set()
            raise ValueError("it can not be read")

        monkeypatch.setattr(house.feed, "read", broken)
        await asyncio.wait_for(failed.wait(), PATIENCE_S)
        assert board.known is None
        for one in (reader, reader, other):
            board.remind(topics, "", one, ("settings", ""), NOW)
        if leaves:
            board.leave(topics, "", reader)
        await asyncio.wait_for(other.more.wait(), PATIENCE_S)
        for one, left in ((reader, leaves), (other, False)):
            told = [orjson.loads(frame.split(b"data: ", 1)[1])["touched"] for frame in one.take()]
            assert told == ([] if left else [[["settings", ""]]])


async def test_the_past_is_the_board_as_it_was(house: House) -> None:
    first = await house.shop()
    await house.record(*deployed(V1))
    async with house.boards.used(WORKSPACE) as board:
        await board.reached_head(PATIENCE_S)
        was = await house.boards.past.at(WORKSPACE, first)
        assert was.pairs[f"{API}/{PROD}"].status == "pending"
        assert board.live.board.pairs[f"{API}/{PROD}"].status == "healthy"


# --- the ring -------------------------------------------------------------------------------------------------------------------------


def change(after: int, position: int, names: int = 0) -> Change:
    touched = frozenset(("job", str(number)) for number in range(names))
    return Change(after, position, frozenset(), {}, frozenset(), touched, ())


def test_the_ring_tells_what_came_after_a_position() -> None:
    ring = Ring(10)
    for position in (12, 15, 16):
        ring.add(change(ring.head, position))
    assert [[one.position for one in ring.after(since)] for since in (10, 11, 12, 15, 16)] == [
        [12, 15, 16], [12, 15, 16], [15, 16], [16], [],
    ]  # fmt: skip
    assert [ring.reaches(since) for since in (9, 10, 16, 17)] == [False, True, True, False]


def test_the_ring_lets_go_of_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST", 3)
    monkeypatch.setattr(changes, "MOST_NAMES", 20)
    ring = Ring(0)
    for position in range(1, 6):
        ring.add(change(position - 1, position))
    assert ring.base == 2
    ring.add(change(5, 6, names=100))
    assert (ring.base, ring.head) == (5, 6), "the newest always stays"


# --- topics ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "nope", "matrix:1", "target:x", "rollout:x", "rollout:/", "job:", "rollout:a/b/c"])
def test_what_is_no_topic_is_refused(name: str) -> None:
    with pytest.raises(UnknownTopic):
        topics_of([name])
