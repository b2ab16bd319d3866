"""What inventory does when it is asked: providers and their resources, single resources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from contracts.command import Asked, Refused
from contracts.commands.inventory import (
    DeleteProvider,
    DeleteResource,
    ResourceInput,
    SaveProvider,
    SaveResource,
    SetProviderResources,
)
from contracts.documents import instant
from contracts.facts.inventory import ProviderDeleted, ProviderSaved, ResourceDeleted, ResourceSaved
from contracts.shapes import Json
from libs.runtime.ids import derived
from libs.runtime.service import Command, Decided, Draft
from services.inventory.documents import NOT_STORABLE, bounded, same, shown
from services.inventory.state import InventoryState
from services.inventory.variables import variables_saved


def save_provider(wish: SaveProvider, state: InventoryState, asked: Asked) -> Decided:
    """Rename the provider of this id, or find the one of this name and keep its id, or create one; the same again appends nothing.

    Raises: Refused: the new name is another provider's, or it is too large.
    """
    of_name = state.provider_ids.get(wish.name)
    found = of_name
    if wish.provider_id is not None and wish.provider_id in state.providers:
        found = wish.provider_id
        if of_name not in (None, found):
            raise Refused(
                "conflict",
                f"Resource provider {found} can not be renamed to '{shown(wish.name)}': {of_name} has that name",
                code="DUPLICATE_NAME",
            )
    before = state.providers[found] if found is not None else None
    kept = before.metadata if before is not None else {}
    metadata = wish.metadata if wish.metadata is not None else kept
    if before is not None and (before.name, before.metadata) == (wish.name, metadata):
        return Decided(answer={"id": before.provider_id})
    saved = ProviderSaved(
        provider_id=before.provider_id if before else str(uuid5(UUID(asked.id), "provider")),
        name=wish.name,
        metadata=metadata,
        created_at=before.created_at if before else asked.now,
    )
    return Decided((Draft(bounded(saved, f"Resource provider '{wish.name}'")),), {"id": saved.provider_id})


def delete_provider(wish: DeleteProvider, state: InventoryState, asked: Asked) -> Decided:
    """Delete a provider by name. Raises: Refused: unknown, or it still owns resources."""
    found = state.provider_ids.get(wish.name)
    if found is None:
        raise Refused("not_found", f"Resource provider '{shown(wish.name)}' not found")
    if owned := state.owned.get(found):
        raise Refused("invalid", f"Resource provider has resources: {len(owned)}")
    return Decided((Draft(ProviderDeleted(provider_id=found, name=wish.name)),), {"id": found})


def set_provider_resources(wish: SetProviderResources, state: InventoryState, asked: Asked) -> Decided:
    """Replace everything the provider owns; what does not change is not appended. What is written keeps the order of the set.

    Returns: the counts of resources that were written (`saved`), deleted, and left to another provider (`skipped`).
    Raises: Refused: the provider is unknown, or a resource is too large.
    """
    if wish.provider_id not in state.providers:
        raise Refused("not_found", f"Resource provider {shown(wish.provider_id)} not found")
    # Of several items with one identifier the last one counts.
    wanted = {one.identifier: one for one in wish.resources}
    drafts: list[Draft] = []
    skipped = 0
    now = _moment(asked)
    for item in wanted.values():
        before = _resource(state, item.identifier)
        if before is not None and before.get("providerId") not in (None, wish.provider_id):
            skipped += 1
        elif saved := _saved(item, before, wish.provider_id, asked.id, now):
            drafts.append(Draft(saved))
    owned = (state.resources[one] for one in state.owned.get(wish.provider_id, ()))
    left = sorted((one["identifier"], one["id"]) for one in owned if one["identifier"] not in wanted)
    deleted = [Draft(ResourceDeleted(resource_id=id_, identifier=identifier)) for identifier, id_ in left]
    return Decided((*drafts, *deleted), {"saved": len(drafts), "deleted": len(deleted), "skipped": skipped})


def save_resource(wish: SaveResource, state: InventoryState, asked: Asked) -> Decided:
    """Create or replace one resource, and its variables where they are given; who owns it stays as it is.

    Raises: Refused: it is too large, or a variable is no value that can be kept.
    """
    identifier = wish.resource.identifier
    before = _resource(state, identifier)
    saved = _saved(wish.resource, before, before.get("providerId") if before else None, asked.id, _moment(asked))
    resource_id: str = saved.resource_id if saved is not None else before["id"] if before is not None else ""
    assert resource_id, "only a resource that exists can be unchanged"
    drafts: tuple[Draft, ...] = (Draft(saved),) if saved is not None else ()
    if wish.variables is not None:
        drafts += variables_saved(state, resource_id, identifier, wish.variables, "/body/variables")
    return Decided(drafts, {"id": resource_id})


def delete_resource(wish: DeleteResource, state: InventoryState, asked: Asked) -> Decided:
    """Delete one resource. Raises: Refused: unknown."""
    before = _resource(state, wish.identifier)
    if before is None:
        raise Refused("not_found", f"Resource '{shown(wish.identifier)}' not found")
    return Decided((Draft(ResourceDeleted(resource_id=before["id"], identifier=wish.identifier)),), {"id": before["id"]})


def _resource(state: InventoryState, identifier: str) -> Json | None:
    found = state.resource_ids.get(identifier)
    return state.resources[found] if found is not None else None


def _moment(asked: Asked) -> datetime:
    """The time of a command as a resource has it: documents know milliseconds, so nothing finer could be read back from one."""
    return asked.now.replace(microsecond=asked.now.microsecond // 1000 * 1000)


def _saved(
    item: ResourceInput, before: Json | None, provider_id: str | None, command_id: str, now: datetime
) -> ResourceSaved | None:
    """The new document of a resource; None when it is what is there already. Raises: Refused: no identifier, or too large."""
    if not item.identifier:
        raise Refused("invalid", "A resource needs an identifier: an empty one could not be addressed again")
    try:
        config = orjson.dumps(item.config)
    except TypeError:
        raise Refused("invalid", f"The config of resource '{shown(item.identifier)}' {NOT_STORABLE}") from None
    if before is not None and before.get("providerId") == provider_id and _says(before, item, config):
        return None
    saved = ResourceSaved.of_valid(
        resource_id=before["id"] if before else derived(command_id, item.identifier),
        identifier=item.identifier,
        name=item.name,
        kind=item.kind,
        version=item.version,
        config=item.config,
        metadata=item.metadata,
        provider_id=provider_id,
        created_at=instant(before["createdAt"]) if before else now,
        updated_at=now,
    )
    return bounded(saved, f"Resource '{item.identifier}'", _at_most(item, len(config)))


def _at_most(item: ResourceInput, config_bytes: int) -> int:
    """Bytes of JSON that a resource takes at most: a character takes no more than six, a number no more than 26 in place of one."""
    metadata = item.metadata
    characters = len(item.identifier) + len(item.name) + len(item.kind) + len(item.version)
    characters += sum(map(len, metadata)) + sum(map(len, metadata.values())) + len(metadata)
    return 1_000 + 6 * characters + 26 * config_bytes


def _says(document: Json, item: ResourceInput, config: bytes) -> bool:
    """Whether a resource is already what it is told to be, its config written as JSON; the order of keys is no content."""
    return (
        document["metadata"] == item.metadata
        and document["name"] == item.name
        and document["kind"] == item.kind
        and document["version"] == item.version
        # At last, because it takes longest. Metadata are texts alone, of which Python and JSON hold the same for equal.
        and (orjson.dumps(document["config"]) == config or same(document["config"], item.config))
    )


COMMANDS: Final[Mapping[str, Command[InventoryState, Any]]] = {
    SaveProvider.NAME: Command(SaveProvider, save_provider),
    DeleteProvider.NAME: Command(DeleteProvider, delete_provider),
    SetProviderResources.NAME: Command(SetProviderResources, set_provider_resources),
    SaveResource.NAME: Command(SaveResource, save_resource),
    DeleteResource.NAME: Command(DeleteResource, delete_resource),
}
