"""Trace context that needs no memory: the trace id is the correlation id, the span id comes from the fact's id.

A version's id is the correlation id of everything that happens because of it, so one trace follows it through all services, over
restarts and days, and the ids are the same when a decision is made again.
"""

from __future__ import annotations

from uuid import UUID


def span_of(correlation_id: str, fact_id: str) -> str:
    """The W3C traceparent of a fact."""
    return f"00-{UUID(correlation_id).hex}-{UUID(fact_id).hex[16:]}-01"
