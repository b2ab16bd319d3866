"""`sleep`: waits, and is then content. Waiting needs nobody who waits: the measurement is due later."""

from __future__ import annotations

from pydantic import Field

from contracts.shapes import Json
from libs.metric_providers.port import Asking, Provider, ProviderConfig


class SleepConfig(ProviderConfig):
    """How long."""

    duration_seconds: int = Field(30, ge=1, le=3600)


async def measure(config: SleepConfig, asking: Asking) -> Json:
    """The time is over when this is asked. Gives `ok`, `value` (seconds) and `duration` (milliseconds)."""
    return {"ok": True, "value": config.duration_seconds, "duration": config.duration_seconds * 1000}


PROVIDER = Provider("sleep", SleepConfig, measure, delay_s=lambda config: float(config.duration_seconds))
