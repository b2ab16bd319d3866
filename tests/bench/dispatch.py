"""How fast jobs go out and come back: `python -m tests.bench dispatch [--processes] [--jobs 10000] [--slow 1000]`.

A pull agent: so many jobs, taken and completed by 50 claimers at once over HTTP; how many were taken twice. A slow agent: a receiver that
takes 200 ms for each job, and 50 jobs out there at once; the arithmetic minimum is jobs / 50 x 200 ms. Of each the processor time of a
job; 0 jobs leave one out. The claimers and the receiver share the machine with the system, and take about as much of it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.bench.releases import post_version, until, until_targets, world
from tests.bench.running import Running, machine, running
from tests.unit.outbound.outside import Got, Outside, outside, said

CLAIMERS: Final = 50
PAGE: Final = 100
TAKEN: Final = 20
"""So many of a page are gone for before the next one is asked for: the rest is others' by then."""
SLOW_S: Final = 0.2
IN_FLIGHT: Final = 50
ALLOW: Final = "SIGNALBOX_OUTBOUND_ALLOW"


def agent_of(here: Running) -> str:
    """The id of the only agent."""
    (agent,) = here.post("GET", "/job-agents")["items"]
    return str(agent["id"])


# --- a pull agent ----------------------------------------------------------------------------------------------------------------


@dataclass
class Pulled:
    """What the claimers saw.

    Attributes:
        wins: how often each job was taken.
        lost: claims that came too late.
    """

    wins: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    requests: int = 0
    claim_ms: list[float] = field(default_factory=list)


async def claims(here: Running, agent: str, jobs: int, seen: Pulled) -> None:
    """One claimer: takes what is queued and completes it, until there is nothing left."""
    pick = random.Random(id(asyncio.current_task()))
    async with httpx.AsyncClient(base_url=here.client.base_url, headers=here.client.headers, timeout=300) as client:
        total = jobs
        while sum(seen.wins.values()) < jobs:
            # Who looks at another page than others meets fewer of them.
            offset = pick.randrange(max(1, total - PAGE))
            answer = await client.get(f"/job-agents/{agent}/jobs?status=queued&limit={PAGE}&offset={offset}")
            seen.requests += 1
            page = answer.raise_for_status().json()
            total, queued = page["total"], [job["id"] for job in page["items"]]
            pick.shuffle(queued)
            for job in queued[:TAKEN]:
                began = time.perf_counter()
                answer = await client.post(f"/job-agents/{agent}/jobs/{job}/claim")
                seen.requests += 1
                if answer.status_code == 409:
                    seen.lost += 1
                    continue
                assert answer.status_code == 200, answer.text
                seen.claim_ms.append((time.perf_counter() - began) * 1000)
                seen.wins[job] += 1
                done = await client.put(f"/jobs/{job}/status", json={"status": "successful"})
                seen.requests += 1
                assert done.status_code == 202, done.text


async def pull(here: Running, agent: str, jobs: int) -> Pulled:
    seen = Pulled()
    await asyncio.gather(*(claims(here, agent, jobs, seen) for _ in range(CLAIMERS)))
    return seen


def pulled(jobs: int, *options: str) -> None:
    """Print what became of so many jobs of a pull agent."""
    with running(*options) as here:
        deployment = world(here, jobs)
        agent = agent_of(here)
        here.post("PUT", f"/job-agents/{agent}", {"name": "pull", "type": "http-pull", "config": {}})
        until_targets(here, jobs)
        version, began = post_version(here, deployment)
        created = until(here, "dispatcher.job_created.v1", version, jobs) - began
        queued = until(here, "dispatcher.job_status_changed.v1", version, jobs, " AND data->>'status' = 'queued'") - began
        here.until_read(here.head())
        before, start = here.cpu_s(), time.monotonic()
        seen = asyncio.run(pull(here, agent, jobs))
        took = time.monotonic() - start
        cpu, per_job = _used(here, before), _per_job(here, before, jobs)
        count = here.query(
            "SELECT count(*), count(DISTINCT data->>'job_id') FROM es.event WHERE workspace_id = %s"
            " AND type = 'dispatcher.job_status_changed.v1' AND data->>'status' = 'successful'",
            here.workspace_id,
        )
        twice = sum(1 for wins in seen.wins.values() if wins > 1)
        ordered = sorted(seen.claim_ms)
        print(f"pull agent, {jobs:,} jobs: created in {created:.1f} s, queued in {queued:.1f} s")
        print(
            f"{CLAIMERS} claimers: all done in {took:.1f} s ({jobs / took:.0f} jobs/s, {seen.requests / took:.0f} requests/s), "
            f"taken twice: {twice}, claims that came too late: {seen.lost}; a claim that won: "
            f"p50 {ordered[len(ordered) // 2]:.0f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.0f} ms"
        )
        print(f"recorded as successful: {count[0]:,} of {count[1]:,} jobs; processor time {cpu}; {per_job}", flush=True)
        assert len(seen.wins) == jobs
        assert (twice, count) == (0, (jobs, jobs))


