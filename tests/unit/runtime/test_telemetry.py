"""Spans: one trace for all that happens because of a version, and each fact below the one that led to it."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.envelope import Recorded
from libs.runtime.telemetry import Tracing
from tests.simulation.shop import INTERVAL_S, Shop


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop in which a version went everywhere and the next one was rolled back."""
    shop = Shop()
    shop.policies()
    first = shop.post("v1")
    shop.approve(first)
    shop.advance(120)
    shop.bad("v2", "staging")
    shop.post("v2")
    shop.advance(4 * INTERVAL_S)
    return shop


def spans_of(facts: list[Recorded]) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    for one in facts:
        tracing.recorded(one.workspace_id, one.position, [one])
    tracing.stop()
    return list(exporter.get_finished_spans())


def context(span: ReadableSpan) -> tuple[int, int]:
    """Trace id and span id."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def test_every_fact_is_a_span_with_the_ids_of_its_traceparent(shop: Shop) -> None:
    spans = spans_of(shop.log)
    assert [span.name for span in spans] == [one.type for one in shop.log]
    told = [f"00-{trace:032x}-{span:016x}-01" for trace, span in map(context, spans)]
    assert told == [one.traceparent for one in shop.log]
    assert len(set(told)) == len(told), "no two facts share a span"


def test_one_trace_follows_a_version_through_every_service(shop: Shop) -> None:
    versions = [one for one in shop.log if one.type == "planner.version_created.v1"]
    assert len(versions) == 2
    for version in versions:
        of_version = [one for one in shop.log if getattr(one.fact, "version_id", None) == version.fact.stream.split("/")[1]]
        spans = spans_of(of_version)
        assert len({context(span)[0] for span in spans}) == 1
        services = {span.attributes["signalbox.service"] for span in spans if span.attributes}
        assert services == {"planner", "policy", "dispatcher", "verifier"}


def test_the_parent_of_a_span_is_the_fact_that_led_to_it(shop: Shop) -> None:
    known = {one.id: context(span)[1] for one, span in zip(shop.log, spans_of(shop.log), strict=True)}
    followed: set[str] = set()
    for one, span in zip(shop.log, spans_of(shop.log), strict=True):
        assert span.parent is not None
        if one.causation_id in known:
            followed.add(one.type)
            assert span.parent.span_id == known[one.causation_id]
    assert followed >= {
        "policy.targets_cleared.v1",
        "planner.releases_created.v1",
        "dispatcher.job_created.v1",
        "dispatcher.job_dispatched.v1",
        "policy.verification_required.v1",
        "verifier.verification_started.v1",
        "policy.rollback_required.v1",
        "planner.rollback_started.v1",
    }


def test_a_span_lasts_from_the_decision_to_the_record_and_says_where_it_stands(shop: Shop) -> None:
    (span,) = spans_of(shop.log[:1])
    one = shop.log[0]
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time / 1e9 == one.time.timestamp()
    assert span.end_time >= span.start_time
    assert dict(span.attributes or {}) == {
        "signalbox.workspace_id": one.workspace_id,
        "signalbox.position": 1,
        "signalbox.stream": one.stream,
        "signalbox.auth_id": "user:ana",
        "signalbox.service": "inventory",
    }
