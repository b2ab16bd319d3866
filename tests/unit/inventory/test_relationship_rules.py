"""Relationship rules: given what exists, when a rule is saved, changed or deleted, then its document and whom it relates."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.inventory import (
    DeleteRelationshipRule,
    ListRelations,
    ListRelationsOf,
    SaveRelationshipRule,
    SaveResource,
)
from contracts.facts.inventory import RelationsChanged, RelationshipRuleDeleted, RelationshipRuleSaved, RelationshipRuleSuspended
from libs.cel import JoinIndex
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.inventory import relations
from services.inventory.app import service
from services.inventory.state import InventoryState
from tests.unit.inventory.inventory_scenes import item, uid
from tests.unit.inventory.relation_scenes import VPC_OF_CLUSTER, RelationScene, refused

SAME_NAME = "from.name == to.name"


def wish(**fields: object) -> SaveRelationshipRule:
    """A rule, unless told otherwise."""
    return SaveRelationshipRule.model_validate({"name": "vpc", "reference": "vpc", "cel": VPC_OF_CLUSTER, **fields})


def test_a_rule_gets_the_id_of_its_command() -> None:
    def create() -> RelationshipRuleSaved:
        scene = RelationScene()
        answer = scene.world.ask(wish(metadata={"a": "b"}), id=uid("command"))
        (saved,) = scene.world.facts(RelationshipRuleSaved)
        assert answer == {"id": saved.rule_id}
        return saved

    one = create()
    assert (one.name, one.description, one.reference, one.cel, one.metadata) == ("vpc", None, "vpc", VPC_OF_CLUSTER, {"a": "b"})
    assert one == create()


def test_a_rule_saved_under_an_id_is_created_then_replaced() -> None:
    scene = RelationScene()
    assert scene.world.ask(wish(rule_id=uid("r"), description="d")) == {"id": uid("r")}
    created = scene.world.now
    scene.world.advance(60)
    scene.world.ask(wish(rule_id=uid("r"), name="new"))
    saved = scene.world.facts(RelationshipRuleSaved)[-1]
    assert (saved.rule_id, saved.name, saved.description, saved.created_at) == (uid("r"), "new", None, created)


def test_references_are_not_unique() -> None:
    scene = RelationScene()
    assert scene.rule() != scene.rule()


def test_a_rule_saved_as_it_is_appends_nothing() -> None:
    scene = RelationScene()
    scene.cluster("c", "1")
    scene.vpc("v", "1")
    rule_id = scene.rule()
    head = len(scene.world.log)
    assert scene.world.ask(wish(rule_id=rule_id)) == {"id": rule_id}
    assert len(scene.world.log) == head


def test_a_rule_that_is_reworded_compares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = RelationScene()
    rule_id = scene.rule()
    monkeypatch.setattr(relations, "compare", lambda *_: pytest.fail("nothing is to be compared"))
    scene.rule(rule_id=rule_id, name="new", reference="network")
    assert scene.world.facts(RelationshipRuleSaved)[-1].reference == "network"


@pytest.mark.parametrize(
    "cel, line, column",
    [("", 1, 1), ("from.name ==", 1, 13), ("true &&\n  resource.name", 2, 3), ('form.name == "x"', 1, 1)],
)
def test_an_expression_that_can_not_be_compiled_is_refused(cel: str, line: int, column: int) -> None:
    scene = RelationScene()
    rule_id = scene.rule()
    for asked in (wish(cel=cel), wish(cel=cel, rule_id=rule_id)):
        refusal = refused(scene, asked).refusal
        assert (refusal.kind, refusal.code) == ("invalid", "INVALID_CEL")
        assert (refusal.details[0]["path"], refusal.details[0]["line"]) == ("/body/cel", line)
        assert refusal.details[0]["column"] >= column or cel == ""


def test_a_rule_too_large_for_the_log_is_refused() -> None:
    refusal = refused(RelationScene(), wish(metadata={"a": "b" * 300_000})).refusal
    assert refusal.message.startswith("Relationship rule 'vpc' is too large")


def test_a_new_rule_relates_what_exists_in_the_same_decision() -> None:
    scene = RelationScene()
    cluster, other = scene.cluster("c", "1"), scene.cluster("d", "2")
    vpc = scene.vpc("v", "1")
    rounds = len(scene.world.rounds)
    rule_id = scene.world.ask(wish())["id"]
    assert len(scene.world.rounds) == rounds + 1
    assert scene.deltas() == [([(cluster, vpc)], [])]
    scene.world.run()
    assert scene.related(rule_id) == {(cluster, vpc)}
    assert other not in {end for pair in scene.related(rule_id) for end in pair}


def test_a_changed_expression_tells_what_it_gained_and_lost() -> None:
    scene = RelationScene()
    cluster, vpc = scene.cluster("c", "1"), scene.vpc("v", "1")
    rule_id = scene.rule()
    scene.rule('from.kind == "VPC" && to.kind == "Cluster" && from.metadata["id"] == to.metadata["vpc"]', rule_id=rule_id)
    assert scene.deltas()[-1] == ([(vpc, cluster)], [(cluster, vpc)])
    scene.rule("false", rule_id=rule_id)
    assert scene.related(rule_id) == set()


def test_a_deleted_rule_ends_its_relations() -> None:
    scene = RelationScene()
    scene.cluster("c", "1")
    scene.vpc("v", "1")
    rule_id = scene.rule()
    deltas = len(scene.deltas())
    assert scene.world.do(DeleteRelationshipRule(rule_id=rule_id)) == {"id": rule_id}
    assert [fact.rule_id for fact in scene.world.facts(RelationshipRuleDeleted)] == [rule_id]
    assert len(scene.deltas()) == deltas, "the deletion itself says it"
    state = scene.world.room("inventory").state
    assert (len(state.relating.rules), len(state.relating.relations)) == (0, 0)
    scene.cluster("d", "1")
    assert len(scene.deltas()) == deltas


def test_the_unknown_rule_is_not_found() -> None:
    for asked in (DeleteRelationshipRule(rule_id=uid("x")), ListRelations(rule_id=uid("x"))):
        refusal = refused(RelationScene(), asked).refusal
        assert (refusal.kind, refusal.code) == ("not_found", "NOT_FOUND")
        assert uid("x") in refusal.message


def test_relations_are_listed_in_pages_and_in_order() -> None:
    scene = RelationScene()
    vpc = scene.vpc("v", "1")
    clusters = sorted(scene.cluster(f"c{n}", "1") for n in range(5))
    rule_id = scene.rule('from.kind == "VPC" && to.kind == "Cluster" && from.metadata["id"] == to.metadata["vpc"]')
    rule_back = scene.rule()
    asked = scene.world.ask(ListRelations(rule_id=rule_id, limit=2, offset=1))
    shown = [{"from": {"type": "resource", "id": vpc[9:]}, "to": {"type": "resource", "id": one[9:]}} for one in clusters]
    assert asked == {"items": shown[1:3], "total": 5}
    back = [{"from": one["to"], "to": one["from"]} for one in shown]
    assert scene.world.ask(ListRelations(rule_id=rule_back, limit=2, offset=4)) == {"items": back[4:], "total": 5}
    assert scene.world.ask(ListRelations(rule_id=rule_back, offset=5))["items"] == []


def test_what_an_entity_is_related_to_is_listed_in_both_directions() -> None:
    scene = RelationScene()
    vpc, one, other = scene.vpc("v", "1"), scene.cluster("c1", "1"), scene.cluster("c2", "1")
    rule_id = scene.rule()

    def of(entity: str, **page: int) -> dict[str, Any]:
        found: dict[str, Any] = scene.world.ask(ListRelationsOf(type="resource", id=entity[9:], **page))
        return found

    assert of(one) == {
        "items": [{"ruleId": rule_id, "direction": "to", "entity": {"type": "resource", "id": vpc[9:]}}],
        "total": 1,
    }
    ends = [
        {"ruleId": rule_id, "direction": "from", "entity": {"type": "resource", "id": end[9:]}} for end in sorted((one, other))
    ]
    assert of(vpc) == {"items": ends, "total": 2}
    assert of(vpc, limit=1, offset=1) == {"items": ends[1:], "total": 2}
    assert of("resource/nothing") == {"items": [], "total": 0}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can reach."""
    monkeypatch.setattr(relations, "MAX_RELATIONS", 6)
    monkeypatch.setattr(relations, "MAX_COMPARISONS", 40)


