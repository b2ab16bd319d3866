"""Policies."""

from __future__ import annotations

from contracts.shapes import Json
from services.gateway.http.answers.form import AnswerModel, Timestamp


class PolicyRule(AnswerModel):
    """One rule of a policy."""

    id: str
    policy_id: str
    created_at: Timestamp
    any_approval: Json | None = None
    environment_progression: Json | None = None
    gradual_rollout: Json | None = None
    deployment_window: Json | None = None
    deployment_dependency: Json | None = None
    version_cooldown: Json | None = None
    version_selector: Json | None = None
    retry: Json | None = None
    plan_validation_opa: Json | None = None
    verification: Json | None = None
    rollback: Json | None = None


class PolicyWarning(AnswerModel):
    """Something that was saved and most likely does not do what it looks like."""

    path: str
    message: str


class Policy(AnswerModel):
    """Rules for the targets that a selector picks. `warnings` are told to whoever saves it, if there are any."""

    id: str
    workspace_id: str
    created_at: Timestamp
    name: str
    description: str = ""
    selector: str
    priority: int
    enabled: bool
    metadata: dict[str, str]
    rules: list[PolicyRule]
    warnings: list[PolicyWarning] | None = None
