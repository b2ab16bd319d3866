"""What exists: providers, resources and their variables, variable sets, relationship rules."""

from __future__ import annotations

from contracts.documents import resource_document, stamp
from contracts.envelope import Recorded
from contracts.facts import inventory
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects, saved
from services.gateway.rows import Delete, Merge, Put


@projects(inventory.ProviderSaved)
def _provider_saved(recorded: Recorded, fact: inventory.ProviderSaved) -> Patches:
    return saved(recorded, "provider", documents.provider(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(inventory.ProviderDeleted)
def _provider_deleted(recorded: Recorded, fact: inventory.ProviderDeleted) -> Patches:
    return (Delete("provider", fact.provider_id),)


@projects(inventory.ResourceSaved)
def _resource_saved(recorded: Recorded, fact: inventory.ResourceSaved) -> Patches:
    doc = resource_document(recorded.workspace_id, fact)
    # A hundred thousand of these pass at once: no time is written out again.
    return saved(recorded, "resource", doc, doc["createdAt"])


@projects(inventory.ResourceDeleted)
def _resource_deleted(recorded: Recorded, fact: inventory.ResourceDeleted) -> Patches:
    return Delete("resource", fact.resource_id), Delete("resource_variables", fact.resource_id)


@projects(inventory.ResourceVariablesSaved)
def _resource_variables_saved(recorded: Recorded, fact: inventory.ResourceVariablesSaved) -> Patches:
    # All of them in one row: they are saved together and read together, and a resource that goes takes them along by its id.
    return (Put("resource_variables", fact.resource_id, {"variables": fact.variables}),)


@projects(inventory.VariableSetSaved)
def _variable_set_saved(recorded: Recorded, fact: inventory.VariableSetSaved) -> Patches:
    return saved(recorded, "variable_set", documents.variable_set(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(inventory.VariableSetDeleted)
def _variable_set_deleted(recorded: Recorded, fact: inventory.VariableSetDeleted) -> Patches:
    return (Delete("variable_set", fact.set_id),)


@projects(inventory.RelationshipRuleSaved)
def _relationship_rule_saved(recorded: Recorded, fact: inventory.RelationshipRuleSaved) -> Patches:
    doc = documents.relationship_rule(recorded.workspace_id, fact)
    return saved(recorded, "relationship_rule", doc, stamp(fact.created_at))


@projects(inventory.RelationshipRuleSuspended)
def _relationship_rule_suspended(recorded: Recorded, fact: inventory.RelationshipRuleSuspended) -> Patches:
    return (Merge("relationship_rule", fact.rule_id, {"suspended": fact.reason}),)


@projects(inventory.RelationshipRuleDeleted)
def _relationship_rule_deleted(recorded: Recorded, fact: inventory.RelationshipRuleDeleted) -> Patches:
    return (Delete("relationship_rule", fact.rule_id),)