@pytest.mark.usefixtures("small")
def test_a_rule_that_would_relate_too_many_is_refused_and_changes_nothing() -> None:
    scene = RelationScene()
    for name in "abc":
        scene.save(name, name="same")
    rule_id = scene.rule(SAME_NAME)
    assert len(scene.related(rule_id)) == 6
    scene.save("d", kind="other")
    for asked in (wish(cel="from.version == to.version"), wish(cel="from.version == to.version", rule_id=rule_id)):
        refusal = refused(scene, asked).refusal
        assert (refusal.kind, refusal.code) == ("invalid", "TOO_MANY_RELATIONS")
        assert "more than 6 pairs" in refusal.message
        assert "add an equality between a field of from and a field of to" in refusal.message
        assert refusal.details[0]["path"] == "/body/cel"
    scene.world.run()
    assert len(scene.related(rule_id)) == 6


@pytest.mark.usefixtures("small")
def test_a_rule_that_would_compare_too_many_is_refused() -> None:
    scene = RelationScene()
    for n in range(10):
        scene.save(f"r{n}")
    refusal = refused(scene, wish(cel='from.name + to.name == "nobody"')).refusal
    assert (refusal.code, "more than 40 pairs of entities at once" in refusal.message) == ("TOO_MANY_RELATIONS", True)
    scene.rule("from.name == to.name")


