"""When metrics are due, and whom their questions go to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from contracts.facts.verifier import MeasurementTaken
from contracts.shapes import MetricProvider, MetricSpec
from libs.metric_providers import provider_of
from libs.metric_providers.port import Provider


def due_after(spec: MetricSpec, last: MeasurementTaken) -> datetime:
    """When a metric is due after a measurement: an interval later, or when its provider wants to be asked again, if that is later."""
    return last.measured_at + timedelta(seconds=max(spec.interval_seconds, last.retry_after_s or 0.0) + delay_s(spec))


def delay_s(spec: MetricSpec) -> float:
    """Seconds that a measurement is due later than it would be, because its provider waits."""
    known = provider_of(spec.provider)
    if known is None or known.delay_s is None:
        return 0.0
    config = _config(known, spec.provider)
    return 0.0 if config is None else known.delay_s(config)


def party_of(provider: MetricProvider) -> str:
    """Who is asked, such as a host; empty for nobody in particular."""
    known = provider_of(provider)
    config = _config(known, provider)
    return "" if known is None or config is None else known.party(config)


def _config(known: Provider[Any] | None, provider: MetricProvider) -> Any:
    """The configuration as its provider reads it, perhaps with templates in it; None when it can not."""
    if known is None:
        return None
    try:
        return known.config.model_validate(provider.given)
    except ValidationError:
        return None
