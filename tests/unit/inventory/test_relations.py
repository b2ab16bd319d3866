"""Who is related: given rules, when an entity changes, then exactly the pairs that change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.commands.inventory import DeleteRelationshipRule, DeleteResource, SaveResource, SetResourceVariables
from contracts.facts.inventory import Relation, RelationsChanged
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved, EnvironmentDeleted
from libs.cel import JoinIndex
from libs.simulation.world import refold
from services.inventory import joins, relations
from services.inventory.app import service
from services.inventory.relation_state import Relations
from services.inventory.relations import PAIRS_PER_FACT, Change, TooMany
from tests.unit.inventory.inventory_scenes import item, uid
from tests.unit.inventory.relation_scenes import VPC_OF_CLUSTER, RelationScene, resource

SYMMETRIC = 'from.kind == "Cluster" && to.kind == "Cluster" && from.metadata["region"] == to.metadata["region"]'
APP_OF_CLUSTER = 'from.type == "resource" && to.type == "deployment" && from.metadata["app"] == to.name'
STAGE_OF_APP = 'from.type == "deployment" && to.type == "environment" && from.metadata["stage"] == to.metadata["stage"]'


def test_a_new_resource_is_related_to_what_exists_in_both_roles() -> None:
    scene = RelationScene()
    rule_id = scene.rule()
    cluster, vpc = scene.cluster("c", "1"), scene.vpc("v", "1")
    other = scene.cluster("d", "1")
    assert scene.deltas() == [([(cluster, vpc)], []), ([(other, vpc)], [])]
    assert scene.related(rule_id) == {(cluster, vpc), (other, vpc)}


def test_an_edit_moves_only_the_entitys_own_relations() -> None:
    scene = RelationScene()
    rule_id = scene.rule()
    one, two = scene.vpc("v1", "1"), scene.vpc("v2", "2")
    moving, staying = scene.cluster("c", "1"), scene.cluster("d", "1")
    told = len(scene.deltas())
    scene.cluster("c", "2")
    assert scene.deltas()[told:] == [([(moving, two)], [(moving, one)])]
    assert scene.related(rule_id) == {(moving, two), (staying, one)}


def test_an_edit_that_changes_no_relation_tells_nothing() -> None:
    scene = RelationScene()
    scene.rule()
    scene.vpc("v", "1")
    scene.cluster("c", "1")
    told = len(scene.deltas())
    scene.cluster("c", "1", config={"nodes": 3})
    assert len(scene.deltas()) == told


def test_a_symmetric_rule_relates_both_ways_and_nobody_to_itself() -> None:
    scene = RelationScene()
    rule_id = scene.rule(SYMMETRIC)
    a, b = (resource(scene.save(name, metadata={"region": "eu"})) for name in "ab")
    scene.world.run()
    assert scene.related(rule_id) == {(a, b), (b, a)}
    everyone = scene.rule("true")
    assert scene.related(everyone) == {(a, b), (b, a)}


def test_deployments_and_environments_are_ends_too() -> None:
    scene = RelationScene()
    of_app, of_stage = scene.rule(APP_OF_CLUSTER), scene.rule(STAGE_OF_APP)
    cluster = resource(scene.save("c", metadata={"app": "api"}))
    app = scene.app("api", metadata={"stage": "prod"})
    stage = scene.stage("prod", metadata={"stage": "prod"})
    assert scene.related(of_app) == {(cluster, app)}
    assert scene.related(of_stage) == {(app, stage)}
    scene.happen(DeploymentSaved(deployment_id=uid("api"), name="renamed", created_at=scene.world.now))
    assert scene.related(of_app) == scene.related(of_stage) == set()
    scene.stage("prod", metadata={})
    scene.app("api", metadata={"stage": "prod"})
    assert (scene.related(of_app), scene.related(of_stage)) == ({(cluster, app)}, set())


@pytest.mark.parametrize(
    "cel, is_related",
    [
        (
            'from.type == "resource" && from.id != "" && from.name == "c" && from.identifier == "c" && to.type == "deployment"',
            True,
        ),
        ('from.kind == "Cluster" && from.version == "v1" && from.config.nodes == 3 && to.name == "api"', True),
        ('from.name == "c" && to.description == "the API" && to.metadata["a"] == "b" && to.id != ""', True),
        ('has(from.providerId) && to.type == "deployment"', True),
        ('from.variables["port"] == 8080 && from.variables["tags"].object[0] == "x" && to.type == "deployment"', True),
        ('from.name == "c" && to.type == "deployment" && !has(to.kind) && !has(to.variables)', True),
        ('from.name == "c" && to.type == "environment" && has(to.description)', False),
        ('from.name == "c" && to.kind == "Cluster"', False),
        ('from.name == "c" && to.kind != "Cluster"', False),
        ('from.name == "c" && to.name + 1 == 2', False),
    ],
)
def test_a_rule_sees_the_fields_of_its_ends(cel: str, is_related: bool) -> None:
    scene = RelationScene()
    scene.sync(scene.provider(), item("c", config={"nodes": 3}))
    scene.world.ask(SetResourceVariables(identifier="c", variables={"port": 8080, "tags": ["x"]}))
    scene.app("api", description="the API", metadata={"a": "b"})
    scene.stage("prod")
    assert bool(scene.related(scene.rule(cel))) is is_related


def test_a_missing_key_relates_nobody_even_negated() -> None:
    scene = RelationScene()
    rule_id = scene.rule('!(from.metadata["x"] == to.metadata["x"])')
    a = resource(scene.save("a", metadata={"x": "1"}))
    b = resource(scene.save("b", metadata={"x": "2"}))
    scene.save("c")
    scene.world.run()
    assert scene.related(rule_id) == {(a, b), (b, a)}


def test_an_error_with_one_entity_leaves_the_others_related() -> None:
    scene = RelationScene()
    rule_id = scene.rule('from.kind == "VPC" && to.kind == "Cluster" && to.config.size > 1')
    vpc = scene.vpc("v", "1")
    good = scene.cluster("good", "1", config={"size": 2})
    scene.cluster("text", "1", config={"size": "large"})
    scene.cluster("none", "1")
    assert scene.related(rule_id) == {(vpc, good)}


def test_variables_move_only_rules_that_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = RelationScene()
    scene.rule()
    by_variable = scene.rule('from.variables["vpc"] == to.metadata["id"]')
    whole = scene.rule('from == to && to.type == "environment"')
    cluster, vpc = scene.cluster("c", "1"), scene.vpc("v", "9")
    looked_at: list[tuple[str, list[str]]] = []
    compare = relations.compare

    def spy(join: JoinIndex, entities: list[str], known: Relations) -> Change | TooMany:
        looked_at.append((join.program.source, list(entities)))
        return compare(join, entities, known)

    monkeypatch.setattr(relations, "compare", spy)
    scene.world.do(SetResourceVariables(identifier="c", variables={"vpc": "9"}))
    assert scene.related(by_variable) == {(cluster, vpc)}
    assert {source: entities for source, entities in looked_at if entities} == {
        'from.variables["vpc"] == to.metadata["id"]': [cluster],
        'from == to && to.type == "environment"': [cluster],
    }
    assert scene.related(whole) == set()
    scene.world.do(SaveResource(resource=item("c", metadata={"vpc": "1"}), variables={}))
    assert scene.related(by_variable) == set()


def test_deletions_end_relations_by_themselves() -> None:
    scene = RelationScene()
    of_vpc, of_app, of_stage = scene.rule(), scene.rule(APP_OF_CLUSTER), scene.rule(STAGE_OF_APP)
    scene.vpc("v", "1")
    cluster = resource(scene.save("c", metadata={"vpc": "1", "app": "api"}))
    app = scene.app("api", metadata={"stage": "prod"})
    scene.stage("prod", metadata={"stage": "prod"})
    told = len(scene.deltas())
    state = scene.world.room("inventory").state
    assert [state.relating.of_rule(one).count for one in (of_vpc, of_app, of_stage)] == [1, 1, 1]
    scene.world.do(DeleteResource(identifier="v"))
    scene.happen(EnvironmentDeleted(environment_id=uid("prod")))
    state = scene.world.room("inventory").state
    assert [state.relating.of_rule(one).count for one in (of_vpc, of_app, of_stage)] == [0, 1, 0]
    assert scene.related(of_app) == {(cluster, app)}
    scene.happen(DeploymentDeleted(deployment_id=uid("api")))
    assert len(scene.world.room("inventory").state.relating.relations) == 0
    assert len(scene.deltas()) == told
    scene.vpc("v", "1")
    assert len(scene.related(of_vpc)) == 1, "one that returns is related anew"


def test_an_entity_that_returns_under_its_id_is_compared_anew() -> None:
    scene = RelationScene()
    rule_id = scene.rule(APP_OF_CLUSTER)
    cluster = resource(scene.save("c", metadata={"app": "api"}))
    app = scene.app("api")
    scene.world.record(DeploymentDeleted(deployment_id=uid("api")))
    scene.app("api")
    assert scene.deltas() == [([(cluster, app)], []), ([(cluster, app)], [])]
    assert scene.related(rule_id) == {(cluster, app)}


def test_relations_recorded_after_the_deletion_of_an_end_are_let_go() -> None:
    scene = RelationScene()
    rule_id = scene.rule(APP_OF_CLUSTER)
    cluster = resource(scene.save("c", metadata={"app": "api"}))
    app = scene.app("api")
    scene.happen(
        DeploymentDeleted(deployment_id=uid("api")),
        RelationsChanged(rule_id=rule_id, added=(Relation(cluster, app), Relation(cluster, cluster))),
    )
    relating = scene.world.room("inventory").state.relating
    assert not relating.of_rule(rule_id).has(cluster, app)


def test_a_change_names_the_fact_that_led_to_it() -> None:
    scene = RelationScene()
    scene.rule()
    scene.vpc("v", "1")
    scene.cluster("c", "1")
    scene.cluster("c", "2")
    log = scene.world.log
    changes = [one for one in log if isinstance(one.fact, RelationsChanged)]
    assert [one.causation_id for one in changes] == [log[one.position - 2].id for one in changes]


def test_many_relations_are_told_in_parts() -> None:
    scene = RelationScene()
    rule_id = scene.rule()
    scene.vpc("v", "1")
    scene.sync(scene.provider(), *(item(f"c{n}", metadata={"vpc": "1"}) for n in range(PAIRS_PER_FACT + 1)))
    scene.world.run()
    assert [len(fact.added) for fact in scene.world.facts(RelationsChanged)] == [PAIRS_PER_FACT, 1]
    scene.vpc("v", "2")
    assert [len(fact.removed) for fact in scene.world.facts(RelationsChanged)][2:] == [PAIRS_PER_FACT, 1]
    assert scene.related(rule_id) == set()
    assert scene.world.room("inventory").state.relating.of_rule(rule_id).count == 0


def test_an_entity_is_compared_only_with_those_that_share_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = RelationScene()
    scene.rule()
    scene.sync(scene.provider(), *(item(f"c{n}", metadata={"vpc": str(n)}) for n in range(200)))
    scene.world.run()
    monkeypatch.setattr(relations, "MAX_COMPARISONS", 1)
    scene.vpc("v", "7")
    assert [len(added) for added, _ in scene.deltas()] == [1]


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The expressions whose indexes were filled."""
    seen: list[str] = []
    fill = JoinIndex.fill

    def spy(self: JoinIndex, documents: Mapping[str, Any]) -> None:
        seen.append(self.program.source)
        fill(self, documents)

    monkeypatch.setattr(JoinIndex, "fill", spy)
    return seen


