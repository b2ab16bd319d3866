"""What inventory remembers of a workspace: what exists, who owns it, and which resources each selector matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from immutables import Map

from contracts.documents import resource_document
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.inventory import (
    MatchesChanged,
    ProviderDeleted,
    ProviderSaved,
    ResourceDeleted,
    ResourceSaved,
    VariableSetSaved,
)
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from contracts.shapes import Json
from libs.runtime.codec import derived
from services.inventory import joins, relation_fold
from services.inventory.indexes import DOCUMENTS, SELECTORS
from services.inventory.relation_state import Relating


@dataclass(frozen=True, slots=True)
class Selector:
    """The resource selector of a deployment or an environment.

    Attributes:
        source: its CEL text.
        changed_at: position of the fact that last changed the text; saving the entity without changing it evaluates nothing.
    """

    source: str
    changed_at: int


@dataclass(frozen=True, slots=True, weakref_slot=True)
class InventoryState:
    """The fold of a workspace.

    Attributes:
        workspace_id: the tenant; selectors may name it.
        providers: the newest document of each provider, by id.
        provider_ids: their ids, by name.
        resources: the newest document of each resource, by id: what selectors see of it (`contracts.documents`), kept in this form because
            a decision over all of them could not afford to make them. Nobody may change one.
        resource_ids: their ids, by identifier.
        owned: for each provider that owns any, the ids of its resources (as keys).
        selectors: by entity, `deployment/<id>` or `environment/<id>`.
        matches: for each entity, the ids of the resources that its selector was recorded to match (as keys).
        matched_by: the same the other way round: for each resource that is matched, the entities, sorted.
        variables: the variables of each resource that has any, by its id.
        variable_sets: the newest document of each variable set, by id.
        relating: relationship rules and who is related.
    """

    workspace_id: str
    providers: Map[str, ProviderSaved] = field(default_factory=Map)
    provider_ids: Map[str, str] = field(default_factory=Map)
    resources: Map[str, Json] = field(default_factory=Map)
    resource_ids: Map[str, str] = field(default_factory=Map)
    owned: Map[str, Map[str, bool]] = field(default_factory=Map)
    selectors: Map[str, Selector] = field(default_factory=Map)
    matches: Map[str, Map[str, bool]] = field(default_factory=Map)
    variables: Map[str, Json] = field(default_factory=Map)
    variable_sets: Map[str, VariableSetSaved] = field(default_factory=Map)
    relating: Relating = field(default_factory=Relating)
    matched_by: Map[str, tuple[str, ...]] = field(default_factory=Map, metadata=derived(lambda state: _turned(state.matches)))


def initial(workspace_id: str) -> InventoryState:
    """The memory of a workspace in which nothing happened yet."""
    return InventoryState(workspace_id)


def evolve(state: InventoryState, recorded: Recorded) -> InventoryState:
    """Fold one recorded fact; total, never refuses."""
    fact = recorded.fact
    before = state
    fold = _FOLDS.get(type(fact))
    if fold is not None:
        state = fold(state, fact, recorded.position)
    related = relation_fold.FOLDS.get(type(fact))
    if related is not None:
        state = related(state, fact)
    joins.follow(before, state, fact)
    return state


def _provider_saved(state: InventoryState, fact: ProviderSaved, _position: int) -> InventoryState:
    before = state.providers.get(fact.provider_id)
    names = state.provider_ids if before is None else _without(state.provider_ids, before.name)
    return replace(
        state,
        providers=state.providers.set(fact.provider_id, fact),
        provider_ids=names.set(fact.name, fact.provider_id),
    )


def _provider_deleted(state: InventoryState, fact: ProviderDeleted, _position: int) -> InventoryState:
    return replace(
        state,
        providers=_without(state.providers, fact.provider_id),
        provider_ids=_without(state.provider_ids, fact.name),
        owned=_without(state.owned, fact.provider_id),
    )


def _resource_saved(state: InventoryState, fact: ResourceSaved, _position: int) -> InventoryState:
    before = state.resources.get(fact.resource_id)
    owner = before.get("providerId") if before is not None else None
    owned = state.owned
    if owner != fact.provider_id:
        if owner is not None:
            owned = _disown(owned, owner, fact.resource_id)
        if fact.provider_id is not None:
            owned = owned.set(fact.provider_id, owned.get(fact.provider_id, NOTHING).set(fact.resource_id, True))
    resources = state.resources.set(fact.resource_id, resource_document(state.workspace_id, fact))
    DOCUMENTS.follow(state.resources, resources, fact.resource_id)
    if before is not None and owned is state.owned:
        return replace(state, resources=resources)
    return replace(
        state,
        resources=resources,
        resource_ids=state.resource_ids.set(fact.identifier, fact.resource_id),
        owned=owned,
    )


def _resource_deleted(state: InventoryState, fact: ResourceDeleted, _position: int) -> InventoryState:
    before = state.resources.get(fact.resource_id)
    if before is None:
        return state
    owner = before.get("providerId")
    resources = state.resources.delete(fact.resource_id)
    DOCUMENTS.follow(state.resources, resources, fact.resource_id)
    return replace(
        state,
        resources=resources,
        resource_ids=_without(state.resource_ids, fact.identifier),
        owned=state.owned if owner is None else _disown(state.owned, owner, fact.resource_id),
    )


def _entity_saved(state: InventoryState, fact: DeploymentSaved | EnvironmentSaved, position: int) -> InventoryState:
    before = state.selectors.get(fact.stream)
    if before is not None and before.source == fact.resource_selector:
        return state
    return _with_selectors(state, state.selectors.set(fact.stream, Selector(fact.resource_selector, position)), fact.stream)


def _entity_deleted(state: InventoryState, fact: DeploymentDeleted | EnvironmentDeleted, _position: int) -> InventoryState:
    if fact.stream not in state.selectors:
        return state
    # The deletion itself says that nothing is matched any more; whoever folds matches drops them by it, as is done here.
    state = _with_selectors(state, state.selectors.delete(fact.stream), fact.stream)
    matched = state.matches.get(fact.stream, NOTHING)
    return replace(
        state,
        matches=_without(state.matches, fact.stream),
        matched_by=_matched_by(state.matched_by, fact.stream, (), matched),
    )


def _with_selectors(state: InventoryState, selectors: Map[str, Selector], entity: str) -> InventoryState:
    SELECTORS.follow(state.selectors, selectors, entity)
    return replace(state, selectors=selectors)


def _matches_changed(state: InventoryState, fact: MatchesChanged, _position: int) -> InventoryState:
    entity = fact.stream
    if entity not in state.selectors:
        # Decided before the entity's deletion was folded, recorded after it.
        return state
    # The texts of ids that are here already are kept in place of those of the fact: of a million matches, that is most of the memory.
    added = [document["id"] if (document := state.resources.get(one)) is not None else one for one in fact.added]
    matched = changed(state.matches.get(entity, NOTHING), added, fact.removed)
    return replace(
        state,
        matches=state.matches.set(entity, matched) if matched else _without(state.matches, entity),
        matched_by=_matched_by(state.matched_by, entity, added, fact.removed),
    )


def _matched_by(
    by_resource: Map[str, tuple[str, ...]], entity: str, added: Iterable[str], removed: Iterable[str]
) -> Map[str, tuple[str, ...]]:
    new = by_resource.mutate()
    for one in added:
        before = new.get(one, ())
        if not before or before[-1] < entity:  # mostly, because entities are told in this order
            new[one] = (*before, entity)
        elif entity not in before:
            new[one] = tuple(sorted((*before, entity)))
    for one in removed:
        left = tuple([other for other in new.get(one, ()) if other != entity])
        if left:
            new[one] = left
        else:
            new.pop(one, None)
    return new.finish()


def _turned(matches: Map[str, Map[str, bool]]) -> Map[str, tuple[str, ...]]:
    by_resource: dict[str, list[str]] = {}
    for entity in sorted(matches):
        for one in matches[entity]:
            by_resource.setdefault(one, []).append(entity)
    return Map({one: tuple(entities) for one, entities in by_resource.items()})


def changed(ids: Map[str, bool], added: Iterable[str], removed: Iterable[str]) -> Map[str, bool]:
    """A set of ids (the keys of a map) after a delta; ids that are there or gone already change nothing."""
    new = ids.mutate()
    for one in added:
        new[one] = True
    for one in removed:
        new.pop(one, None)
    return new.finish()


def _disown(owned: Map[str, Map[str, bool]], provider_id: str, resource_id: str) -> Map[str, Map[str, bool]]:
    left = _without(owned.get(provider_id, NOTHING), resource_id)
    return owned.set(provider_id, left) if left else _without(owned, provider_id)


def _without(map_: Map[str, Any], key: str) -> Map[str, Any]:
    return map_.delete(key) if key in map_ else map_


NOTHING: Final[Map[str, bool]] = Map()
"""No ids."""

_FOLDS: Final[Mapping[type[Fact], Callable[[InventoryState, Any, int], InventoryState]]] = {
    ProviderSaved: _provider_saved,
    ProviderDeleted: _provider_deleted,
    ResourceSaved: _resource_saved,
    ResourceDeleted: _resource_deleted,
    DeploymentSaved: _entity_saved,
    EnvironmentSaved: _entity_saved,
    DeploymentDeleted: _entity_deleted,
    EnvironmentDeleted: _entity_deleted,
    MatchesChanged: _matches_changed,
}

READS: Final = frozenset(kind.TYPE for kind in {**_FOLDS, **relation_fold.FOLDS})
"""Wire types of the facts that are folded."""
