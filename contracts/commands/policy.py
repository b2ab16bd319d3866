"""What policy can be asked."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Query, Wish, wish
from contracts.shapes import AnyApproval, EnvironmentProgression, GradualRollout, Rollback, Verification


class _Policy(Wish):
    SERVICE: ClassVar[str] = "policy"


class RuleInput(BaseModel):
    """A rule as a client describes it, one body or several; the id of a rule that exists keeps its `createdAt`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str | None = None
    any_approval: AnyApproval | None = None
    environment_progression: EnvironmentProgression | None = None
    gradual_rollout: GradualRollout | None = None
    verification: Verification | None = None
    rollback: Rollback | None = None


@wish
class SavePolicy(_Policy):
    """Create a policy (no id: rule ids are made), or create or replace the one with this id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_policy"
    policy_id: str | None = None
    name: str
    description: str | None = None
    selector: str = "true"
    priority: int = 0
    enabled: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RuleInput, ...] = ()


@wish
class DeletePolicy(_Policy):
    """Delete a policy. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_policy"
    policy_id: str


@wish
class RecordApproval(_Policy):
    """Approve or reject a version; the person is who asks. No environment named: all that share a system with its deployment.

    Answers `{id}` (the version's).
    """

    NAME: ClassVar[str] = "record_approval"
    version_id: str
    environment_ids: tuple[str, ...] = ()
    user_id: str
    status: Literal["approved", "rejected"]
    reason: str | None = None


@wish
class ExplainTarget(Query):
    """Why is this release target where it is? Answers an `Explanation`; refused with not_found for what is no target."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_target"
    resource_id: str
    environment_id: str
    deployment_id: str


@wish
class EligibleVersions(Query):
    """Which of these versions would every rule let go to the target now? Answers `{version_ids}`, newest first.

    Args:
        version_ids: the versions to look at; None for all of the deployment.
        exclude_rule_ids: rules that are passed over.

    Refused with not_found for what is no target.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "eligible_versions"
    resource_id: str
    environment_id: str
    deployment_id: str
    version_ids: tuple[str, ...] | None = None
    exclude_rule_ids: tuple[str, ...] = ()


class Reason(BaseModel):
    """One rule's verdict on a version for a target, with what it rests on and what ends it."""

    model_config = ConfigDict(frozen=True)
    rule_type: str
    rule_id: str = ""
    policy_id: str = ""
    policy_name: str = ""
    verdict: Literal["allowed", "waiting", "blocked"]
    message: str
    ended_by: str = ""
    satisfied_at: datetime | None = None
    look_again_at: datetime | None = None
    facts: tuple[int, ...] = ()


class VersionStanding(BaseModel):
    """Where a version stands on a target: `cleared` when every rule allows it; else `reasons` says what does not."""

    model_config = ConfigDict(frozen=True)
    version_id: str
    tag: str
    cleared: bool
    message: str
    reasons: tuple[Reason, ...]


class ReleaseRef(BaseModel):
    """A release, by its id and version."""

    model_config = ConfigDict(frozen=True)
    release_id: str
    version_id: str
    tag: str


class Explanation(BaseModel):
    """Desired and current release of a target, and for each version newer than the current one why it is not there (newest first)."""

    model_config = ConfigDict(frozen=True)
    resource_id: str
    environment_id: str
    deployment_id: str
    position: int
    desired: ReleaseRef | None
    current: ReleaseRef | None
    message: str
    versions: tuple[VersionStanding, ...]
