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
    return saved(recorded, "resource", resource_document(recorded.workspace_id, fact), stamp(fact.created_at))


@projects(inventory.ResourceDeleted)
def _resource_deleted(recorded: Recorded, fact: inventory.ResourceDeleted) -> Patches:
    return (Delete("resource", fact.resource_id),)
