"""What the variables of releases are made from: resources and their variables, variable sets, deployment variables, relations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from immutables import Map

from contracts.facts.inventory import ResourceSaved, ResourceVariablesSaved, VariableSetSaved
from contracts.facts.planner import DeploymentVariableSaved, DeploymentVariableValueSaved

Related = Map[str, Map[str, int]]
"""By entity (`resource/<id>`, `deployment/<id>` or `environment/<id>`): the others of one rule, each with how often it is related."""


class Inputs(NamedTuple):
    """The fold of what variables are made from.

    Attributes:
        resources: the newest document of each resource, by id.
        resource_variables: of each resource that has any, by resource id.
        sets: variable sets, by id.
        variables: deployment variables, by id.
        variable_ids: for each deployment that declares any, their ids by key.
        values: for each deployment variable that has any, its values by id.
        variable_of: the variable of each value, by value id.
        declaring: for each declared key, the deployments that declare it (as keys).
        references: the reference name of each relationship rule, by rule id.
        relations: for each rule that relates anything, both ways.
        ended: what lost something by a fact, by the fact's position: entities their relations, keys (`key/<key>`) a value of a set. The
            state tells no more what it was, and whoever decides on the fact must know. Bounded.
        ended_size: how many are in `ended`.
        ended_from: `ended` is complete for facts at this position and after it.
    """

    workspace_id: str
    resources: Map[str, ResourceSaved] = Map()
    resource_variables: Map[str, ResourceVariablesSaved] = Map()
    sets: Map[str, VariableSetSaved] = Map()
    variables: Map[str, DeploymentVariableSaved] = Map()
    variable_ids: Map[str, Map[str, str]] = Map()
    values: Map[str, Map[str, DeploymentVariableValueSaved]] = Map()
    variable_of: Map[str, str] = Map()
    declaring: Map[str, Map[str, bool]] = Map()
    references: Map[str, str] = Map()
    relations: Map[str, Map[str, Map[str, int]]] = Map()
    ended: Map[int, tuple[str, ...]] = Map()
    ended_size: int = 0
    ended_from: int = 0

    def others(self, entity: str) -> Iterator[str]:
        """What an entity is related to, whatever the rule; with repeats."""
        for related in self.relations.values():
            yield from related.get(entity, NOTHING)


NO_IDS: Final[Map[str, str]] = Map()
NO_VALUES: Final[Map[str, DeploymentVariableValueSaved]] = Map()
NOTHING: Final[Map[str, int]] = Map()
NOBODY: Final[Related] = Map()


def resource_entity(resource_id: str) -> str:
    """A resource among the entities that relationship rules relate."""
    return f"resource/{resource_id}"
