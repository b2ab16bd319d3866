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
    verification: Json | None = None
    rollback: Json | None = None


class Policy(AnswerModel):
    """Rules for the targets that a selector picks."""

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
