"""How fast the past is read: `python -m tests.bench as_of [--processes] [--targets 10000]`.

Two versions on so many targets; then reads as of the middle of the log. Cold: nobody has looked back before, so that the log is folded
from the first fact (explanations: from what policy has stored). Near: a step back from there. Warm: the same position again. Restarted:
the same by processes that know nothing, from what the first look back has stored. Meanwhile a client asks for something else all the
time: the longest that it waits is how long a fold keeps others waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import httpx

from tests.bench.releases import DONE, post_version, until, until_targets, world
from tests.bench.running import Running, machine, running

STEP: Final = 500
"""Facts between the middle of the log and the position before it."""


class Others:
    """What somebody waits who asks for something else meanwhile, in milliseconds."""

    def __init__(self, here: Running) -> None:
        self._client = httpx.Client(base_url=here.client.base_url, headers=here.client.headers, timeout=60)
        self._over = threading.Event()
        self.waited_ms: list[float] = []

    def ask(self) -> None:
        """Ask until it is over."""
        while not self._over.is_set():
            began = time.perf_counter()
            self._client.get("/systems").raise_for_status()
            self.waited_ms.append((time.perf_counter() - began) * 1000)
            self._over.wait(0.005)
        self._client.close()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask as long as the block runs."""
        thread = threading.Thread(target=self.ask)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def measure(targets: int, options: Sequence[str]) -> None:
    """Print what was measured."""
    print(machine())
    with running(*options) as here:
        deployment = world(here, targets)
        until_targets(here, targets)
        for _ in range(2):
            version, _began = post_version(here, deployment)
            until(here, "dispatcher.job_status_changed.v1", version, targets, DONE)
        head = here.head()
        here.until_read(head)
        environment = here.post("GET", "/environments")["items"][0]["id"]
        pair = {"deploymentId": deployment, "environmentId": environment}
        key = _key(here.post("POST", "/release-targets/state?limit=1", pair))
        middle = head // 2
        print(f"{targets:,} targets, {head:,} facts, as of {middle:,}")
        before = here.peaks_mb()
        _look(here, "cold", middle, pair, key)
        _look(here, f"near ({STEP} facts before)", middle - STEP, pair, key)
        _look(here, "warm", middle, pair, key)
        print(f"  peak memory: {_told(before)}; after looking back: {_told(here.peaks_mb())}")
        stored = "SELECT count(*), coalesce(sum(bytes), 0)::bigint, coalesce(max(bytes), 0)::bigint FROM (SELECT sum(length(state)) AS bytes"
        for consumer in ("gateway.rows", "policy"):
            many = here.query(
                f"{stored} FROM es.snapshot WHERE workspace_id = %s AND consumer = %s GROUP BY position, state_version) AS one",
                here.workspace_id,
                consumer,
            )
            print(f"  stored of {consumer}: {many[0]}, together {many[1] / 1e6:.1f} MB, the largest {many[2] / 1e6:.1f} MB")
        here.stop()
        here.start()
        _look(here, "restarted", middle, pair, key)


def _key(page: Any) -> str:
    target = page["items"][0]["releaseTarget"]
    return f"{target['resourceId']}-{target['environmentId']}-{target['deploymentId']}"


def _look(here: Running, what: str, at: int, pair: dict[str, str], key: str) -> None:
    others = Others(here)
    with others.asking():
        took = [
            _timed(here, "POST", f"/release-targets/state?limit=50&at={at}", pair),
            _timed(here, "GET", f"/jobs?limit=50&at={at}"),
            _timed(here, "GET", f"/deployments?at={at}"),
            _timed(here, "GET", f"/release-targets/{key}/explanation?at={at}"),
        ]
    names = ("50 states of targets", "50 jobs", "deployments", "an explanation")
    told = ", ".join(f"{name} {one:,.0f} ms" for name, one in zip(names, took, strict=True))
    print(f"  {what}: {told}; others waited {max(others.waited_ms):.0f} ms at most")


def _timed(here: Running, method: str, path: str, body: Any = None) -> float:
    began = time.perf_counter()
    here.post(method, path, body)
    return (time.perf_counter() - began) * 1000


def _told(peaks: dict[str, int]) -> str:
    return ", ".join(f"{name} {mb} MB" for name, mb in sorted(peaks.items()))
