"""Which write looks again at what: every consequence of each kind of write, and nothing besides.

The estate: clusters c1 (zone a, tier front) and c2 (zone b), and database db (zone a), which clusters of its zone are near to. Deployment api goes
to all clusters, ui to the front tier, each in qa (all zones) and live (zone b). api has the variables host (of the database near by) and
replicas, ui has color (of a variable set). v1 of both runs wherever it can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.command import Wish
from contracts.commands.dispatcher import SaveJobAgent
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
    DeleteVersionDependency,
    LinkDeployment,
    LinkEnvironment,
    PinVersion,
    Redeploy,
    ReleasePin,
    RollBack,
    SaveDeployment,
    SaveDeploymentVariable,
    SaveDeploymentVariableValue,
    SaveEnvironment,
    SaveSystem,
    SaveVersionDependency,
    UnlinkDeployment,
    UnlinkEnvironment,
    UpdateVersion,
)
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.policies import DeletePolicy, RuleInput, SavePolicy
from contracts.facts.dispatcher import JobCreated
from contracts.facts.inventory import MatchesChanged, RelationsChanged
from contracts.facts.planner import ReleasesCreated, RollbackStarted, TargetsChanged
from contracts.facts.policy import RuleEvaluated, TargetsCleared
from contracts.shapes import AnyApproval
from tests.simulation.estate import Estate, id_of

NEAR = 'from.kind == "Cluster" && to.kind == "Database" && from.metadata["zone"] == to.metadata["zone"]'
CLUSTERS, FRONT = 'resource.kind == "Cluster"', 'resource.metadata["tier"] == "front"'
ZONE_B = 'resource.metadata["zone"] == "b"'


def resource(name: str, **metadata: str) -> ResourceInput:
    kind = "Database" if name.startswith("db") else "Cluster"
    return ResourceInput(identifier=name, name=name, kind=kind, version="v1", metadata=metadata)


def deployment(name: str, selector: str, **more: Any) -> SaveDeployment:
    return SaveDeployment(
        deployment_id=id_of(name), name=name, resource_selector=selector, job_agent_selector='jobAgent.name == "puller"', **more
    )


def environment(name: str, selector: str, **more: Any) -> SaveEnvironment:
    return SaveEnvironment(environment_id=id_of(name), name=name, resource_selector=selector, **more)


def linked(wish: Callable[..., Wish], **ids: str) -> Wish:
    return wish(system_id=id_of("core"), **{f"{kind}_id": id_of(name) for kind, name in ids.items()})


def declared(owner: str, key: str) -> SaveDeploymentVariable:
    return SaveDeploymentVariable(variable_id=id_of(f"{owner} {key}"), deployment_id=id_of(owner), key=key)


def valued(owner: str, key: str, value: Any, selector: str | None = None) -> SaveDeploymentVariableValue:
    name = f"{owner} {key}"
    return SaveDeploymentVariableValue(
        value_id=id_of(f"{name} value"), variable_id=id_of(name), value=value, resource_selector=selector, priority=0
    )


class House(Estate):
    """The estate as the table is about it, and what followed from a write."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.give(SaveSystem(system_id=id_of("core"), name="core"))
        for wish in (
            deployment("api", CLUSTERS),
            deployment("ui", FRONT),
            environment("qa", "true"),
            environment("live", ZONE_B),
        ):
            self.give(wish)
        for name in ("api", "ui"):
            self.give(linked(LinkDeployment, deployment=name))
        for name in ("qa", "live"):
            self.give(linked(LinkEnvironment, environment=name))
        self.give(SaveRelationshipRule(rule_id=id_of("near"), name="near", reference="near", cel=NEAR))
        for one in (
            declared("api", "host"),
            valued("api", "host", {"reference": "near", "path": ["metadata", "dns"]}),
            declared("api", "replicas"),
            valued("api", "replicas", 1),
            declared("ui", "color"),
        ):
            self.give(one)
        theme = (VariableInput(key="color", value="blue"),)
        self.ids["theme"] = self.give(SaveVariableSet(name="theme", selector='deployment.name == "ui"', variables=theme))["id"]
        for one in (resource("db", zone="a", dns="db.a"), resource("c1", zone="a", tier="front"), resource("c2", zone="b")):
            self.ids[one.name] = self.give(SaveResource(resource=one))["id"]
        for name in ("api", "ui"):
            self.ids[f"{name} v1"] = self.give(CreateVersion(deployment_id=id_of(name), tag="v1"))["id"]
        self.settle()
        self.names = {one: name for name, one in self.ids.items()}
        self.names |= {id_of(name): name for name in ("api", "ui", "qa", "live", "near")}

    def give(self, wish: Wish) -> Any:
        self.advance(1)
        return self.do(wish)

    def followed(self, wishes: list[Wish]) -> set[str]:
        """What the writes led to, once everything came to rest."""
        before = len(self.log)
        for wish in wishes:
            answer = self.give(wish)
            if isinstance(wish, SaveResource):
                self.names[answer["id"]] = wish.resource.name
        self.settle()
        return {said for one in self.log[before:] for said in self._said(one.fact)}

    def _said(self, fact: object) -> list[str]:
        match fact:
            case MatchesChanged():
                return [f"matches of {self.names[fact.entity_id]}"]
            case RelationsChanged():
                return [f"relations {self.names[fact.rule_id]}"]
            case TargetsChanged():
                gone = [f"target {self._place(fact, one)} gone" for one in fact.removed]
                return [f"target {self._place(fact, one)}" for one in fact.added] + gone
            case ReleasesCreated():
                return [f"release {self._place(fact, item.resource_id)}" for item in fact.items]
            case RollbackStarted():
                return [f"rollback {self._place(fact, fact.resource_id)}"]
            case JobCreated():
                return [f"job {self._place(fact, fact.resource_id)}"]
            case RuleEvaluated():
                return [f"verdict {self._place(fact, one)}" for group in fact.groups for one in group.resource_ids]
            case TargetsCleared():
                return [f"cleared {self._place(fact, one)}" for one in fact.resource_ids]
            case _:
                return []

    def _place(self, fact: Any, resource_id: str) -> str:
        return f"{self.names[fact.deployment_id]}/{self.names[fact.environment_id]}/{self.names[resource_id]}"


