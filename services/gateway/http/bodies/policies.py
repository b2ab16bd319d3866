"""Policies."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

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
from services.gateway.http.bodies.form import INT32, Body, Uuid


class RuleBody(Body):
    """One rule. What is not known in it is refused: a rule that is stored but never asked, or with a condition that is spelt wrongly, would
    open what it should close. Clients send back what they read, and so may say whose rule it is and since when."""

    CLOSED: ClassVar[frozenset[str]] = frozenset({"policyId", "createdAt"})

    id: str | None = None
    any_approval: AnyApproval | None = None
    environment_progression: EnvironmentProgression | None = None
    gradual_rollout: GradualRollout | None = None
    verification: Verification | None = None
    rollback: Rollback | None = None
    deployment_dependency: DeploymentDependency | None = None
    deployment_window: DeploymentWindow | None = None
    retry: Retry | None = None
    version_cooldown: VersionCooldown | None = None
    version_selector: VersionSelector | None = None
    plan_validation_opa: PlanValidationOpa | None = None


class CreatePolicy(Body):
    """A new policy; ids of its rules are made, whatever is sent."""

    name: str
    description: str | None = None
    selector: str = "true"
    priority: int = Field(0, ge=-INT32, le=INT32)
    enabled: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RuleBody, ...] = ()


class UpsertPolicy(Body):
    """A whole policy under the caller's id."""

    name: str
    description: str | None = None
    selector: str
    priority: int = Field(ge=-INT32, le=INT32)
    enabled: bool
    metadata: dict[str, str]
    rules: tuple[RuleBody, ...]


class PreviewOfPolicy(CreatePolicy):
    """A policy that is only thought of; with `policyId` in place of the one that is there."""

    policy_id: Uuid | None = None
