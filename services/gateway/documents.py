"""Facts as v1 JSON documents. Pure; one function per entity, the only place that knows how the v1 API writes it."""

from __future__ import annotations

from contracts.documents import shown_deployment, shown_environment, stamp
from contracts.facts.inventory import ProviderSaved, RelationshipRuleSaved, VariableSetSaved
from contracts.facts.planner import (
    DeploymentSaved,
    DeploymentVariableSaved,
    DeploymentVariableValueSaved,
    EnvironmentSaved,
    SystemSaved,
)
from contracts.facts.policy import FreezeOverridden, FreezeSaved, PolicySaved, SkipCreated
from contracts.shapes import Json, MetricSpec, Rule


def _described(doc: Json, description: str | None) -> Json:
    """The document with its description; one that was never given stays absent, since clients tell absent from empty."""
    if description:
        doc["description"] = description
    return doc


def system(workspace_id: str, fact: SystemSaved) -> Json:
    """A system; its slug is its name."""
    doc = {
        "id": fact.system_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "slug": fact.name,
        "metadata": fact.metadata,
    }
    return _described(doc, fact.description)


def deployment(fact: DeploymentSaved) -> Json:
    """A deployment; its slug is its name, and a selector of "false" is shown as such."""
    return shown_deployment(fact)


def deployment_variable(fact: DeploymentVariableSaved) -> Json:
    """A variable of a deployment."""
    doc = {"id": fact.variable_id, "deploymentId": fact.deployment_id, "key": fact.key}
    return _described(doc, fact.description)


def deployment_variable_value(fact: DeploymentVariableValueSaved) -> Json:
    """A value of a deployment variable, exactly as it was written; without a selector it holds everywhere."""
    doc = {
        "id": fact.value_id,
        "deploymentVariableId": fact.variable_id,
        "value": fact.value,
        "priority": fact.priority,
    }
    if fact.resource_selector is not None:
        doc["resourceSelector"] = fact.resource_selector
    return doc


def environment(fact: EnvironmentSaved) -> Json:
    """An environment; a selector of "false" is left out."""
    doc = shown_environment("", fact)
    del doc["workspaceId"]  # the published form has none
    return doc


def provider(workspace_id: str, fact: ProviderSaved) -> Json:
    """A resource provider."""
    return {
        "id": fact.provider_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
    }


ABOVE_ALL_PRIORITIES = 2**64


def variable_set(workspace_id: str, fact: VariableSetSaved) -> Json:
    """A variable set with its variables in the client's order; its description is always a text. Greater priorities rank first."""
    return {
        "id": fact.set_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "description": fact.description,
        "selector": fact.selector,
        "priority": fact.priority,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
        "updatedAt": stamp(fact.updated_at),
        "variables": [{"id": one.id, "variableSetId": fact.set_id, "key": one.key, "value": one.value} for one in fact.variables],
        "$rank": f"{ABOVE_ALL_PRIORITIES - fact.priority:020d}",
    }


def relationship_rule(workspace_id: str, fact: RelationshipRuleSaved) -> Json:
    """A relationship rule."""
    doc = {
        "id": fact.rule_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "reference": fact.reference,
        "cel": fact.cel,
        "metadata": fact.metadata,
    }
    return _described(doc, fact.description)


def metric(spec: MetricSpec) -> Json:
    """A metric as it was sent, without defaults; what has no value is absent."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def rule(policy_id: str, one: Rule) -> Json:
    """A policy rule as it was sent, with its id and time and without defaults; what has no value is absent."""
    doc: Json = {**one.model_dump(mode="json", by_alias=True, exclude_none=True), "policyId": policy_id}
    if one.deployment_window is not None:
        # Clients decode it as a plain boolean, in which absence would say that the window is closed and not open.
        doc["deploymentWindow"]["allowWindow"] = one.deployment_window.allow_window
    return doc


def policy(workspace_id: str, fact: PolicySaved) -> Json:
    """A policy, its rules in the client's order."""
    doc = {
        "id": fact.policy_id,
        "workspaceId": workspace_id,
        "createdAt": stamp(fact.created_at),
        "name": fact.name,
        "selector": fact.selector,
        "priority": fact.priority,
        "enabled": fact.enabled,
        "metadata": fact.metadata,
        "rules": [rule(fact.policy_id, one) for one in fact.rules],
    }
    return _described(doc, fact.description)


def freeze(workspace_id: str, fact: FreezeSaved) -> Json:
    """A freeze as people described it; what was not said is absent."""
    doc = {
        "id": fact.freeze_id,
        "workspaceId": workspace_id,
        "scope": fact.scope,
        "scopeId": fact.scope_id,
        "selector": fact.selector,
        "reason": fact.reason,
        "link": fact.link,
        "startsAt": stamp(fact.starts_at),
        "endsAt": stamp(fact.ends_at) if fact.ends_at is not None else None,
        "rrule": fact.rrule,
        "durationMinutes": fact.duration_minutes,
        "timezone": fact.timezone,
        "holdsRollbacks": fact.holds_rollbacks,
        "createdBy": fact.created_by,
        "createdAt": stamp(fact.created_at),
    }
    return _without_nothing(doc)


def freeze_override(fact: FreezeOverridden) -> Json:
    """That a version may pass a freeze; without environment or resource it may anywhere."""
    doc = {
        "id": fact.override_id,
        "freezeId": fact.freeze_id,
        "versionId": fact.version_id,
        "environmentId": fact.environment_id,
        "resourceId": fact.resource_id,
        "reason": fact.reason,
        "createdBy": fact.created_by,
        "expiresAt": stamp(fact.expires_at),
        "createdAt": stamp(fact.created_at),
    }
    return _without_nothing(doc)


def skip(workspace_id: str, fact: SkipCreated) -> Json:
    """That a version may pass a rule; without environment or resource it may anywhere, without an end for good."""
    doc = {
        "id": fact.skip_id,
        "workspaceId": workspace_id,
        "versionId": fact.version_id,
        "ruleId": fact.rule_id,
        "environmentId": fact.environment_id,
        "resourceId": fact.resource_id,
        "reason": fact.reason or None,
        "createdBy": fact.created_by,
        "expiresAt": stamp(fact.expires_at) if fact.expires_at is not None else None,
        "createdAt": stamp(fact.created_at),
    }
    return _without_nothing(doc)


def _without_nothing(doc: Json) -> Json:
    return {key: value for key, value in doc.items() if value is not None}
