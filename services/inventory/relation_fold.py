"""Folds what bears on variables and relationships into inventory's memory; pure and total."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from contracts.fact import Fact
from contracts.facts.inventory import (
    RelationsChanged,
    RelationshipRuleDeleted,
    RelationshipRuleSaved,
    RelationshipRuleSuspended,
    ResourceDeleted,
    ResourceVariablesSaved,
    VariableSetDeleted,
    VariableSetSaved,
)
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from services.inventory.relation_state import NONE, Named, Rule

if TYPE_CHECKING:
    from services.inventory.state import InventoryState


def _variables_saved(state: InventoryState, fact: ResourceVariablesSaved) -> InventoryState:
    if fact.resource_id not in state.resources:
        return state
    if fact.variables:
        return replace(state, variables=state.variables.set(fact.resource_id, fact.variables))
    return _without_variables(state, fact.resource_id)


def _without_variables(state: InventoryState, resource_id: str) -> InventoryState:
    if resource_id not in state.variables:
        return state
    return replace(state, variables=state.variables.delete(resource_id))


def _set_saved(state: InventoryState, fact: VariableSetSaved) -> InventoryState:
    return replace(state, variable_sets=state.variable_sets.set(fact.set_id, fact))


def _set_deleted(state: InventoryState, fact: VariableSetDeleted) -> InventoryState:
    if fact.set_id not in state.variable_sets:
        return state
    return replace(state, variable_sets=state.variable_sets.delete(fact.set_id))


def _rule_saved(state: InventoryState, fact: RelationshipRuleSaved) -> InventoryState:
    return replace(state, relating=replace(state.relating, rules=state.relating.rules.set(fact.rule_id, Rule(fact))))


def _rule_deleted(state: InventoryState, fact: RelationshipRuleDeleted) -> InventoryState:
    if fact.rule_id not in state.relating.rules:
        return state
    relating = state.relating.with_relations(fact.rule_id, NONE)
    return replace(state, relating=replace(relating, rules=relating.rules.delete(fact.rule_id)))


def _rule_suspended(state: InventoryState, fact: RelationshipRuleSuspended) -> InventoryState:
    rule = state.relating.rules.get(fact.rule_id)
    if rule is None:
        return state
    relating = state.relating.with_relations(fact.rule_id, NONE)
    rules = relating.rules.set(fact.rule_id, replace(rule, suspended=fact.reason))
    return replace(state, relating=replace(relating, rules=rules))


def _relations_changed(state: InventoryState, fact: RelationsChanged) -> InventoryState:
    rule = state.relating.rules.get(fact.rule_id)
    if rule is None or rule.suspended is not None:
        return state
    relations = state.relating.of_rule(fact.rule_id).after(fact, lambda entity: exists(state, entity))
    return replace(state, relating=state.relating.with_relations(fact.rule_id, relations))


def _entity_saved(state: InventoryState, fact: DeploymentSaved | EnvironmentSaved) -> InventoryState:
    named = Named(fact.name, fact.description, fact.metadata)
    if state.relating.named.get(fact.stream) == named:
        return state
    return replace(state, relating=replace(state.relating, named=state.relating.named.set(fact.stream, named)))


def _entity_deleted(state: InventoryState, fact: DeploymentDeleted | EnvironmentDeleted) -> InventoryState:
    if fact.stream not in state.relating.named:
        return state
    relating = state.relating.without(fact.stream)
    return replace(state, relating=replace(relating, named=relating.named.delete(fact.stream)))


def _resource_deleted(state: InventoryState, fact: ResourceDeleted) -> InventoryState:
    state = _without_variables(state, fact.resource_id)
    relating = state.relating.without(fact.stream)
    return state if relating is state.relating else replace(state, relating=relating)


def exists(state: InventoryState, entity: str) -> bool:
    """Whether an entity, such as `resource/<id>`, exists."""
    kind, _, id_ = entity.partition("/")
    return id_ in state.resources if kind == "resource" else entity in state.relating.named


FOLDS: Final[Mapping[type[Fact], Callable[[InventoryState, Any], InventoryState]]] = {
    ResourceVariablesSaved: _variables_saved,
    VariableSetSaved: _set_saved,
    VariableSetDeleted: _set_deleted,
    RelationshipRuleSaved: _rule_saved,
    RelationshipRuleDeleted: _rule_deleted,
    RelationshipRuleSuspended: _rule_suspended,
    RelationsChanged: _relations_changed,
    DeploymentSaved: _entity_saved,
    EnvironmentSaved: _entity_saved,
    DeploymentDeleted: _entity_deleted,
    EnvironmentDeleted: _entity_deleted,
    ResourceDeleted: _resource_deleted,
}
"""Folded after the rest of the state."""
