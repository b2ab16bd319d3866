"""Release targets: given matches and links, when one changes, then exactly the targets that appear or vanish."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.planner import (
    DeleteDeployment,
    DeleteEnvironment,
    DeleteSystem,
    LinkDeployment,
    LinkEnvironment,
    SaveDeployment,
    SaveEnvironment,
    SaveSystem,
    UnlinkDeployment,
    UnlinkEnvironment,
)
from contracts.facts.inventory import MatchesChanged
from contracts.facts.planner import TargetsChanged
from libs.simulation.world import World
from services.planner.app import service
from services.planner.targets import IDS_PER_FACT
from tests.unit.planner.planner_scenes import R1, R2, R3, Scene, uid


def test_a_target_needs_both_matches() -> None:
    scene = Scene()
    scene.world.record(MatchesChanged(entity="deployment", entity_id=scene.deployment, added=(R1, R2)))
    scene.world.run()
    assert scene.world.facts(TargetsChanged) == []
    scene.world.record(MatchesChanged(entity="environment", entity_id=scene.environment, added=(R2, R3)))
    scene.world.run()
    (fact,) = scene.world.facts(TargetsChanged)
    assert (fact.added, fact.removed) == ((R2,), ())


def test_a_target_needs_a_shared_system() -> None:
    scene = Scene(R1)
    scene.world.do(UnlinkEnvironment(system_id=scene.system, environment_id=scene.environment))
    assert scene.targets() == []
    other = scene.world.do(SaveSystem(name="other"))["id"]
    scene.world.do(LinkEnvironment(system_id=other, environment_id=scene.environment))
    assert scene.targets() == []
    scene.world.do(LinkDeployment(system_id=other, deployment_id=scene.deployment))
    assert scene.targets() == [R1]


def test_a_second_shared_system_adds_nothing_and_holds_when_the_first_goes() -> None:
    scene = Scene(R1)
    other = scene.world.do(SaveSystem(name="other"))["id"]
    scene.world.do(LinkEnvironment(system_id=other, environment_id=scene.environment))
    scene.world.do(LinkDeployment(system_id=other, deployment_id=scene.deployment))
    scene.world.do(DeleteSystem(system_id=scene.system))
    assert len(scene.world.facts(TargetsChanged)) == 1
    scene.world.do(DeleteSystem(system_id=other))
    assert scene.targets() == []


def test_only_what_changed_is_told() -> None:
    scene = Scene(R1)
    scene.match(R2)
    scene.unmatch(R1)
    facts = scene.world.facts(TargetsChanged)
    assert [(fact.added, fact.removed) for fact in facts] == [((R1,), ()), ((R2,), ()), ((), (R1,))]


def test_a_change_names_the_match_that_led_to_it() -> None:
    scene = Scene()
    scene.world.run()
    scene.match(R1)
    (changed,) = [one for one in scene.world.log if isinstance(one.fact, TargetsChanged)]
    assert changed.causation_id == scene.world.log[changed.position - 2].id
    assert isinstance(scene.world.log[changed.position - 2].fact, MatchesChanged)


def test_many_targets_are_told_in_parts() -> None:
    resources = tuple(sorted(uid(f"r{n}") for n in range(IDS_PER_FACT + 1)))
    scene = Scene(*resources)
    assert [len(fact.added) for fact in scene.world.facts(TargetsChanged)] == [IDS_PER_FACT, 1]


def test_the_targets_of_a_deleted_deployment_vanish_and_are_forgotten() -> None:
    scene = Scene(R1, R2)
    scene.deployed(scene.version("v1"), R1)
    scene.world.do(DeleteDeployment(deployment_id=scene.deployment))
    assert scene.targets() == []
    state = scene.world.room("planner").state
    assert not state.pairs
    assert not state.pasts


def test_the_targets_of_a_deleted_environment_vanish_and_are_forgotten() -> None:
    scene = Scene(R1, R2)
    scene.deployed(scene.version("v1"), R1)
    scene.world.do(DeleteEnvironment(environment_id=scene.environment))
    assert scene.targets() == []
    state = scene.world.room("planner").state
    assert not state.pairs
    assert not state.pasts


def test_a_deployment_that_returns_under_its_id_starts_without_matches() -> None:
    scene = Scene(R1)
    scene.world.ask(DeleteDeployment(deployment_id=scene.deployment))
    scene.world.ask(SaveDeployment(deployment_id=scene.deployment, name="api", resource_selector="true"))
    scene.world.ask(LinkDeployment(system_id=scene.system, deployment_id=scene.deployment))
    scene.world.run()
    assert scene.targets() == []
    scene.world.record(MatchesChanged(entity="deployment", entity_id=scene.deployment, added=(R1,)))
    scene.world.run()
    assert scene.targets() == [R1]


def test_matches_of_what_was_deleted_are_ignored() -> None:
    scene = Scene()
    scene.world.do(DeleteEnvironment(environment_id=scene.environment))
    scene.match(R1)
    assert scene.targets() == []
    assert not scene.world.room("planner").state.catalog.matches.get(f"environment/{scene.environment}")


SYSTEMS, DEPLOYMENTS, ENVIRONMENTS = (
    tuple(uid(f"{kind} {n}") for n in (1, 2)) for kind in ("system", "deployment", "environment")
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["link", "unlink"]), st.sampled_from(SYSTEMS), st.sampled_from((*DEPLOYMENTS, *ENVIRONMENTS))),
    st.tuples(
        st.sampled_from(["match", "unmatch"]), st.sampled_from((*DEPLOYMENTS, *ENVIRONMENTS)), st.sampled_from((R1, R2, R3))
    ),
    st.tuples(st.just("delete system"), st.sampled_from(SYSTEMS), st.just("")),
    st.tuples(st.just("delete"), st.sampled_from((*DEPLOYMENTS, *ENVIRONMENTS)), st.just("")),
    st.tuples(st.just("run"), st.just(""), st.just("")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_targets_are_the_join_of_matches_and_links(steps: list[tuple[str, str, str]]) -> None:
    world = World([service])
    links: set[tuple[str, str]] = set()
    matches: set[tuple[str, str]] = set()

    def create(entity: str) -> None:
        if entity in DEPLOYMENTS:
            world.ask(SaveDeployment(deployment_id=entity, name=entity))
        else:
            world.ask(SaveEnvironment(environment_id=entity, name=entity))

    for system in SYSTEMS:
        world.ask(SaveSystem(system_id=system, name="s"))
    for entity in (*DEPLOYMENTS, *ENVIRONMENTS):
        create(entity)
    for what, one, other in steps:
        match what:
            case "link" if other in DEPLOYMENTS:
                world.ask(LinkDeployment(system_id=one, deployment_id=other))
                links.add((one, other))
            case "link":
                world.ask(LinkEnvironment(system_id=one, environment_id=other))
                links.add((one, other))
            case "unlink" if (one, other) in links:
                if other in DEPLOYMENTS:
                    world.ask(UnlinkDeployment(system_id=one, deployment_id=other))
                else:
                    world.ask(UnlinkEnvironment(system_id=one, environment_id=other))
                links.discard((one, other))
            case "match" | "unmatch":
                kind = "deployment" if one in DEPLOYMENTS else "environment"
                delta = {"added": (other,)} if what == "match" else {"removed": (other,)}
                world.record(MatchesChanged.model_validate({"entity": kind, "entity_id": one, **delta}))
                (matches.add if what == "match" else matches.discard)((one, other))
            case "delete system":
                world.ask(DeleteSystem(system_id=one))
                world.ask(SaveSystem(system_id=one, name="s"))
                links = {link for link in links if link[0] != one}
            case "delete":
                delete = DeleteDeployment(deployment_id=one) if one in DEPLOYMENTS else DeleteEnvironment(environment_id=one)
                world.ask(delete)
                create(one)
                links = {link for link in links if link[1] != one}
                matches = {match for match in matches if match[0] != one}
            case "run":
                world.run()
    world.run()
    told: set[tuple[str, str, str]] = set()
    for fact in world.facts(TargetsChanged):
        added = {(fact.deployment_id, fact.environment_id, one) for one in fact.added}
        removed = {(fact.deployment_id, fact.environment_id, one) for one in fact.removed}
        assert not added & told, "what is there does not appear"
        assert removed <= told, "what is not there does not vanish"
        told = (told | added) - removed
    expected = {
        (d, e, r)
        for d in DEPLOYMENTS
        for e in ENVIRONMENTS
        for r in (R1, R2, R3)
        if (d, r) in matches and (e, r) in matches and any((s, d) in links and (s, e) in links for s in SYSTEMS)
    }
    assert told == expected
