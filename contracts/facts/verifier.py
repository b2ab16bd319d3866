"""Facts that only verifier appends: is what was deployed healthy?"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import Json, MetricSpec


class _Verification(Fact):
    verification_id: str
    job_id: str
    release_id: str
    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str

    @property
    def stream(self) -> str:
        return f"verification/{self.verification_id}"


@fact
class VerificationStarted(_Verification):
    """Measuring began: one verification per job and rule, and one more each time that a person asks for it again.

    Attributes:
        metrics: with their conditions rendered.
        first_at: when each of them is measured first; a provider with many is not asked for all at once.
        attempt: 1, 2, 3 … for the same job and rule; the newest is the one that counts.
        reason: why a person wanted it again; empty for the first.
        continue_seconds: so long the metrics are measured on after they passed.
        note: what is not measured although the job's agent wants it, and why.
    """

    TYPE: ClassVar[str] = "verifier.verification_started.v1"
    policy_id: str
    rule_id: str
    metrics: tuple[MetricSpec, ...]
    first_at: tuple[datetime, ...]
    attempt: int = 1
    reason: str = ""
    continue_seconds: int | None = None
    note: str = ""
    started_at: datetime


class Comparison(BaseModel):
    """A metric's mean so far beside the previous good release's over the same time; `ratio` is None where that one is 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    mean: float
    baseline: float
    ratio: float | None
    change: float
    samples: int


@fact
class MeasurementTaken(_Verification):
    """One metric was asked once. `number` counts 1, 2, 3 … per metric.

    Attributes:
        asked: the provider's configuration with its templates rendered, without secrets, bounded.
        data: what came back, bounded.
        conditions: what each condition that was looked at came to: `true`, `false`, or why it could not be told.
        value: the number that is compared or shown as a series; None where the result has none.
        comparison: with the previous good release, where the metric asks for it and there is one.
        due_at: when it was to be measured.
        measured_at: when it was.
        error: no result came back, or none that could be judged: as `inconclusive` it is no measurement and only the cause of another
            try, several in a row are `failed`.
        held: there was nothing to judge (no data, or no baseline), and the metric waits for it: no measurement that counts.
        retry_after_s: the provider wants to be left alone for so long; the next measurement is not due before.
        standing: what the metric comes to with this measurement; while it is measured on after passing, in the round that runs. None
            where it is not told.
    """

    TYPE: ClassVar[str] = "verifier.measurement_taken.v1"
    metric: str
    number: int
    status: Literal["passed", "failed", "inconclusive"]
    message: str | None = None
    asked: Json = Field(default_factory=dict)
    data: Json = Field(default_factory=dict)
    conditions: dict[str, str] = Field(default_factory=dict)
    value: float | None = None
    comparison: Comparison | None = None
    due_at: datetime
    measured_at: datetime
    error: bool = False
    held: bool = False
    retry_after_s: float | None = None
    standing: Literal["running", "passed", "failed", "inconclusive"] | None = None


class DroppedMeasurement(BaseModel):
    """A measurement that is not taken any more, by metric and number."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    metric: str
    number: int


class NextMeasurement(BaseModel):
    """The measurement with which a metric goes on after it passed."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    metric: str
    number: int


class _Ended(_Verification):
    """`dropped` are the next measurements of metrics that were still open."""

    finished_at: datetime
    dropped: tuple[DroppedMeasurement, ...] = ()


@fact
class VerificationPassed(_Ended):
    """Every metric that counts passed.

    Attributes:
        note: what a person should know all the same, such as that not one measurement passed.
        watched_until: until then the metrics are measured on, and the verification can still fail.
        following: with which measurements, one for each metric.
    """

    TYPE: ClassVar[str] = "verifier.verification_passed.v1"
    note: str | None = None
    watched_until: datetime | None = None
    following: tuple[NextMeasurement, ...] = ()


@fact
class VerificationFailed(_Ended):
    """A metric failed; `metric` names it and `message` says how.

    Attributes:
        reaction: the metric's: `hold` asks a person, `rollBack` sends the target back, None leaves it to rollback rules.
        after_passing: it had passed before, and failed while it was measured on.
    """

    TYPE: ClassVar[str] = "verifier.verification_failed.v1"
    metric: str
    message: str
    reaction: Literal["hold", "rollBack"] | None = None
    after_passing: bool = False


@fact
class VerificationInconclusive(_Ended):
    """No metric failed, but one could not be told: too few of its measurements had anything to judge."""

    TYPE: ClassVar[str] = "verifier.verification_inconclusive.v1"
    metric: str
    message: str


@fact
class VerificationCancelled(_Ended):
    """It ended without a verdict, because what it measured is not there any more: another release runs on the target, or the target is gone."""

    TYPE: ClassVar[str] = "verifier.verification_cancelled.v1"
    reason: str


@fact
class WatchEnded(_Ended):
    """The time after passing is over, and no metric failed in it; or what was watched is not there any more (`reason`)."""

    TYPE: ClassVar[str] = "verifier.watch_ended.v1"
    reason: str = ""
