"""What is to hold where: policies and their rules."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Wish, wish
from contracts.shapes import (
    AnyApproval,
    DeploymentDependency,
    DeploymentWindow,
    EnvironmentProgression,
    GradualRollout,
    PlanValidationOpa,
    Retry,
    Rollback,
    Verification,
    VersionCooldown,
    VersionSelector,
)


class RuleInput(BaseModel):
    """A rule as a client describes it, one body or several; the id of a rule that exists keeps its `createdAt`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str | None = None
    any_approval: AnyApproval | None = None
    environment_progression: EnvironmentProgression | None = None
    gradual_rollout: GradualRollout | None = None
    deployment_window: DeploymentWindow | None = None
    deployment_dependency: DeploymentDependency | None = None
    version_cooldown: VersionCooldown | None = None
    version_selector: VersionSelector | None = None
    retry: Retry | None = None
    plan_validation_opa: PlanValidationOpa | None = None
    verification: Verification | None = None
    rollback: Rollback | None = None


@wish
class SavePolicy(Wish):
    """Create a policy (no id: rule ids are made), or create or replace the one with this id.

    Answers `{id, warnings?}`; the warnings, `{path, message}` each, are of expressions that name fields which do not exist.
    """

    SERVICE: ClassVar[str] = "policy"
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
class DeletePolicy(Wish):
    """Delete a policy. Answers `{id}`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "delete_policy"
    policy_id: str
