"""How one answer of a provider is judged."""

from __future__ import annotations

from typing import Any

import pytest

from services.verifier.judgement import Judgement, judge, no_result
from services.verifier.recording import complete
from services.verifier.tally import Tally
from tests.unit.verifier.verifier_scene import BAD, GOOD, id_of, metric
from tests.unit.verifier.verifier_tally import START

FRESH = Tally(due_at=START)
EMPTY: dict[str, Any] = {"ok": True, "noData": True, "duration": 1}


def judged(answer: dict[str, Any], success: str, failure: str | None = None, tally: Tally = FRESH, **fields: Any) -> Judgement:
    spec = metric(success_condition=success, failure_condition=failure, **fields)
    return judge(spec, tally, (), id_of("release"), 0.0, complete(answer))


@pytest.mark.parametrize(
    "success,failure,status,said",
    [
        ("result.ok", None, "passed", None),
        ("result.statusCode == 200", None, "passed", None),
        ("!result.ok", None, "failed", "the success condition `!result.ok` is not true; the answer was {} (HTTP 200)"),
        (
            "!result.ok",
            "result.statusCode >= 500",
            "inconclusive",
            "neither the success nor the failure condition is true; the answer was {} (HTTP 200)",
        ),
        ("result.ok", "", "passed", None),
        ("result.statusCode", None, "failed", None),
    ],
)
def test_conditions_decide(success: str, failure: str | None, status: str, said: str | None) -> None:
    judgement = judged(GOOD, success, failure)
    assert (judgement.status, judgement.error, judgement.held) == (status, False, False)
    if said is not None:
        assert judgement.message == said


@pytest.mark.parametrize(
    "success,failure,told",
    [
        ("result.ok", None, {"successCondition": "true"}),
        ("!result.ok", "!result.ok", {"failureCondition": "false", "successCondition": "false"}),
        ("result.ok", "result.ok", {"failureCondition": "true"}),
        ("result.gone.ok", None, {"successCondition": "no such key"}),
    ],
)
def test_what_each_condition_came_to_is_told(success: str, failure: str | None, told: dict[str, str]) -> None:
    conditions = judged(GOOD, success, failure).conditions
    assert list(conditions) == list(told)
    assert all(said in conditions[name].lower() for name, said in told.items())


def test_vm_failure_condition_precedes_success() -> None:
    judgement = judged(GOOD, "result.ok", "result.statusCode == 200")
    assert judgement.status == "failed"
    assert judgement.message == "the failure condition `result.statusCode == 200` is true; the answer was {} (HTTP 200)"


@pytest.mark.parametrize("condition", ["result.json.bad", "!result.json.bad", "result.json.bad == 1", "!(result.json.bad == 1)"])
def test_vm_missing_key_false(condition: str) -> None:
    assert judged(GOOD, condition).status == "failed"
    assert judged(GOOD, "result.ok", condition).status == "passed"


def test_a_condition_that_breaks_fails_the_measurement() -> None:
    broken = "result.statusCode + result.body == 1"
    assert judged(GOOD, broken).status == "failed"
    assert "broke" in str(judged(GOOD, broken).message)
    assert judged(GOOD, "result.ok", broken).status == "failed"


def test_json_bodies_can_be_asked_for() -> None:
    answer = {**GOOD, "body": '{"status": "ok", "n": 3, "list": [1]}'}
    assert judged(answer, 'result.json.status == "ok" && result.json.n == 3 && size(result.json.list) == 1').status == "passed"
    assert judged({**GOOD, "body": "not json"}, "has(result.json)").status == "failed"


def test_vm_provider_error_not_recorded() -> None:
    """An error is recorded all the same, but is no measurement that counts."""
    judgements = [no_result(metric(), FRESH._replace(errors=before), "connection refused") for before in range(6)]
    assert [one.status for one in judgements] == [*["inconclusive"] * 4, "failed", "failed"]
    assert all(one.error for one in judgements)
    assert judgements[0].message == "no result, asked again after an interval: connection refused"
    assert judgements[4].message == "no result 5 times in a row: connection refused"


@pytest.mark.parametrize(
    "limit,errors,status",
    [(0, 0, "failed"), (1, 0, "inconclusive"), (1, 1, "failed"), (7, 6, "inconclusive"), (7, 7, "failed")],
)
def test_so_many_errors_in_a_row_are_no_failure_as_the_metric_says(limit: int, errors: int, status: str) -> None:
    assert no_result(metric(error_limit=limit), FRESH._replace(errors=errors), "down").status == status


@pytest.mark.parametrize("condition", ["", "result.", "resultt.ok", "<no value>"])
def test_a_condition_that_can_not_be_read_counts_as_no_result(condition: str) -> None:
    judgement = judged(GOOD, condition)
    assert (judgement.status, judgement.error) == ("inconclusive", True)
    assert "a condition can not be read" in str(judgement.message)


def test_an_answer_that_has_an_error_beside_its_result_is_a_result() -> None:
    assert judged({**BAD, "error": "from the body"}, 'result.error == "from the body"').status == "passed"


@pytest.mark.parametrize(
    "no_data,status,held",
    [(None, "passed", False), ("fail", "failed", False), ("pass", "passed", False), ("hold", "inconclusive", True)],
)
def test_an_answer_without_data_is_what_the_metric_says(no_data: str | None, status: str, held: bool) -> None:
    judgement = judged(EMPTY, "result.ok", no_data=no_data)
    assert (judgement.status, judgement.held, judgement.error) == (status, held, False)


def test_data_comes_before_conditions() -> None:
    assert judged(EMPTY, "result.ok", "result.ok", no_data="pass").status == "passed"
    assert judged(EMPTY, "result.", no_data="fail").error is False
    assert judged({**EMPTY, "noData": "true"}, "result.ok", no_data="fail").status == "passed"


@pytest.mark.parametrize("count,held,waits", [(1, 0, True), (1, 1, False), (3, 2, True), (3, 3, False)])
def test_a_metric_waits_for_data_as_often_as_it_is_measured(count: int, held: int, waits: bool) -> None:
    judgement = judged(EMPTY, "result.ok", tally=FRESH._replace(held=held), no_data="hold", count=count)
    assert (judgement.status, judgement.held) == ("inconclusive", waits)


@pytest.mark.parametrize(
    "value,number",
    [
        (3, 3.0), (0.5, 0.5), (-2, -2.0), (0, 0.0), (True, None), ("3", None), (None, None), ([1], None), (10**400, None), (1e300, None),
        (1e290, 1e290),
    ],
)  # fmt: skip
def test_the_number_of_a_result_is_its_value(value: Any, number: float | None) -> None:
    assert judged({**GOOD, "value": value}, "result.ok").value == number


def test_the_number_is_told_of_failed_measurements_too() -> None:
    assert judged({**GOOD, "value": 7}, "result.value < 5").value == 7.0
    assert judged({**EMPTY, "value": 0}, "result.ok", no_data="hold").value == 0.0
