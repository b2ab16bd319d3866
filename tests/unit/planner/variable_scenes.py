"""A scene with resources, variables and relations: what inventory would say of them is given as facts."""

from __future__ import annotations

from typing import Any

from contracts.commands.planner import SaveDeploymentVariable, SaveDeploymentVariableValue
from contracts.facts.inventory import (
    Relation,
    RelationsChanged,
    RelationshipRuleSaved,
    ResourceSaved,
    ResourceVariablesSaved,
    VariableSetItem,
    VariableSetSaved,
)
from contracts.shapes import Json
from services.planner.state import PlannerState
from tests.unit.planner.planner_scenes import Scene, uid


class VariableScene(Scene):
    """One deployment in one environment; each resource exists, is a target, and has version v1 as the desired one."""

    def __init__(self, *resources: str) -> None:
        super().__init__()
        for one in resources:
            self.save_resource(one)
        self.match(*resources)
        self.v1 = self.version("v1")
        self.clear(self.v1, *resources)

    @property
    def state(self) -> PlannerState:
        """What planner remembers."""
        state: PlannerState = self.world.room("planner").state
        return state

    # --- what happens ----------------------------------------------------------------------------------------------------------

    def save_resource(self, resource: str, **fields: Any) -> None:
        """Inventory saves a resource."""
        fact = ResourceSaved.model_validate(
            {
                "resource_id": resource,
                "identifier": f"id-{resource}",
                "name": f"name-{resource}",
                "kind": "Cluster",
                "version": "v1",
                "created_at": self.world.now,
                "updated_at": self.world.now,
                **fields,
            }
        )
        self.world.record(fact)
        self.world.run()

    def set_variables(self, resource: str, variables: Json) -> None:
        """Inventory saves the variables of a resource."""
        self.world.record(ResourceVariablesSaved(resource_id=resource, variables=variables))
        self.world.run()

    def save_set(self, name: str, selector: str, values: Json, *, priority: int = 0, id: str | None = None) -> str:
        """Inventory saves a variable set; returns its id."""
        set_id = id or uid(f"set {name}")
        items = tuple(VariableSetItem(id=uid(f"{set_id} {key}"), key=key, value=value) for key, value in values.items())
        now = self.world.now
        self.world.record(
            VariableSetSaved(
                set_id=set_id, name=name, selector=selector, priority=priority, variables=items, created_at=now, updated_at=now
            )
        )
        self.world.run()
        return set_id

    def declare(self, key: str, *values: Any) -> str:
        """Declare a variable, with values for every resource from the best one down; returns its id."""
        variable_id = uid(f"variable {key}")
        self.world.do(SaveDeploymentVariable(variable_id=variable_id, deployment_id=self.deployment, key=key))
        for number, value in enumerate(values):
            self.value(key, value, priority=-number)
        return variable_id

    def value(self, key: str, value: Any, *, priority: int, selector: str | None = None, id: str | None = None) -> str:
        """Save a value of a declared variable; returns its id."""
        value_id = id or uid(f"value {key} {priority} {selector}")
        self.world.do(
            SaveDeploymentVariableValue(
                value_id=value_id, variable_id=uid(f"variable {key}"), value=value, resource_selector=selector, priority=priority
            )
        )
        return value_id

    def save_rule(self, reference: str, name: str = "") -> str:
        """Inventory saves a relationship rule; returns its id."""
        rule_id = uid(f"rule {name or reference}")
        self.world.record(
            RelationshipRuleSaved(rule_id=rule_id, name=name, reference=reference, cel="true", created_at=self.world.now)
        )
        self.world.run()
        return rule_id

    def relate(self, rule_id: str, *pairs: tuple[str, str]) -> None:
        """Inventory finds entities related; a bare id is a resource's."""
        self._relations(rule_id, pairs, there=True)

    def part(self, rule_id: str, *pairs: tuple[str, str]) -> None:
        """Inventory finds entities related no more."""
        self._relations(rule_id, pairs, there=False)

    def _relations(self, rule_id: str, pairs: tuple[tuple[str, str], ...], *, there: bool) -> None:
        relations = tuple(Relation(*(one if "/" in one else f"resource/{one}" for one in pair)) for pair in pairs)
        self.world.record(RelationsChanged(rule_id=rule_id, **{"added" if there else "removed": relations}))
        self.world.run()

    # --- what is seen ----------------------------------------------------------------------------------------------------------

    def variables(self, resource: str) -> Json:
        """The variables of the desired release."""
        release_id, _ = self.release(resource)
        return next(item.variables for item in reversed(self.releases()) if item.release_id == release_id)
