"""Whatever is edited, in any order: what the services keep up to date step by step equals a naive computation from scratch."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.command import Refused, Wish
from contracts.commands.inventory import (
    DeleteRelationshipRule,
    DeleteResource,
    DeleteVariableSet,
    ResourceInput,
    SaveProvider,
    SaveRelationshipRule,
    SaveResource,
    SaveVariableSet,
    SetProviderResources,
    SetResourceVariables,
    VariableInput,
)
from contracts.commands.planner import (
    CreateVersion,
    DeleteDeployment,
    DeleteDeploymentVariable,
    DeleteDeploymentVariableValue,
    DeleteEnvironment,
    DeleteSystem,
    LinkDeployment,
    LinkEnvironment,
    PinVersion,
    ReleasePin,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
    SaveEnvironment,
    SaveSystem,
    UnlinkDeployment,
    UnlinkEnvironment,
    UpdateVersion,
)
from libs.simulation.audit import check_decisions, check_memory
from tests.simulation.estate import SERVICES, id_of
from tests.simulation.racing import RacingEstate

RESOURCES = ("web-1", "web-2", "db-1", "vpc-1")
SYSTEMS, DEPLOYMENTS, ENVIRONMENTS = ("core", "edge"), ("api", "ui"), ("qa", "live")
KEYS = ("replicas", "host")

resources = st.builds(
    lambda name, kind, zone: ResourceInput(
        identifier=name, name=name, kind=kind, version="v1", metadata={} if zone is None else {"zone": zone}
    ),
    st.sampled_from(RESOURCES),
    st.sampled_from(["Cluster", "Database"]),
    st.sampled_from([None, "a", "b"]),
)
selectors = st.sampled_from(
    [
        "true",
        "false",
        'resource.kind == "Cluster"',
        'resource.metadata["zone"] == "a"',
        'resource.metadata["zone"] != "a" && resource.kind == "Cluster"',
        'resource.name.startsWith("web")',
        'resource.identifier in ["web-1", "db-1"]',
    ]
)
rules = st.sampled_from(
    [
        'from.type == "resource" && to.type == "resource" && from.metadata["zone"] == to.metadata["zone"] && from.kind != to.kind',
        'from.type == "resource" && to.type == "environment" && to.name == "live"',
        'from.type == "deployment" && to.type == "resource" && from.metadata["zone"] == to.metadata["zone"]',
        'from.type == "resource" && to.kind == "Database" && to.variables["host"] == from.name',
        "false",
    ]
)
literals = st.sampled_from([1, 2.5, True, "1", {"object": {"a": [1]}}])
references = st.sampled_from(
    [
        {"reference": "near", "path": ["name"]},
        {"reference": "near", "path": ["METADATA", "zone"]},
        {"reference": "far", "path": ["variables", "host"]},
    ]
)
values = literals | references
set_selectors = st.sampled_from(
    ["true", 'environment.name == "live"', 'resource.metadata["zone"] == "b"', 'deployment.name == "api"']
)
zones = st.sampled_from([{}, {"zone": "a"}, {"zone": "b"}])
some_resource, some_key = st.sampled_from(RESOURCES), st.sampled_from(KEYS)
some_system, some_deployment, some_environment = map(st.sampled_from, (SYSTEMS, DEPLOYMENTS, ENVIRONMENTS))
small = st.integers(0, 1)
EDITS_AT_ONCE = 4
"""While services race, so many edits are made before everything has to come to rest."""


class Edits(RuleBasedStateMachine):
    """Everything that people, CI and syncers may edit."""

    @initialize(
        seed=st.integers(0, 999),
        racing=st.booleans(),
        first=st.tuples(rules, rules),
        told=st.lists(values, min_size=4, max_size=4),
    )
    def begin(self, seed: int, racing: bool, first: tuple[str, str], told: list[Any]) -> None:
        """Something of everything, so that the edits that follow find much to change."""
        self.estate = RacingEstate(seed=seed)
        self.racing = False
        self.edits = 0
        self.posted: dict[str, str] = {}
        for system in SYSTEMS:
            self._do(SaveSystem(system_id=id_of(system), name=system))
        for name in DEPLOYMENTS:
            self._do(self._deployment(name, "true", {"zone": "a"}))
            self._do(LinkDeployment(system_id=id_of("core"), deployment_id=id_of(name)))
        for name in ENVIRONMENTS:
            self._do(SaveEnvironment(environment_id=id_of(name), name=name, resource_selector="true"))
            self._do(LinkEnvironment(system_id=id_of("core"), environment_id=id_of(name)))
        for number, (reference, cel) in enumerate(zip(("near", "far"), first, strict=True)):
            self._do(SaveRelationshipRule(rule_id=id_of(f"r{number + 1}"), name=reference, reference=reference, cel=cel))
        for name, kind in zip(RESOURCES, ("Cluster", "Cluster", "Database", "Database"), strict=True):
            resource = ResourceInput(identifier=name, name=name, kind=kind, version="v1", metadata={"zone": "a"})
            self._do(SaveResource(resource=resource, variables={"host": "web-1"}))
        for (name, key), value in zip([(name, key) for name in DEPLOYMENTS for key in KEYS], told, strict=True):
            self.declare(name, key)
            self.value(name, key, 0, value, None, 0)
        for name in DEPLOYMENTS:
            self._post(name)
        self.estate.settle()
        self.racing = racing

    # --- inventory -------------------------------------------------------------------------------------------------------------

    @rule(resource=resources, variables=st.none() | st.dictionaries(some_key, values, max_size=2))
    def save_resource(self, resource: ResourceInput, variables: dict[str, Any] | None) -> None:
        self._do(SaveResource(resource=resource, variables=variables))

    @rule(provider=st.sampled_from(["one", "two"]), told=st.lists(resources, max_size=4))
    def set_resources(self, provider: str, told: list[ResourceInput]) -> None:
        provider_id = self._do(SaveProvider(name=provider))["id"]
        self._do(SetProviderResources(provider_id=provider_id, resources=tuple(told)))

    @rule(name=some_resource, variables=st.dictionaries(some_key, values, max_size=2))
    def set_variables(self, name: str, variables: dict[str, Any]) -> None:
        self._do(SetResourceVariables(identifier=name, variables=variables))

    @rule(name=st.sampled_from(["s1", "s2"]), selector=set_selectors, priority=small, found=st.dictionaries(some_key, values))
    def save_set(self, name: str, selector: str, priority: int, found: dict[str, Any]) -> None:
        known = next((one.set_id for one in self.estate.documents().sets.values() if one.name == name), None)
        variables = tuple(VariableInput(key=key, value=value) for key, value in found.items())
        self._do(SaveVariableSet(set_id=known, name=name, selector=selector, priority=priority, variables=variables))

    @rule(name=st.sampled_from(["r1", "r2", "r3"]), reference=st.sampled_from(["near", "far"]), cel=rules)
    def save_rule(self, name: str, reference: str, cel: str) -> None:
        self._do(SaveRelationshipRule(rule_id=id_of(name), name=name, reference=reference, cel=cel))

    # --- planner ---------------------------------------------------------------------------------------------------------------

    @rule(name=some_deployment, selector=selectors, metadata=zones, order=st.sampled_from([None, "latest", "every"]))
    def save_deployment(self, name: str, selector: str, metadata: dict[str, str], order: Any) -> None:
        self._do(self._deployment(name, selector, metadata, order))

    @rule(name=some_environment, selector=selectors, metadata=zones)
    def save_environment(self, name: str, selector: str, metadata: dict[str, str]) -> None:
        self._do(SaveEnvironment(environment_id=id_of(name), name=name, resource_selector=selector, metadata=metadata))

    @rule(system=some_system, deployment=some_deployment, environment=some_environment, how=st.integers(0, 3))
    def link(self, system: str, deployment: str, environment: str, how: int) -> None:
        member = {"deployment_id": id_of(deployment)} if how % 2 else {"environment_id": id_of(environment)}
        joins, parts = (LinkDeployment, UnlinkDeployment) if how % 2 else (LinkEnvironment, UnlinkEnvironment)
        self._do((joins if how < 2 else parts)(system_id=id_of(system), **member))

    @rule(name=some_deployment, key=some_key)
    def declare(self, name: str, key: str) -> None:
        self._do(SaveDeploymentVariable(variable_id=id_of(f"{name} {key}"), deployment_id=id_of(name), key=key))

    @rule(name=some_deployment, key=some_key, number=small, value=values, selector=st.none() | selectors, priority=small)
    def value(self, name: str, key: str, number: int, value: Any, selector: str | None, priority: int) -> None:
        wish = SaveDeploymentVariableValue(
            value_id=id_of(f"{name} {key} {number}"),
            variable_id=id_of(f"{name} {key}"),
            value=value,
            resource_selector=selector,
            priority=priority,
        )
        self._do(wish)

    @rule(name=some_deployment)
    def post(self, name: str) -> None:
        self._post(name)

    @rule(tag=st.integers(0, 3), status=st.sampled_from(["ready", "rejected", "building"]))
    def judge(self, tag: int, status: Any) -> None:
        versions = sorted(self.posted.values())
        self._do(UpdateVersion(version_id=versions[tag % len(versions)], status=status))

    @rule(tag=st.integers(0, 3), environment=some_environment, resource=st.none() | some_resource)
    def pin(self, tag: int, environment: str, resource: str | None) -> None:
        name, version_id = sorted(self.posted.items())[tag % len(self.posted)]
        scope = self._scope(name.split("@")[0], environment, resource)
        if scope is not None:
            self._do(PinVersion(**scope, version_id=version_id))

    @rule(name=some_deployment, environment=some_environment, resource=st.none() | some_resource)
    def release_pin(self, name: str, environment: str, resource: str | None) -> None:
        scope = self._scope(name, environment, resource)
        if scope is not None:
            self._do(ReleasePin(**scope))

    @rule(
        what=st.sampled_from(["resource", "set", "rule", "deployment", "environment", "system", "variable", "value"]), which=small
    )
    def remove(self, what: str, which: int) -> None:
        """Delete one of two of a kind, if it is there."""
        deployment, environment, system = DEPLOYMENTS[which], ENVIRONMENTS[which], SYSTEMS[which]
        sets = sorted(self.estate.documents().sets)
        match what:
            case "resource":
                self._do(DeleteResource(identifier=RESOURCES[which + 1]))
            case "set" if which < len(sets):
                self._do(DeleteVariableSet(set_id=sets[which]))
            case "rule":
                self._do(DeleteRelationshipRule(rule_id=id_of(f"r{which + 1}")))
            case "deployment":
                self._do(DeleteDeployment(deployment_id=id_of(deployment)))
            case "environment":
                self._do(DeleteEnvironment(environment_id=id_of(environment)))
            case "system":
                self._do(DeleteSystem(system_id=id_of(system)))
                self._do(SaveSystem(system_id=id_of(system), name=system))
            case "variable":
                self._do(DeleteDeploymentVariable(variable_id=id_of(f"{deployment} host")))
            case "value":
                self._do(DeleteDeploymentVariableValue(value_id=id_of(f"{deployment} replicas 0")))
            case _:
                pass

    @rule(name=some_deployment, environment=some_environment)
    def join(self, name: str, environment: str) -> None:
        """A deployment and an environment are there, share a system, and have something to deploy."""
        documents = self.estate.documents()
        if id_of(name) not in documents.deployments:
            self._do(self._deployment(name, "true", {}))
        if id_of(environment) not in documents.environments:
            self._do(SaveEnvironment(environment_id=id_of(environment), name=environment, resource_selector="true"))
        self._do(LinkDeployment(system_id=id_of("core"), deployment_id=id_of(name)))
        self._do(LinkEnvironment(system_id=id_of("core"), environment_id=id_of(environment)))

    # --- what stays true -------------------------------------------------------------------------------------------------------

    @invariant()
    def equals_a_computation_from_scratch(self) -> None:
        self.edits += 1
        if self.racing and self.edits % EDITS_AT_ONCE:
            return
        self.estate.settle()
        self.estate.check()

    def teardown(self) -> None:
        if hasattr(self, "estate"):
            self.estate.settle()
            check_memory(self.estate, SERVICES)
            check_decisions(self.estate, SERVICES)

    # --- how it is done --------------------------------------------------------------------------------------------------------

    def _do(self, wish: Wish) -> Any:
        try:
            if self.racing:
                return self.estate.race(wish)
            self.estate.advance(1)
            return self.estate.do(wish)
        except Refused:
            return {}

    def _deployment(self, name: str, selector: str, metadata: dict[str, str], order: Any = None) -> SaveDeployment:
        return SaveDeployment(
            deployment_id=id_of(name),
            name=name,
            resource_selector=selector,
            job_agent_selector="true",
            metadata=metadata,
            supersession=order,
        )

    def _post(self, name: str) -> None:
        tag = f"{name}@{len(self.posted)}"
        made = self._do(CreateVersion(deployment_id=id_of(name), tag=tag))
        if made:
            self.posted[tag] = made["id"]

    def _scope(self, name: str, environment: str, resource: str | None) -> dict[str, Any] | None:
        ids = {one.name: one.resource_id for one in self.estate.documents().resources.values()}
        if resource is not None and resource not in ids:
            return None
        resource_id = ids[resource] if resource is not None else None
        return {"deployment_id": id_of(name), "environment_id": id_of(environment), "resource_id": resource_id}


LONG = int(os.environ.get("SIGNALBOX_HISTORIES", "0"))
"""So many random histories, instead of a few fixed ones."""

TestEdits = Edits.TestCase
TestEdits.settings = settings(
    max_examples=LONG or 15,
    stateful_step_count=40 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not LONG,
    database=None,
)
