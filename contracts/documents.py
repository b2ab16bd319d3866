"""Facts as the JSON documents that expressions, templates and the v1 API all know: the same names and the same times everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from contracts.facts.dispatcher import JobAgentSaved, WorkflowSaved
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, VersionCreated, VersionUpdated
from contracts.shapes import Json

NO_AGENT: Final[Json] = {"id": "", "name": "", "type": "", "config": {}, "metadata": {}}
"""Stands in what a job was made from where no agent was found for it."""


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


def shown_deployment(fact: DeploymentSaved) -> Json:
    """A deployment as the API and the jobs of it know it."""
    document = deployment_document(fact)
    if fact.supersession != "latest":
        # Clients that know nothing of it see no difference in a deployment that does as they expect.
        document["supersession"] = fact.supersession
    return document


def shown_environment(workspace_id: str, fact: EnvironmentSaved) -> Json:
    """An environment as the API and the jobs in it know it; a selector of "false" is left out."""
    document = environment_document(workspace_id, fact)
    if fact.resource_selector != "false":
        document["resourceSelector"] = fact.resource_selector
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


def workflow_document(fact: WorkflowSaved) -> Json:
    """A workflow; what is beyond the v1 API is shown only where it was given."""
    return {
        "id": fact.workflow_id,
        "name": fact.name,
        "slug": fact.slug,
        "inputs": [one.model_dump(by_alias=True, exclude_none=True) for one in fact.inputs],
        "jobAgents": [one.model_dump(by_alias=True, exclude=set() if one.needs else {"needs"}) for one in fact.job_agents],
    }


def run_context(run_id: str, workflow: Json, inputs: Json, job_id: str, step: str, resource: Json | None) -> Json:
    """What the jobs of a workflow run are made from; `workflow` is as it was when the run began."""
    context: Json = {
        # The reference calls the steps `jobs` here and `jobAgents` elsewhere.
        "workflow": {**workflow, "jobs": workflow["jobAgents"]},
        "workflowRun": {"id": run_id, "workflowId": workflow["id"], "inputs": inputs},
        "workflowJob": {"id": job_id, "name": step},
        "inputs": inputs,
    }
    return context if resource is None else {**context, "resource": resource}


def release_context(release: Json, parts: Mapping[str, Json]) -> Json:
    """What the jobs of a release are made from.

    Args:
        release: the release without its version.
        parts: its `resource`, `environment`, `deployment` and `version`, as they were then; one that is not known may be missing.
    """
    return {**parts, "release": {**release, "version": parts.get("version", {})}, "variables": release["variables"]}


def dispatch_context(job_id: str, config: Json, agent: Json | None, made_from: Json) -> Json:
    """What a job knows, as its templates and the API show it.

    Args:
        config: what it runs with: merged of all levels, with its secrets as references.
        agent: who executes it; None where nobody was found.
        made_from: the rest, of a release or of a workflow run.
    """
    return {**made_from, "jobAgent": NO_AGENT if agent is None else agent, "jobAgentConfig": config, "job": {"id": job_id}}
