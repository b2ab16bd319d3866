"""Indexes of entities by what relationship rules join them on: one for each expression, over all entities of a workspace.

An index is a cache. No decision depends on whether it is there: it follows one very state from fold to fold, by identity, and for a
state that nobody followed it is built anew. So it is right after a restart, when old decisions are made again, and for two histories
side by side. It lives as long as its state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from contracts.fact import Fact
from contracts.facts.inventory import ResourceDeleted, ResourceSaved, ResourceVariablesSaved
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from contracts.shapes import Json
from libs.cel import JoinIndex, Program

if TYPE_CHECKING:
    from services.inventory.state import InventoryState

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
    if entry.documents is None:
        _keep(after, entry)
        return
    if isinstance(fact, _OF_ENTITIES):
        entry.behind[fact.stream] = None
    if len(entry.behind) <= len(entry.documents):
        _keep(after, entry)


def joins_of(state: InventoryState, programs: Collection[Program], most_steps: int) -> Joins:
    """The indexes of these programs, by their source, over the entities of a state. Valid until the next call.

    Args:
        state: the workspace.
        programs: those of the rules that are followed; indexes of others are let go.
        most_steps: what entering all entities into one index may take.
    """
    entry = _entries.pop(id(state), None)
    if entry is None or entry.state() is not state:
        entry = _Entry()
    sources = {program.source for program in programs}
    entry.made = {
        source: join
        for source, join in entry.made.items()
        # What was given up holds as long as the entities do not change.
        if source in sources and join.most_steps == most_steps and not (entry.behind and join.is_beyond)
    }
    entry.unmade = {source: join for source, join in entry.unmade.items() if source in sources and join.most_steps == most_steps}
    for key in entry.behind:
        _catch_up(entry, key, entity_document(state, key))
    entry.behind = {}
    _keep(state, entry)
    return Joins(state, entry, most_steps)


class Joins:
    """The indexes over the entities of one state; one is filled when it is first looked into."""

    def __init__(self, state: InventoryState, entry: _Entry, most_steps: int) -> None:
        self._state = state
        self._entry = entry
        self._most_steps = most_steps

    def of(self, program: Program) -> JoinIndex:
        """The index of a program, over all entities, unless it is beyond what that may take; must not be changed."""
        entry = self._entry
        known = entry.made.get(program.source)
        if known is not None:
            return known
        if entry.documents is None:
            entry.documents = dict(_documents(self._state))
        join = self._unmade(program)
        del entry.unmade[program.source]
        join.fill(entry.documents)
        entry.made[program.source] = join
        return join

    def is_unconditional(self, program: Program) -> bool:
        """Whether a program compares everybody with everybody; looks at nobody."""
        return self._filled_or_not(program).is_unconditional

    def may_relate(self, program: Program, entity: str) -> bool:
        """Whether an entity could have a part in any relation, as far as it tells by itself; looks at no other one."""
        document = entity_document(self._state, entity)
        return document is not None and self._filled_or_not(program).may_relate(document)

    def _filled_or_not(self, program: Program) -> JoinIndex:
        made = self._entry.made.get(program.source)
        return made if made is not None else self._unmade(program)

    def _unmade(self, program: Program) -> JoinIndex:
        unmade = self._entry.unmade
        if program.source not in unmade:
            unmade[program.source] = JoinIndex(program, self._most_steps)
        return unmade[program.source]


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
        return _resource(resource, state.variables.get(id_, _NO_VARIABLES))
    named = state.relating.named.get(entity)
    if named is None:
        return None
    document: Json = {"type": kind, "id": id_, "name": named.name, "metadata": named.metadata}
    if named.description:
        document["description"] = named.description
    return document


def _resource(resource: Json, variables: Json) -> Json:
    """A resource as an end; written out, since this is done for all of them at once."""
    document: Json = {
        "type": "resource",
        "variables": variables,
        "id": resource["id"],
        "name": resource["name"],
        "metadata": resource["metadata"],
        "kind": resource["kind"],
        "version": resource["version"],
        "identifier": resource["identifier"],
        "config": resource["config"],
    }
    if "providerId" in resource:
        document["providerId"] = resource["providerId"]
    return document


class _Entry:
    """What is kept for a state that is followed.

    Attributes:
        state: which one.
        behind: the entities in which the rest is behind it.
        documents: of all entities, by entity in order; None as long as nobody looked at them.
        made: the indexes over them, by source.
        unmade: empty ones.
    """

    __slots__ = ("behind", "documents", "made", "state", "unmade")

    state: ref[InventoryState]

    def __init__(self) -> None:
        self.behind: dict[str, None] = {}
        self.documents: dict[str, Json] | None = None
        self.made: dict[str, JoinIndex] = {}
        self.unmade: dict[str, JoinIndex] = {}


_entries: Final[dict[int, _Entry]] = {}


def _keep(state: InventoryState, entry: _Entry) -> None:
    place = id(state)

    def forgotten(gone: ref[Any]) -> None:
        kept = _entries.get(place)
        if kept is not None and kept.state is gone:
            del _entries[place]

    entry.state = ref(state, forgotten)
    _entries[place] = entry


def _documents(state: InventoryState) -> Iterator[tuple[str, Json]]:
    """Every entity with its document, in order, since indexes are filled in order."""
    for entity in sorted(state.relating.named):
        document = entity_document(state, entity)
        if document is not None:
            yield entity, document
    variables = state.variables
    for resource_id in sorted(state.resources):
        yield f"resource/{resource_id}", _resource(state.resources[resource_id], variables.get(resource_id, _NO_VARIABLES))


def _catch_up(entry: _Entry, key: str, document: Json | None) -> None:
    assert entry.documents is not None, "nothing was looked at that could be behind"
    if document is None:
        if entry.documents.pop(key, None) is not None:
            for join in entry.made.values():
                join.remove(key)
        return
    entry.documents[key] = document
    for join in entry.made.values():
        join.put(key, document)
