"""Several writers in a process of their own: `python -m tests.integration.eventlog.writer CONNINFO WORKSPACE WRITERS APPENDS`."""

from __future__ import annotations

import asyncio
import sys

from libs.eventlog.port import Append
from libs.eventlog.postgres import PostgresLog
from tests.conformance.eventlog.builders import new


async def write(conninfo: str, workspace_id: str, writers: int, appends: int) -> None:
    """Append 1 to 3 facts at a time, all writers at once."""
    async with PostgresLog.open(conninfo) as log:

        async def one(number: int) -> None:
            for turn in range(appends):
                facts = [new() for _ in range((number + turn) % 3 + 1)]
                appended = await log.append(Append(workspace_id, facts))
                assert len(appended.recorded) == len(facts)

        await asyncio.gather(*map(one, range(writers)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
