"""Traces: one span per recorded fact, in the trace of its version.

Ids come from the facts themselves (see `libs.runtime.trace`), so spans of six services and two weeks meet in one trace without anything
being handed around: the trace is the correlation id, the span is the fact, its parent is the fact that led to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from contracts.envelope import Recorded


class _GivenIds(IdGenerator):
    """Hands out the id that was put in before."""

    def __init__(self) -> None:
        self.next_span = 1

    def generate_span_id(self) -> int:
        return self.next_span

    def generate_trace_id(self) -> int:
        raise AssertionError("every fact has a trace of its own already")


class Tracing:
    """Turns recorded facts into spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._ids = _GivenIds()
        self.provider = TracerProvider(resource=Resource.create({"service.name": "signalbox"}), id_generator=self._ids)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("signalbox")

    def recorded(self, workspace_id: str, _head: int, facts: Sequence[Recorded]) -> None:
        """Make a span of each fact; a listener for `EventLog.on_commit`."""
        for one in facts:
            parent = SpanContext(
                trace_id=UUID(one.correlation_id).int,
                span_id=_span_id(one.causation_id),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
            self._ids.next_span = _span_id(one.id)
            span = self._tracer.start_span(
                one.type,
                context=trace.set_span_in_context(NonRecordingSpan(parent)),
                kind=SpanKind.INTERNAL,
                start_time=_nanoseconds(one.time),
                attributes={
                    "signalbox.workspace_id": workspace_id,
                    "signalbox.position": one.position,
                    "signalbox.stream": one.stream,
                    "signalbox.auth_id": one.auth_id,
                    "signalbox.service": one.type.split(".", 1)[0],
                },
            )
            span.end(end_time=max(_nanoseconds(one.time), _nanoseconds(one.recorded_time)))

    def stop(self) -> None:
        """Export what is left."""
        self.provider.shutdown()


def tracing(exporter: Literal["none", "console", "otlp"]) -> Tracing | None:
    """Tracing as the settings want it; None for none."""
    match exporter:
        case "none":
            return None
        case "console":
            return Tracing(ConsoleSpanExporter())
        case "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return Tracing(OTLPSpanExporter())


def _span_id(fact_id: str) -> int:
    return int(UUID(fact_id).hex[16:], 16)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
