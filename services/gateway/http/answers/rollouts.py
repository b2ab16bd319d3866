"""Where versions stand, and when they will be where they go."""

from __future__ import annotations

from typing import Literal

from services.gateway.http.answers.form import AnswerModel, Timestamp
from services.gateway.http.answers.targets import Reason


class TargetStanding(AnswerModel):
    """Where a version stands on one target."""

    resource_id: str
    state: Literal["done", "going", "waiting", "blocked", "passed"]
    message: str
    look_again_at: Timestamp = ""


class RolloutExplanation(AnswerModel):
    """A version in an environment: a part of its targets, and counts of all."""

    version_id: str
    environment_id: str
    position: int
    message: str
    reasons: list[Reason]
    targets: list[TargetStanding]
    total: int
    done: int
    going: int
    waiting: int
    blocked: int
    passed: int
    next_at: Timestamp = ""
    warnings: list[str]


class VersionExplanation(AnswerModel):
    """A version in every environment beside its deployment; rollouts come without their targets."""

    version_id: str
    tag: str
    position: int
    message: str
    rollouts: list[RolloutExplanation]


class ForecastTarget(AnswerModel):
    """When a target will be cleared; without a time, what must happen first."""

    resource_id: str
    at: Timestamp = ""
    held_by: str


class Forecast(AnswerModel):
    """When the targets of a rollout will be cleared if nothing else changes."""

    version_id: str
    environment_id: str
    position: int
    message: str
    targets: list[ForecastTarget]
    done_at: Timestamp = ""
