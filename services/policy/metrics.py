"""What of a policy's metrics can be checked when it is saved: their templates, durations and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from contracts.command import Refused
from contracts.commands.policy import SavePolicy
from contracts.shapes import HttpProvider, MetricSpec
from libs.template import TemplateError, parse

LONGEST_NAME: Final = 256
"""Characters of a metric's name, which every fact about its measurements repeats."""

_DURATION: Final = re.compile(r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")


def check_metrics(wish: SavePolicy) -> None:
    """Check the metrics of a policy.

    Raises:
        Refused: `invalid` with code INVALID_METRIC; `details` lists `{path, message}` of everything that is wrong.
    """
    details: list[dict[str, Any]] = []
    for index, rule in enumerate(wish.rules):
        for number, metric in enumerate(rule.verification.metrics if rule.verification is not None else ()):
            at = f"/body/rules/{index}/verification/metrics/{number}"
            details += ({"path": f"{at}/{where}", "message": message} for where, message in _problems(metric))
    if details:
        first = details[0]
        raise Refused("invalid", f"Invalid metric: {first['path']}: {first['message']}", code="INVALID_METRIC", details=details)


def _problems(metric: MetricSpec) -> Iterator[tuple[str, str]]:
    if len(metric.name) > LONGEST_NAME:
        yield "name", f"the name has {len(metric.name)} characters, at most {LONGEST_NAME} are allowed"
    for where, text in _templates(metric):
        try:
            parse(text)
        except TemplateError as error:
            yield where, str(error)
    if isinstance(metric.provider, HttpProvider) and not _lasts(metric.provider.timeout):
        yield "provider/timeout", f"{metric.provider.timeout!r} is no duration above 0; write for example 30s or 1m30s"


def _templates(metric: MetricSpec) -> Iterator[tuple[str, str]]:
    yield "successCondition", metric.success_condition
    if metric.failure_condition:
        yield "failureCondition", metric.failure_condition
    if isinstance(provider := metric.provider, HttpProvider):
        yield "provider/url", provider.url
        for name, value in (provider.headers or {}).items():
            yield f"provider/headers/{name}", value
        if provider.body is not None:
            yield "provider/body", provider.body


def _lasts(duration: str) -> bool:
    return _DURATION.fullmatch(duration) is not None and any(digit in duration for digit in "123456789")
