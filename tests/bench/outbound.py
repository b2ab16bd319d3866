"""What a call to the outside costs us: `python -m tests.bench.outbound [--calls 3000]`.

Processor time of this process for each call, with JSON in its answer, to a server in a process of its own: questions and calls that start
something, one after the other and 50 at once, over connections that are kept and over new ones.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection as Pipe

from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from tests.bench.running import machine
from tests.unit.outbound.outside import Got, outside, said

AT_ONCE = 50
ANSWER = b'{"status":"success","data":{"result":[' + b",".join(b'{"value":[%d,"0.5"]}' % n for n in range(20)) + b"]}}"


def serve(port: Pipe) -> None:
    """Answer on a port that is told, until the process is ended. A call to `/close` has its connection closed."""

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = got.line.split(" ")[1] == "/close"
        more = ("Connection: close",) if last else ()
        writer.write(said("200 OK", ANSWER, "Content-Type: application/json", *more))
        if last:
            writer.close()

    async def run() -> None:
        async with outside(handle) as server:
            port.send(server.port)
            await asyncio.Event().wait()

    asyncio.run(run())


async def cost(method: str, url: str, calls: int, at_once: int) -> tuple[float, float]:
    """Microseconds of processor time a call, and calls a second."""
    async with Outbound(AddressRules.parse("loopback")) as outbound:

        async def some(count: int) -> None:
            for _ in range(count):
                answer = await outbound.ask(
                    method, url, headers={"Authorization": "Bearer x"}, json=None if method == "GET" else {"a": 1}
                )
                answer.json()

        await some(20)  # what is done once is no part of it
        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(some(calls // at_once) for _ in range(at_once)))
        return (time.process_time() - used) / calls * 1e6, calls / (time.perf_counter() - began)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3_000)
    calls = parser.parse_args().calls
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        base = f"http://127.0.0.1:{ours.recv()}"
        print(machine())
        for path, kept in (("/kept", "kept connections"), ("/close", "a new connection each")):
            for method in ("GET", "POST"):
                for at_once in (1, AT_ONCE):
                    us, rate = asyncio.run(cost(method, base + path, calls, at_once))
                    print(
                        f"{method}, {kept}, {at_once} at once: {us:.0f} µs of processor time a call, {rate:.0f} calls/s",
                        flush=True,
                    )
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
