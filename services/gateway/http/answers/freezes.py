"""What people stop, what that holds, and what they let pass all the same."""

from __future__ import annotations

from typing import Literal

from services.gateway.http.answers.form import AnswerModel, Timestamp


class Freeze(AnswerModel):
    """A time in which nothing is deployed in a scope.

    `active` says whether it holds now, `nextChange` when time alone changes that; what a `dead` one is for was deleted, so that it
    holds nothing.
    """

    id: str
    workspace_id: str
    scope: Literal["workspace", "system", "environment", "deployment"]
    scope_id: str = ""
    selector: str = ""
    reason: str
    link: str = ""
    starts_at: Timestamp
    ends_at: Timestamp = ""
    rrule: str = ""
    duration_minutes: int | None = None
    timezone: str = ""
    holds_rollbacks: bool
    created_by: str
    created_at: Timestamp
    thawed_at: Timestamp = ""
    thawed_by: str = ""
    thaw_reason: str = ""
    active: bool
    dead: bool
    next_change: Timestamp = ""


class FreezeOverride(AnswerModel):
    """A version that may pass a freeze."""

    id: str
    freeze_id: str
    version_id: str
    environment_id: str = ""
    resource_id: str = ""
    reason: str
    created_by: str
    expires_at: Timestamp
    created_at: Timestamp


class FreezeWithOverrides(Freeze):
    """A freeze and what may pass it, in the order in which that was said."""

    overrides: list[FreezeOverride]


class HeldRollout(AnswerModel):
    """For how many targets a freeze holds a version."""

    deployment_id: str
    environment_id: str
    version_id: str
    targets: int


class HeldTargets(AnswerModel):
    """What a freeze holds, or would hold: its targets, how many of them wait for a version, and for which."""

    targets: int
    waiting: int
    active: bool
    dead: bool
    next_change: Timestamp = ""
    rollouts: list[HeldRollout]


class StoppedLine(AnswerModel):
    """The freeze that stops everything, what it was about to hold, and what it holds."""

    freeze: Freeze
    before: HeldTargets
    after: HeldTargets


class Skip(AnswerModel):
    """A rule that a version may pass."""

    id: str
    workspace_id: str
    version_id: str
    rule_id: str
    environment_id: str = ""
    resource_id: str = ""
    reason: str = ""
    created_by: str
    expires_at: Timestamp = ""
    created_at: Timestamp
