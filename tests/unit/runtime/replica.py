"""A replica of a service that does nothing but own partitions: `python -m tests.unit.runtime.replica <conninfo>`, to be killed."""

from __future__ import annotations

import asyncio
import sys

from libs.runtime.leases import Leases


async def main(postgres: str) -> None:
    """Hold leases, and say so on standard output once they are held."""
    leases = Leases(postgres, "planner")
    leases.start()
    await leases.settled.wait()
    print("settled", flush=True)  # noqa: T201 (whoever started it waits for this line)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
