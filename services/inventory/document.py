"""A resource as a selector sees it: field names of the v1 API, times as RFC 3339 text."""

from __future__ import annotations

from datetime import datetime

from contracts.facts.inventory import ResourceSaved


def resource_document(resource: ResourceSaved, workspace_id: str) -> dict[str, object]:
    """The `resource` variable of a selector; a field without a value is absent."""
    created = _text(resource.created_at)
    document: dict[str, object] = {
        "id": resource.resource_id,
        "identifier": resource.identifier,
        "name": resource.name,
        "kind": resource.kind,
        "version": resource.version,
        "workspaceId": workspace_id,
        "config": resource.config,
        "metadata": resource.metadata,
        "createdAt": created,
        # Most resources were never changed, and a time takes as long to write as all the rest of the document.
        "updatedAt": created if resource.updated_at == resource.created_at else _text(resource.updated_at),
    }
    if resource.provider_id is not None:
        document["providerId"] = resource.provider_id
    return document


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
