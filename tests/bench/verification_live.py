"""How punctually the running system measures: so many metrics at one interval, each sample asked over HTTP and recorded. And what becomes
of verifications whose verifier is killed in the middle.

Lateness is `measured_at` less `due_at` of every sample that was recorded; the endpoint that is asked belongs to the bench, answers at
once, and takes about a tenth of a core of the machine that it shares with the system.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson

from tests.bench.releases import post_version, until, until_targets, world
from tests.bench.running import PATIENCE_S, Running, running
from tests.unit.outbound.outside import Got, Outside, outside, said

PER_TARGET: Final = 3
"""Metrics of one verification."""
LATEST_S: Final = 1.0
"""What 99 of 100 samples must not be later than."""
RAMP_S: Final = 120.0
RESTART_INTERVAL_S: Final = 5
RESTART_COUNT: Final = 3
CLUSTER: Final = re.compile(r"judged=cluster-(\d+)")

LATENESS: Final = """
    SELECT count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY late), min(late),
           extract(epoch FROM max(at) - min(at))::float8
    FROM (SELECT extract(epoch FROM (data->>'measured_at')::timestamptz - (data->>'due_at')::timestamptz)::float8 * 1000 AS late,
                 (data->>'measured_at')::timestamptz AS at
          FROM es.event WHERE workspace_id = %s AND type = 'verifier.measurement_taken.v1') AS one"""

TWICE: Final = """
    SELECT count(*) - count(DISTINCT (data->>'verification_id', data->>'metric', data->>'number'))
    FROM es.event WHERE workspace_id = %s AND type = 'verifier.measurement_taken.v1'"""

ENDED: Final = """
    SELECT count(*) FROM es.event WHERE workspace_id = %s AND type IN
    ('verifier.verification_passed.v1', 'verifier.verification_failed.v1', 'verifier.verification_inconclusive.v1')"""


SAMPLES: Final = "SELECT count(*) FROM es.event WHERE workspace_id = %s AND type = 'verifier.measurement_taken.v1'"

VERDICT: Final = """
    SELECT count(*) FROM es.event AS one JOIN es.event AS other ON other.workspace_id = one.workspace_id
    AND other.type = 'inventory.resource_saved.v1' AND other.data->>'resource_id' = one.data->>'resource_id'
    WHERE one.workspace_id = %s AND one.type = %s AND (split_part(other.data->>'name', '-', 2)::int %% 3 = 0) = %s"""
"""Verdicts of a type about clusters that are bad, or that are not."""


def is_bad(cluster: int) -> bool:
    return cluster % 3 == 0


@asynccontextmanager
async def monitoring() -> AsyncIterator[Outside]:
    """An endpoint that answers each question at once with a number; every third cluster is bad."""

    async def handle(got: Got, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cluster = CLUSTER.search(got.line)
        rate = 0.5 if cluster is not None and is_bad(int(cluster[1])) else len(got.line) % 10 / 1000
        body = orjson.dumps({"errorRate": rate, "requests": 1_000})
        writer.write(said("200 OK", body, "Content-Type: application/json"))

    async with outside(handle) as server:
        yield server


def policy(url: str, interval_s: int, count: int, metrics: int, parameter: str = "cluster") -> dict[str, Any]:
    """A policy that measures every target after its job."""
    return {
        "name": "healthy",
        "selector": "true",
        "rules": [
            {
                "verification": {
                    "triggerOn": "jobSuccess",
                    "metrics": [
                        {
                            "name": f"errors-{number}",
                            "intervalSeconds": interval_s,
                            "count": count,
                            "provider": {"type": "http", "url": f"{url}?{parameter}={{{{.resource.name}}}}&number={number}"},
                            "successCondition": "result.ok && result.json.errorRate < 0.05",
                        }
                        for number in range(metrics)
                    ],
                }
            }
        ],
    }


def until_ended(here: Running, verifications: int, patience_s: float) -> None:
    """Wait until so many verifications have come to a verdict."""
    end = time.monotonic() + patience_s
    while (ended := here.query(ENDED, here.workspace_id)[0]) < verifications:
        assert time.monotonic() < end, f"{ended} of {verifications} verifications ended in {patience_s:g} s"
        time.sleep(1.0)


async def punctual(metrics: int, interval_s: int, minutes: float, options: Sequence[str]) -> None:
    """Print how late the samples of so many metrics were, and what they cost."""
    count = max(1, round(minutes * 60 / interval_s))
    each = min(PER_TARGET, metrics)
    targets = metrics // each
    async with monitoring() as server:
        with running(*options) as here:
            await asyncio.to_thread(_measured, here, server, targets, each, interval_s, count)


def _measured(here: Running, server: Outside, targets: int, each: int, interval_s: int, count: int) -> None:
    deployment = world(here, targets)
    here.post("POST", "/policies", policy(server.url("/metrics"), interval_s, count, each))
    until_targets(here, targets)
    here.until_read(here.head())
    version, _ = post_version(here, deployment)
    until(here, "verifier.verification_started.v1", version, targets)
    before, asked, began = here.cpu_s(), len(server.got), time.monotonic()
    until_ended(here, targets, count * interval_s + RAMP_S + PATIENCE_S)
    here.until_read(here.head())
    took = time.monotonic() - began
    used = {name: one - before[name] for name, one in here.cpu_s().items()}
    samples, late, earliest, span = here.query(LATENESS, here.workspace_id)
    (twice,) = here.query(TWICE, here.workspace_id)
    taken = len(server.got) - asked
    p50, p95, p99, most = late
    peaks = here.peaks_mb()
    largest = max(peaks, key=lambda name: peaks[name])
    ours = sum(one for name, one in used.items() if name not in ("nats", "postgres"))
    print(
        f"{targets * each:,} metrics of {targets:,} verifications, each every {interval_s} s, {count} times: {samples:,} samples in "
        f"{span:.0f} s ({samples / span:.0f} a second), recorded twice: {twice}, questions that came: {taken:,}"
    )
    print(f"late by p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, at most {most:.0f} ms; the earliest {earliest:.1f} ms")
    print(
        f"processor time per sample {sum(used.values()) / samples * 1000:.2f} ms, {ours / samples * 1000:.2f} ms of them in the services: "
        + ", ".join(f"{name} {one:.1f} s" for name, one in used.items())
        + f", in {took:.0f} s; peak memory {peaks[largest]} MB ({largest})",
        flush=True,
    )
    assert (samples, twice) == (targets * each * count, 0)
    assert earliest >= 0, "a sample was taken before it was due"
    assert p99 <= LATEST_S * 1000, f"p99 is {p99:.0f} ms"


async def restarted(verifications: int, options: Sequence[str]) -> None:
    """Print what became of so many verifications whose verifier was killed when about half of the samples had been recorded."""
    async with monitoring() as server:
        with running(*options) as here:
            await asyncio.to_thread(_killed, here, server, verifications)


def _killed(here: Running, server: Outside, verifications: int) -> None:
    deployment = world(here, verifications)
    here.post("POST", "/policies", policy(server.url("/metrics"), RESTART_INTERVAL_S, RESTART_COUNT, 1, "judged"))
    until_targets(here, verifications)
    here.until_read(here.head())
    version, _ = post_version(here, deployment)
    bad = sum(1 for number in range(verifications) if is_bad(number))
    wanted = bad + (verifications - bad) * RESTART_COUNT
    until(here, "verifier.measurement_taken.v1", version, wanted // 2)
    pids = here.pids()
    process = "verifier" if "verifier" in pids else "services"
    os.kill(pids[process], signal.SIGKILL)
    killed = time.monotonic()
    (before,) = here.query(SAMPLES, here.workspace_id)
    while here.query(SAMPLES, here.workspace_id)[0] == before:
        assert time.monotonic() < killed + PATIENCE_S, "nothing was measured after the restart"
        time.sleep(0.05)
    away_s = time.monotonic() - killed
    until_ended(here, verifications, RESTART_COUNT * RESTART_INTERVAL_S + RAMP_S + PATIENCE_S)
    samples, late, earliest, _ = here.query(LATENESS, here.workspace_id)
    (twice,) = here.query(TWICE, here.workspace_id)
    (passed,) = here.query(VERDICT, here.workspace_id, "verifier.verification_passed.v1", False)
    (failed,) = here.query(VERDICT, here.workspace_id, "verifier.verification_failed.v1", True)
    print(
        f"{verifications:,} verifications, {process} killed after {before:,} of {wanted:,} samples, the next one recorded {away_s:.1f} s later: "
        f"{passed:,} passed and {failed:,} failed, as they would have without it; samples {samples:,}, recorded twice {twice}, "
        f"asked again {len(server.got) - samples}; late by p50 {late[0]:.0f} ms, at most {late[3]:.0f} ms, the earliest {earliest:.1f} ms",
        flush=True,
    )
    assert (passed, failed) == (verifications - bad, bad)
    assert (samples, twice) == (wanted, 0)
    assert earliest >= 0, "a sample was taken before it was due"
