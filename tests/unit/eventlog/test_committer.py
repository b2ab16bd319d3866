"""Group commit: what shares a commit, in which order, and what becomes of each request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from libs.eventlog.committer import Committer, Outcome
from libs.eventlog.limits import GROUP_FACTS, GROUP_REQUESTS, LONG_AT_ONCE
from libs.eventlog.port import Append, Appended, ConditionFailed, LogUnavailable, NotTried
from libs.eventlog.prepare import Prepared


def request(workspace_id: str, facts: int = 1, size_bytes: int = 10) -> Prepared:
    return Prepared(Append(workspace_id), (b"",) * facts, size_bytes)


@dataclass
class Disk:
    """Writes what it is told to when it is let; `fate` decides what becomes of a group."""

    fate: Callable[[Sequence[Prepared]], Sequence[Outcome]] = lambda group: [Appended(1, ()) for _ in group]
    groups: list[list[Prepared]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, group: Sequence[Prepared]) -> Sequence[Outcome]:
        self.groups.append(list(group))
        self.entered.set()
        await self.open.wait()
        return self.fate(group)

    def names(self) -> list[list[str]]:
        return [[one.append.workspace_id for one in group] for group in self.groups]


async def collected(disk: Disk, committer: Committer, requests: Sequence[Prepared]) -> list[asyncio.Task[Appended]]:
    """One request that is being written, and the others waiting behind it."""
    first = asyncio.create_task(committer.append(request("first")))
    await disk.entered.wait()
    waiting = [asyncio.create_task(committer.append(one)) for one in requests]
    await asyncio.sleep(0)
    return [first, *waiting]


async def test_a_lone_append_is_written_at_once() -> None:
    disk = Disk()
    disk.open.set()
    assert await Committer(disk.write).append(request("a")) == Appended(1, ())
    assert disk.names() == [["a"]]


async def test_what_waits_shares_the_next_commit_by_workspace_and_arrival() -> None:
    disk = Disk()
    b1, a, b2 = request("b"), request("a"), request("b")
    tasks = await collected(disk, Committer(disk.write), [b1, a, b2])
    disk.open.set()
    await asyncio.gather(*tasks)
    assert disk.groups[1] == [a, b1, b2]
    assert len(disk.groups) == 2


@pytest.mark.parametrize(
    "waiting,expected",
    [
        ([request("a", GROUP_FACTS - 1), request("b"), request("c")], [2, 1]),
        ([request("a"), request("b", 3 * GROUP_FACTS), request("c")], [1, 1, 1]),
        ([request("a", 1, 600_000), request("b", 1, 600_000)], [1, 1]),
        ([request("a", 0)] * (GROUP_REQUESTS + 1), [GROUP_REQUESTS, 1]),
    ],
)
async def test_a_commit_has_its_limits(waiting: list[Prepared], expected: list[int]) -> None:
    disk = Disk()
    tasks = await collected(disk, Committer(disk.write), waiting)
    disk.open.set()
    await asyncio.gather(*tasks)
    assert [len(group) for group in disk.groups[1:]] == expected


async def test_each_caller_gets_its_own_outcome() -> None:
    disk = Disk(lambda group: [ConditionFailed("no") if one.append.workspace_id == "b" else Appended(7, ()) for one in group])
    tasks = await collected(disk, Committer(disk.write), [request("a"), request("b"), request("c")])
    disk.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in results] == [Appended, Appended, ConditionFailed, Appended]


async def test_after_an_unexpected_error_each_is_tried_on_its_own() -> None:
    def fate(group: Sequence[Prepared]) -> Sequence[Outcome]:
        if any(one.append.workspace_id == "bad" for one in group):
            raise ZeroDivisionError
        return [Appended(1, ()) for _ in group]

    disk = Disk(fate)
    tasks = await collected(disk, Committer(disk.write), [request("a"), request("bad"), request("c")])
    disk.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in results] == [Appended, Appended, ZeroDivisionError, Appended]


async def test_in_an_outage_the_group_fails_and_the_next_is_tried_again() -> None:
    def fate(group: Sequence[Prepared]) -> Sequence[Outcome]:
        if len(disk.groups) == 2:
            raise LogUnavailable("gone")
        return [Appended(1, ()) for _ in group]

    disk = Disk(fate)
    committer = Committer(disk.write)
    tasks = await collected(disk, committer, [request("a"), request("b")])
    disk.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in results] == [Appended, LogUnavailable, LogUnavailable]
    assert results[1] is not results[2]
    assert await committer.append(request("a")) == Appended(1, ())


async def test_who_gave_up_waiting_is_left_out() -> None:
    disk = Disk()
    committer = Committer(disk.write)
    tasks = await collected(disk, committer, [request("a"), request("b")])
    tasks[1].cancel()
    await asyncio.sleep(0)
    disk.open.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert disk.names() == [["first"], ["b"]]


async def test_who_gives_up_while_it_is_written_disturbs_nobody() -> None:
    disk = Disk()
    heard: list[str] = []
    committer = Committer(disk.write)
    committer.on_commit(lambda workspace_id, _head, _recorded: heard.append(workspace_id))
    tasks = await collected(disk, committer, [request("a")])
    tasks[0].cancel()
    await asyncio.sleep(0)
    disk.open.set()
    await tasks[1]
    assert heard == ["first", "a"]


async def test_a_failing_listener_is_reported_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.open.set()
    heard: list[int] = []
    committer = Committer(disk.write)
    committer.on_commit(lambda _workspace, _head, _recorded: heard[99])
    committer.on_commit(lambda _workspace, head, _recorded: heard.append(head))
    with caplog.at_level(logging.ERROR):
        assert (await committer.append(request("a"))).head == 1
    assert heard == [1]
    assert "a listener failed on an append to a" in caplog.text


async def test_closing_finishes_what_waits_and_takes_nothing_more() -> None:
    disk = Disk()
    committer = Committer(disk.write)
    tasks = await collected(disk, committer, [request("a")])
    closing = asyncio.create_task(committer.close())
    await asyncio.sleep(0)
    with pytest.raises(LogUnavailable, match="closed"):
        await committer.append(request("b"))
    disk.open.set()
    await closing
    assert [task.done() for task in tasks] == [True, True]
    await committer.close()


@dataclass
class SlowDisk:
    """Takes as long as it is told for what is long, and no time for the rest."""

    written: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, group: Sequence[Prepared]) -> Sequence[Outcome]:
        names = [one.append.workspace_id for one in group]
        if group[0].long:
            self.under_way += names
            await self.done.wait()
        self.written += names
        return [Appended(1, ()) for _ in group]


LONG = GROUP_FACTS + 1


async def test_other_workspaces_do_not_wait_for_a_long_append() -> None:
    disk = SlowDisk()
    committer = Committer(disk.write)
    long = asyncio.create_task(committer.append(request("a", LONG)))
    await asyncio.sleep(0)
    assert await committer.append(request("b")) == Appended(1, ())
    assert (disk.under_way, disk.written, long.done()) == (["a"], ["b"], False)
    disk.done.set()
    await long


async def test_its_own_workspace_waits_for_a_long_append_in_order_of_arrival() -> None:
    disk = SlowDisk()
    committer = Committer(disk.write)
    tasks = [
        asyncio.create_task(committer.append(one)) for one in (request("a", LONG), request("a"), request("a", LONG), request("b"))
    ]
    await tasks[-1]
    assert disk.written == ["b"]
    disk.done.set()
    await asyncio.gather(*tasks)
    assert disk.written == ["b", "a", "a", "a"]


async def test_long_appends_that_run_beside_the_others_are_few() -> None:
    disk = SlowDisk()
    committer = Committer(disk.write)
    names = [f"w{number}" for number in range(LONG_AT_ONCE + 2)]
    tasks = [asyncio.create_task(committer.append(request(name, LONG))) for name in names]
    await asyncio.sleep(0)
    await committer.append(request("b"))
    assert disk.under_way == names[:LONG_AT_ONCE]
    disk.done.set()
    await asyncio.gather(*tasks)
    assert sorted(disk.written) == ["b", *names]


async def test_closing_finishes_long_appends_and_what_waits_for_them() -> None:
    disk = SlowDisk()
    committer = Committer(disk.write)
    tasks = [asyncio.create_task(committer.append(one)) for one in (request("a", LONG), request("a"))]
    await asyncio.sleep(0)
    closing = asyncio.create_task(committer.close())
    await asyncio.sleep(0)
    assert not closing.done()
    disk.done.set()
    await closing
    assert [task.done() for task in tasks] == [True, True]


async def test_those_that_follow_one_another_share_a_commit() -> None:
    disk = Disk()
    committer = Committer(disk.write)
    tasks = await collected(disk, committer, [request("a")])
    together = asyncio.create_task(committer.append_all([request("b"), request("b"), request("b")]))
    await asyncio.sleep(0)
    disk.open.set()
    await asyncio.gather(*tasks)
    assert await together == [Appended(1, ())] * 3
    assert disk.names() == [["first"], ["a", "b", "b", "b"]]


@pytest.mark.parametrize("error", [ConditionFailed, LogUnavailable, ZeroDivisionError])
async def test_what_follows_one_that_failed_in_an_earlier_commit_is_not_written(error: type[Exception]) -> None:
    def fate(group: Sequence[Prepared]) -> Sequence[Outcome]:
        if error is ConditionFailed:
            return [ConditionFailed("no")]
        raise error("no")

    disk = Disk(fate)
    disk.open.set()
    committer = Committer(disk.write)
    outcomes = await committer.append_all([request("a", GROUP_FACTS), request("a"), request("a", GROUP_FACTS)])
    assert [type(one) for one in outcomes] == [error, NotTried, NotTried]
    assert len(disk.groups) == 1


async def test_a_closed_log_appends_none_of_several() -> None:
    committer = Committer(Disk().write)
    await committer.close()
    assert [type(one) for one in await committer.append_all([request("a"), request("a")])] == [LogUnavailable] * 2
