"""One recorded fact → what it does to the read tables. Pure, total over the facts it names, and blind to all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid5

from contracts.documents import agent_document, resource_document, stamp, version_document
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher as jobs
from contracts.facts import inventory, planner, policy, verifier
from contracts.shapes import ACTIVE, Json, Target
from services.gateway import documents
from services.gateway.rows import Delete, DeleteWhere, Merge, Patch, Put, Table

Patches = tuple[Patch, ...]
Projection = Callable[[Recorded, Any], Patches]
P = TypeVar("P", bound=Projection)

_PROJECTIONS: dict[str, Projection] = {}


def _projects(*types: type[Fact]) -> Callable[[P], P]:
    def register(function: P) -> P:
        for one in types:
            assert one.TYPE not in _PROJECTIONS, f"{one.TYPE} is projected twice"
            _PROJECTIONS[one.TYPE] = function
        return function

    return register


def patches_of(recorded: Recorded) -> Patches:
    """What a fact does to the read tables, in order; nothing for a type that no table shows (it is then not even decoded)."""
    projection = _PROJECTIONS.get(recorded.type)
    return projection(recorded, recorded.fact) if projection is not None else ()


def _saved(recorded: Recorded, table: Table, doc: Json, created_at: str) -> Patches:
    """A whole document: the row as it is now, and one for ever under its position, for what was made from it."""
    kept = {**doc, "$of": f"{table}/{doc['id']}"}
    return Put(table, doc["id"], {**doc, "$createdAt": created_at}), Put("history", str(recorded.position), kept)


def pair_key(deployment_id: str, environment_id: str) -> str:
    """How the targets of a deployment in an environment are found."""
    return f"{deployment_id}/{environment_id}"


# --- planner -----------------------------------------------------------------------------------------------------------------------


@_projects(planner.SystemSaved)
def _system_saved(recorded: Recorded, fact: planner.SystemSaved) -> Patches:
    return _saved(recorded, "system", documents.system(recorded.workspace_id, fact), stamp(fact.created_at))


@_projects(planner.SystemDeleted)
def _system_deleted(recorded: Recorded, fact: planner.SystemDeleted) -> Patches:
    return Delete("system", fact.system_id), DeleteWhere("link", "systemId", fact.system_id)


@_projects(planner.DeploymentLinked)
def _deployment_linked(recorded: Recorded, fact: planner.DeploymentLinked) -> Patches:
    doc = {"systemId": fact.system_id, "deploymentId": fact.deployment_id, "$entity": fact.deployment_id}
    return (Put("link", f"{fact.system_id}/{fact.deployment_id}", doc),)


@_projects(planner.DeploymentUnlinked)
def _deployment_unlinked(recorded: Recorded, fact: planner.DeploymentUnlinked) -> Patches:
    return (Delete("link", f"{fact.system_id}/{fact.deployment_id}"),)


@_projects(planner.EnvironmentLinked)
def _environment_linked(recorded: Recorded, fact: planner.EnvironmentLinked) -> Patches:
    doc = {"systemId": fact.system_id, "environmentId": fact.environment_id, "$entity": fact.environment_id}
    return (Put("link", f"{fact.system_id}/{fact.environment_id}", doc),)


@_projects(planner.EnvironmentUnlinked)
def _environment_unlinked(recorded: Recorded, fact: planner.EnvironmentUnlinked) -> Patches:
    return (Delete("link", f"{fact.system_id}/{fact.environment_id}"),)


@_projects(planner.DeploymentSaved)
def _deployment_saved(recorded: Recorded, fact: planner.DeploymentSaved) -> Patches:
    return _saved(recorded, "deployment", documents.deployment(fact), stamp(fact.created_at))


@_projects(planner.DeploymentDeleted)
def _deployment_deleted(recorded: Recorded, fact: planner.DeploymentDeleted) -> Patches:
    return Delete("deployment", fact.deployment_id), DeleteWhere("link", "$entity", fact.deployment_id)


@_projects(planner.EnvironmentSaved)
def _environment_saved(recorded: Recorded, fact: planner.EnvironmentSaved) -> Patches:
    return _saved(recorded, "environment", documents.environment(fact), stamp(fact.created_at))


@_projects(planner.EnvironmentDeleted)
def _environment_deleted(recorded: Recorded, fact: planner.EnvironmentDeleted) -> Patches:
    return Delete("environment", fact.environment_id), DeleteWhere("link", "$entity", fact.environment_id)


@_projects(planner.VersionCreated, planner.VersionUpdated)
def _version_saved(recorded: Recorded, fact: planner.VersionCreated | planner.VersionUpdated) -> Patches:
    return _saved(recorded, "version", version_document(fact), stamp(fact.created_at))


@_projects(planner.TargetsChanged)
def _targets_changed(recorded: Recorded, fact: planner.TargetsChanged) -> Patches:
    def changed(resource_id: str, gone: bool) -> Patch:
        target = Target(resource_id, fact.environment_id, fact.deployment_id)
        # A target that vanished keeps its row: when it comes back its history counts again.
        doc = {
            **_ids(target),
            "$pair": pair_key(fact.deployment_id, fact.environment_id),
            "$resource": resource_id,
            "$gone": gone,
        }
        return Merge("target", target.key, doc)

    return (*(changed(one, False) for one in fact.added), *(changed(one, True) for one in fact.removed))


def _ids(target: Target) -> Json:
    return {
        "resourceId": target.resource_id,
        "environmentId": target.environment_id,
        "deploymentId": target.deployment_id,
    }


@_projects(planner.ReleasesCreated)
def _releases_created(recorded: Recorded, fact: planner.ReleasesCreated) -> Patches:
    created = {"createdAt": stamp(fact.created_at)}
    patches: list[Patch] = []
    for item in fact.items:
        target = Target(item.resource_id, fact.environment_id, fact.deployment_id)
        doc = {
            "id": item.release_id,
            "releaseTarget": _ids(target),
            "variables": item.variables,
            "encryptedVariables": [],
            "$version": fact.version_id,
        }
        patches.append(Merge("release", item.release_id, doc, first=created))
        patches.append(Merge("target", target.key, {"$desired": item.release_id}))
    return tuple(patches)


@_projects(planner.RollbackStarted)
def _rollback_started(recorded: Recorded, fact: planner.RollbackStarted) -> Patches:
    if fact.release_id is None:
        return ()
    target = Target(fact.resource_id, fact.environment_id, fact.deployment_id)
    return (Merge("target", target.key, {"$desired": fact.release_id}),)


# --- inventory ---------------------------------------------------------------------------------------------------------------------


@_projects(inventory.ProviderSaved)
def _provider_saved(recorded: Recorded, fact: inventory.ProviderSaved) -> Patches:
    return _saved(recorded, "provider", documents.provider(recorded.workspace_id, fact), stamp(fact.created_at))


@_projects(inventory.ProviderDeleted)
def _provider_deleted(recorded: Recorded, fact: inventory.ProviderDeleted) -> Patches:
    return (Delete("provider", fact.provider_id),)


@_projects(inventory.ResourceSaved)
def _resource_saved(recorded: Recorded, fact: inventory.ResourceSaved) -> Patches:
    return _saved(recorded, "resource", resource_document(recorded.workspace_id, fact), stamp(fact.created_at))


@_projects(inventory.ResourceDeleted)
def _resource_deleted(recorded: Recorded, fact: inventory.ResourceDeleted) -> Patches:
    return (Delete("resource", fact.resource_id),)


# --- policy ------------------------------------------------------------------------------------------------------------------------


@_projects(policy.PolicySaved)
def _policy_saved(recorded: Recorded, fact: policy.PolicySaved) -> Patches:
    return _saved(recorded, "policy", documents.policy(recorded.workspace_id, fact), stamp(fact.created_at))


@_projects(policy.PolicyDeleted)
def _policy_deleted(recorded: Recorded, fact: policy.PolicyDeleted) -> Patches:
    return (Delete("policy", fact.policy_id),)


# --- dispatcher --------------------------------------------------------------------------------------------------------------------


@_projects(jobs.JobAgentSaved)
def _agent_saved(recorded: Recorded, fact: jobs.JobAgentSaved) -> Patches:
    return _saved(recorded, "agent", agent_document(recorded.workspace_id, fact), stamp(fact.created_at))


@_projects(jobs.JobAgentDeleted)
def _agent_deleted(recorded: Recorded, fact: jobs.JobAgentDeleted) -> Patches:
    return (Delete("agent", fact.agent_id),)


@_projects(jobs.JobCreated)
def _job_created(recorded: Recorded, fact: jobs.JobCreated) -> Patches:
    at = stamp(fact.created_at)
    doc: Json = {
        "id": fact.job_id,
        "releaseId": fact.release_id,
        "jobAgentId": fact.agent_id,
        "jobAgentConfig": fact.job_agent_config,
        "status": fact.status,
        "metadata": {},
        "createdAt": at,
        "updatedAt": at,
        "deadlineAt": stamp(fact.deadline_at),
        "$createdAt": at,
        "$target": Target(fact.resource_id, fact.environment_id, fact.deployment_id).key,
        "$version": fact.version_id,
        # Where the documents stand that the job was made from; they are put together when the job is read.
        "$snapshot": fact.snapshot.model_dump(),
    }
    if fact.message is not None:
        doc["message"] = fact.message
    if fact.status not in ACTIVE:
        doc["completedAt"] = at
    return (Put("job", fact.job_id, doc),)


@_projects(jobs.JobStatusChanged)
def _job_status_changed(recorded: Recorded, fact: jobs.JobStatusChanged) -> Patches:
    # The fact tells all that is true of the job now: what it leaves out is no longer so.
    doc = {
        "status": fact.status,
        "message": fact.message,
        "externalId": fact.external_id,
        "metadata": fact.metadata,
        "updatedAt": stamp(fact.changed_at),
        "startedAt": stamp(fact.started_at) if fact.started_at is not None else None,
        "completedAt": stamp(fact.completed_at) if fact.completed_at is not None else None,
    }
    return (Merge("job", fact.job_id, doc),)


# --- verifier ----------------------------------------------------------------------------------------------------------------------


@_projects(verifier.VerificationStarted)
def _verification_started(recorded: Recorded, fact: verifier.VerificationStarted) -> Patches:
    at = stamp(fact.started_at)
    doc = {
        "id": fact.verification_id,
        "jobId": fact.job_id,
        "metrics": [documents.metric(one) for one in fact.metrics],
        "createdAt": at,
        "status": "running",
        "$createdAt": at,
    }
    return (Put("verification", fact.verification_id, doc),)


@_projects(verifier.MeasurementTaken)
def _measurement_taken(recorded: Recorded, fact: verifier.MeasurementTaken) -> Patches:
    doc: Json = {
        "status": fact.status,
        "measuredAt": stamp(fact.measured_at),
        "data": fact.data,
        "$verification": fact.verification_id,
        "$metric": fact.metric,
    }
    if fact.message is not None:
        doc["message"] = fact.message
    # The name of a metric has no length limit, the key of a row has one.
    metric = uuid5(UUID(fact.verification_id), fact.metric)
    return (Put("measurement", f"{fact.verification_id}/{fact.number:06d}/{metric}", doc),)


@_projects(verifier.VerificationPassed)
def _verification_passed(recorded: Recorded, fact: verifier.VerificationPassed) -> Patches:
    return (Merge("verification", fact.verification_id, {"status": "passed"}),)


@_projects(verifier.VerificationFailed)
def _verification_failed(recorded: Recorded, fact: verifier.VerificationFailed) -> Patches:
    return (Merge("verification", fact.verification_id, {"status": "failed", "message": f"{fact.metric}: {fact.message}"}),)


PROJECTED = frozenset(_PROJECTIONS)
"""The wire types of every fact that some table shows."""
