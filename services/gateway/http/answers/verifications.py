"""Verifications with their metrics and measurements."""

from __future__ import annotations

from typing import Literal

from contracts.shapes import Json
from services.gateway.http.answers.form import AnswerModel, Timestamp, by_wire_names

Standing = Literal["running", "passed", "failed", "inconclusive", "cancelled"]


class Comparison(AnswerModel):
    """A metric's mean beside that of the previous good release over the same time; without a ratio where that one is 0."""

    mean: float
    baseline: float
    ratio: float | None = None
    change: float
    samples: int


class Measurement(AnswerModel):
    """One answer of a metric.

    Attributes:
        asked: what was sent to whom, without secrets.
        data: what came back.
        conditions: what each condition that was looked at came to.
        value: the number that sums it up.
        error: nothing came back that could be judged.
        held: there was nothing to judge, and the metric waits for it.
    """

    metric: str
    number: int
    status: Literal["passed", "failed", "inconclusive"]
    measured_at: Timestamp
    due_at: Timestamp
    message: str = ""
    value: float | None = None
    comparison: Comparison | None = None
    error: bool = False
    held: bool = False
    asked: Json | None = None
    data: Json | None = None
    conditions: dict[str, str] | None = None


class ListedMetric(AnswerModel):
    """A metric as its author wrote it, and what it comes to."""

    model_config = by_wire_names("allow")
    name: str
    interval_seconds: int
    count: int
    provider: Json
    success_condition: str
    first_at: Timestamp = ""
    status: Standing


class MetricStatus(ListedMetric):
    """A metric with its newest measurements, oldest first."""

    measurements: list[Measurement]


class _Verification(AnswerModel):
    """Whether what a job deployed is healthy.

    Attributes:
        attempt: 1, or more where a person asked for it again (`reason`); the newest one counts.
        metric: the one that decided it, `message` says how.
        reaction: what its failure does beside what rollback rules say.
        note: what a person should know beside how it stands: what is not measured, or that nothing was seen to be good although it passed.
        watching: it passed, and is measured on until `watchedUntil`.
        after_passing: it had passed before it failed.
    """

    id: str
    job_id: str
    release_id: str
    policy_id: str = ""
    rule_id: str = ""
    attempt: int
    reason: str = ""
    created_at: Timestamp
    finished_at: Timestamp = ""
    status: Standing
    message: str = ""
    note: str = ""
    metric: str = ""
    reaction: Literal["hold", "rollBack"] | None = None
    continue_seconds: int | None = None
    watching: bool = False
    watched_until: Timestamp = ""
    after_passing: bool = False


class ListedVerification(_Verification):
    """A verification without its measurements."""

    metrics: list[ListedMetric]


class Verification(_Verification):
    """A verification with its newest measurements; `measurementsTotal` counts all that were taken."""

    metrics: list[MetricStatus]
    measurements_total: int
