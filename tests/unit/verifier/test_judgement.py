"""How one answer of a provider is judged, and what of it is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from services.verifier.judgement import KEPT_TEXT, Judgement, bounded, complete, judge
from tests.unit.verifier.verifier_scene import BAD, ERROR, GOOD, metric


def judged(answer: dict[str, Any], success: str, failure: str | None = None, errors_before: int = 0) -> Judgement:
    return judge(metric(success_condition=success, failure_condition=failure), complete(answer), errors_before)


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
    assert (judgement.status, judgement.error) == (status, False)
    if said is not None:
        assert judgement.message == said


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
    judgements = [judged(ERROR, "result.ok", errors_before=before) for before in range(6)]
    assert [one.status for one in judgements] == [*["inconclusive"] * 4, "failed", "failed"]
    assert all(one.error for one in judgements)
    assert judgements[0].message == "no result, asked again after an interval: connection refused"
    assert judgements[4].message == "no result 5 times in a row: connection refused"


@pytest.mark.parametrize("condition", ["", "result.", "resultt.ok", "<no value>"])
def test_a_condition_that_can_not_be_read_counts_as_no_result(condition: str) -> None:
    judgement = judged(GOOD, condition)
    assert (judgement.status, judgement.error) == ("inconclusive", True)
    assert "a condition can not be read" in str(judgement.message)


def test_an_answer_that_has_an_error_beside_its_result_is_a_result() -> None:
    assert judged({**BAD, "error": "from the body"}, 'result.error == "from the body"').status == "passed"


def test_a_small_result_is_recorded_whole() -> None:
    result = complete({**GOOD, "body": '{"a": [1, 2]}', "headers": {"Content-Type": ["application/json"]}})
    assert bounded(result) == result


def test_a_large_body_is_cut_and_its_json_left_out() -> None:
    result = complete({**GOOD, "body": '{"a": "' + "x" * KEPT_TEXT + '"}'})
    assert "json" in result
    kept = bounded(result)
    assert len(kept["body"]) == KEPT_TEXT
    assert "json" not in kept
    assert "json" in result


def test_deep_json_is_left_out() -> None:
    result = complete({**GOOD, "body": "[" * 200 + "]" * 200})
    assert "json" in result
    assert "json" not in bounded(result)


def test_headers_are_bounded() -> None:
    kept = bounded({**GOOD, "headers": {f"h{n:03}": ["v" * 10_000] * 100 for n in range(100)}})
    assert len(kept["headers"]) == 32
    assert [len(values) for values in kept["headers"].values()] == [32] * 32
    assert len(kept["headers"]["h000"][0]) == 256
