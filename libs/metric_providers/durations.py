"""Durations as Go writes them; pure."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from libs.metric_providers.port import PLAIN

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def go_seconds(text: str) -> float | None:
    """Seconds of a Go duration such as `30s`, `1m30s` or `1.5h`; None when it is none."""
    at, total = 0, 0.0
    while part := _PART.match(text, at):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return total if at == len(text) and at > 0 else None


def _above_nothing(text: str) -> str:
    seconds = go_seconds(text)
    if seconds is None or seconds <= 0:
        raise ValueError(f"{text!r} is no duration above 0; write for example 30s or 1m30s")
    return text


Duration = Annotated[str, AfterValidator(_above_nothing), Field(json_schema_extra=PLAIN)]
"""A Go duration above 0."""
