"""What templates of a verification see: the documents of the job's release, in the shapes of the v1 API."""

from __future__ import annotations

from functools import lru_cache

from contracts.documents import resource_document, stamp, version_document
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationStarted
from contracts.shapes import Json
from libs.template import Template, TemplateError, parse
from services.verifier.state import KnownJob, KnownRelease, State


def rendered(text: str, context: Json) -> str:
    """A template's text; one that can not be rendered stays as it is, so that whatever then fails shows it."""
    if "{{" not in text:
        return text
    try:
        return _parsed(text).render(context)
    except TemplateError:
        return text


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Template:
    # The same few templates are rendered for each measurement of each target.
    return parse(text)


def context_of(state: State, about: VerificationRequired | VerificationStarted) -> Json:
    """Release, resource, environment, version, deployment, variables and job; what is not known is left out."""
    key = f"{about.resource_id}-{about.environment_id}-{about.deployment_id}"
    release = next((one for one in state.releases.get(key, ()) if one.item.release_id == about.release_id), None)
    job = next((one for one in state.jobs.get(key, ()) if one.job_id == about.job_id), None)
    version = state.versions.get(about.version_id)
    context: Json = {"job": _job(about, job), "variables": release.item.variables if release is not None else {}}
    if version is not None:
        context["version"] = version_document(version)
    if (resource := state.resources.get(about.resource_id)) is not None:
        context["resource"] = resource_document(state.workspace_id, resource)
    if (environment := state.environments.get(about.environment_id)) is not None:
        context["environment"] = _environment(state.workspace_id, environment)
    if (deployment := state.deployments.get(about.deployment_id)) is not None:
        context["deployment"] = _deployment(deployment)
    context["release"] = _release(about, release, context.get("version"))
    return context


def _release(about: VerificationRequired | VerificationStarted, release: KnownRelease | None, version: Json | None) -> Json:
    target = {
        "resourceId": about.resource_id,
        "environmentId": about.environment_id,
        "deploymentId": about.deployment_id,
    }
    document: Json = {"id": about.release_id, "releaseTarget": target, "encryptedVariables": [], "version": version}
    if release is not None:
        document |= {"createdAt": stamp(release.created_at), "variables": release.item.variables}
    return document


def _job(about: VerificationRequired | VerificationStarted, job: KnownJob | None) -> Json:
    document: Json = {"id": about.job_id, "releaseId": about.release_id}
    if job is None:
        return document
    document |= {
        "jobAgentId": job.agent_id,
        "status": job.status,
        "metadata": dict(job.metadata),
        "createdAt": stamp(job.created_at),
        "updatedAt": stamp(job.updated_at),
    }
    optional = {
        "message": job.message,
        "externalId": job.external_id,
        "startedAt": None if job.started_at is None else stamp(job.started_at),
        "completedAt": None if job.completed_at is None else stamp(job.completed_at),
    }
    return document | {name: value for name, value in optional.items() if value is not None}


def _environment(workspace_id: str, fact: EnvironmentSaved) -> Json:
    return {
        "id": fact.environment_id,
        "name": fact.name,
        "description": fact.description,
        "metadata": fact.metadata,
        "workspaceId": workspace_id,
        "createdAt": stamp(fact.created_at),
    }


def _deployment(fact: DeploymentSaved) -> Json:
    return {
        "id": fact.deployment_id,
        "name": fact.name,
        "slug": fact.name,
        "description": fact.description,
        "resourceSelector": fact.resource_selector,
        "jobAgentSelector": fact.job_agent_selector,
        "jobAgentConfig": fact.job_agent_config,
        "metadata": fact.metadata,
    }
