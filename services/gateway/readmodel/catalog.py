"""What planner is told of: systems, deployments with their variables, environments, versions with their dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.documents import stamp, version_document
from contracts.envelope import Recorded
from contracts.facts import planner
from services.gateway import documents
from services.gateway.readmodel.plans import without_plans_of
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete, DeleteWhere, Patch, Put


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
    gone = fact.deployment_id
    return (
        Delete("deployment", gone),
        DeleteWhere("link", "$entity", gone),
        DeleteWhere("deployment_variable", "deploymentId", gone),
        DeleteWhere("deployment_variable_value", "$deployment", gone),
        # Its versions stay, and what they depended on; nothing depends on them any more.
        DeleteWhere("dependency", "dependencyDeploymentId", gone),
        # Its id may return, with none of what people had chosen for it.
        DeleteWhere("pin", "$deployment", gone),
        DeleteWhere("mark", "$deployment", gone),
        *without_plans_of(gone),
    )


@projects(planner.DeploymentVariableSaved)
def _deployment_variable_saved(recorded: Recorded, fact: planner.DeploymentVariableSaved) -> Patches:
    doc = {**documents.deployment_variable(fact), "$createdAt": stamp(fact.created_at)}
    return (Put("deployment_variable", fact.variable_id, doc),)


@projects(planner.DeploymentVariableDeleted)
def _deployment_variable_deleted(recorded: Recorded, fact: planner.DeploymentVariableDeleted) -> Patches:
    return (
        Delete("deployment_variable", fact.variable_id),
        DeleteWhere("deployment_variable_value", "deploymentVariableId", fact.variable_id),
    )


@projects(planner.DeploymentVariableValueSaved)
def _deployment_variable_value_saved(recorded: Recorded, fact: planner.DeploymentVariableValueSaved) -> Patches:
    doc = {**documents.deployment_variable_value(fact), "$deployment": fact.deployment_id, "$createdAt": stamp(fact.created_at)}
    return (Put("deployment_variable_value", fact.value_id, doc),)


@projects(planner.DeploymentVariableValueDeleted)
def _deployment_variable_value_deleted(recorded: Recorded, fact: planner.DeploymentVariableValueDeleted) -> Patches:
    return (Delete("deployment_variable_value", fact.value_id),)


@projects(planner.EnvironmentSaved)
def _environment_saved(recorded: Recorded, fact: planner.EnvironmentSaved) -> Patches:
    return saved(recorded, "environment", documents.environment(fact), stamp(fact.created_at))


@projects(planner.EnvironmentDeleted)
def _environment_deleted(recorded: Recorded, fact: planner.EnvironmentDeleted) -> Patches:
    gone = fact.environment_id
    return (
        Delete("environment", gone),
        DeleteWhere("link", "$entity", gone),
        DeleteWhere("pin", "$environment", gone),
        DeleteWhere("mark", "$environment", gone),
    )


@projects(planner.VersionCreated)
def _version_created(recorded: Recorded, fact: planner.VersionCreated) -> Patches:
    return *_version(recorded, fact), *_dependencies(fact)


@projects(planner.VersionUpdated)
def _version_updated(recorded: Recorded, fact: planner.VersionUpdated) -> Patches:
    # The fact names all that the version depends on now; one that is not named is no longer.
    return *_version(recorded, fact), DeleteWhere("dependency", "deploymentVersionId", fact.version_id), *_dependencies(fact)


def _version(recorded: Recorded, fact: planner.VersionCreated | planner.VersionUpdated) -> Patches:
    return saved(recorded, "version", version_document(fact), stamp(fact.created_at))


def _dependencies(fact: planner.VersionCreated | planner.VersionUpdated) -> Iterator[Patch]:
    for deployment_id, selector in sorted(fact.dependencies.items()):
        doc = {
            "deploymentVersionId": fact.version_id,
            "dependencyDeploymentId": deployment_id,
            "versionSelector": selector,
        }
        yield Put("dependency", f"{fact.version_id}/{deployment_id}", doc)
