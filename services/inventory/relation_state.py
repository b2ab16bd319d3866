"""What inventory remembers of relationships: the rules, the deployments and environments as far as rules see them, and who is related."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from immutables import Map

from contracts.facts.inventory import Relation, RelationsChanged, RelationshipRuleSaved


@dataclass(frozen=True, slots=True)
class Rule:
    """A relationship rule.

    Attributes:
        saved: its document.
        suspended: why it is not followed until it is saved again; None when it is followed.
    """

    saved: RelationshipRuleSaved
    suspended: str | None = None


class Named(NamedTuple):
    """A deployment or an environment, as far as rules see it."""

    name: str
    description: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Relations:
    """The recorded relations of one rule.

    Attributes:
        outgoing: for each entity that is a `from`, its `to`s (as keys).
        incoming: the same, the other way round.
        count: how many there are.
    """

    outgoing: Map[str, Map[str, bool]] = field(default_factory=Map)
    incoming: Map[str, Map[str, bool]] = field(default_factory=Map)
    count: int = 0

    def has(self, from_entity: str, to_entity: str) -> bool:
        """Whether the one is related to the other."""
        return to_entity in self.outgoing.get(from_entity, NOBODY)

    def of(self, entity: str) -> tuple[Map[str, bool], Map[str, bool]]:
        """(what an entity is related to, what is related to it), as keys."""
        return self.outgoing.get(entity, NOBODY), self.incoming.get(entity, NOBODY)

    def has_any(self, entity: str) -> bool:
        """Whether an entity is an end of any."""
        return entity in self.outgoing or entity in self.incoming

    def after(self, fact: RelationsChanged, exists: Callable[[str], bool]) -> Relations:
        """The relations after a delta; of entities that are gone by now none is added."""
        added = {one: True for one in fact.added if not self.has(*one) and exists(one.from_entity) and exists(one.to_entity)}
        removed = {one: True for one in fact.removed if self.has(*one)}
        return self._changed(tuple(added), tuple(removed))

    def without(self, entity: str) -> Relations:
        """The relations when an entity is gone."""
        outgoing, incoming = self.of(entity)
        gone = [Relation(entity, one) for one in outgoing] + [Relation(one, entity) for one in incoming]
        return self._changed((), gone) if gone else self

    def _changed(self, added: Sequence[Relation], removed: Sequence[Relation]) -> Relations:
        return Relations(
            _moved(self.outgoing, added, removed),
            _moved(self.incoming, [Relation(t, f) for f, t in added], [Relation(t, f) for f, t in removed]),
            self.count + len(added) - len(removed),
        )


def _moved(edges: Map[str, Map[str, bool]], added: Iterable[Relation], removed: Iterable[Relation]) -> Map[str, Map[str, bool]]:
    """Edges after a delta; an entity without any is left out. Each entity's are rebuilt once, whatever it gains and loses."""
    changes: dict[str, list[tuple[str, bool]]] = {}
    for one, other in added:
        changes.setdefault(one, []).append((other, True))
    for one, other in removed:
        changes.setdefault(one, []).append((other, False))
    new = edges.mutate()
    for one, others in changes.items():
        ends = edges.get(one, NOBODY).mutate()
        for other, is_there in others:
            if is_there:
                ends[other] = True
            else:
                ends.pop(other, None)
        finished = ends.finish()
        if finished:
            new[one] = finished
        else:
            new.pop(one, None)
    return new.finish()


@dataclass(frozen=True, slots=True)
class Relating:
    """Rules and relations of a workspace.

    Attributes:
        rules: by id.
        named: deployments and environments, by entity (`deployment/<id>`).
        relations: of each rule that relates anything, by its id.
    """

    rules: Map[str, Rule] = field(default_factory=Map)
    named: Map[str, Named] = field(default_factory=Map)
    relations: Map[str, Relations] = field(default_factory=Map)

    def of_rule(self, rule_id: str) -> Relations:
        """The recorded relations of a rule."""
        return self.relations.get(rule_id, NONE)

    def with_relations(self, rule_id: str, relations: Relations) -> Relating:
        """The same, when a rule relates these."""
        if relations.count:
            return replace(self, relations=self.relations.set(rule_id, relations))
        return replace(self, relations=self.relations.delete(rule_id)) if rule_id in self.relations else self

    def without(self, entity: str) -> Relating:
        """The same, when an entity is gone: its deletion ends its relations."""
        new = self
        for rule_id, relations in self.relations.items():
            left = relations.without(entity)
            if left is not relations:
                new = new.with_relations(rule_id, left)
        return new


NOBODY: Final[Map[str, bool]] = Map()
NONE: Final = Relations()