CAREFUL = SavePolicy(policy_id=id_of("careful"), name="careful", rules=(RuleInput(any_approval=AnyApproval(min_approvals=1)),))


def held_version(house: House) -> str:
    """A version of ui that waits for an approval."""
    house.give(CAREFUL)
    version_id: str = house.give(CreateVersion(deployment_id=id_of("ui"), tag="v2"))["id"]
    return version_id


def deployed(*places: str) -> set[str]:
    """Another version or other variables went all the way there."""
    return {f"{step} {place}" for step in ("cleared", "release", "job") for place in places}


def appeared(*places: str) -> set[str]:
    """New targets got what is to run there."""
    return {f"target {place}" for place in places} | deployed(*places)


def gone(*places: str) -> set[str]:
    return {f"target {place} gone" for place in places}


def dispatched(*places: str) -> set[str]:
    return {f"job {place}" for place in places}


API_QA = ("api/qa/c1", "api/qa/c2")
API = (*API_QA, "api/live/c2")
UI = ("ui/qa/c1",)
Write = Callable[[House], list[Wish]]

MATRIX: dict[str, tuple[Write, set[str]]] = {
    # --- deployments, environments, systems -------------------------------------------------------------------------------------
    "deployment saved, selector widened": (
        lambda _: [deployment("ui", "resource.kind != 'Database'")],
        {"matches of ui"} | appeared("ui/qa/c2", "ui/live/c2"),
    ),
    "deployment saved, selector narrowed": (
        lambda _: [deployment("api", f"{CLUSTERS} && {FRONT}")],
        {"matches of api"} | gone("api/qa/c2", "api/live/c2"),
    ),
    "deployment saved without a change of its selector": (lambda _: [deployment("api", CLUSTERS, description="ours")], set()),
    "deployment created and linked": (
        lambda _: [deployment("ui", FRONT), linked(LinkDeployment, deployment="ui")],
        set(),
    ),
    "deployment deleted": (lambda _: [DeleteDeployment(deployment_id=id_of("ui"))], gone(*UI)),
    "deployment deleted that a version depends on": (
        lambda house: [
            DeleteDeployment(deployment_id=id_of("api"))
            for _ in house.give(
                CreateVersion(deployment_id=id_of("ui"), tag="v2", dependencies={id_of("api"): 'version.tag == "v9"'})
            )
        ],
        gone(*API) | deployed(*UI) | {f"verdict {one}" for one in UI},
    ),
    "environment saved, selector widened": (
        lambda _: [environment("live", "true")],
        {"matches of live"} | appeared("api/live/c1", "ui/live/c1"),
    ),
    "environment saved without a change of its selector": (lambda _: [environment("live", ZONE_B, metadata={"x": "y"})], set()),
    "environment deleted": (lambda _: [DeleteEnvironment(environment_id=id_of("live"))], gone("api/live/c2")),
    "deployment unlinked": (lambda _: [linked(UnlinkDeployment, deployment="ui")], gone(*UI)),
    "deployment linked again: what ran there counts again": (
        lambda _: [linked(UnlinkDeployment, deployment="ui"), linked(LinkDeployment, deployment="ui")],
        gone(*UI) | {"target ui/qa/c1", "cleared ui/qa/c1", "release ui/qa/c1"},
    ),
    "environment unlinked": (lambda _: [linked(UnlinkEnvironment, environment="live")], gone("api/live/c2")),
    "system deleted": (lambda _: [DeleteSystem(system_id=id_of("core"))], gone(*API, *UI)),
    # --- resources --------------------------------------------------------------------------------------------------------------
    "resource created": (
        lambda _: [SaveResource(resource=resource("c3", zone="b"))],
        {"matches of api", "matches of qa", "matches of live"} | appeared("api/qa/c3", "api/live/c3"),
    ),
    "resource changed in what nobody reads": (
        lambda _: [SaveResource(resource=resource("c2", zone="b", owner="ana"))],
        set(),
    ),
    "resource relabelled": (
        lambda _: [SaveResource(resource=resource("c1", zone="b", tier="front"))],
        {"matches of live", "relations near"} | appeared("api/live/c1", "ui/live/c1") | deployed("api/qa/c1"),
    ),
    "resource changed in what another one refers to": (
        lambda _: [SaveResource(resource=resource("db", zone="a", dns="db.b"))],
        deployed("api/qa/c1"),
    ),
    "resource deleted": (
        lambda _: [DeleteResource(identifier="c1")],
        {"matches of api", "matches of ui", "matches of qa"} | gone("api/qa/c1", "ui/qa/c1"),
    ),
    "resource deleted that another one refers to": (
        lambda _: [DeleteResource(identifier="db")],
        {"matches of qa"} | deployed("api/qa/c1"),
    ),
    "provider set, one resource new": (
        lambda house: [
            SetProviderResources(
                provider_id=house.give(SaveProvider(name="cloud"))["id"], resources=(resource("db", zone="a", dns="db.a"),)
            )
        ],
        set(),
    ),
    "resource variables set": (
        lambda _: [SetResourceVariables(identifier="c1", variables={"replicas": 3})],
        deployed("api/qa/c1"),
    ),
    "resource variables set that no deployment declares": (
        lambda _: [SetResourceVariables(identifier="c1", variables={"unknown": 3})],
        set(),
    ),
    # --- versions ---------------------------------------------------------------------------------------------------------------
    "version posted": (lambda _: [CreateVersion(deployment_id=id_of("api"), tag="v2")], deployed(*API)),
    "version rejected, another is left": (
        lambda house: [
            UpdateVersion(version_id=house.give(CreateVersion(deployment_id=id_of("ui"), tag="v2"))["id"], status="rejected")
        ],
        deployed(*UI) | {f"verdict {one}" for one in UI},
    ),
    "version renamed": (lambda house: [UpdateVersion(version_id=house.ids["api v1"], name="first")], set()),
    "dependency that is satisfied": (
        lambda house: [
            SaveVersionDependency(version_id=house.ids["ui v1"], dependency_deployment_id=id_of("api"), version_selector="true")
        ],
        set(),
    ),
    "dependency removed that held a version": (
        lambda house: [
            DeleteVersionDependency(
                version_id=house.give(
                    CreateVersion(deployment_id=id_of("ui"), tag="v2", dependencies={id_of("api"): 'version.tag == "v9"'})
                )["id"],
                dependency_deployment_id=id_of("api"),
            )
        ],
        deployed(*UI) | {f"verdict {one}" for one in UI},
    ),
    "job succeeded that a version depends on": (
        lambda house: [
            CreateVersion(deployment_id=id_of("ui"), tag="v2", dependencies={id_of("api"): 'version.tag == "v2"'}),
            CreateVersion(deployment_id=id_of("api"), tag="v2"),
        ],
        deployed(*API, *UI) | {f"verdict {one}" for one in UI},
    ),
    # --- variables --------------------------------------------------------------------------------------------------------------
    "deployment variable declared": (lambda _: [declared("ui", "replicas")], set()),
    "deployment variable deleted": (
        lambda _: [DeleteDeploymentVariable(variable_id=id_of("api replicas"))],
        deployed(*API),
    ),
    "deployment variable value changed": (lambda _: [valued("api", "replicas", 2)], deployed(*API)),
    "deployment variable value changed for some resources": (
        lambda _: [valued("api", "replicas", 1, FRONT)],
        deployed("api/qa/c2", "api/live/c2"),
    ),
    "deployment variable value deleted": (
        lambda _: [DeleteDeploymentVariableValue(value_id=id_of("api replicas value"))],
        deployed(*API),
    ),
    "variable set changed": (
        lambda house: [SaveVariableSet(set_id=house.ids["theme"], variables=(VariableInput(key="color", value="red"),))],
        deployed(*UI),
    ),
    "variable set changed in a key that nobody declares": (
        lambda house: [
            SaveVariableSet(
                set_id=house.ids["theme"],
                variables=(VariableInput(key="color", value="blue"), VariableInput(key="font", value="serif")),
            )
        ],
        set(),
    ),
    "variable set deleted": (lambda house: [DeleteVariableSet(set_id=house.ids["theme"])], deployed(*UI)),
    "relationship rule changed": (
        lambda _: [SaveRelationshipRule(rule_id=id_of("near"), name="near", reference="near", cel="false")],
        {"relations near"} | deployed("api/qa/c1"),
    ),
    "relationship rule deleted": (lambda _: [DeleteRelationshipRule(rule_id=id_of("near"))], deployed("api/qa/c1")),
    # --- policies, people, agents -----------------------------------------------------------------------------------------------
    "policy saved where everything runs": (
        lambda _: [CAREFUL],
        set(),
    ),
    "version approved": (
        lambda house: [
            RecordApproval(
                version_id=held_version(house), environment_ids=(id_of("qa"),), user_id=id_of("ana"), status="approved"
            )
        ],
        deployed(*UI) | {f"verdict {one}" for one in UI},
    ),
    "policy deleted that held a version": (
        lambda house: [DeletePolicy(policy_id=id_of("careful")) for _ in held_version(house)[:1]],
        deployed(*UI) | {f"verdict {one}" for one in UI},
    ),
    "job agent saved where everything has one": (
        lambda _: [SaveJobAgent(agent_id=id_of("agent"), name="puller", type="http-pull", metadata={"a": "b"})],
        set(),
    ),
    # --- choices ----------------------------------------------------------------------------------------------------------------
    "pinned to what runs": (
        lambda house: [
            PinVersion(deployment_id=id_of("ui"), environment_id=id_of("qa"), version_id=house.ids["ui v1"]),
            CreateVersion(deployment_id=id_of("ui"), tag="v2"),
        ],
        set(),
    ),
    "pin released": (
        lambda house: [
            PinVersion(deployment_id=id_of("ui"), environment_id=id_of("qa"), version_id=house.ids["ui v1"]),
            CreateVersion(deployment_id=id_of("ui"), tag="v2"),
            ReleasePin(deployment_id=id_of("ui"), environment_id=id_of("qa")),
        ],
        deployed(*UI),
    ),
    "redeployed": (
        lambda _: [Redeploy(deployment_id=id_of("api"), environment_id=id_of("qa"))],
        dispatched(*API_QA),
    ),
}


@pytest.mark.parametrize("name", MATRIX)
def test_a_write_looks_again_at_exactly_what_it_can_affect(name: str) -> None:
    writes, expected = MATRIX[name]
    house = House()
    wishes = writes(house)
    assert house.followed(wishes) == expected
    house.check()


def test_a_rollback_by_hand_concerns_its_target_alone() -> None:
    house = House()
    house.give(CreateVersion(deployment_id=id_of("api"), tag="v2"))
    house.settle()
    back = RollBack(deployment_id=id_of("api"), environment_id=id_of("qa"), resource_id=house.ids["c1"])
    assert house.followed([back]) == {"rollback api/qa/c1", "job api/qa/c1", "verdict api/qa/c1"}