def test_indexes_are_built_once_and_follow_what_changes(filled: list[str]) -> None:
    scene = RelationScene()
    scene.rule()
    scene.vpc("v", "1")
    filled.clear()
    for n in range(3):
        scene.cluster(f"c{n}", "1")
    scene.app("api")
    assert filled == []
    assert sum(len(added) for added, _ in scene.deltas()) == 3


def test_after_a_start_only_indexes_of_rules_that_a_change_bears_on_are_built(filled: list[str]) -> None:
    scene = RelationScene()
    of_vpc, of_app = scene.rule(), scene.rule(APP_OF_CLUSTER)
    app, vpc, cluster = scene.app("api"), scene.vpc("v", "1"), scene.cluster("c", "1")
    room = scene.world.room("inventory")

    def filled_by_saving(name: str, **fields: Any) -> list[str]:
        room.state = refold(service, scene.world.log)
        filled.clear()
        scene.save(name, **fields)
        scene.world.run()
        return list(filled)

    assert filled_by_saving("bucket", kind="Bucket") == [], "it can have no part in any relation"
    assert scene.related(of_vpc) == {(cluster, vpc)}
    assert filled_by_saving("c", kind="Bucket") == [VPC_OF_CLUSTER], "it had a part in one"
    assert scene.related(of_vpc) == set()
    assert filled_by_saving("c", kind="Bucket", metadata={"app": "api"}) == [APP_OF_CLUSTER]
    assert scene.related(of_app) == {(cluster, app)}


def test_indexes_go_with_the_last_rule_and_with_their_state() -> None:
    before = len(joins._entries)
    scene = RelationScene()
    rule_id = scene.rule()
    scene.vpc("v", "1")
    assert len(joins._entries) == before + 1
    scene.world.do(DeleteRelationshipRule(rule_id=rule_id))
    assert len(joins._entries) == before
    scene.rule()
    scene.vpc("w", "1")
    assert len(joins._entries) == before + 1
    del scene
    assert len(joins._entries) == before
