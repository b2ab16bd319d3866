"""What of an answer is recorded."""

from __future__ import annotations

import orjson

from services.verifier.recording import KEPT_BYTES, KEPT_MESSAGE, KEPT_TEXT, bounded, complete, message_of
from tests.unit.verifier.verifier_scene import GOOD


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
    kept = bounded({**GOOD, "headers": {f"h{n:03}": ["v" * 10_000] * 2 for n in range(100)}})
    assert [len(values) for values in kept["headers"].values()] == [2] * 32
    assert len(kept["headers"]["h000"][0]) == 256
    assert len(bounded({"headers": {"h": ["v"] * 100}})["headers"]["h"]) == 32


def test_headers_of_what_was_asked_are_texts() -> None:
    assert bounded({"headers": {"X-A": "v" * 10_000}})["headers"] == {"X-A": "v" * 256}
    assert bounded({"headers": [{"key": "X-A", "value": "1"}]})["headers"] == [{"key": "X-A", "value": "1"}]


def test_what_is_largest_is_left_out_of_a_large_result() -> None:
    rows = [{"n": number, "text": "x" * 1000} for number in range(200)]
    kept = bounded({"ok": True, "value": 3, "rows": rows, "more": rows[:50], "duration": 2})
    assert (kept["ok"], kept["value"], kept["duration"], kept["rows"], kept["more"]) == (True, 3, 2, "…", "…")
    assert len(orjson.dumps(kept)) <= KEPT_BYTES


def test_long_and_many_names_are_left_out_as_well() -> None:
    kept = bounded({"ok": True, "value": 3, **{f"{number}{'n' * 1000}": 1 for number in range(200)}})
    assert (kept["ok"], kept["value"]) == (True, 3)
    assert len(orjson.dumps(kept)) <= KEPT_BYTES


def test_a_result_at_the_limit_stays_and_one_above_does_not() -> None:
    text = "x" * (KEPT_TEXT - len('{"0":""}'))
    assert bounded({str(n): text for n in range(8)}) == {str(n): text for n in range(8)}
    assert "…" in bounded({str(n): text for n in range(9)}).values()


def test_a_long_reason_is_cut() -> None:
    assert message_of("x" * KEPT_MESSAGE) == "x" * KEPT_MESSAGE
    assert message_of("x" * (KEPT_MESSAGE + 1)) == "x" * KEPT_MESSAGE + "…"
    assert message_of("a\x00b") == "a\ufffdb"
