"""Whatever happens, in any order: who is related is what comparing everybody with everybody says, and old decisions are made again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.inventory import DeleteRelationshipRule, DeleteResource, SaveResource
from contracts.fact import Fact
from contracts.facts.inventory import RelationshipRuleDeleted, RelationshipRuleSaved, ResourceVariablesSaved
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted, EnvironmentSaved
from libs.cel import contexts
from libs.eventlog.port import Checkpoint
from libs.runtime.room import Room
from libs.simulation.world import WORKSPACE, refold
from services.inventory.app import service
from tests.unit.inventory.inventory_scenes import item, uid
from tests.unit.inventory.relation_scenes import VPC_OF_CLUSTER, RelationScene, resource

RULES = ("r1", "r2", "r3")
EXPRESSIONS = (
    VPC_OF_CLUSTER,
    "true",
    'from.metadata["k"] == to.metadata["k"]',
    'from.metadata["k"] == to.metadata["k"] || from.name == to.metadata["k"]',
    'from.type == "deployment" && to.type == "environment" && !(from.metadata["k"] == to.metadata["k"])',
    'to.type == "resource" && from.name in to.config.names',
    'from.variables["v"] == to.name',
    "from.config.size > to.config.size",
    'from.config.names.exists(n, n == to.name) && to.description == "d"',
    "from.config == to.config",
)
NAMES = ("a", "b", "c")
VALUES = ("a", "b")
CONFIGS: tuple[dict[str, Any], ...] = (
    {},
    {"names": ["a", "c"]},
    {"size": 1},
    {"size": True},
    {"size": 2, "names": "b"},
    {"names": []},
)

one_of = st.sampled_from
STEPS = st.one_of(
    st.tuples(st.just("rule"), one_of(RULES), one_of(EXPRESSIONS), st.none()),
    st.tuples(st.just("no rule"), one_of(RULES), st.none(), st.none()),
    st.tuples(st.just("resource"), one_of(NAMES), one_of(("VPC", "Cluster")), st.tuples(one_of(VALUES), one_of(CONFIGS))),
    st.tuples(st.just("variables"), one_of(NAMES), one_of(({}, {"v": "a"}, {"v": "b"})), st.none()),
    st.tuples(st.just("no resource"), one_of(NAMES), st.none(), st.none()),
    st.tuples(st.just("deployment"), one_of(NAMES), one_of(VALUES), one_of(("", "d"))),
    st.tuples(st.just("environment"), one_of(NAMES), one_of(VALUES), one_of(("", "d"))),
    st.tuples(st.just("no deployment"), one_of(NAMES), st.none(), st.none()),
    st.tuples(st.just("no environment"), one_of(NAMES), st.none(), st.none()),
    st.tuples(st.just("run"), st.none(), st.none(), st.none()),
    st.tuples(st.just("run"), st.none(), st.none(), st.none()),
)
Step = tuple[str, Any, Any, Any]


def take(scene: RelationScene, step: Step) -> None:
    """Do one step; what does not exist is not deleted."""
    what, one, two, three = step
    ask, record = scene.world.ask, scene.world.record
    now: datetime = scene.world.now
    state = scene.world.room("inventory").state
    match what:
        case "rule":
            scene.save_rule(rule_id=uid(one), cel=two)
        case "no rule" if uid(one) in state.relating.rules:
            ask(DeleteRelationshipRule(rule_id=uid(one)))
        case "resource":
            metadata = {"vpc": three[0], "id": three[0], "k": three[0]}
            scene.save(one, name=one, kind=two, metadata=metadata, config=three[1])
        case "variables" if one in scene.there():
            there = scene.there()[one]
            same = item(one, kind=there.kind, metadata=there.metadata, config=there.config)
            ask(SaveResource(resource=same, variables=two))
        case "no resource" if one in scene.there():
            ask(DeleteResource(identifier=one))
        case "deployment":
            record(DeploymentSaved(deployment_id=uid(one), name=one, description=three, metadata={"k": two}, created_at=now))
        case "environment":
            record(EnvironmentSaved(environment_id=uid(one), name=one, description=three, metadata={"k": two}, created_at=now))
        case "no deployment":
            record(DeploymentDeleted(deployment_id=uid(one)))
        case "no environment":
            record(EnvironmentDeleted(environment_id=uid(one)))
        case "run":
            scene.world.run()


def rules_of(scene: RelationScene) -> dict[str, str]:
    """The expression of each rule, by its id."""
    rules: dict[str, str] = {}
    for one in scene.world.log:
        match one.fact:
            case RelationshipRuleSaved() as fact:
                rules[fact.rule_id] = fact.cel
            case RelationshipRuleDeleted() as fact:
                del rules[fact.rule_id]
    return rules


def ends_of(scene: RelationScene) -> dict[str, dict[str, Any]]:
    """Every entity as rules see it, from the facts alone."""
    variables: dict[str, dict[str, Any]] = {}
    ends: dict[str, dict[str, Any]] = {}
    for one in scene.world.log:
        fact: Fact = one.fact
        match fact:
            case ResourceVariablesSaved():
                variables[fact.stream] = fact.variables
            case DeploymentSaved() | EnvironmentSaved():
                kind, id_ = fact.stream.split("/")
                ends[fact.stream] = {"type": kind, "id": id_, "name": fact.name, "metadata": fact.metadata}
                if fact.description:
                    ends[fact.stream]["description"] = fact.description
            case DeploymentDeleted() | EnvironmentDeleted():
                ends.pop(fact.stream, None)
    for fact in scene.there().values():
        ends[fact.stream] = {
            "type": "resource",
            "id": fact.resource_id,
            "name": fact.name,
            "metadata": fact.metadata,
            "kind": fact.kind,
            "version": fact.version,
            "identifier": fact.identifier,
            "config": fact.config,
            "variables": variables.get(fact.stream, {}),
        }
    return ends


def everybody(scene: RelationScene, source: str) -> set[tuple[str, str]]:
    """Whom an expression relates, comparing everybody with everybody."""
    program, ends = contexts.RELATION.compile(source), ends_of(scene)
    return {
        (one, other)
        for one, from_ in ends.items()
        for other, to in ends.items()
        if one != other and program.verdict(**{"from": from_, "to": to}).is_match
    }


def check(scene: RelationScene) -> None:
    """What was told, what is remembered and what is true are the same; also to one who folds the log anew."""
    scene.world.run()
    state = scene.world.room("inventory").state
    rules = rules_of(scene)
    assert set(state.relating.rules) == set(rules)
    for rule_id, source in rules.items():
        related = scene.related(rule_id)
        assert related == everybody(scene, source)
        relations = state.relating.of_rule(rule_id)
        assert related == {(one, other) for one, others in relations.outgoing.items() for other in others}
        assert related == {(one, other) for other, ones in relations.incoming.items() for one in ones}
        assert relations.count == len(related)
    assert refold(service, scene.world.log) == state


def made_again(scene: RelationScene) -> None:
    """Every decision comes out the same when it is made again on a state that nobody followed."""
    log = scene.world.log
    for _, round_ in scene.world.rounds:
        if round_.append.decision is None:
            continue
        told = orjson.loads(round_.append.decision)
        trigger, upto = told["trigger"], told["decided_upto"]
        first = trigger["from"] if trigger["kind"] == "facts" else upto + 1
        room = Room(service, WORKSPACE)
        room.state, room.position, room.decided = refold(service, log[:upto]), upto, first - 1
        move = round_.append.move
        assert move is not None
        room.stored = Checkpoint(first - 1, move.new.sequence - 1)
        room.pending = [one for one in log[first - 1 : upto] if one.type in service.reads]
        again = room.again(trigger, datetime.fromisoformat(told["decided_at"]))
        assert again is not None
        assert [(new.id, new.fact) for new in again.append.facts] == [(new.id, new.fact) for new in round_.append.facts]


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_relations_are_what_comparing_everybody_says(steps: list[Step]) -> None:
    scene = RelationScene()
    for step in steps:
        take(scene, step)
    check(scene)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), STEPS), max_size=40))
def test_two_histories_of_one_workspace_do_not_disturb_each_other(steps: list[tuple[bool, Step]]) -> None:
    one, other = RelationScene(), RelationScene()
    for which, step in steps:
        take(one if which else other, step)
    check(one)
    check(other)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_decisions_are_made_again_the_same(steps: list[Step]) -> None:
    scene = RelationScene()
    for step in steps:
        take(scene, step)
    scene.world.run()
    made_again(scene)


def test_the_histories_relate_somebody() -> None:
    scene = RelationScene()
    steps: list[Step] = [("rule", f"r{n}", source, None) for n, source in enumerate(EXPRESSIONS)]
    steps += [("resource", "a", "VPC", ("a", CONFIGS[4])), ("resource", "b", "Cluster", ("a", CONFIGS[1]))]
    steps += [("resource", "c", "Cluster", ("b", CONFIGS[1])), ("variables", "c", {"v": "a"}, None)]
    steps += [("resource", "d", "Cluster", ("a", CONFIGS[2])), ("run", None, None, None)]
    steps += [("deployment", "a", "a", ""), ("environment", "c", "b", "d")]
    for step in steps:
        take(scene, step)
    check(scene)
    assert [n for n, _ in enumerate(EXPRESSIONS) if not scene.related(uid(f"r{n}"))] == []
    assert (resource(scene.there()["b"].resource_id), resource(scene.there()["a"].resource_id)) in scene.related(uid("r0"))
    made_again(scene)
