"""How facts change what variables are made from. Work is proportional to what a fact names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from immutables import Map

from contracts.fact import Fact
from contracts.facts.inventory import (
    RelationsChanged,
    RelationshipRuleDeleted,
    RelationshipRuleSaved,
    RelationshipRuleSuspended,
    ResourceDeleted,
    ResourceSaved,
    ResourceVariablesSaved,
    VariableSetDeleted,
    VariableSetSaved,
)
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentVariableDeleted,
    DeploymentVariableSaved,
    DeploymentVariableValueDeleted,
    DeploymentVariableValueSaved,
    EnvironmentDeleted,
)
from services.planner import relations
from services.planner.catalog import Catalog
from services.planner.inputs import NO_IDS, NO_VALUES, NOBODY, Inputs, resource_entity

_V = TypeVar("_V")

ENDED: Final = 20_000
"""So many endings are remembered. Whoever decides on more at once looks at everything that has variables."""


# --- resources and variable sets ---------------------------------------------------------------------------------------------------


def _resource_saved(inputs: Inputs, fact: ResourceSaved, _position: int) -> Inputs:
    return inputs._replace(resources=inputs.resources.set(fact.resource_id, fact))


def _resource_variables_saved(inputs: Inputs, fact: ResourceVariablesSaved, _position: int) -> Inputs:
    if fact.variables:
        return inputs._replace(resource_variables=inputs.resource_variables.set(fact.resource_id, fact))
    return inputs._replace(resource_variables=_without(inputs.resource_variables, fact.resource_id))


def _resource_deleted(inputs: Inputs, fact: ResourceDeleted, position: int) -> Inputs:
    inputs = inputs._replace(
        resources=_without(inputs.resources, fact.resource_id),
        resource_variables=_without(inputs.resource_variables, fact.resource_id),
    )
    return _unrelated(inputs, resource_entity(fact.resource_id), position)


def _variable_set_saved(inputs: Inputs, fact: VariableSetSaved, position: int) -> Inputs:
    inputs = _keys_ended(inputs, fact.set_id, position)
    return inputs._replace(sets=inputs.sets.set(fact.set_id, fact))


def _variable_set_deleted(inputs: Inputs, fact: VariableSetDeleted, position: int) -> Inputs:
    inputs = _keys_ended(inputs, fact.set_id, position)
    return inputs._replace(sets=_without(inputs.sets, fact.set_id))


def _keys_ended(inputs: Inputs, set_id: str, position: int) -> Inputs:
    before = inputs.sets.get(set_id)
    return inputs if before is None else _with_ended(inputs, position, (f"key/{one.key}" for one in before.variables))


# --- deployment variables ----------------------------------------------------------------------------------------------------------


def _variable_saved(inputs: Inputs, fact: DeploymentVariableSaved, _position: int) -> Inputs:
    before = inputs.variables.get(fact.variable_id)
    if before is not None and before.key != fact.key:
        inputs = _undeclared(inputs, before)
    ids = inputs.variable_ids.get(fact.deployment_id, NO_IDS)
    deployments = inputs.declaring.get(fact.key, _NOBODY)
    return inputs._replace(
        variables=inputs.variables.set(fact.variable_id, fact),
        variable_ids=inputs.variable_ids.set(fact.deployment_id, ids.set(fact.key, fact.variable_id)),
        declaring=inputs.declaring.set(fact.key, deployments.set(fact.deployment_id, True)),
    )


def _variable_deleted(inputs: Inputs, fact: DeploymentVariableDeleted, _position: int) -> Inputs:
    before = inputs.variables.get(fact.variable_id)
    return inputs if before is None else _without_variable(inputs, before)


def _without_variable(inputs: Inputs, variable: DeploymentVariableSaved) -> Inputs:
    variable_of = inputs.variable_of
    for value_id in inputs.values.get(variable.variable_id, NO_VALUES):
        variable_of = _without(variable_of, value_id)
    return _undeclared(inputs, variable)._replace(
        variables=_without(inputs.variables, variable.variable_id),
        values=_without(inputs.values, variable.variable_id),
        variable_of=variable_of,
    )


def _undeclared(inputs: Inputs, variable: DeploymentVariableSaved) -> Inputs:
    deployment_id, key = variable.deployment_id, variable.key
    return inputs._replace(
        variable_ids=_put(inputs.variable_ids, deployment_id, _without(inputs.variable_ids.get(deployment_id, NO_IDS), key)),
        declaring=_put(inputs.declaring, key, _without(inputs.declaring.get(key, _NOBODY), deployment_id)),
    )


def _value_saved(inputs: Inputs, fact: DeploymentVariableValueSaved, _position: int) -> Inputs:
    values = inputs.values.get(fact.variable_id, NO_VALUES)
    return inputs._replace(
        values=inputs.values.set(fact.variable_id, values.set(fact.value_id, fact)),
        variable_of=inputs.variable_of.set(fact.value_id, fact.variable_id),
    )


def _value_deleted(inputs: Inputs, fact: DeploymentVariableValueDeleted, _position: int) -> Inputs:
    values = _without(inputs.values.get(fact.variable_id, NO_VALUES), fact.value_id)
    return inputs._replace(
        values=_put(inputs.values, fact.variable_id, values), variable_of=_without(inputs.variable_of, fact.value_id)
    )


def _deployment_deleted(inputs: Inputs, fact: DeploymentDeleted, position: int) -> Inputs:
    for variable_id in inputs.variable_ids.get(fact.deployment_id, NO_IDS).values():
        inputs = _without_variable(inputs, inputs.variables[variable_id])
    return _unrelated(inputs, fact.stream, position)


def _environment_deleted(inputs: Inputs, fact: EnvironmentDeleted, position: int) -> Inputs:
    return _unrelated(inputs, fact.stream, position)


# --- relations ---------------------------------------------------------------------------------------------------------------------


def _rule_saved(inputs: Inputs, fact: RelationshipRuleSaved, _position: int) -> Inputs:
    return inputs._replace(references=inputs.references.set(fact.rule_id, fact.reference))


def _rule_deleted(inputs: Inputs, fact: RelationshipRuleDeleted, position: int) -> Inputs:
    inputs = _rule_suspended(inputs, fact, position)
    return inputs._replace(references=_without(inputs.references, fact.rule_id))


def _rule_suspended(inputs: Inputs, fact: RelationshipRuleSuspended | RelationshipRuleDeleted, position: int) -> Inputs:
    related = inputs.relations.get(fact.rule_id)
    if related is None:
        return inputs
    inputs = inputs._replace(relations=inputs.relations.delete(fact.rule_id))
    return _with_ended(inputs, position, related)


def _relations_changed(inputs: Inputs, catalog: Catalog, fact: RelationsChanged) -> Inputs:
    # What names a deployment or an environment that is gone was decided before the deletion was folded, and recorded after it.
    added = [one for one in fact.added if catalog.has(one.from_entity) and catalog.has(one.to_entity)]
    related = relations.changed(inputs.relations.get(fact.rule_id, NOBODY), added, fact.removed)
    return inputs._replace(relations=_put(inputs.relations, fact.rule_id, related))


def _unrelated(inputs: Inputs, entity: str, position: int) -> Inputs:
    """An entity is gone, and its relations with it."""
    left = [*inputs.others(entity)]
    if not left:
        return inputs
    remaining = inputs.relations
    for rule_id, related in inputs.relations.items():
        remaining = _put(remaining, rule_id, relations.without(related, entity))
    return _with_ended(inputs._replace(relations=remaining), position, left)


# --- endings -----------------------------------------------------------------------------------------------------------------------


def _with_ended(inputs: Inputs, position: int, what: Iterable[str]) -> Inputs:
    new = tuple(sorted({*what}))
    if not new:
        return inputs
    if inputs.ended_size + len(new) <= ENDED:
        return inputs._replace(ended=inputs.ended.set(position, new), ended_size=inputs.ended_size + len(new))
    if len(new) <= ENDED:
        return inputs._replace(ended=Map({position: new}), ended_size=len(new), ended_from=position)
    return inputs._replace(ended=Map(), ended_size=0, ended_from=position + 1)


def _put(map_: Map[str, Map[str, _V]], key: str, of_key: Map[str, _V]) -> Map[str, Map[str, _V]]:
    return map_.set(key, of_key) if of_key else _without(map_, key)


def _without(map_: Map[str, _V], key: str) -> Map[str, _V]:
    return map_.delete(key) if key in map_ else map_


_NOBODY: Final[Map[str, bool]] = Map()

_FOLDS: Final[Mapping[type[Fact], Callable[[Inputs, Any, int], Inputs]]] = {
    ResourceSaved: _resource_saved,
    ResourceVariablesSaved: _resource_variables_saved,
    ResourceDeleted: _resource_deleted,
    VariableSetSaved: _variable_set_saved,
    VariableSetDeleted: _variable_set_deleted,
    DeploymentVariableSaved: _variable_saved,
    DeploymentVariableDeleted: _variable_deleted,
    DeploymentVariableValueSaved: _value_saved,
    DeploymentVariableValueDeleted: _value_deleted,
    DeploymentDeleted: _deployment_deleted,
    EnvironmentDeleted: _environment_deleted,
    RelationshipRuleSaved: _rule_saved,
    RelationshipRuleDeleted: _rule_deleted,
    RelationshipRuleSuspended: _rule_suspended,
}

READ: Final[frozenset[type[Fact]]] = frozenset({*_FOLDS, RelationsChanged})
"""The facts that are folded here."""


def evolve(inputs: Inputs, catalog: Catalog, fact: Fact, position: int) -> Inputs:
    """Fold one fact; the catalog is after it."""
    if isinstance(fact, RelationsChanged):
        return _relations_changed(inputs, catalog, fact)
    fold = _FOLDS.get(type(fact))
    return fold(inputs, fact, position) if fold is not None else inputs
