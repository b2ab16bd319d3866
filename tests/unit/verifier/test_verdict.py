"""The decision table of a metric, at all its boundaries."""

from __future__ import annotations

import pytest

from contracts.facts.verifier import MeasurementTaken
from libs.simulation.world import START
from services.verifier.state import Tally
from services.verifier.verdict import Standing, aggregate, metric_verdict
from tests.unit.verifier.verifier_scene import ABOUT, id_of, metric

WORDS = {"p": "passed", "f": "failed", "i": "inconclusive", "e": "inconclusive", "E": "failed"}


def tally_of(measurements: str) -> Tally:
    """The tally after measurements: p passed, f failed, i inconclusive, e no result, E no result for the fifth time."""
    tally = Tally()
    for number, letter in enumerate(measurements, start=1):
        tally = tally.with_measurement(
            MeasurementTaken.model_validate(
                {
                    "verification_id": id_of("v"),
                    "job_id": id_of("job"),
                    **ABOUT,
                    "metric": "health",
                    "number": number,
                    "status": WORDS[letter],
                    "measured_at": START,
                    "error": letter in "eE",
                }
            )
        )
    return tally


@pytest.mark.parametrize(
    "measurements,count,limit,threshold,expected",
    [
        # Nothing is measured yet.
        ("", 1, 0, None, "running"),
        ("", 1, 0, 0, "running"),
        # Row vm_count_reached_passes:
        ("p", 1, 0, None, "passed"),
        ("p", 2, 0, None, "running"),
        ("pp", 2, 0, None, "passed"),
        # Row vm_limit0_first_failure_fatal:
        ("f", 5, 0, None, "failed"),
        ("ppf", 5, 0, None, "failed"),
        ("ppf", 3, 0, None, "failed"),
        ("f", 5, -1, None, "failed"),
        # Row vm_limit_reached_continues_exceeded_fails:
        ("f", 5, 1, None, "running"),
        ("fpf", 5, 1, None, "failed"),
        ("fpfp", 5, 2, None, "running"),
        ("fpfpp", 5, 2, None, "passed"),
        ("ffpff", 5, 3, None, "failed"),
        # Row vm_success_threshold_consecutive_and_reset:
        ("p", 10, 0, 2, "running"),
        ("pp", 10, 0, 2, "passed"),
        ("pip", 10, 0, 2, "running"),
        ("pipp", 10, 0, 2, "passed"),
        ("pfp", 10, 1, 2, "running"),
        ("pfpp", 10, 1, 2, "passed"),
        ("pff", 10, 1, 2, "failed"),
        ("pi", 2, 0, 2, "passed"),
        # Row vm_null_success_threshold_is_unset:
        ("p", 2, 0, 0, "running"),
        ("p", 2, 0, -1, "running"),
        # Row vm_inconclusive_continues:
        ("i", 2, 0, None, "running"),
        ("ii", 2, 0, None, "passed"),
        # Row vm_provider_error_not_recorded: no result is no measurement, unless it is the fifth in a row
        ("e", 1, 0, None, "running"),
        ("eeee", 1, 0, None, "running"),
        ("eeeep", 1, 0, None, "passed"),
        ("eeeeE", 3, 0, None, "failed"),
        ("eeeeE", 3, 1, None, "running"),
        ("eeeeEE", 3, 1, None, "failed"),
        ("pep", 10, 0, 2, "passed"),
    ],
)
def test_a_metric_is_decided(measurements: str, count: int, limit: int, threshold: int | None, expected: Standing) -> None:
    spec = metric(count=count, failure_threshold=limit, success_threshold=threshold)
    assert metric_verdict(spec, tally_of(measurements)) == expected


@pytest.mark.parametrize(
    "standings,expected",
    [
        ([], None),
        (["passed"], "passed"),
        (["passed", "passed"], "passed"),
        (["passed", "running"], "running"),
        (["running", "failed"], "failed"),
        (["failed", "passed"], "failed"),
    ],
)
def test_a_verification_is_decided(standings: list[Standing], expected: Standing | None) -> None:
    assert aggregate(standings) == expected


def test_errors_in_a_row_end_with_a_result() -> None:
    assert tally_of("eee").errors == 3
    assert tally_of("eeep").errors == 0
    assert tally_of("eeepe") == Tally(asked=5, measured=1, failed=0, streak=1, errors=1, last_at=START)
