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
    """Measuring began: one verification per job and rule."""

    TYPE: ClassVar[str] = "verifier.verification_started.v1"
    policy_id: str
    rule_id: str
    metrics: tuple[MetricSpec, ...]
    started_at: datetime


@fact
class MeasurementTaken(_Verification):
    """One metric was asked once: what came back (bounded), and how the condition judged it. `number` counts 1, 2, 3 … per metric.

    `error` says that no result came back, or none that could be judged: as `inconclusive` it is no measurement and only the cause of
    another try, several in a row are `failed`.
    """

    TYPE: ClassVar[str] = "verifier.measurement_taken.v1"
    metric: str
    number: int
    status: Literal["passed", "failed", "inconclusive"]
    message: str | None = None
    data: Json = Field(default_factory=dict)
    measured_at: datetime
    error: bool = False


@fact
class VerificationPassed(_Verification):
    """Every metric passed."""

    TYPE: ClassVar[str] = "verifier.verification_passed.v1"
    finished_at: datetime


class DroppedMeasurement(BaseModel):
    """A measurement that is not taken any more, by metric and number."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    metric: str
    number: int


@fact
class VerificationFailed(_Verification):
    """A metric failed; `metric` names it and `message` says how. `dropped` are the next measurements of metrics still undecided."""

    TYPE: ClassVar[str] = "verifier.verification_failed.v1"
    metric: str
    message: str
    finished_at: datetime
    dropped: tuple[DroppedMeasurement, ...] = ()
