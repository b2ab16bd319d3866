"""Which targets may resolve other variables now: exactly those that a fact about what variables are made from can reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contracts.envelope import Recorded
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
    DeploymentSaved,
    DeploymentVariableDeleted,
    DeploymentVariableSaved,
    DeploymentVariableValueDeleted,
    DeploymentVariableValueSaved,
    EnvironmentDeleted,
    EnvironmentSaved,
)
from contracts.values import reference_of
from libs.cel import CelProblems, contexts
from services.planner.inputs import NO_IDS, NO_VALUES, NOBODY, resource_entity
from services.planner.rollouts import NO_PAIRS
from services.planner.state import PlannerState

Affected = dict[tuple[str, str], dict[str, Recorded]]
"""By deployment and environment: resource ids, each with the newest fact that says to look."""

_ENDS_SOMETHING = (
    ResourceDeleted
    | DeploymentDeleted
    | EnvironmentDeleted
    | RelationshipRuleDeleted
    | RelationshipRuleSuspended
    | VariableSetSaved
    | VariableSetDeleted
)


def affected(state: PlannerState, recorded: Sequence[Recorded]) -> Affected:
    """The targets to look at after facts that were just folded; the state is after them."""
    finder = _Finder(state)
    complete = recorded[0].position >= state.inputs.ended_from if recorded else True
    for one in recorded:
        if not complete and isinstance(one.fact, _ENDS_SOMETHING):
            finder.all(one)
        else:
            finder.look(one)
    return finder.found


class _Finder:
    """Collects targets during one decision; what the state says of a deployment is worked out once."""

    def __init__(self, state: PlannerState) -> None:
        self.found: Affected = {}
        self._state = state
        self._inputs = state.inputs
        self._follows: dict[str, bool] = {}
        self._roots: dict[str, frozenset[str]] = {}

    def look(self, one: Recorded) -> None:
        """What a fact can reach."""
        match one.fact:
            case (ResourceSaved() | ResourceVariablesSaved()) as fact:
                self._resource(fact.resource_id, one)
                self._related(self._inputs.others(resource_entity(fact.resource_id)), one)
            case (
                DeploymentVariableSaved()
                | DeploymentVariableDeleted()
                | DeploymentVariableValueSaved()
                | DeploymentVariableValueDeleted()
            ) as fact:
                self._deployment(fact.deployment_id, one)
            case RelationsChanged() as fact:
                self._related((entity for relation in (*fact.added, *fact.removed) for entity in relation), one)
            case RelationshipRuleSaved() as fact:
                self._related(self._inputs.relations.get(fact.rule_id, NOBODY), one)
            case VariableSetSaved() as fact:
                for item in fact.variables:
                    self._key(item.key, one)
            case DeploymentSaved() as fact:
                if "deployment" in self._roots_of_sets(fact.deployment_id):
                    self._deployment(fact.deployment_id, one)
                self._related(self._inputs.others(fact.stream), one)
            case EnvironmentSaved() as fact:
                for deployment_id in self._state.catalog.deployments_beside(fact.environment_id):
                    if "environment" in self._roots_of_sets(deployment_id):
                        self._pair(deployment_id, fact.environment_id, one)
                self._related(self._inputs.others(fact.stream), one)
            case _:
                pass
        for ended in self._inputs.ended.get(one.position, ()):
            kind, _, name = ended.partition("/")
            if kind == "key":
                self._key(name, one)
            else:
                self._related((ended,), one)

    def all(self, one: Recorded) -> None:
        """Every target whose deployment declares variables."""
        for deployment_id in sorted(self._inputs.variable_ids):
            self._deployment(deployment_id, one)

    # --- from what changed to targets ------------------------------------------------------------------------------------------

    def _deployment(self, deployment_id: str, one: Recorded) -> None:
        for environment_id in sorted(self._state.pairs.get(deployment_id, NO_PAIRS)):
            self._pair(deployment_id, environment_id, one)

    def _pair(self, deployment_id: str, environment_id: str, one: Recorded) -> None:
        pair = self._state.pairs.get(deployment_id, NO_PAIRS).get(environment_id)
        if pair is not None and pair.places:
            self.found.setdefault((deployment_id, environment_id), {}).update(dict.fromkeys(sorted(pair.places), one))

    def _key(self, key: str, one: Recorded) -> None:
        for deployment_id in sorted(self._inputs.declaring.get(key, ())):
            self._deployment(deployment_id, one)

    def _resource(self, resource_id: str, one: Recorded, *, following: bool = False) -> None:
        """The targets of a resource whose deployments declare variables; with `following`, those with a reference among the values."""
        for key in self._state.pairs_of.get(resource_id, ()):
            deployment_id, _, environment_id = key.partition("/")
            if deployment_id in self._inputs.variable_ids and (not following or self._follows_from(deployment_id, resource_id)):
                self.found.setdefault((deployment_id, environment_id), {})[resource_id] = one

    def _related(self, entities: Iterable[str], one: Recorded) -> None:
        for entity in sorted({*entities}):
            kind, _, id_ = entity.partition("/")
            if kind == "resource":
                self._resource(id_, one, following=True)

    # --- what a deployment looks at --------------------------------------------------------------------------------------------

    def _follows_from(self, deployment_id: str, resource_id: str) -> bool:
        """Whether variables of the deployment on the resource may be references."""
        follows = self._follows.get(deployment_id)
        if follows is None:
            follows = self._follows[deployment_id] = any(reference_of(value) for value in self._values(deployment_id))
        if follows:
            return True
        own = self._inputs.resource_variables.get(resource_id)
        declared = self._inputs.variable_ids.get(deployment_id, NO_IDS)
        return own is not None and any(key in declared and reference_of(value) for key, value in own.variables.items())

    def _values(self, deployment_id: str) -> Iterator[object]:
        declared = self._inputs.variable_ids.get(deployment_id, NO_IDS)
        for variable_id in declared.values():
            for saved in self._inputs.values.get(variable_id, NO_VALUES).values():
                yield saved.value
        for of_set in self._inputs.sets.values():
            for item in of_set.variables:
                if item.key in declared:
                    yield item.value

    def _roots_of_sets(self, deployment_id: str) -> frozenset[str]:
        """What the selectors of the variable sets look at that have a value for the deployment."""
        roots = self._roots.get(deployment_id)
        if roots is None:
            declared = self._inputs.variable_ids.get(deployment_id, NO_IDS)
            of_sets = (one.selector for one in self._inputs.sets.values() if any(item.key in declared for item in one.variables))
            roots = self._roots[deployment_id] = frozenset().union(*(_roots(one) for one in of_sets))
        return roots


def _roots(selector: str) -> frozenset[str]:
    try:
        return contexts.TARGET.compile(selector).roots if selector else frozenset()
    except CelProblems:
        return frozenset()
