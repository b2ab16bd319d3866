"""How fast versions reach their targets: `python -m tests.bench releases [--processes] [N …]`.

For each N: seconds from `POST version` to all jobs created and to all targets current, with agents that finish at once; for one idle
target: milliseconds from `POST version` to its job; facts per second when a log is folded from zero; peak memory of each process.
Times are taken where they happen: the start of the POST here, the recording times in the log, one clock for both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module

from libs.eventlog.postgres import PostgresLog
from libs.runtime.audit import refold
from tests.bench.running import PATIENCE_S, Running, machine, running

SERVICES = ("inventory", "planner", "policy", "dispatcher", "verifier")
IDLE_ROUNDS = 60


def world(here: Running, targets: int) -> str:
    """One environment and one deployment over so many resources, with an agent that finishes at once. The deployment's id."""
    provider = here.post("PUT", "/resource-providers", {"id": "", "name": "bench"})["id"]
    resources = [
        {
            "identifier": f"cluster/{n}",
            "name": f"cluster-{n}",
            "kind": "KubernetesCluster",
            "version": "bench/v1",
            "config": {"server": f"https://cluster-{n}.example", "zone": f"z{n % 7}"},
            "metadata": {"env": "production", "region": f"r{n % 5}", "team": f"t{n % 11}"},
            "createdAt": "2026-01-01T00:00:00Z",
        }
        for n in range(targets)
    ]
    here.post("PUT", f"/resource-providers/{provider}/set", {"resources": resources})
    agent = str(uuid.uuid4())
    here.post("PUT", f"/job-agents/{agent}", {"name": "instant", "type": "test-runner", "config": {"delaySeconds": 0}})
    system = here.post("POST", "/systems", {"name": "bench"})["id"]
    environment = here.post("POST", "/environments", {"name": "production", "resourceSelector": "true"})["id"]
    body = {"name": "api", "slug": "api", "resourceSelector": "true", "jobAgentSelector": f'jobAgent.id == "{agent}"'}
    deployment = str(here.post("POST", "/deployments", body)["id"])
    here.post("PUT", f"/systems/{system}/deployments/{deployment}")
    here.post("PUT", f"/systems/{system}/environments/{environment}")
    return deployment


def post_version(here: Running, deployment: str) -> tuple[str, float]:
    """Post a version; its id and when the request began (seconds since the epoch)."""
    tag = f"v{uuid.uuid4().hex[:8]}"
    began = time.time()
    return here.post("POST", f"/deployments/{deployment}/versions", {"tag": tag, "name": tag, "status": "ready"})["id"], began


COUNT = """SELECT count(*), coalesce(extract(epoch FROM max(recorded_at)), 0)::float8 FROM es.event
           WHERE workspace_id = %s AND type = %s AND data->>'version_id' = %s"""


def until(here: Running, kind: str, version: str, count: int, more: str = "") -> float:
    """When the last of so many facts of a type about a version was recorded (seconds since the epoch)."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found, at = here.query(COUNT + more, here.workspace_id, kind, version)
        if found >= count:
            return float(at)
        assert time.monotonic() < end, f"{found} of {count} {kind} after {PATIENCE_S} s"
        time.sleep(0.2 if count > 1 else 0.01)


DONE = " AND data->>'status' = 'successful'"


@dataclass
class Row:
    """What was measured for one N."""

    targets: int
    created_s: float
    current_s: float
    peaks_mb: dict[str, int]
    facts: int = 0
    folds: dict[str, float] = field(default_factory=dict)


def bulk(targets: int, *options: str) -> Row:
    """All jobs of one version on so many targets without gates."""
    with running(*options) as here:
        deployment = world(here, targets)
        until_targets(here, targets)
        version, began = post_version(here, deployment)
        created = until(here, "dispatcher.job_created.v1", version, targets) - began
        current = until(here, "dispatcher.job_status_changed.v1", version, targets, DONE) - began
        row = Row(targets, created, current, here.peaks_mb())
        row.facts, row.folds = asyncio.run(fold(here))
        return row


def until_targets(here: Running, targets: int) -> None:
    """Wait until planner has told of every target."""
    sql = """SELECT coalesce(sum(jsonb_array_length(data->'added')), 0)::int FROM es.event
             WHERE workspace_id = %s AND type = 'planner.targets_changed.v1'"""
    end = time.monotonic() + PATIENCE_S
    while here.query(sql, here.workspace_id)[0] < targets:
        assert time.monotonic() < end, "the targets did not appear"
        time.sleep(0.1)


async def fold(here: Running) -> tuple[int, dict[str, float]]:
    """Fold the log from zero in each service: facts, and facts per second (reading and decoding included)."""
    rates = {}
    position = 0
    async with PostgresLog.open(here.postgres) as log:
        for name in SERVICES:
            began = time.perf_counter()
            _, position = await refold(log, import_module(f"services.{name}.app").service, here.workspace_id)
            rates[name] = position / (time.perf_counter() - began)
    return position, rates


def idle(*options: str) -> tuple[float, float]:
    """Milliseconds from the start of POST to the recorded job, for a single idle target: p50 and p99."""
    with running(*options) as here:
        deployment = world(here, 1)
        until_targets(here, 1)
        taken = []
        for _ in range(IDLE_ROUNDS):
            version, began = post_version(here, deployment)
            taken.append((until(here, "dispatcher.job_created.v1", version, 1) - began) * 1000)
            until(here, "dispatcher.job_status_changed.v1", version, 1, DONE)
            time.sleep(0.1)  # a pause between two versions is what makes it idle
        return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99) - 1]


def measure(targets: Sequence[int], options: Sequence[str]) -> None:
    """Print the figures for each number of targets."""
    print(f"{machine(*options)}\n")
    p50, p99 = idle(*options)
    print(f"one idle target, POST version to job created: p50 {p50:.0f} ms, p99 {p99:.0f} ms ({IDLE_ROUNDS} versions)\n")
    print("| targets | all jobs created | all current | facts | folded from zero, facts/s | peak memory |")
    print("|---|---|---|---|---|---|")
    for count in targets:
        row = bulk(count, *options)
        folds = ", ".join(f"{name} {rate / 1000:.0f}k" for name, rate in row.folds.items())
        peaks = ", ".join(f"{name} {peak} MB" for name, peak in row.peaks_mb.items())
        print(f"| {count:,} | {row.created_s:.2f} s | {row.current_s:.2f} s | {row.facts:,} | {folds} | {peaks} |", flush=True)