# --- a slow agent ----------------------------------------------------------------------------------------------------------------


@dataclass
class Slow:
    """A receiver that takes its time.

    Attributes:
        times: when the first and the last call came and was answered.
        most: calls that were out there at once.
    """

    server: Outside
    jobs: Counter[str] = field(default_factory=Counter)
    first: float = 0.0
    last: float = 0.0
    most: int = 0
    _now: int = 0

    async def handle(self, got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.first = self.first or time.time()
        self.jobs[got.header("Idempotency-Key")[0]] += 1
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(SLOW_S)  # what makes it slow
        self._now -= 1
        self.last = time.time()
        writer.write(said("200 OK", b'{"status":"successful"}', "Content-Type: application/json"))


@asynccontextmanager
async def slowly() -> AsyncIterator[Slow]:
    receiver = Slow(Outside())
    async with outside(receiver.handle) as receiver.server:
        yield receiver


async def sent(jobs: int, config: dict[str, Any], *options: str) -> None:
    """Print what became of so many jobs of a slow agent."""
    async with slowly() as slow:
        with running(*options) as here:
            deployment = await asyncio.to_thread(world, here, jobs)
            agent = agent_of(here)
            body = {"url": slow.server.url("/deploy"), "secret": "of the bench", **config}
            here.post("PUT", f"/job-agents/{agent}", {"name": "slow", "type": "webhook", "config": body})
            until_targets(here, jobs)
            before = here.cpu_s()
            version, began = await asyncio.to_thread(post_version, here, deployment)
            done = " AND data->>'status' = 'successful'"
            recorded = await asyncio.to_thread(until, here, "dispatcher.job_status_changed.v1", version, jobs, done)
            least = jobs / IN_FLIGHT * SLOW_S
            print(
                f"slow agent, {jobs:,} jobs, {SLOW_S * 1000:.0f} ms each, {config or 'without a cap of its own'}: "
                f"first call to last answer {slow.last - slow.first:.2f} s (least possible {least:.1f} s), "
                f"POST version to all recorded {recorded - began:.2f} s; at most {slow.most} at once; "
                f"called twice: {sum(1 for calls in slow.jobs.values() if calls > 1)}; processor time {_used(here, before)}; "
                f"{_per_job(here, before, jobs)}",
                flush=True,
            )
            assert len(slow.jobs) == jobs
            assert slow.most <= IN_FLIGHT


def _used(here: Running, before: dict[str, float]) -> str:
    return ", ".join(f"{name} {used - before[name]:.1f} s" for name, used in here.cpu_s().items())


def _per_job(here: Running, before: dict[str, float], jobs: int) -> str:
    used = {name: (used - before[name]) / jobs * 1000 for name, used in here.cpu_s().items()}
    ours = sum(one for name, one in used.items() if name not in ("nats", "postgres"))
    return f"per job {sum(used.values()):.1f} ms, {ours:.1f} ms of them in the services"


def measure(jobs: int, slow: int, options: Sequence[str]) -> None:
    """Print all figures."""
    os.environ[ALLOW] = "loopback"
    print(f"{machine(*options)}\n")
    if slow:
        asyncio.run(sent(slow, {}, *options))
        asyncio.run(sent(slow, {"maxConcurrentJobs": IN_FLIGHT}, *options))
    if jobs:
        pulled(jobs, *options)
