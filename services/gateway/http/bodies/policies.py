"""Policies."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from contracts.shapes import (
    AnyApproval,
    DeploymentDependency,
    DeploymentWindow,
    EnvironmentProgression,
    GradualRollout,
    Retry,
    Rollback,
    Verification,
    VersionCooldown,
    VersionSelector,
)
from services.gateway.http.bodies.form import INT32, Body, not_yet

Unsupported = Annotated[Any, not_yet("this kind of rule")]


class RuleBody(Body):
    """One rule. A kind that is not supported is refused: a rule that is stored but never asked would open what it should close."""

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
    plan_validation_opa: Unsupported = None


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
