"""When measuring begins: once for each job and verification rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from contracts.envelope import Recorded
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationPassed, VerificationStarted
from contracts.shapes import Json, MetricSpec
from libs.cel.limits import SOURCE_CHARS
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Draft
from services.verifier.documents import context_of, rendered
from services.verifier.state import State

MAX_METRICS_BYTES: Final = MAX_FACT_BYTES - 8 * 1024
"""What the metrics of a verification may have as JSON, so that the fact about its start can be recorded."""


def react(state: State, recorded: Sequence[Recorded], now: datetime) -> Sequence[Draft]:
    """Start every verification that is required and was not started before."""
    started: dict[str, list[Draft]] = {}
    for one in recorded:
        if one.type != VerificationRequired.TYPE:
            continue
        required = one.fact
        assert isinstance(required, VerificationRequired), f"{one.type} holds {required!r}"
        verification_id = str(uuid5(UUID(required.job_id), required.rule_id))
        if verification_id in state.running or verification_id in state.finished or verification_id in started:
            continue
        started[verification_id] = [Draft(fact, one) for fact in _start(verification_id, required, state, now)]
    return [draft for drafts in started.values() for draft in drafts]


def _start(
    verification_id: str, required: VerificationRequired, state: State, now: datetime
) -> list[VerificationStarted | VerificationPassed]:
    context = context_of(state, required)
    # Conditions are rendered once, here, so that all measurements are judged alike; of two metrics with one name the first counts.
    metrics: dict[str, MetricSpec] = {}
    for spec in required.metrics:
        metrics.setdefault(spec.name, spec)
    rendered_metrics = tuple(_with_conditions(spec, context) for spec in metrics.values())
    if sum(len(spec.model_dump_json().encode()) for spec in rendered_metrics) > MAX_METRICS_BYTES:
        # More than one fact holds, because of what the templates bring in. As templates the conditions fail, and show why.
        rendered_metrics = tuple(metrics.values())
    about = {
        "verification_id": verification_id,
        "job_id": required.job_id,
        "release_id": required.release_id,
        "resource_id": required.resource_id,
        "environment_id": required.environment_id,
        "deployment_id": required.deployment_id,
        "version_id": required.version_id,
    }
    started = VerificationStarted(
        **about,
        policy_id=required.policy_id,
        rule_id=required.rule_id,
        metrics=rendered_metrics,
        started_at=now,
    )
    # Nothing to measure is nothing to wait for.
    return [started] if metrics else [started, VerificationPassed(**about, finished_at=now)]


def _condition(text: str, context: Json) -> str:
    """A rendered condition. What is cut here is longer than any expression may be, and is refused for it when it is judged."""
    return rendered(text, context)[: SOURCE_CHARS + 1]


def _with_conditions(spec: MetricSpec, context: Json) -> MetricSpec:
    failure = spec.failure_condition
    return spec.model_copy(
        update={
            "success_condition": _condition(spec.success_condition, context),
            "failure_condition": None if failure is None else _condition(failure, context),
        }
    )
