"""Nothing goes in a scope for a time, and what that holds."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, Wish, wish


@wish
class SaveFreeze(Wish):
    """Freeze a scope (no id), or change the freeze with this id: None leaves a field as it is. Answers `{id}`.

    A freeze that was thawed is changed no more. `without_end` takes away the end that it has.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "save_freeze"
    freeze_id: str | None = None
    scope: Literal["workspace", "system", "environment", "deployment"] | None = None
    scope_id: str | None = None
    selector: str | None = None
    reason: str | None = None
    link: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    without_end: bool = False
    rrule: str | None = None
    duration_minutes: int | None = None
    timezone: str | None = None
    holds_rollbacks: bool | None = None


@wish
class ThawFreeze(Wish):
    """End a freeze now. Answers `{id}`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "thaw_freeze"
    freeze_id: str
    reason: str = ""


@wish
class OverrideFreeze(Wish):
    """Let one version pass a freeze until an instant. Answers `{id}` (the override's)."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "override_freeze"
    freeze_id: str
    version_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str
    expires_at: datetime


@wish
class FreezeEffect(Query):
    """What a freeze holds, or would hold: answers a `Held`. With `freeze_id` one that is there, else as it is described."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "freeze_effect"
    freeze_id: str | None = None
    scope: Literal["workspace", "system", "environment", "deployment"] = "workspace"
    scope_id: str | None = None
    selector: str | None = None


class HeldTargets(BaseModel):
    """What a freeze holds.

    Attributes:
        targets: release targets in its scope; waiting: those for which a version would go there now or soon.
        rollouts: of these, by deployment, environment and version, how many targets.
        active: whether it holds at this instant; next_change: when that changes by time alone.
        dead: what it is for was deleted, so that it holds nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    targets: int
    waiting: int
    active: bool = False
    dead: bool = False
    next_change: datetime | None = None
    rollouts: tuple[HeldRollout, ...] = ()


class HeldRollout(BaseModel):
    """A rollout that a freeze holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    deployment_id: str
    environment_id: str
    version_id: str
    targets: int