@pytest.mark.usefixtures("small")
def test_a_rule_that_grows_beyond_its_bound_is_suspended_until_it_is_saved_again() -> None:
    scene = RelationScene()
    for name in "abc":
        scene.save(name, name="same")
    rule_id, other = scene.rule(SAME_NAME), scene.rule(VPC_OF_CLUSTER)
    scene.world.do(SaveResource(resource=item("d", name="same")))
    (suspended,) = scene.world.facts(RelationshipRuleSuspended)
    assert suspended.rule_id == rule_id
    assert suspended.reason.startswith("It would relate more than 6 pairs of entities, which is the most for a rule.")
    assert "add an equality between a field of from and a field of to" in suspended.reason
    assert scene.world.ask(ListRelations(rule_id=rule_id)) == {"items": [], "total": 0, "suspended": suspended.reason}
    assert scene.world.ask(ListRelations(rule_id=other)) == {"items": [], "total": 0}

    head = len(scene.world.log)
    scene.save("e", name="same")
    scene.world.run()
    assert len(scene.world.log) == head + 1, "a suspended rule is not followed"
    assert refused(scene, wish(cel=SAME_NAME, rule_id=rule_id)).refusal.code == "TOO_MANY_RELATIONS"

    for name in "de":
        scene.save(name, name=f"unlike {name}")
    scene.rule(SAME_NAME, rule_id=rule_id, name="vpc")
    assert len(scene.related(rule_id)) == 6, "the same text, saved again, is followed again"
    assert "suspended" not in scene.world.ask(ListRelations(rule_id=rule_id))


@pytest.mark.usefixtures("small")
def test_a_change_that_would_compare_too_many_suspends() -> None:
    scene = RelationScene()
    rule_id = scene.rule("from.name != to.name && from.metadata != to.metadata")
    scene.sync(scene.provider(), *(item(f"r{n}") for n in range(10)))
    scene.world.run()
    (suspended,) = scene.world.facts(RelationshipRuleSuspended)
    assert suspended.rule_id == rule_id
    assert "more than 40 pairs of entities at once" in suspended.reason
    assert scene.world.facts(RelationsChanged) == []


@pytest.mark.parametrize(
    "cel",
    [
        "from.config.l.all(x, x != to.name)",
        "from.config.l.all(x, to.config.l.exists(y, x == y)) && to.config.l[0] == 0",
        'from.config.t.contains(to.config.t + "x")',
        "from.config == to.config",
    ],
)
def test_a_rule_that_takes_too_much_work_for_each_pair_is_refused(cel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "MAX_STEPS", 1_000)
    scene = RelationScene()
    scene.sync(scene.provider(), *(item(f"r{n}", config={"l": list(range(300)), "t": "a" * 10_000}) for n in range(20)))
    refusal = refused(scene, wish(cel=cel)).refusal
    assert (refusal.code, "more than 1000 steps" in refusal.message) == ("TOO_MANY_RELATIONS", True)


