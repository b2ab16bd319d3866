"""Relationship rules, and what they relate."""

from __future__ import annotations

from contracts.commands.inventory import DeleteRelationshipRule, ListRelations, SaveRelationshipRule
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.lists import page_of_rows
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound

routes = Routes("relationship rules")

_RULE = "Relationship rule"


def _wish(body: bodies.RelationshipRuleBody, rule_id: str | None) -> SaveRelationshipRule:
    return SaveRelationshipRule(
        rule_id=rule_id,
        name=body.name,
        description=body.description,
        reference=body.reference,
        cel=body.cel,
        metadata=body.metadata,
    )


@routes.add("GET", "/relationship-rules", answers={200: answers.Page[answers.RelationshipRule]}, query=bodies.Paging)
async def list_relationship_rules(call: Call) -> Reply:
    """Relationship rules, newest first."""
    return await page_of_rows(call, "relationship_rule")


@routes.add("POST", "/relationship-rules", answers={201: answers.RelationshipRule}, body=bodies.RelationshipRuleBody)
async def create_relationship_rule(call: Call) -> Reply:
    """Create a relationship rule."""
    made = await call.ask(_wish(call.body, None))
    return Reply(201, await call.row("relationship_rule", made["id"], _RULE))


@routes.add("GET", "/relationship-rules/{relationshipRuleId}", answers={200: answers.RelationshipRule})
async def get_relationship_rule(call: Call) -> Reply:
    """A relationship rule."""
    return Reply(200, await call.row("relationship_rule", call.id("relationshipRuleId", _RULE), _RULE))


@routes.add(
    "PUT",
    "/relationship-rules/{relationshipRuleId}",
    answers={200: answers.RelationshipRule},
    body=bodies.RelationshipRuleBody,
)
async def upsert_relationship_rule(call: Call) -> Reply:
    """Create or replace a relationship rule under the caller's id."""
    saved = await call.ask(_wish(call.body, await call.own_id("relationshipRuleId", "relationship_rule", _RULE)))
    return Reply(200, await call.row("relationship_rule", saved["id"], _RULE))


@routes.add("DELETE", "/relationship-rules/{relationshipRuleId}", answers={202: answers.RelationshipRule})
async def delete_relationship_rule(call: Call) -> Reply:
    """Delete a relationship rule. Not 200, which a client in use takes for a failure."""
    gone = await call.ask(DeleteRelationshipRule(rule_id=call.id("relationshipRuleId", _RULE)))
    deleted = await call.last_known("relationship_rule", gone["id"])
    if deleted is None:
        raise NotFound(_RULE)
    return Reply(202, deleted)


@routes.add(
    "GET",
    "/relationship-rules/{relationshipRuleId}/relations",
    answers={200: answers.Relations},
    query=bodies.Paging,
)
async def list_relations(call: Call) -> Reply:
    """The pairs of entities that a rule relates."""
    paging: bodies.Paging = call.query
    query = ListRelations(rule_id=call.id("relationshipRuleId", _RULE), limit=paging.limit, offset=paging.offset)
    found = await call.look(query)
    page = {"items": found["items"], "total": found["total"], "limit": paging.limit, "offset": paging.offset}
    if found.get("suspended"):
        page["suspended"] = found["suspended"]
    return Reply(200, page)
