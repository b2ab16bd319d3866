"""When measuring begins: once for each job and verification rule, and again when a person asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationStarted
from contracts.shapes import Json, MetricSpec
from libs.cel.limits import SOURCE_CHARS
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.service import Draft
from services.verifier.about import about_of
from services.verifier.cancelling import GONE, OVERTAKEN, cancelled, gone, overtaken
from services.verifier.documents import context_of, rendered
from services.verifier.due import delay_s
from services.verifier.ending import passed
from services.verifier.slots import Slots, first_times
from services.verifier.state import State, begun, key_of
from services.verifier.who_is_asked import parties_of

MAX_METRICS_BYTES: Final = MAX_FACT_BYTES - 16 * 1024
"""What the metrics of a verification may have as JSON with the times of their first measurements, so that the fact about its start can be
recorded, also with a reason."""
TIME_BYTES: Final = 32
"""A time as JSON."""


def id_of(job_id: str, rule_id: str, attempt: int) -> str:
    """The id of a verification: the same job, rule and attempt are the same verification."""
    return str(uuid5(UUID(job_id), rule_id if attempt == 1 else f"{rule_id}/{attempt}"))


def starts(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """Start every verification that is required and was not started before."""
    slots = state.slots
    new: set[str] = set()
    drafts: list[Draft] = []
    for one in recorded:
        if one.type != VerificationRequired.TYPE:
            continue
        required = one.fact
        assert isinstance(required, VerificationRequired), f"{one.type} holds {required!r}"
        verification_id = id_of(required.job_id, required.rule_id, 1)
        if verification_id in state.running or verification_id in state.known or verification_id in new:
            continue
        new.add(verification_id)
        started, slots = _started(verification_id, required, state, slots, now)
        drafts.append(Draft(started, one))
        drafts.extend(Draft(end, one) for end in _ended_at_once(started, state, now))
    return drafts


def timed(
    metrics: tuple[MetricSpec, ...], parties: tuple[str, ...], slots: Slots, now: datetime
) -> tuple[Slots, tuple[datetime, ...]]:
    """When each metric, asking its party, is measured first, and the slots afterwards."""
    slots, times = first_times(slots, parties, now)
    return slots, tuple(at + timedelta(seconds=delay_s(spec)) for spec, at in zip(metrics, times, strict=True))


def _started(
    verification_id: str, required: VerificationRequired, state: State, slots: Slots, now: datetime
) -> tuple[VerificationStarted, Slots]:
    context = context_of(state, required)
    # Conditions are rendered once, here, so that all measurements are judged alike; of two metrics with one name the first counts.
    metrics: dict[str, MetricSpec] = {}
    for spec in required.metrics:
        metrics.setdefault(spec.name, spec)
    rendered_metrics = tuple(_with_conditions(spec, context) for spec in metrics.values())
    if sum(len(spec.model_dump_json().encode()) + TIME_BYTES for spec in rendered_metrics) > MAX_METRICS_BYTES:
        # More than one fact holds, because of what the templates bring in. As templates the conditions fail, and show why.
        rendered_metrics = tuple(metrics.values())
    slots, first_at = timed(rendered_metrics, parties_of(rendered_metrics, state, required), slots, now)
    started = VerificationStarted(
        **about_of(required, verification_id),
        policy_id=required.policy_id,
        rule_id=required.rule_id,
        metrics=rendered_metrics,
        first_at=first_at,
        continue_seconds=required.continue_seconds,
        note=required.note,
        started_at=now,
    )
    return started, slots


def _ended_at_once(fact: VerificationStarted, state: State, now: datetime) -> list[Fact]:
    """How a verification ends that has nothing to measure, or nothing any more."""
    reason = GONE if gone(state, fact) else OVERTAKEN if overtaken(state, key_of(fact), fact.job_id, fact.release_id) else None
    if reason is not None:
        return [cancelled(begun(fact), reason, now)]
    return [] if fact.metrics else [passed(fact, now)]


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
