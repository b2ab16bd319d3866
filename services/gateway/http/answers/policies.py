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


class PolicyReach(AnswerModel):
    """How many targets a policy applies to, or would if it were enabled, and on how many of them it holds a version now."""

    policy_id: str
    targets: int
    held: int


class PolicyReaches(AnswerModel):
    """All policies."""

    items: list[PolicyReach]


class Upstream(AnswerModel):
    """The environments in which a version must succeed first, says a rule."""

    rule_id: str
    environment_ids: list[str]


class Gate(AnswerModel):
    """A policy that applies to some targets of an environment."""

    policy_id: str
    targets: int
    upstream: list[Upstream]


class GatedEnvironment(AnswerModel):
    """An environment in which a deployment has targets, and the policies that apply there, in their order."""

    environment_id: str
    targets: int
    gates: list[Gate]


class DeploymentGates(AnswerModel):
    """What versions of a deployment pass: environments, and the policies that are named there."""

    items: list[GatedEnvironment]
    policies: list[Policy]


class PolicyTarget(AnswerModel):
    """A target that a policy applies to, as people call it. `error`: why the selector has no answer for it, so that the policy blocks it."""

    key: str
    resource_id: str
    resource_name: str
    resource_identifier: str
    environment_id: str
    environment_name: str
    deployment_id: str
    deployment_name: str
    held: bool
    error: str = ""


class PolicyTargets(AnswerModel):
    """A part of the targets of a policy, by their names; `held` counts all on which it holds a version now."""

    items: list[PolicyTarget]
    total: int
    held: int
    limit: int
    offset: int


class PolicyPreview(PolicyTargets):
    """What a policy would apply to and hold if it were saved now, beside what it does as it is."""

    total_before: int
    held_before: int
    added: int
    removed: int
    withdrawn: int
    warnings: list[PolicyWarning]
