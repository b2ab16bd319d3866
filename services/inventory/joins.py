"""Indexes of entities by what relationship rules join them on: one for each expression, over all entities of a workspace.

An index is a cache. No decision depends on whether it is there: it follows one very state from fold to fold, by identity, and for a
state that nobody followed it is built anew. So it is right after a restart, when old decisions are made again, and for two histories
side by side. It lives as long as its state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from contracts.fact import Fact
from contracts.facts.inventory import ResourceDeleted, ResourceSaved, ResourceVariablesSaved
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from contracts.shapes import Json
from libs.cel import JoinIndex, Program

if TYPE_CHECKING:
    from services.inventory.state import InventoryState

_FIELDS: Final = ("id", "name", "metadata", "kind", "version", "identifier", "config", "providerId")
_NO_VARIABLES: Final[Json] = {}
_OF_ENTITIES: Final = (
    ResourceSaved,
    ResourceDeleted,
    ResourceVariablesSaved,
    DeploymentSaved,
    DeploymentDeleted,
    EnvironmentSaved,
    EnvironmentDeleted,
)
"""What an entity's document may change by."""


def follow(before: InventoryState, after: InventoryState, fact: Fact) -> None:
    """A state became another by a fact. Costs next to nothing; indexes catch up when they are asked for."""
    # Taken out in one step: of two folds that go on from one state, one keeps the indexes and the other has them made.
    entry = _entries.pop(id(before), None)
    if entry is None or entry.state() is not before:
        return
    if isinstance(fact, _OF_ENTITIES):
        entry.behind[fact.stream] = None
    if len(entry.behind) <= len(entry.documents):
        _keep(after, entry)


def joins_of(state: InventoryState, programs: Iterable[Program]) -> dict[str, JoinIndex]:
    """The index of each of these programs, by its source, over the entities of a state. Valid until the next call; must not be changed."""
    entry = _entries.pop(id(state), None)
    if entry is None or entry.state() is not state:
        entry = _Entry({key: document for key in _entities(state) if (document := entity_document(state, key)) is not None})
    for key in entry.behind:
        _catch_up(entry, key, entity_document(state, key))
    entry.behind = {}
    joins: dict[str, JoinIndex] = {}
    for program in programs:
        known = joins.get(program.source) or entry.joins.get(program.source)
        joins[program.source] = known if known is not None else _made(program, entry.documents)
    entry.joins = joins
    _keep(state, entry)
    return joins


def forget(state: InventoryState) -> None:
    """No rule is followed in a state: its indexes would only take room."""
    _entries.pop(id(state), None)


def entity_document(state: InventoryState, entity: str) -> Json | None:
    """An entity as the `from` or `to` of a rule; None when it does not exist. Variables are there for resources, as they are kept."""
    kind, _, id_ = entity.partition("/")
    if kind == "resource":
        resource = state.resources.get(id_)
        if resource is None:
            return None
        document: Json = {"type": "resource", "variables": state.variables.get(id_, _NO_VARIABLES)}
        for field in _FIELDS:
            if field in resource:
                document[field] = resource[field]
        return document
    named = state.relating.named.get(entity)
    if named is None:
        return None
    document = {"type": kind, "id": id_, "name": named.name, "metadata": named.metadata}
    if named.description:
        document["description"] = named.description
    return document


class _Entry:
    """The documents of all entities, their indexes, the state they follow, and the entities in which they are behind it."""

    __slots__ = ("behind", "documents", "joins", "state")

    state: ref[InventoryState]

    def __init__(self, documents: dict[str, Json]) -> None:
        self.documents = documents
        self.joins: dict[str, JoinIndex] = {}
        self.behind: dict[str, None] = {}


_entries: Final[dict[int, _Entry]] = {}


def _keep(state: InventoryState, entry: _Entry) -> None:
    place = id(state)

    def forgotten(gone: ref[Any]) -> None:
        kept = _entries.get(place)
        if kept is not None and kept.state is gone:
            del _entries[place]

    entry.state = ref(state, forgotten)
    _entries[place] = entry


def _entities(state: InventoryState) -> Iterator[str]:
    for resource_id in state.resources:
        yield f"resource/{resource_id}"
    yield from state.relating.named


def _made(program: Program, documents: dict[str, Json]) -> JoinIndex:
    join = JoinIndex(program)
    for key, document in documents.items():
        join.put(key, document)
    return join


def _catch_up(entry: _Entry, key: str, document: Json | None) -> None:
    if document is None:
        if entry.documents.pop(key, None) is not None:
            for join in entry.joins.values():
                join.remove(key)
        return
    entry.documents[key] = document
    for join in entry.joins.values():
        join.put(key, document)
