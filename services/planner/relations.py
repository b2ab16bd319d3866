"""Who is related to whom by one relationship rule, kept from both sides so that an entity that goes takes only its own relations along."""

from __future__ import annotations

from collections.abc import Iterable

from immutables import Map, MapMutation

from contracts.facts.inventory import Relation
from services.planner.inputs import NOTHING, Related

FORTH, BACK = 1, 2
"""An entity may be related to another one, the other one to it, or both; either way each is the other's related entity."""


def changed(related: Related, added: Iterable[Relation], removed: Iterable[Relation]) -> Related:
    """The relations of a rule after a delta; what is there or gone already changes nothing."""
    new = related.mutate()
    for one in removed:
        _put(new, one.from_entity, one.to_entity, FORTH, there=False)
        _put(new, one.to_entity, one.from_entity, BACK, there=False)
    for one in added:
        _put(new, one.from_entity, one.to_entity, FORTH, there=True)
        _put(new, one.to_entity, one.from_entity, BACK, there=True)
    return new.finish()


def without(related: Related, entity: str) -> Related:
    """The relations of a rule without those of an entity."""
    others = related.get(entity)
    if others is None:
        return related
    new = related.mutate()
    del new[entity]
    for other in others:
        _put(new, other, entity, FORTH | BACK, there=False)
    return new.finish()


def _put(related: MapMutation[str, Map[str, int]], one: str, other: str, ways: int, *, there: bool) -> None:
    known = related.get(one, NOTHING)
    before = known.get(other, 0)
    after = before | ways if there else before & ~ways
    if after == before:
        return
    known = known.set(other, after) if after else known.delete(other)
    if known:
        related[one] = known
    else:
        del related[one]
