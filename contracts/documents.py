"""Facts as the JSON documents that expressions, templates and the v1 API all know: the same names and the same times everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from contracts.facts.dispatcher import JobAgentSaved
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, VersionCreated, VersionUpdated
from contracts.shapes import Json


@lru_cache(maxsize=256)
def stamp(at: datetime) -> str:
    """An instant as the API writes it: RFC 3339, UTC, milliseconds, `Z`; it sorts as text.

    The last ones are remembered: whatever was decided together has one time, and then also one text in memory.
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def instant(text: str) -> datetime:
    """The instant that `stamp` wrote, in UTC."""
    return datetime.fromisoformat(text)


def resource_document(workspace_id: str, fact: ResourceSaved) -> Json:
    """A resource; the provider is left out where there is none."""
    document: Json = {
        "id": fact.resource_id,
        "workspaceId": workspace_id,
        "identifier": fact.identifier,
        "name": fact.name,
        "kind": fact.kind,
        "version": fact.version,
        "config": fact.config,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
        "updatedAt": stamp(fact.updated_at),
    }
    if fact.provider_id is not None:
        document["providerId"] = fact.provider_id
    return document


def deployment_document(fact: DeploymentSaved) -> Json:
    """A deployment as selectors know it; the description is left out where there is none."""
    document: Json = {
        "id": fact.deployment_id,
        "name": fact.name,
        "slug": fact.name,
        "resourceSelector": fact.resource_selector,
        "jobAgentSelector": fact.job_agent_selector,
        "jobAgentConfig": fact.job_agent_config,
        "metadata": fact.metadata,
    }
    if fact.description:
        document["description"] = fact.description
    return document


def environment_document(workspace_id: str, fact: EnvironmentSaved) -> Json:
    """An environment as selectors know it; the description is left out where there is none."""
    document: Json = {
        "id": fact.environment_id,
        "name": fact.name,
        "workspaceId": workspace_id,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
    }
    if fact.description:
        document["description"] = fact.description
    return document


def version_document(fact: VersionCreated | VersionUpdated) -> Json:
    """A deployment version; the message is left out where there is none."""
    document: Json = {
        "id": fact.version_id,
        "deploymentId": fact.deployment_id,
        "tag": fact.tag,
        "name": fact.name,
        "status": fact.status,
        "config": fact.config,
        "jobAgentConfig": fact.job_agent_config,
        "metadata": fact.metadata,
        "createdAt": stamp(fact.created_at),
    }
    if fact.message is not None:
        document["message"] = fact.message
    return document


def agent_document(workspace_id: str, fact: JobAgentSaved) -> Json:
    """A job agent, with its own configuration."""
    return {
        "id": fact.agent_id,
        "workspaceId": workspace_id,
        "name": fact.name,
        "type": fact.type,
        "config": fact.config,
        "metadata": fact.metadata,
    }
