"""Writers of several processes and a reader that follows them."""

from __future__ import annotations

import asyncio
import sys

import pytest

from libs.eventlog.port import Append, Appended, Checkpoint, CheckpointMove, CheckpointMoved
from libs.eventlog.postgres import PostgresLog
from tests.conformance.eventlog.builders import new, workspace

pytestmark = pytest.mark.integration

PROCESSES, WRITERS, APPENDS = 2, 4, 60


async def test_a_reader_that_follows_eight_racing_writers_misses_nothing(postgres: str, pytestconfig: pytest.Config) -> None:
    at = workspace()
    total = PROCESSES * sum((number + turn) % 3 + 1 for number in range(WRITERS) for turn in range(APPENDS))
    command = (sys.executable, "-m", "tests.integration.eventlog.writer", postgres, at, str(WRITERS), str(APPENDS))
    started = [await asyncio.create_subprocess_exec(*command, cwd=pytestconfig.rootpath) for _ in range(PROCESSES)]
    seen: list[str] = []
    async with PostgresLog.open(postgres) as log:
        ends = asyncio.gather(*(process.wait() for process in started))
        while len(seen) < total:
            # Once the writers have ended, one more look must find the rest.
            over = ends.done()
            found = await log.read(at, len(seen), 50)
            assert [one.position for one in found] == list(range(len(seen) + 1, len(seen) + len(found) + 1))
            seen += [one.id for one in found]
            assert found or not over, f"{total - len(seen)} facts are missing"
        assert await ends == [0] * PROCESSES
        assert await log.head(at) == total
        assert [one.id for one in await log.read(at, 0, total + 1)] == seen
        assert len(set(seen)) == total


async def test_owners_in_two_processes_move_a_checkpoint_once_per_round(postgres: str) -> None:
    places = [workspace() for _ in range(3)]
    async with PostgresLog.open(postgres) as first, PostgresLog.open(postgres) as second:
        for number in range(10):
            move = [
                CheckpointMove(consumer, Checkpoint(number, number), Checkpoint(number + 1, number + 1))
                for consumer in ("b", "a")
            ]
            rounds = [(log, Append(at, [new()], move=one)) for at in places for one in move for log in (first, second)]
            results = await asyncio.gather(*(log.append(request) for log, request in rounds), return_exceptions=True)
            for index in range(0, len(results), 2):
                assert {type(one) for one in results[index : index + 2]} == {Appended, CheckpointMoved}
        for at in places:
            assert await first.head(at) == 20
            assert [await second.checkpoint(consumer, at) for consumer in ("a", "b")] == [Checkpoint(10, 10)] * 2
