"""Verdicts of metrics and verifications under any sequence of answers."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
    WatchEnded,
)
from contracts.shapes import MetricSpec
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.verifier.app import service
from services.verifier.state import State
from services.verifier.tally import Tally
from services.verifier.verdict import Standing, metric_verdict
from tests.unit.verifier.verifier_scene import BAD, ERROR, GOOD, Scene, metric
from tests.unit.verifier.verifier_tally import tally_of

ENDS = (VerificationPassed, VerificationFailed, VerificationInconclusive, VerificationCancelled)
EMPTY = {**GOOD, "noData": True}

specs = st.builds(
    lambda count, limit, threshold, minimum: metric(
        count=count, failure_threshold=limit, success_threshold=threshold, minimum_samples=minimum
    ),
    count=st.integers(1, 5),
    limit=st.integers(-1, 5),
    threshold=st.none() | st.integers(-1, 6),
    minimum=st.none() | st.integers(1, 5),
)
letters = st.text(st.sampled_from("pfiehE"), max_size=12)


def to_the_end(spec: MetricSpec, tally: Tally) -> Standing:
    """What the rules say of a metric that is measured to its count, with nothing decided before."""
    if tally.failed > max(spec.failure_threshold, 0):
        return "failed"
    return "passed" if tally.passed + tally.failed >= (spec.minimum_samples or 0) else "inconclusive"


@given(specs, letters)
def test_a_metric_is_never_left_undecided_once_it_was_measured_so_often(spec: MetricSpec, measurements: str) -> None:
    tally = tally_of(measurements, spec)
    if tally.measured >= spec.count:
        assert metric_verdict(spec, tally) != "running"


@settings(max_examples=60)
@given(specs, letters)
def test_what_is_said_early_is_what_every_continuation_would_say(spec: MetricSpec, measurements: str) -> None:
    tally = tally_of("")
    so_far = ""
    for letter in measurements:
        so_far += letter
        tally = tally_of(so_far, spec)
        if metric_verdict(spec, tally) != "running":
            break
    verdict = metric_verdict(spec, tally)
    left = spec.count - tally.measured
    wanted = spec.success_threshold or 0
    if verdict == "running" or left <= 0 or 0 < wanted <= tally.streak:
        return  # nothing early, or early because the metric says that so many passes are enough
    said = {to_the_end(spec, tally_of(so_far + "".join(rest), spec)) for rest in product("pfi", repeat=left)}
    assert said == {verdict}


@given(specs, letters)
def test_a_failure_stays_one_whatever_follows(spec: MetricSpec, measurements: str) -> None:
    verdicts = [metric_verdict(spec, tally_of(measurements[:end], spec)) for end in range(len(measurements) + 1)]
    if "failed" in verdicts:
        assert set(verdicts[verdicts.index("failed") :]) == {"failed"}


metrics = st.builds(
    lambda count, limit, minimum, reaction, no_data, interval: {
        "count": count,
        "failure_threshold": limit,
        "minimum_samples": minimum,
        "reaction": reaction,
        "no_data": no_data,
        "interval_seconds": interval,
    },
    count=st.integers(1, 4),
    limit=st.integers(0, 2),
    minimum=st.none() | st.integers(1, 2),
    reaction=st.sampled_from([None, "observe", "hold", "rollBack"]),
    no_data=st.sampled_from([None, "fail", "pass", "hold"]),
    interval=st.integers(1, 90),
)
answers = st.lists(st.sampled_from([GOOD, GOOD, BAD, ERROR, EMPTY]), min_size=1, max_size=8)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(metrics, answers), min_size=1, max_size=3),
    st.none() | st.integers(1, 300),
    st.none() | st.integers(0, 400),
    st.booleans(),
)
def test_any_verification_ends_once_and_nothing_is_asked_early_twice_or_afterwards(
    chosen: list[tuple[dict[str, object], list[dict[str, object]]]], watch: int | None, overtaken: int | None, again: bool
) -> None:
    scene = Scene(**{str(number): list(given_) for number, (_, given_) in enumerate(chosen)})
    scene.require(*(metric(str(number), **fields) for number, (fields, _) in enumerate(chosen)), continue_seconds=watch)
    if overtaken is not None:
        scene.advance(overtaken)
        scene.job("next", "release 2", "inProgress")
    scene.advance(4_000)
    if again and overtaken is None:
        scene.again(scene.facts(VerificationStarted)[0].verification_id)
        scene.advance(4_000)

    for started in scene.facts(VerificationStarted):
        mine = [one.fact for one in scene.log if getattr(one.fact, "verification_id", None) == started.verification_id]
        assert isinstance(mine[0], VerificationStarted)
        ends = [one for one in mine if isinstance(one, ENDS)]
        if len(ends) == 2:
            assert isinstance(ends[0], VerificationPassed)
            assert isinstance(ends[1], VerificationFailed)
            assert ends[1].after_passing
        else:
            (end,) = ends
            assert not (isinstance(end, VerificationFailed) and end.after_passing)
        watched = isinstance(ends[0], VerificationPassed) and ends[0].watched_until is not None
        assert sum(isinstance(one, WatchEnded) for one in mine) == (watched and len(ends) == 1)
        # Nothing more is said once it ended.
        assert isinstance(mine[-1], ENDS if not watched else (WatchEnded, VerificationFailed))
        taken = [one for one in mine if isinstance(one, MeasurementTaken)]
        for spec, first_at in zip(started.metrics, started.first_at, strict=True):
            of_metric = [one for one in taken if one.metric == spec.name]
            assert [one.number for one in of_metric] == list(range(1, len(of_metric) + 1))
            due = first_at
            for one in of_metric:
                assert one.due_at == due <= one.measured_at
                due = one.measured_at + timedelta(seconds=spec.interval_seconds)
    assert scene.next_due() is None
    assert not scene.room("verifier").state.running
    state = scene.room("verifier").state
    assert decode(State, encode(State, state)) == state
    assert refold(service, scene.log) == state
