"""How one result is judged by the conditions of its metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson

from contracts.shapes import Json, MetricSpec
from libs.cel import CelProblems, Outcome, contexts

MAX_ERRORS = 5
"""Questions in a row without a result, from which on each counts as a failed measurement."""
KEPT_TEXT = 4 * 1024
"""Characters of a result's body that are recorded."""
KEPT_MESSAGE = 2 * 1024
"""Characters of a reason, which may quote a condition and data, that are recorded."""
SHOWN_ANSWER = 160
"""Characters of an answer that a message repeats; the whole is with the measurement."""
KEPT_HEADERS = 32
KEPT_HEADER_TEXT = 256
KEPT_DEPTH = 32
"""Levels of a JSON body that are recorded."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one answer of a provider counts; `error` when there was nothing to judge."""

    status: Literal["passed", "failed", "inconclusive"]
    message: str | None = None
    error: bool = False


def judge(spec: MetricSpec, answer: Json, errors_before: int) -> Judgement:
    """Judge what a provider answered.

    The failure condition goes first. A missing key makes a condition false; any other error of it fails the measurement. When
    neither condition is true the measurement failed, unless there is a failure condition to say so: then it is inconclusive.

    Args:
        spec: the metric, its conditions rendered.
        answer: the result as `complete` made it, or `{"error": …}` when none came back.
        errors_before: how often in a row none came back before.
    """
    if "error" in answer and "ok" not in answer:
        return _no_result(str(answer["error"]), errors_before)
    try:
        if spec.failure_condition:
            verdict = contexts.RESULT.compile(spec.failure_condition).verdict(result=answer)
            if verdict.is_error:
                return Judgement(
                    "failed", _said(f"the failure condition `{spec.failure_condition}` broke: {verdict.message}", answer)
                )
            if verdict.outcome is Outcome.MATCH:
                return Judgement("failed", _said(f"the failure condition `{spec.failure_condition}` is true", answer))
        verdict = contexts.RESULT.compile(spec.success_condition).verdict(result=answer)
    except CelProblems as refused:
        return _no_result(f"a condition can not be read: {refused}", errors_before)
    if verdict.outcome is Outcome.MATCH:
        return Judgement("passed")
    if verdict.is_error:
        return Judgement("failed", _said(f"the success condition `{spec.success_condition}` broke: {verdict.message}", answer))
    if spec.failure_condition:
        return Judgement("inconclusive", _said("neither the success nor the failure condition is true", answer))
    return Judgement("failed", _said(f"the success condition `{spec.success_condition}` is not true", answer))


def _no_result(why: str, errors_before: int) -> Judgement:
    again = errors_before + 1
    why = str(_storable(why[:KEPT_MESSAGE]))
    if again >= MAX_ERRORS:
        return Judgement("failed", f"no result {again} times in a row: {why}", error=True)
    return Judgement("inconclusive", f"no result, asked again after an interval: {why}", error=True)


def _said(text: str, answer: Json) -> str:
    told = _storable(text) if len(text) <= KEPT_MESSAGE else f"{_storable(text[:KEPT_MESSAGE])}…"
    body = answer.get("body")
    if "json" in answer and isinstance(body, str):  # a page of HTML would explain nothing
        told = f"{told}; the answer was {_storable(body[:SHOWN_ANSWER])}{'…' if len(body) > SHOWN_ANSWER else ''}"
    return f"{told} (HTTP {answer['statusCode']})" if "statusCode" in answer else str(told)


def complete(answer: Json) -> Json:
    """The result that conditions see: with the body as `json`, if it is JSON."""
    body = answer.get("body")
    if not isinstance(body, str):
        return answer
    try:
        return {**answer, "json": orjson.loads(body)}
    except orjson.JSONDecodeError:
        return answer


def bounded(result: Json) -> Json:
    """The result as it is recorded: long texts are cut, and JSON is left out where its text was."""
    kept = dict(result)
    body = kept.get("body")
    if isinstance(body, str) and len(body) > KEPT_TEXT:
        kept["body"] = body[:KEPT_TEXT]
        kept.pop("json", None)
    if _is_deep(kept.get("json")):
        del kept["json"]
    headers = kept.get("headers")
    if isinstance(headers, dict):
        kept["headers"] = {
            name[:KEPT_HEADER_TEXT]: [value[:KEPT_HEADER_TEXT] for value in headers[name][:KEPT_HEADERS]]
            for name in sorted(headers)[:KEPT_HEADERS]
        }
    return {key: _storable(value) for key, value in kept.items()}


def _storable(value: Any) -> Any:
    """The value without NUL characters, which a database text can not hold, though JSON can."""
    match value:
        case str():
            return value.replace("\x00", "\ufffd")
        case dict():
            return {_storable(key): _storable(inner) for key, inner in value.items()}
        case list():
            return [_storable(inner) for inner in value]
        case _:
            return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(KEPT_DEPTH):
        level = [
            inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
