"""What planner is told of: systems, deployments with their variables, environments, versions with their dependencies."""

from __future__ import annotations

from contracts.documents import stamp, version_document
from contracts.envelope import Recorded
from contracts.facts import planner
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete, DeleteWhere, Put


@projects(planner.SystemSaved)
def _system_saved(recorded: Recorded, fact: planner.SystemSaved) -> Patches:
    return saved(recorded, "system", documents.system(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(planner.SystemDeleted)
def _system_deleted(recorded: Recorded, fact: planner.SystemDeleted) -> Patches:
    return Delete("system", fact.system_id), DeleteWhere("link", "systemId", fact.system_id)


@projects(planner.DeploymentLinked)
def _deployment_linked(recorded: Recorded, fact: planner.DeploymentLinked) -> Patches:
    doc = {"systemId": fact.system_id, "deploymentId": fact.deployment_id, "$entity": fact.deployment_id}
    return (Put("link", f"{fact.system_id}/{fact.deployment_id}", doc),)


@projects(planner.DeploymentUnlinked)
def _deployment_unlinked(recorded: Recorded, fact: planner.DeploymentUnlinked) -> Patches:
    return (Delete("link", f"{fact.system_id}/{fact.deployment_id}"),)


@projects(planner.EnvironmentLinked)
def _environment_linked(recorded: Recorded, fact: planner.EnvironmentLinked) -> Patches:
    doc = {"systemId": fact.system_id, "environmentId": fact.environment_id, "$entity": fact.environment_id}
    return (Put("link", f"{fact.system_id}/{fact.environment_id}", doc),)


@projects(planner.EnvironmentUnlinked)
def _environment_unlinked(recorded: Recorded, fact: planner.EnvironmentUnlinked) -> Patches:
    return (Delete("link", f"{fact.system_id}/{fact.environment_id}"),)


@projects(planner.DeploymentSaved)
def _deployment_saved(recorded: Recorded, fact: planner.DeploymentSaved) -> Patches:
    return saved(recorded, "deployment", documents.deployment(fact), stamp(fact.created_at))


@projects(planner.DeploymentDeleted)
def _deployment_deleted(recorded: Recorded, fact: planner.DeploymentDeleted) -> Patches:
    return Delete("deployment", fact.deployment_id), DeleteWhere("link", "$entity", fact.deployment_id)


@projects(planner.EnvironmentSaved)
def _environment_saved(recorded: Recorded, fact: planner.EnvironmentSaved) -> Patches:
    return saved(recorded, "environment", documents.environment(fact), stamp(fact.created_at))


@projects(planner.EnvironmentDeleted)
def _environment_deleted(recorded: Recorded, fact: planner.EnvironmentDeleted) -> Patches:
    return Delete("environment", fact.environment_id), DeleteWhere("link", "$entity", fact.environment_id)


@projects(planner.VersionCreated, planner.VersionUpdated)
def _version_saved(recorded: Recorded, fact: planner.VersionCreated | planner.VersionUpdated) -> Patches:
    return saved(recorded, "version", version_document(fact), stamp(fact.created_at))
