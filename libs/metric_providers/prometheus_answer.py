"""Reads what Prometheus' API answers; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from contracts.shapes import Json
from libs.metric_providers.answers import result_of

if TYPE_CHECKING:
    from libs.outbound.answer import Answer

INFINITE: Final = 1e290
"""Stands for an infinite sample, for which JSON has no number; large enough for every comparison, small enough to be added up."""


def read(answer: Answer) -> Json:
    """The `result` of an answer, whatever its status: that of HTTP, and

    - `ok`: 2xx and the body says success;
    - `results`: a list of `metric` (its labels), `value` (a number, or None where the sample is none) and, of a range, `values` (a list of
      `[unix seconds, number or None]`), a series each; the value of a range is its last sample;
    - `value`: the first series', where it is a number; else `noData: true`, as when there is no series at all;
    - `error` and `errorType` where it is not ok.
    """
    result = result_of(answer)
    told = result.get("json")
    said = told if isinstance(told, dict) else {}
    result["ok"] = answer.ok and said.get("status") == "success"
    if not result["ok"]:
        result.update(_error(answer, said))
        return result
    data = said.get("data")
    result["results"] = _series(data) if isinstance(data, dict) else []
    first = result["results"][0]["value"] if result["results"] else None
    if first is None:
        result["noData"] = True
    else:
        result["value"] = first
    return result


def _error(answer: Answer, said: dict[str, Any]) -> Json:
    error = {key: said[key] for key in ("error", "errorType") if isinstance(said.get(key), str)}
    kind = answer.headers.get("content-type", "no content type")
    return {"error": f"the answer with status {answer.status} is none of Prometheus' API ({kind})", **error}


def _series(data: dict[str, Any]) -> list[Json]:
    found = data.get("result")
    match data.get("resultType"):
        case "vector" if isinstance(found, list):
            return [{"metric": _labels(one), "value": _sample(one.get("value"))[1]} for one in found if isinstance(one, dict)]
        case "matrix" if isinstance(found, list):
            return [_range(one) for one in found if isinstance(one, dict)]
        case "scalar":
            return [{"metric": {}, "value": _sample(found)[1]}]
        case _:  # a text, which no condition about numbers can judge
            return []


def _range(series: dict[str, Any]) -> Json:
    given = series.get("values")
    values = [_sample(one) for one in given] if isinstance(given, list) else []
    return {"metric": _labels(series), "value": values[-1][1] if values else None, "values": [list(one) for one in values]}


def _labels(series: dict[str, Any]) -> dict[str, Any]:
    labels = series.get("metric")
    return labels if isinstance(labels, dict) else {}


def _sample(pair: Any) -> tuple[float | None, float | None]:
    """When, in Unix seconds, and what."""
    match pair:
        case [int() | float() as at, str() as text]:
            return at, _number(text)
        case _:  # a histogram is no number
            return None, None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if math.isnan(number):
        return None
    return math.copysign(INFINITE, number) if math.isinf(number) else number