@pytest.mark.parametrize(
    "cel",
    [
        "from.name in to.config.l && from.kind != to.kind",
        "from.config.l.all(x, x >= 0) && from.name == to.name",
        "from.config.l.map(x, x + 1) == to.config.l.map(x, x + 2)",
        " && ".join(f'from.name != "x{n}"' for n in range(100)) + " && from.name == to.name",
        " && ".join(f"from.config.t > {n}" for n in range(100)) + " && from.name == to.name",
        "(" + " || ".join(f"from.name == to.config.k{n}" for n in range(8)) + ") && from.name != to.name",
    ],
)
def test_a_rule_that_takes_too_much_work_to_look_anybody_up_is_refused(cel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "MAX_STEPS", 300)
    scene = RelationScene()
    config = {"l": list(range(100)), "t": "text", **{f"k{n}": f"{n}" for n in range(8)}}
    scene.sync(scene.provider(), *(item(f"r{n}", config=config) for n in range(20)))
    refusal = refused(scene, wish(cel=cel)).refusal
    assert (refusal.code, "more than 300 steps" in refusal.message) == ("TOO_MANY_RELATIONS", True)
    assert refused(scene, wish(cel=cel)).refusal == refusal, "and again"
    scene.rule(SAME_NAME)


def test_a_rule_that_grows_too_costly_to_look_up_is_suspended_also_after_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "MAX_STEPS", 300)

    def grown(*, is_started: bool) -> list[RelationshipRuleSuspended]:
        scene = RelationScene()
        scene.rule("from.name in to.config.l")
        scene.save("a", config={"l": list(range(100))})
        scene.save("b", config={"l": list(range(100))})
        scene.world.run()
        assert scene.world.facts(RelationshipRuleSuspended) == []
        if is_started:
            room = scene.world.room("inventory")
            room.state = refold(service, scene.world.log)
        scene.save("c", config={"l": list(range(100))})
        scene.world.run()
        return scene.world.facts(RelationshipRuleSuspended)

    (suspended,) = grown(is_started=False)
    assert suspended.reason.startswith("It would take more than 300 steps to look at entities and compare them at once")
    assert [one.reason for one in grown(is_started=True)] == [suspended.reason]


def test_a_rule_that_compares_everybody_is_refused_by_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "MAX_COMPARISONS", 40)
    scene = RelationScene()
    for n in range(10):
        scene.save(f"r{n}")
    with monkeypatch.context() as nobody_is_looked_at:
        nobody_is_looked_at.delattr(JoinIndex, "fill")
        refusal = refused(scene, wish(cel="from.name != to.name")).refusal
    assert "more than 40 pairs of entities at once" in refusal.message
    scene.rule('from.name == "r1" && from.name != to.name')


def test_a_costly_condition_on_one_entity_alone_still_decides() -> None:
    scene = RelationScene()
    scene.sync(scene.provider(), *(item(f"r{n}", name=f"n{n % 2}", config={"l": list(range(300))}) for n in range(4)))
    rule_id = scene.rule("from.config.l.all(x, from.config.l.exists(y, x == y)) && from.name == to.name")
    assert scene.world.ask(ListRelations(rule_id=rule_id))["total"] == 4


def test_rules_and_relations_survive_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = RelationScene()
    scene.cluster("c", "1")
    scene.vpc("v", "1")
    scene.app("api", description="d")
    scene.rule()
    monkeypatch.setattr(relations, "MAX_RELATIONS", 0)
    scene.rule("false")
    scene.vpc("w", "1")
    state = scene.world.room("inventory").state
    assert {rule.suspended is None for rule in state.relating.rules.values()} == {True, False}
    assert refold(service, scene.world.log) == state
    assert decode(InventoryState, encode(InventoryState, state)) == state
