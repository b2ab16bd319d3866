"""The decision table of a metric, at all its boundaries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.verifier.verdict import Standing, metric_verdict
from tests.unit.verifier.verifier_scene import metric
from tests.unit.verifier.verifier_tally import START, tally_of


def verdict(measurements: str, count: int, **fields: Any) -> Standing:
    spec = metric("health", count=count, **fields)
    return metric_verdict(spec, tally_of(measurements, spec))


@pytest.mark.parametrize(
    "measurements,count,limit,threshold,minimum,expected",
    [
        # Nothing is measured yet, whatever is tolerated: also where no failure could change anything.
        ("", 1, 0, None, None, "running"),
        ("", 1, 0, 0, None, "running"),
        ("", 1, 5, None, None, "running"),
        ("", 1, 0, None, 1, "running"),
        ("e", 1, 5, None, None, "running"),
        ("h", 1, 5, None, None, "running"),
        # Row vm_count_reached_passes: at N-1, N.
        ("p", 1, 0, None, None, "passed"),
        ("p", 2, 0, None, None, "running"),
        ("pp", 2, 0, None, None, "passed"),
        ("pp", 3, 0, None, None, "running"),
        # Row vm_limit0_first_failure_fatal, at every place, and before anything else is looked at.
        ("f", 5, 0, None, None, "failed"),
        ("f", 1, 0, None, None, "failed"),
        ("ppf", 5, 0, None, None, "failed"),
        ("ppf", 3, 0, None, None, "failed"),
        ("f", 5, -1, None, None, "failed"),
        ("f", 5, 0, None, 5, "failed"),
        ("pppf", 5, 0, 3, None, "failed"),
        # Row vm_limit_reached_continues_exceeded_fails: F at L-1, L, L+1.
        ("p", 5, 2, None, None, "running"),
        ("f", 5, 2, None, None, "running"),
        ("ff", 5, 2, None, None, "running"),
        ("fff", 5, 2, None, None, "failed"),
        ("fpf", 5, 1, None, None, "failed"),
        ("ffpff", 5, 3, None, None, "failed"),
        ("ffffp", 5, 4, None, None, "passed"),
        # Early: so much is tolerated that what is left can not fail it. F + left at L+1, L, L-1.
        ("pp", 5, 2, None, None, "running"),
        ("ppp", 5, 2, None, None, "passed"),
        ("pppp", 5, 2, None, None, "passed"),
        ("fpp", 5, 2, None, None, "running"),
        ("fppp", 5, 2, None, None, "passed"),
        ("ii", 5, 2, None, None, "running"),
        ("iii", 5, 2, None, None, "passed"),
        ("p", 5, 4, None, None, "passed"),
        ("f", 1, 1, None, None, "passed"),
        # ... but not before enough was told: told at M-1, M.
        ("ppp", 5, 2, None, 4, "running"),
        ("pppp", 5, 2, None, 4, "passed"),
        ("ppip", 5, 2, None, 4, "running"),
        ("ppipp", 5, 2, None, 4, "passed"),
        # Row vm_success_threshold_consecutive_and_reset: C at S-1, S; what is in between resets it.
        ("p", 10, 0, 2, None, "running"),
        ("pp", 10, 0, 2, None, "passed"),
        ("p", 10, 0, 1, None, "passed"),
        ("pip", 10, 0, 2, None, "running"),
        ("pipp", 10, 0, 2, None, "passed"),
        ("pfp", 10, 1, 2, None, "running"),
        ("pfpp", 10, 1, 2, None, "passed"),
        ("pff", 10, 1, 2, None, "failed"),
        ("pi", 2, 0, 2, None, "passed"),
        ("pp", 10, 0, 2, 3, "running"),
        ("ppp", 10, 0, 2, 3, "passed"),
        ("pp", 3, 0, 4, None, "running"),
        ("ppp", 3, 0, 4, None, "passed"),
        # Row vm_null_success_threshold_is_unset:
        ("p", 2, 0, 0, None, "running"),
        ("p", 2, 0, -1, None, "running"),
        # Row vm_inconclusive_continues: it counts, and says nothing.
        ("i", 2, 0, None, None, "running"),
        ("ii", 2, 0, None, None, "passed"),
        # Too few have said something: told + left at M+1, M, M-1.
        ("i", 3, 0, None, 1, "running"),
        ("i", 3, 0, None, 2, "running"),
        # ... which is certain only once no failure can come any more that is not tolerated: left at L+1, L.
        ("i", 3, 1, None, 3, "running"),
        ("i", 3, 2, None, 3, "inconclusive"),
        ("ii", 3, 0, None, 2, "running"),
        ("ii", 3, 1, None, 2, "inconclusive"),
        ("iif", 3, 0, None, 2, "failed"),
        ("iip", 3, 0, None, 1, "passed"),
        ("iii", 3, 0, None, 1, "inconclusive"),
        ("iip", 3, 0, None, 2, "inconclusive"),
        ("ff", 3, 1, None, 3, "failed"),
        # Row vm_provider_error_not_recorded: no result is no measurement, unless too many were none.
        ("e", 1, 0, None, None, "running"),
        ("eeee", 1, 0, None, None, "running"),
        ("eeeep", 1, 0, None, None, "passed"),
        ("eeeeE", 3, 0, None, None, "failed"),
        ("eeeeE", 3, 1, None, None, "running"),
        ("eeeeEE", 3, 1, None, None, "failed"),
        ("pep", 10, 0, 2, None, "passed"),
        # What is held is no measurement either, and leaves a streak alone.
        ("hh", 1, 0, None, None, "running"),
        ("hhp", 1, 0, None, None, "passed"),
        ("php", 10, 0, 2, None, "passed"),
        ("hhi", 1, 0, None, 1, "inconclusive"),
    ],
)  # fmt: skip
def test_a_metric_is_decided(
    measurements: str, count: int, limit: int, threshold: int | None, minimum: int | None, expected: Standing
) -> None:
    got = verdict(measurements, count, failure_threshold=limit, success_threshold=threshold, minimum_samples=minimum)
    assert got == expected


@pytest.mark.parametrize(
    "fields",
    [{"no_data": "hold"}, {"baseline": {"max_ratio": 2, "when_missing": "hold"}}],
    ids=["no data", "no baseline"],
)
@pytest.mark.parametrize(
    "measurements,expected", [("i", "running"), ("ii", "inconclusive"), ("ip", "passed"), ("if", "failed"), ("ff", "failed")]
)
def test_who_holds_does_not_pass_with_nothing_judged(fields: dict[str, Any], measurements: str, expected: Standing) -> None:
    assert verdict(measurements, 2, **fields) == expected


def test_errors_in_a_row_end_with_an_answer_also_with_one_that_is_held() -> None:
    assert tally_of("eee").errors == 3
    assert tally_of("eeep").errors == 0
    assert tally_of("eeeh").errors == 0
    assert tally_of("eeeE").errors == 4


def test_a_tally_counts_each_kind() -> None:
    tally = tally_of("pfiehE")
    assert (tally.asked, tally.measured, tally.passed, tally.failed, tally.held, tally.errors) == (6, 4, 1, 2, 1, 1)
    assert tally.due_at == START + timedelta(seconds=5 * 60 + 60)


def test_the_next_round_counts_anew_and_goes_on_with_numbers_and_times() -> None:
    tally = tally_of("pfe")
    again = tally.anew()
    assert (again.measured, again.failed, again.held) == (0, 0, 0)
    assert (again.asked, again.due_at, again.errors, again.series) == (3, tally.due_at, 1, tally.series)
