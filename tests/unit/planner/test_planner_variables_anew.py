"""Whatever is edited in whatever order, each desired release has the variables that resolving everything from scratch gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from contracts.command import Refused
from contracts.commands.planner import (
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    LinkEnvironment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
    SaveEnvironment,
)
from contracts.documents import deployment_document, environment_document, resource_document
from contracts.fact import Fact
from contracts.facts.inventory import (
    MatchesChanged,
    Relation,
    RelationsChanged,
    RelationshipRuleDeleted,
    RelationshipRuleSaved,
    RelationshipRuleSuspended,
    ResourceDeleted,
    ResourceSaved,
    ResourceVariablesSaved,
    VariableSetDeleted,
    VariableSetItem,
    VariableSetSaved,
)
from contracts.facts.planner import (
    DeploymentSaved,
    DeploymentVariableDeleted,
    DeploymentVariableSaved,
    DeploymentVariableValueDeleted,
    DeploymentVariableValueSaved,
    EnvironmentSaved,
)
from contracts.shapes import Json, Target
from libs.cel import contexts
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.planner.app import service
from services.planner.resolution import release_id
from services.planner.rollouts import pair_of
from services.planner.state import PlannerState
from tests.unit.planner.planner_scenes import Scene, uid

RESOURCES = tuple(uid(f"resource {n}") for n in range(3))
KEYS = ("x", "y")
RULES = tuple(uid(f"rule {n}") for n in range(2))
SETS = tuple(uid(f"set {n}") for n in range(2))
VARIABLES = tuple(uid(f"variable {n}") for n in range(2))
VALUES = tuple(uid(f"value {n}") for n in range(3))
SELECTORS = (
    "",
    "true",
    "resource.name == 'a'",
    "environment.name == 'production'",
    "resource.name == 'a' && deployment.name == 'api'",
)

Edit = Callable[["Town"], None]


class Town(Scene):
    """One deployment in two environments with variables of every kind; everything is editable."""

    def __init__(self) -> None:
        super().__init__()
        self.second = self.world.ask(SaveEnvironment(name="staging", resource_selector="true"))["id"]
        self.world.ask(LinkEnvironment(system_id=self.system, environment_id=self.second))
        self.world.record(
            MatchesChanged(entity="deployment", entity_id=self.deployment, added=RESOURCES),
            MatchesChanged(entity="environment", entity_id=self.environment, added=RESOURCES),
            MatchesChanged(entity="environment", entity_id=self.second, added=RESOURCES[:2]),
        )
        for one in RESOURCES:
            save_resource(one, "a", 1)(self)
        self.world.run()
        version = self.version("v1")
        self.clear(version, *RESOURCES)
        first, self.environment = self.environment, self.second
        self.clear(version, *RESOURCES[:2])
        self.environment = first
        for given_ in (
            declare(VARIABLES[0], "x"),
            declare(VARIABLES[1], "y"),
            save_value(VALUES[0], VARIABLES[0], {"reference": "r", "path": ["name"]}, None, 1),
            save_rule(RULES[0], "r"),
            relate(RULES[0], 0, 1, True),
            relate(RULES[0], 2, 4, True),
            save_set(SETS[0], "environment.name == 'production'", {"y": {"reference": "r", "path": ["id"]}}, 0),
            run,
        ):
            given_(self)

    @property
    def entities(self) -> tuple[str, ...]:
        """Everything that may be related."""
        resources = tuple(f"resource/{one}" for one in RESOURCES)
        return (*resources, f"deployment/{self.deployment}", f"environment/{self.environment}", f"environment/{self.second}")


def save_resource(resource: str, name: str, age: int) -> Edit:
    def edit(town: Town) -> None:
        at = town.world.now.replace(year=2020 + age)
        town.world.record(
            ResourceSaved(
                resource_id=resource, identifier=resource, name=name, kind="k", version="v", created_at=at, updated_at=at
            )
        )

    return edit


def delete_resource(resource: str) -> Edit:
    def edit(town: Town) -> None:
        town.world.record(
            ResourceDeleted(resource_id=resource, identifier=resource),
            MatchesChanged(entity="deployment", entity_id=town.deployment, removed=(resource,)),
        )

    return edit


def record(fact: Fact) -> Edit:
    return lambda town: town.world.record(fact)


def ask(make: Callable[[Town], Any]) -> Edit:
    def edit(town: Town) -> None:
        # Of random edits some make no sense; these change nothing.
        with suppress(Refused):
            town.world.ask(make(town))

    return edit


def declare(variable_id: str, key: str) -> Edit:
    return ask(lambda town: SaveDeploymentVariable(variable_id=variable_id, deployment_id=town.deployment, key=key))


def save_value(value_id: str, variable_id: str, value: Any, selector: str | None, priority: int) -> Edit:
    return ask(
        lambda town: SaveDeploymentVariableValue(
            value_id=value_id, variable_id=variable_id, value=value, resource_selector=selector, priority=priority
        )
    )


def save_set(set_id: str, selector: str, values: Json, priority: int) -> Edit:
    def edit(town: Town) -> None:
        items = tuple(VariableSetItem(id=uid(key), key=key, value=value) for key, value in values.items())
        now = town.world.now
        town.world.record(
            VariableSetSaved(
                set_id=set_id, name="s", selector=selector, priority=priority, variables=items, created_at=now, updated_at=now
            )
        )

    return edit


def save_rule(rule_id: str, reference: str) -> Edit:
    return lambda town: town.world.record(
        RelationshipRuleSaved(rule_id=rule_id, name="n", reference=reference, cel="true", created_at=town.world.now)
    )


def relate(rule_id: str, one: int, other: int, there: bool) -> Edit:
    def edit(town: Town) -> None:
        entities = town.entities
        ends = entities[one % len(entities)], entities[other % len(entities)]
        # Inventory relates only what exists, by rules that exist, and nothing to itself.
        known = {fact.rule_id: fact for fact in _newest(town, RelationshipRuleSaved, RelationshipRuleDeleted, "rule_id")}
        alive = {f"resource/{fact.resource_id}" for fact in _newest(town, ResourceSaved, ResourceDeleted, "resource_id")}
        exists = all(end in alive for end in ends if end.startswith("resource/"))
        if ends[0] == ends[1] or rule_id not in known or not exists:
            return
        town.world.record(RelationsChanged(rule_id=rule_id, **{"added" if there else "removed": (Relation(*ends),)}))

    return edit


def save_environment(name: str) -> Edit:
    return ask(lambda town: SaveEnvironment(environment_id=town.environment, name=name, resource_selector="true"))


def run(town: Town) -> None:
    """Planner gets its turn; what comes between two of these, it sees as one run of facts."""
    town.world.run()


def close_gate(town: Town) -> None:
    town.save_policy()


values = st.one_of(
    st.sampled_from([1, 1.0, "1", True, {"valueHash": "h"}]),
    st.builds(
        lambda name, path: {"reference": name, "path": path},
        st.sampled_from(["r", "s"]),
        st.sampled_from([["name"], ["id"], ["variables", "x"], ["nothing"]]),
    ),
)
pairs = st.dictionaries(st.sampled_from([*KEYS, "z"]), values, max_size=2)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(save_resource, st.sampled_from(RESOURCES), st.sampled_from(["a", "b"]), st.integers(0, 2)),
    st.builds(
        lambda one, values_: record(ResourceVariablesSaved(resource_id=one, variables=values_)), st.sampled_from(RESOURCES), pairs
    ),
    st.builds(delete_resource, st.sampled_from(RESOURCES)),
    st.builds(save_set, st.sampled_from(SETS), st.sampled_from(SELECTORS), pairs, st.integers(0, 1)),
    st.builds(lambda one: record(VariableSetDeleted(set_id=one)), st.sampled_from(SETS)),
    st.builds(declare, st.sampled_from(VARIABLES), st.sampled_from(KEYS)),
    st.builds(lambda one: ask(lambda town: DeleteDeploymentVariable(variable_id=one)), st.sampled_from(VARIABLES)),
    st.builds(
        save_value,
        st.sampled_from(VALUES),
        st.sampled_from(VARIABLES),
        values,
        st.sampled_from([None, *SELECTORS]),
        st.integers(0, 1),
    ),
    st.builds(lambda one: ask(lambda town: DeleteDeploymentVariableValue(value_id=one)), st.sampled_from(VALUES)),
    st.builds(save_rule, st.sampled_from(RULES), st.sampled_from(["r", "s"])),
    st.builds(lambda one: record(RelationshipRuleDeleted(rule_id=one)), st.sampled_from(RULES)),
    st.builds(lambda one: record(RelationshipRuleSuspended(rule_id=one, reason="")), st.sampled_from(RULES)),
    st.builds(relate, st.sampled_from(RULES), st.integers(0, 5), st.integers(0, 5), st.booleans()),
    st.builds(save_environment, st.sampled_from(["production", "other"])),
    st.just(close_gate),
)


# --- everything from scratch -------------------------------------------------------------------------------------------------------


def _newest(town: Town, saved: type[Any], deleted: type[Any] | None, id_: str) -> list[Any]:
    there: dict[str, Any] = {}
    for one in town.world.log:
        if isinstance(one.fact, saved):
            there[getattr(one.fact, id_)] = one.fact
        elif deleted is not None and isinstance(one.fact, deleted):
            there.pop(getattr(one.fact, id_), None)
    return list(there.values())


def _related(town: Town, resource: str, reference: str) -> list[str]:
    """Replays every fact about relations; no index, no memory."""
    names: dict[str, str] = {}
    relations: set[tuple[str, str, str]] = set()
    for one in town.world.log:
        match one.fact:
            case RelationshipRuleSaved() as fact:
                names[fact.rule_id] = fact.reference
            case RelationshipRuleDeleted() | RelationshipRuleSuspended() as fact:
                relations = {known for known in relations if known[0] != fact.rule_id}
            case ResourceDeleted() as fact:
                relations = {known for known in relations if f"resource/{fact.resource_id}" not in known}
            case RelationsChanged() as fact:
                relations |= {(fact.rule_id, *ends) for ends in fact.added}
                relations -= {(fact.rule_id, *ends) for ends in fact.removed}
    me = f"resource/{resource}"
    return [
        other
        for rule, one, two in relations
        if names.get(rule) == reference and me in (one, two)
        for other in (one, two)
        if other != me
    ]


class Scratch:
    """The variables of every target, each from the whole log."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.resources = {one.resource_id: one for one in _newest(town, ResourceSaved, ResourceDeleted, "resource_id")}
        self.own: dict[str, Json] = {}
        for one in town.world.log:
            if isinstance(one.fact, ResourceVariablesSaved):
                self.own[one.fact.resource_id] = one.fact.variables
            elif isinstance(one.fact, ResourceDeleted):
                self.own.pop(one.fact.resource_id, None)
        self.deployments = {one.deployment_id: one for one in _newest(town, DeploymentSaved, None, "deployment_id")}
        self.environments = {one.environment_id: one for one in _newest(town, EnvironmentSaved, None, "environment_id")}
        self.variables = _newest(town, DeploymentVariableSaved, DeploymentVariableDeleted, "variable_id")
        self.values: dict[str, DeploymentVariableValueSaved] = {}
        for one in town.world.log:
            match one.fact:
                case DeploymentVariableValueSaved() as fact:
                    self.values[fact.value_id] = fact
                case DeploymentVariableValueDeleted() as fact:
                    self.values.pop(fact.value_id, None)
                case DeploymentVariableDeleted() as fact:
                    self.values = {id_: value for id_, value in self.values.items() if value.variable_id != fact.variable_id}
        self.sets = _newest(town, VariableSetSaved, VariableSetDeleted, "set_id")

    def of(self, target: Target) -> Json:
        found: Json = {}
        for variable in self.variables:
            for value in self._candidates(variable, target):
                resolved = self._resolve(value, target.resource_id)
                if resolved is not None:
                    found[variable.key] = resolved
                    break
        return found

    def _candidates(self, variable: DeploymentVariableSaved, target: Target) -> Iterator[Any]:
        own = self.own.get(target.resource_id, {})
        if variable.key in own:
            yield own[variable.key]
        resource = self.resources.get(target.resource_id)
        documents: Json = {"resource": resource_document(self.town.world.workspace_id, resource) if resource else {}}
        values = [one for one in self.values.values() if one.variable_id == variable.variable_id]
        for one in sorted(values, key=lambda value: (-value.priority, value.value_id)):
            if not one.resource_selector or contexts.TARGET.compile(one.resource_selector).verdict(**documents).is_match:
                yield one.value
        documents["deployment"] = deployment_document(self.deployments[target.deployment_id])
        documents["environment"] = environment_document(self.town.world.workspace_id, self.environments[target.environment_id])
        for one in sorted(self.sets, key=lambda saved: (-saved.priority, saved.name, saved.set_id)):
            if one.selector and contexts.TARGET.compile(one.selector).verdict(**documents).is_match:
                yield from (item.value for item in one.variables if item.key == variable.key)

    def _resolve(self, value: Any, resource: str) -> Any:
        if not isinstance(value, dict):
            return value
        if "valueHash" in value:
            return None
        related = []
        for entity in _related(self.town, resource, value["reference"]):
            kind, _, id_ = entity.partition("/")
            document = {"resource": self.resources, "deployment": self.deployments, "environment": self.environments}[kind].get(
                id_
            )
            if document is not None:
                related.append((["resource", "deployment", "environment"].index(kind), document.created_at, id_, document))
        if not related:
            return None
        kind_, _, id_, document = min(related, key=lambda one: one[:3])
        field, *way = value["path"]
        if field == "id":
            return id_
        if field == "name":
            return document.name
        variable = self.own.get(id_, {}).get("x") if field == "variables" and way == ["x"] and kind_ == 0 else None
        return None if isinstance(variable, dict) else variable


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(edits, st.booleans()), max_size=20))
def test_incremental_is_the_same_as_from_scratch(changes: list[tuple[Edit, bool]]) -> None:
    town = Town()
    for edit, at_once in [*changes, (run, True)]:
        edit(town)
        if at_once:
            run(town)
            check(town)
    state = town.world.room("planner").state
    assert decode(PlannerState, encode(PlannerState, state)) == state
    assert refold(service, town.world.log) == state


def check(town: Town) -> None:
    """Every target is on the release that its version has with the variables of now."""
    state: PlannerState = town.world.room("planner").state
    scratch = Scratch(town)
    for environment_id in (town.environment, town.second):
        pair = pair_of(state.pairs, town.deployment, environment_id)
        assert pair is not None
        for resource_id, place in pair.places.items():
            target = Target(resource_id, environment_id, town.deployment)
            assert place.version_id is not None
            assert place.release_id == release_id(target, place.version_id, scratch.of(target)), scratch.of(target)
