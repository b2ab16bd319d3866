"""The scheduler of measurements alone, in virtual time: how late they are, and what of a processor each takes.

Nobody is called and nothing is stored; an answer takes 20 ms, and 50 questions to one host are under way at a time.
"""

from __future__ import annotations

import resource
import time
from typing import Final

from contracts.facts.verifier import MeasurementTaken, VerificationPassed
from tests.unit.verifier.virtual_hours import VirtualHours

PER_TARGET: Final = 10
COUNT: Final = 5
INTERVAL_S: Final = 30


def virtual(metrics: int) -> None:
    """Measure so many metrics, ten to a target, all of them required at one moment."""
    targets = max(1, metrics // PER_TARGET)
    hosts = [f"https://monitoring-{number}" for number in range(PER_TARGET)]
    hours = VirtualHours()
    began = time.process_time()
    hours.verify(targets, hosts, count=COUNT, interval_s=INTERVAL_S)
    started = time.process_time()
    hours.advance(24 * 3600)
    took_s = time.process_time() - started
    late = hours.lateness_s()
    taken, passed = hours.facts(MeasurementTaken), len(hours.facts(VerificationPassed))
    span_s = (taken[-1].measured_at - taken[0].measured_at).total_seconds()
    assert passed == targets, f"{passed} of {targets} verifications ended"
    print(f"\n{targets * PER_TARGET} metrics of {len(hosts)} hosts, {COUNT} times each, {INTERVAL_S} s apart, in virtual time")
    print(f"  start of {targets} verifications: {started - began:.1f} s of a processor")
    print(f"  {len(taken)} measurements in {span_s:.0f} virtual seconds, {took_s / len(taken) * 1000:.2f} ms of a processor each")
    shares = " ".join(
        f"{name} {_share(late, share) * 1000:.0f} ms" for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    )
    print(f"  late by {shares} max {late[-1] * 1000:.0f} ms")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, the whole log in it")


def _share(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]
