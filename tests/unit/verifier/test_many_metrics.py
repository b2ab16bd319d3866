"""The scheduler with many metrics, in virtual time."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from contracts.facts.verifier import MeasurementTaken, VerificationPassed, VerificationStarted
from services.verifier.slots import AT_ONCE, PER_SECOND
from tests.unit.verifier.virtual_hours import VirtualHours

HOSTS = [f"https://monitoring-{number}" for number in range(4)]


def test_two_thousand_metrics_are_measured_when_they_are_due_and_keep_apart() -> None:
    hours = VirtualHours()
    hours.verify(500, HOSTS, count=2, interval_s=30)
    hours.advance(120)
    taken = hours.facts(MeasurementTaken)
    assert len(taken) == 500 * 4 * 2
    assert len(hours.facts(VerificationPassed)) == 500
    lateness = hours.lateness_s()
    assert lateness[0] >= 0
    assert lateness[-1] <= 0.1
    # Each metric an interval after it was measured last, from the moment that its start was recorded with.
    first = {
        (one.verification_id, spec.name): at
        for one in hours.facts(VerificationStarted)
        for spec, at in zip(one.metrics, one.first_at, strict=True)
    }
    due = dict(first)
    for one in taken:
        assert one.due_at == due[one.verification_id, one.metric]
        due[one.verification_id, one.metric] = one.measured_at + timedelta(seconds=30)
    # Nobody is asked for more in a second than its slots are.
    for host in HOSTS:
        times = sorted(one.measured_at for one in taken if one.metric == host)
        window = PER_SECOND + AT_ONCE
        assert all(later - earlier >= timedelta(seconds=1) for earlier, later in zip(times, times[window:], strict=False))
    assert hours.next_due() is None


def test_a_party_that_takes_long_holds_up_nobody_else() -> None:
    slow = "https://slow"
    hours = VirtualHours({slow: 20.0})
    hours.verify(80, [slow, *HOSTS], count=2, interval_s=30)
    hours.advance(1800)
    late = {
        host: max((one.measured_at - one.due_at).total_seconds() for one in hours.facts(MeasurementTaken) if one.metric == host)
        for host in (slow, *HOSTS)
    }
    assert late.pop(slow) > 10
    assert max(late.values()) <= 0.1
    assert len(hours.facts(VerificationPassed)) == 80


def test_what_piled_up_while_nobody_could_ask_is_asked_at_once_and_then_again_at_its_interval() -> None:
    hours = VirtualHours()
    hours.verify(300, HOSTS[:1], count=3, interval_s=30)
    hours.advance(2.0)
    before = len(hours.facts(MeasurementTaken))
    hours.now += timedelta(seconds=500)  # the process was away
    hours.run()
    hours.advance(120)
    by_metric: dict[str, list[MeasurementTaken]] = {}
    for one in hours.facts(MeasurementTaken):
        by_metric.setdefault(one.verification_id, []).append(one)
    assert 0 < before < 300
    assert all([one.number for one in ones] == [1, 2, 3] for ones in by_metric.values())
    assert all(
        later.measured_at - earlier.measured_at >= timedelta(seconds=30)
        for ones in by_metric.values()
        for earlier, later in pairwise(ones)
    )
    assert len(hours.asked) == len({key for key, _ in hours.asked}) == 900
