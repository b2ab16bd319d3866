"""Trace context that needs no memory: the trace id is the correlation id, the span id comes from the fact's id.

A version's id is the correlation id of everything that happens because of it, so one trace follows it through all services, over
restarts and days, and the ids are the same when a decision is made again.
"""

from __future__ import annotations


def span_of(correlation_id: str, fact_id: str) -> str:
    """The W3C traceparent of a fact; both ids are canonical uuids, and the span is the last half of the fact's."""
    return f"00-{correlation_id.replace('-', '')}-{fact_id[19:23]}{fact_id[24:]}-01"
