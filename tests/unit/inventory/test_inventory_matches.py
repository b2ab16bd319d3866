"""Who matches: given resources and selectors, when one changes, then exactly the matches that change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.inventory import DeleteResource, SaveResource
from contracts.facts.inventory import MatchesChanged, ResourceSaved
from contracts.facts.planner import DeploymentDeleted, DeploymentSaved
from libs.simulation.world import WORKSPACE, World
from services.inventory.app import service
from services.inventory.matches import IDS_PER_FACT
from tests.unit.inventory.inventory_scenes import D, E, Scene, item

PROD = 'resource.metadata["env"] == "prod"'


def test_a_new_selector_is_evaluated_over_what_exists() -> None:
    scene = Scene()
    a = scene.save("a", metadata={"env": "prod"})
    scene.save("b", metadata={"env": "dev"})
    scene.save("c")
    scene.environment(PROD)
    (fact,) = scene.world.facts(MatchesChanged)
    assert (fact.entity, fact.entity_id, fact.added, fact.removed) == ("environment", E, (a,), ())


def test_a_changed_selector_tells_what_it_gained_and_lost() -> None:
    scene = Scene()
    a, b = scene.save("a"), scene.save("b")
    scene.deployment('resource.name == "a"')
    scene.deployment('resource.name == "b"')
    last = scene.world.facts(MatchesChanged)[-1]
    assert (last.added, last.removed) == ((b,), (a,))


def test_a_changed_resource_is_looked_at_alone() -> None:
    scene = Scene()
    scene.save("a", metadata={"env": "prod"})
    b = scene.save("b")
    scene.deployment(PROD)
    scene.environment("true")
    told = len(scene.world.facts(MatchesChanged))
    scene.world.do(SaveResource(resource=item("b", metadata={"env": "prod"})))
    (fact,) = scene.world.facts(MatchesChanged)[told:]
    assert (fact.entity_id, fact.added, fact.removed) == (D, (b,), ())


def test_a_deleted_resource_matches_nothing() -> None:
    scene = Scene()
    a = scene.save("a")
    scene.deployment("true")
    scene.environment("true")
    scene.world.do(DeleteResource(identifier="a"))
    assert [fact.removed for fact in scene.world.facts(MatchesChanged)] == [(), (), (a,), (a,)]
    assert not scene.world.room("inventory").state.matches


def test_a_change_names_the_fact_that_led_to_it() -> None:
    scene = Scene()
    scene.deployment("true")
    scene.world.do(SaveResource(resource=item("a")))
    scene.deployment("false")
    log = scene.world.log
    changes = [one for one in log if isinstance(one.fact, MatchesChanged)]
    assert [one.causation_id for one in changes] == [log[one.position - 2].id for one in changes]


def test_an_entity_saved_with_the_same_selector_is_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.save("a")
    scene.deployment(PROD)
    monkeypatch.setattr("services.inventory.matches.program_of", lambda *_: pytest.fail("nothing is to be evaluated"))
    scene.deployment(PROD, description="reworded")


def test_true_matches_all_and_false_nothing() -> None:
    scene = Scene()
    a = scene.save("a")
    scene.deployment("true")
    assert scene.matched() == {a}
    scene.deployment("false")
    assert scene.matched() == set()


@pytest.mark.parametrize("source", ["", "resource.name ==", "nobody.knows"])
def test_a_selector_that_can_not_be_compiled_matches_nothing(source: str) -> None:
    scene = Scene()
    scene.save("a")
    scene.deployment("true")
    scene.deployment(source)
    assert scene.matched() == set()


def test_match_missing_key_false_even_negated() -> None:
    scene = Scene()
    a = scene.save("a", metadata={"env": "dev"})
    scene.save("b")
    scene.deployment(f"!({PROD})")
    assert scene.matched() == {a}


@pytest.mark.parametrize(
    "source, matches",
    [
        (f'resource.workspaceId == "{WORKSPACE}"', True),
        ('resource.createdAt == "2026-01-01T00:00:00.000Z"', True),
        ('resource.updatedAt == "2026-01-01T00:01:00.000Z"', True),
        ('resource.kind == "Cluster" && resource.version == "v1" && resource.identifier == "a"', True),
        ('resource.config.port == 8080 && resource.config.hosts[0] == "x"', True),
        ("has(resource.providerId)", False),
    ],
)
def test_a_selector_sees_the_fields_of_a_resource(source: str, matches: bool) -> None:
    scene = Scene()
    scene.save("a")
    scene.world.advance(60)
    a = scene.save("a", config={"port": 8080, "hosts": ["x"]})
    scene.deployment(source)
    assert scene.matched() == ({a} if matches else set())


def test_a_selector_sees_the_provider() -> None:
    scene = Scene()
    provider = scene.provider()
    scene.sync(provider, item("a"))
    scene.save("b")
    scene.deployment(f'resource.providerId == "{provider}"')
    assert scene.matched() == {scene.there()["a"].resource_id}


def test_many_matches_are_told_in_parts() -> None:
    scene = Scene()
    scene.deployment("true")
    scene.sync(scene.provider(), *(item(f"r{n}") for n in range(IDS_PER_FACT + 1)))
    scene.world.run()
    assert [len(fact.added) for fact in scene.world.facts(MatchesChanged)] == [IDS_PER_FACT, 1]


def test_an_entity_that_returns_under_its_id_is_evaluated_anew() -> None:
    scene = Scene()
    a = scene.save("a")
    scene.deployment("true")
    scene.world.record(DeploymentDeleted(deployment_id=D))
    scene.deployment("true")
    assert [(fact.added, fact.removed) for fact in scene.world.facts(MatchesChanged)] == [((a,), ()), ((a,), ())]


def test_matches_recorded_after_the_deletion_of_their_entity_are_let_go() -> None:
    scene = Scene()
    a = scene.save("a")
    scene.deployment("true")
    scene.happen(DeploymentDeleted(deployment_id=D), MatchesChanged(entity="deployment", entity_id=D, added=(a,)))
    assert not scene.world.room("inventory").state.matches


NAMES = ("a", "b", "c")
SELECTORS = ("true", "false", 'resource.name == "x"', PROD, 'resource.identifier in ["a", "b"]')
STEPS = st.one_of(
    st.tuples(st.just("save"), st.sampled_from(NAMES), st.sampled_from(("x", "y"))),
    st.tuples(st.just("label"), st.sampled_from(NAMES), st.sampled_from(("prod", "dev"))),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("select"), st.sampled_from(SELECTORS), st.just("")),
    st.tuples(st.just("run"), st.just(""), st.just("")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_matches_are_what_the_selector_says_of_each_resource(steps: list[tuple[str, str, str]]) -> None:
    scene = Scene()
    selector = "false"
    for what, one, other in steps:
        match what:
            case "save":
                scene.save(one, name=other)
            case "label":
                scene.save(one, metadata={"env": other})
            case "delete" if one in scene.there():
                scene.world.ask(DeleteResource(identifier=one))
            case "select":
                selector = one
                scene.world.record(
                    DeploymentSaved(deployment_id=D, name="api", resource_selector=one, created_at=scene.world.now)
                )
            case "run":
                scene.world.run()
    scene.world.run()
    says: dict[str, Callable[[ResourceSaved], bool]] = {
        "true": lambda _one: True,
        "false": lambda _one: False,
        'resource.name == "x"': lambda one: one.name == "x",
        PROD: lambda one: one.metadata.get("env") == "prod",
        'resource.identifier in ["a", "b"]': lambda one: one.identifier in ("a", "b"),
    }
    assert scene.matched() == {one.resource_id for one in scene.there().values() if says[selector](one)}


def test_an_idle_world_stays_quiet() -> None:
    world = World([service])
    world.run()
    assert world.log == []
