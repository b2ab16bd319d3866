"""Saves and deletes relationship rules, and lists whom they relate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from contracts.command import Asked, Refused
from contracts.commands.inventory import DeleteRelationshipRule, ListRelations, ListRelationsOf, SaveRelationshipRule
from contracts.facts.inventory import Relation, RelationshipRuleDeleted, RelationshipRuleSaved
from contracts.shapes import Json
from libs.cel import contexts
from libs.cel.saving import check_selector
from libs.runtime.ids import derived
from libs.runtime.service import Command, Decided, Draft, QueryHandler
from services.inventory.documents import bounded, problem, same, shown
from services.inventory.relation_state import Relations
from services.inventory.relations import TooMany, relate_all
from services.inventory.state import InventoryState


def save_relationship_rule(wish: SaveRelationshipRule, state: InventoryState, asked: Asked) -> Decided:
    """Create or replace a relationship rule, and tell whom it relates now; the same again appends nothing, unless it was suspended.

    Raises:
        Refused: `INVALID_CEL`, `TOO_MANY_RELATIONS` (it would relate or compare more than is allowed), or it is too large.
    """
    check_selector(contexts.RELATION, wish.cel, path="/body/cel", what="relationship expression")
    rule_id = wish.rule_id or derived(asked.id, "relationship-rule")
    before = state.relating.rules.get(rule_id)
    saved = RelationshipRuleSaved(
        rule_id=rule_id,
        name=wish.name,
        description=wish.description,
        reference=wish.reference,
        cel=wish.cel,
        metadata=wish.metadata,
        created_at=before.saved.created_at if before else asked.now,
    )
    followed = before is not None and before.suspended is None
    if before is not None and followed and same(saved.model_dump(mode="json"), before.saved.model_dump(mode="json")):
        return Decided(answer={"id": rule_id})
    drafts = (Draft(bounded(saved, f"Relationship rule '{shown(wish.name)}'")),)
    if before is not None and followed and before.saved.cel == wish.cel:
        return Decided(drafts, {"id": rule_id})
    related = relate_all(state, rule_id, contexts.RELATION.compile(wish.cel))
    if isinstance(related, TooMany):
        details = [problem("/body/cel", related.reason, "too_many_relations")]
        message = f"Relationship rule '{shown(wish.name)}' is refused. {related.reason}"
        raise Refused("invalid", message, code="TOO_MANY_RELATIONS", details=details)
    return Decided((*drafts, *related), {"id": rule_id})


def delete_relationship_rule(wish: DeleteRelationshipRule, state: InventoryState, asked: Asked) -> Decided:
    """Delete a relationship rule, and with it its relations. Raises: Refused: unknown."""
    if wish.rule_id not in state.relating.rules:
        raise _unknown(wish.rule_id)
    return Decided((Draft(RelationshipRuleDeleted(rule_id=wish.rule_id)),), {"id": wish.rule_id})


def list_relations(wish: ListRelations, state: InventoryState, asked: Asked, position: int) -> Json:
    """A page of the pairs that a rule relates, in order of their entities. Raises: Refused: unknown rule."""
    rule = state.relating.rules.get(wish.rule_id)
    if rule is None:
        raise _unknown(wish.rule_id)
    relations = state.relating.of_rule(wish.rule_id)
    start = max(wish.offset, 0)
    page = islice(_pairs(relations, start), max(wish.limit, 0))
    items = [{"from": _entity(one.from_entity), "to": _entity(one.to_entity)} for one in page]
    answer: Json = {"items": items, "total": relations.count}
    if rule.suspended is not None:
        answer["suspended"] = rule.suspended
    return answer


def list_relations_of(wish: ListRelationsOf, state: InventoryState, asked: Asked, position: int) -> Json:
    """A page of what an entity is related to, in order of directions, rules and entities."""
    entity = f"{wish.type}/{wish.id}"
    found: dict[str, list[tuple[str, str]]] = {"to": [], "from": []}
    for rule_id in sorted(state.relating.relations):
        outgoing, incoming = state.relating.relations[rule_id].of(entity)
        found["to"] += ((rule_id, one) for one in sorted(outgoing))
        found["from"] += ((rule_id, one) for one in sorted(incoming))
    every = [(direction, rule_id, one) for direction, ends in found.items() for rule_id, one in ends]
    start = max(wish.offset, 0)
    items = [
        {"ruleId": rule_id, "direction": direction, "entity": _entity(one)}
        for direction, rule_id, one in every[start : start + max(wish.limit, 0)]
    ]
    return {"items": items, "total": len(every)}


def _pairs(relations: Relations, passed_over: int) -> Iterator[Relation]:
    """The pairs in order, after so many of them."""
    for from_entity in sorted(relations.outgoing):
        others = relations.outgoing[from_entity]
        if passed_over >= len(others):
            passed_over -= len(others)
            continue
        for to_entity in sorted(others)[passed_over:]:
            yield Relation(from_entity, to_entity)
        passed_over = 0


def _entity(entity: str) -> Json:
    kind, _, id_ = entity.partition("/")
    return {"type": kind, "id": id_}


def _unknown(rule_id: str) -> Refused:
    return Refused("not_found", f"Relationship rule {shown(rule_id)} not found", code="NOT_FOUND")


COMMANDS: Final[Mapping[str, Command[InventoryState, Any]]] = {
    SaveRelationshipRule.NAME: Command(SaveRelationshipRule, save_relationship_rule),
    DeleteRelationshipRule.NAME: Command(DeleteRelationshipRule, delete_relationship_rule),
}
QUERIES: Final[Mapping[str, QueryHandler[InventoryState, Any]]] = {
    ListRelations.NAME: QueryHandler(ListRelations, list_relations),
    ListRelationsOf.NAME: QueryHandler(ListRelationsOf, list_relations_of),
}
