"""What live pages cost: `python -m tests.bench stream [--rate 200] [--seconds 20] [--readers 0 1 50]`.

Jobs of 40 × 6 cells change their status so many times a second, over HTTP, each in a cell of its own, while readers listen to the matrix and
the events. For each number of readers: seconds of the processor that the gateway's process used per second, and how long after a fact was
recorded the first reader had it (one clock for both), in milliseconds. With `--processes` that process does nothing else; what it takes at 0
readers is the requests themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from tests.bench.running import PATIENCE_S, Running, machine, running

DEPLOYMENTS: Final = 40
ENVIRONMENTS: Final = 6
AT_ONCE: Final = 16


def jobs_in_cells(here: Running) -> list[str]:
    """A deployed matrix; the id of a job in each cell that nobody ends."""
    agent = str(uuid.uuid4())
    here.post("PUT", f"/job-agents/{agent}", {"name": "pull", "type": "http-pull", "config": {}})
    system = here.post("POST", "/systems", {"name": "bench"})["id"]
    here.post(
        "PUT", "/resources/identifier/one", {"name": "one", "kind": "Cluster", "version": "v1", "config": {}, "metadata": {}}
    )
    for number in range(ENVIRONMENTS):
        made = here.post("POST", "/environments", {"name": f"e{number}", "resourceSelector": "true"})["id"]
        here.post("PUT", f"/systems/{system}/environments/{made}")
    for number in range(DEPLOYMENTS):
        body = {
            "name": f"d{number}",
            "slug": f"d{number}",
            "resourceSelector": "true",
            "jobAgentSelector": f'jobAgent.id == "{agent}"',
        }
        made = here.post("POST", "/deployments", body)["id"]
        here.post("PUT", f"/systems/{system}/deployments/{made}")
        here.post("POST", f"/deployments/{made}/versions", {"tag": "v1", "name": "v1", "status": "ready"})
    end = time.monotonic() + PATIENCE_S
    while (page := here.post("GET", "/jobs?limit=1000"))["total"] < DEPLOYMENTS * ENVIRONMENTS:
        assert time.monotonic() < end, "the jobs were not made"
        time.sleep(0.2)
    return [one["job"]["id"] for one in page["items"]]


async def write(here: Running, jobs: Sequence[str], rate: int, seconds: float) -> int:
    """Change the status of jobs in turn, at a rate; how many were changed."""
    client, sending, made = here.client, asyncio.Semaphore(AT_ONCE), 0
    async with httpx.AsyncClient(base_url=client.base_url, headers=client.headers, timeout=PATIENCE_S) as asking:

        async def change(number: int) -> None:
            nonlocal made
            status = ("inProgress", "actionRequired")[number // len(jobs) % 2]
            async with sending:
                answer = await asking.put(f"/jobs/{jobs[number % len(jobs)]}/status", json={"status": status})
                made += answer.is_success

        began, tasks = time.monotonic(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(change(number)))
        await asyncio.gather(*tasks)
    return made


async def read(here: Running, late: list[float] | None) -> None:
    """Listen until cancelled; with `late`, note how long after they were recorded facts were there."""
    url = here.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1 << 24)
    key = here.client.headers["X-API-Key"]
    path = f"{url.path}stream?topics=matrix,events"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {url.host}\r\nX-API-Key: {key}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if late is not None and line.startswith(b'data: {"position"') and b'"events":[{' in line:
                now = time.time()
                events: list[dict[str, Any]] = json.loads(line[len(b"data: ") :])["events"]
                late += [1000 * (now - datetime.fromisoformat(one["time"]).timestamp()) for one in events]
    finally:
        writer.close()


async def with_readers(here: Running, jobs: Sequence[str], readers: int, rate: int, seconds: float) -> None:
    late: list[float] = []
    listening = [asyncio.create_task(read(here, late if number == 0 else None)) for number in range(readers)]
    await asyncio.sleep(2)  # they come in, and whatever was going on ends
    late.clear()
    name = "gateway" if "gateway" in here.pids() else "services"
    used, began = here.cpu_s()[name], time.monotonic()
    made = await write(here, jobs, rate, seconds)
    took = time.monotonic() - began
    share = (here.cpu_s()[name] - used) / took
    for one in listening:
        one.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    ordered = sorted(late) or [0.0]
    p50, p95 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95))
    print(
        f"{readers} readers: {made / took:.0f} changes/s, {len(late) / took:.0f} facts/s heard; the process of the {name} used "
        f"{100 * share:.0f} % of a core; recorded to read p50 {p50:.0f} ms, p95 {p95:.0f} ms",
        flush=True,
    )


def measure(rate: int, seconds: float, readers: Sequence[int], options: Sequence[str]) -> None:
    """Print the figures."""
    print(machine(*options))
    with running(*options) as here:
        jobs = jobs_in_cells(here)
        for many in readers:
            asyncio.run(with_readers(here, jobs, many, rate, seconds))
