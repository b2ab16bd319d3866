"""When will targets go?"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, wish


@wish
class ForecastRollout(Query):
    """When each target of a version in an environment will be cleared if nothing else changes: answers a `Forecast`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "forecast_rollout"
    version_id: str
    environment_id: str


class ForecastTarget(BaseModel):
    """When a target will be cleared: `at`, or None where something must happen first, which `held_by` says."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    at: datetime | None
    held_by: str = ""


class Forecast(BaseModel):
    """When the targets of a rollout will be cleared if nothing else changes; jobs are taken to succeed at once.

    Attributes:
        targets: in order of time, those without one last.
        done_at: when the last of them is cleared; None when one is held.
        message: the same in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    environment_id: str
    position: int
    message: str
    targets: tuple[ForecastTarget, ...]
    done_at: datetime | None
