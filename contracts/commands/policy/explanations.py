"""Why is a target, a rollout or a version where it is?"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts.command import Query, wish
from contracts.commands.policy.reasons import Reason


@wish
class ExplainTarget(Query):
    """Why is this release target where it is? Answers an `Explanation`; refused with not_found for what is no target."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_target"
    resource_id: str
    environment_id: str
    deployment_id: str


class ReleaseRef(BaseModel):
    """A release, by its id and version."""

    model_config = ConfigDict(frozen=True)
    release_id: str
    version_id: str
    tag: str


class VersionStanding(BaseModel):
    """Where a version stands on a target: `cleared` when every rule allows it, and then `job` says what its job waits for, or came to;
    else `reasons` says what does not allow it."""

    model_config = ConfigDict(frozen=True)
    version_id: str
    tag: str
    cleared: bool
    message: str
    reasons: tuple[Reason, ...]
    job: Reason | None = None


class Explanation(BaseModel):
    """Desired and current release of a target, and for each version newer than the current one why it is not there (newest first).

    `warnings` are about what was saved and does not do what it looks like: a selector that names a field which does not exist, variables
    that did not fit into the release.
    """

    model_config = ConfigDict(frozen=True)
    resource_id: str
    environment_id: str
    deployment_id: str
    position: int
    desired: ReleaseRef | None
    current: ReleaseRef | None
    message: str
    versions: tuple[VersionStanding, ...]
    warnings: tuple[str, ...] = ()


@wish
class ExplainRollout(Query):
    """Where a version stands in an environment: answers a `RolloutExplanation`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_rollout"
    version_id: str
    environment_id: str
    limit: int = 50
    offset: int = 0


class TargetStanding(BaseModel):
    """Where a version stands on one target: `done` (it runs), `going` (cleared, or its job runs), `waiting`, `blocked`, or `passed` (another
    one goes, or went, there)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    state: Literal["done", "going", "waiting", "blocked", "passed"]
    message: str
    look_again_at: datetime | None = None


class RolloutExplanation(BaseModel):
    """A version in an environment.

    Attributes:
        message: one or two sentences that a tired person understands: how far it is, what is next, what it waits for, who can end it.
        reasons: every rule with its verdict where it is the same for all targets, or else for the first that it holds.
        targets: a part of them, in the order in which they follow one another; total, done, going, waiting, blocked, passed count all.
        next_at: when the next target may go by time alone.
        warnings: as those of an `Explanation`; what is about one target alone is left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    environment_id: str
    position: int
    message: str
    reasons: tuple[Reason, ...]
    targets: tuple[TargetStanding, ...]
    total: int
    done: int
    going: int
    waiting: int
    blocked: int
    passed: int
    next_at: datetime | None = None
    warnings: tuple[str, ...] = ()


@wish
class ExplainVersion(Query):
    """Where a version stands in every environment beside its deployment: answers a `VersionExplanation`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_version"
    version_id: str


class VersionExplanation(BaseModel):
    """A version in all environments, in the order of their names; rollouts come without their targets."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    tag: str
    position: int
    message: str
    rollouts: tuple[RolloutExplanation, ...]
