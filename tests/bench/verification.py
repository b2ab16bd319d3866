"""How well verification keeps its times.

`python -m tests.bench verification [--processes] [--metrics 3000] [--interval 10] [--minutes 2] [--restart 1000] [--virtual 20000]`

Metrics on the running system, and how late their samples are; verifications whose verifier is killed in the middle; the scheduler alone
with many more metrics, in virtual time. 0 leaves one of them out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import time
from collections.abc import Sequence
from typing import Final

from contracts.facts.verifier import MeasurementTaken, VerificationPassed
from tests.bench import verification_live
from tests.bench.dispatch import ALLOW
from tests.bench.running import machine
from tests.unit.verifier.virtual_hours import VirtualHours

PARTIES: Final = 4
VIRTUAL_INTERVAL_S: Final = 60
VIRTUAL_COUNT: Final = 3


def alone(metrics: int) -> None:
    """Print what the scheduler made of so many metrics of a few parties, all of them required at one instant."""
    began = time.process_time()
    hours = VirtualHours()
    hosts = [f"https://monitoring-{number}" for number in range(PARTIES)]
    verifications = metrics // PARTIES
    hours.verify(verifications, hosts, count=VIRTUAL_COUNT, interval_s=VIRTUAL_INTERVAL_S)
    while hours.next_due() is not None:
        hours.advance(VIRTUAL_INTERVAL_S)
    took = time.process_time() - began
    taken, late = len(hours.facts(MeasurementTaken)), hours.lateness_s()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"in virtual time, {verifications * PARTIES:,} metrics of {PARTIES} parties, every {VIRTUAL_INTERVAL_S} s, {VIRTUAL_COUNT} times: "
        f"{taken:,} samples, late by p50 {late[len(late) // 2] * 1000:.0f} ms, p99 {late[int(len(late) * 0.99)] * 1000:.0f} ms, "
        f"at most {late[-1] * 1000:.0f} ms; processor time per sample {took / taken * 1000:.2f} ms, peak memory {peak_mb} MB",
        flush=True,
    )
    assert taken == verifications * PARTIES * VIRTUAL_COUNT
    assert len(hours.facts(VerificationPassed)) == verifications


def measure(asked: argparse.Namespace, options: Sequence[str]) -> None:
    """Print all figures."""
    os.environ[ALLOW] = "loopback"
    print(f"{machine(*options)}\n")
    if asked.metrics:
        asyncio.run(verification_live.punctual(asked.metrics, asked.interval, asked.minutes, options))
    if asked.restart:
        asyncio.run(verification_live.restarted(asked.restart, options))
    if asked.virtual:
        alone(asked.virtual)
