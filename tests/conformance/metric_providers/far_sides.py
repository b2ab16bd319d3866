"""What tests of metric providers against pretended far sides share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import orjson

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import provider_of
from libs.metric_providers.port import Asking
from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound


async def measured(outbound: Outbound, at: datetime, **given: Any) -> Json:
    """What the provider of this configuration, as it is sent, answers."""
    known = provider_of(MetricProvider.model_validate(given))
    assert known is not None, given
    return await known.measure(known.config.model_validate(given), Asking(outbound, lambda: at))


def answer(body: Any, status: int = 200) -> Answer:
    """An answer that says something in JSON."""
    return Answer(status, httpx.Headers(), orjson.dumps(body))
