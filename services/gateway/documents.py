"""Facts as v1 JSON documents. Pure; one function per entity, the only place that knows how the v1 API writes it."""

from __future__ import annotations

from contracts.documents import stamp
from contracts.facts.inventory import ProviderSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, SystemSaved
from contracts.facts.policy import PolicySaved
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
    doc = {
        "id": fact.deployment_id,
        "name": fact.name,
        "slug": fact.name,
        "resourceSelector": fact.resource_selector,
        "jobAgentSelector": fact.job_agent_selector,
        "jobAgentConfig": fact.job_agent_config,
        "metadata": fact.metadata,
    }
    return _described(doc, fact.description)


def environment(fact: EnvironmentSaved) -> Json:
    """An environment; a selector of "false" is left out."""
    doc = {
        "id": fact.environment_id,
        "name": fact.name,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
    }
    if fact.resource_selector != "false":
        doc["resourceSelector"] = fact.resource_selector
    return _described(doc, fact.description)


def provider(workspace_id: str, fact: ProviderSaved) -> Json:
    """A resource provider."""
    return {
        "id": fact.provider_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
    }


NO_AGENT: Json = {"id": "", "name": "", "type": "", "config": {}, "metadata": {}}
"""Stands in the dispatch context of a job for which no agent was found."""


def metric(spec: MetricSpec) -> Json:
    """A metric with the defaults of the schema filled in; what has no value is absent."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def rule(policy_id: str, one: Rule) -> Json:
    """A policy rule with its id and time, the defaults of the schema filled in; what has no value is absent."""
    return {**one.model_dump(mode="json", by_alias=True, exclude_none=True), "policyId": policy_id}


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
