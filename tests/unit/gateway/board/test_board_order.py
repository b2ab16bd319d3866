"""Columns stand in the order in which versions go through environments, rows by system and name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.facts import planner, policy
from contracts.shapes import EnvironmentProgression, Rule
from services.gateway.board.order import deployments_in_order, environments_in_order
from services.gateway.board.picking import picked_by
from tests.unit.gateway.board.board_scenes import NOW, Scene, environment, uid

NAMES = ("prod", "staging", "dev")
"""Oldest first, which is the wrong way round."""


def environments() -> Scene:
    made = (environment(uid(100 + n), name, NOW + timedelta(minutes=n), stage=name) for n, name in enumerate(NAMES))
    return Scene(*made)


def progression(name: str, here: str, upstream: str, *, enabled: bool = True) -> policy.PolicySaved:
    body = EnvironmentProgression(depends_on_environment_selector=upstream)
    rule = Rule(id=uid(300), created_at="2026-01-01T00:00:00Z", environment_progression=body)
    id_ = uid(200 + sum(map(ord, name)))
    return policy.PolicySaved(policy_id=id_, name=name, selector=here, rules=(rule,), enabled=enabled, created_at=NOW)


def columns(scene: Scene) -> list[str]:
    return [scene.live.board.environments[one].name for one in environments_in_order(scene.live.board)]


def test_without_progressions_the_older_comes_first() -> None:
    assert columns(environments()) == list(NAMES)


def test_what_a_version_must_succeed_in_first_stands_before() -> None:
    scene = environments().when(
        progression("a", 'environment.name == "prod"', 'environment.name == "staging"'),
        progression("b", "environment.metadata['stage'] == 'staging'", f"'{uid(102)}' == environment.id"),
    )
    assert columns(scene) == ["dev", "staging", "prod"]


def test_a_policy_that_names_no_environment_puts_the_upstream_first() -> None:
    assert columns(environments().when(progression("a", "true", 'environment.name == "dev"'))) == ["dev", "prod", "staging"]


def test_a_policy_that_is_off_says_nothing() -> None:
    off = progression("a", "true", 'environment.name == "dev"', enabled=False)
    assert columns(environments().when(off)) == list(NAMES)


def test_in_a_circle_the_older_comes_first() -> None:
    scene = environments().when(
        progression("a", 'environment.name == "prod"', 'environment.name == "staging"'),
        progression("b", 'environment.name == "staging"', 'environment.name == "prod"'),
    )
    assert columns(scene) == ["dev", "prod", "staging"]


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_every_environment_has_one_place_whatever_policies_say(edges: list[tuple[int, int]]) -> None:
    scene = Scene(*(environment(uid(100 + n), f"e{n}", NOW) for n in range(12)))
    for number, (one, other) in enumerate(edges):
        rule = Rule(
            id=uid(300),
            created_at="2026-01-01T00:00:00Z",
            environment_progression=EnvironmentProgression(depends_on_environment_selector=f'environment.name == "e{other}"'),
        )
        here = f'environment.name == "e{one}"'
        scene.when(policy.PolicySaved(policy_id=uid(500 + number), name="p", selector=here, rules=(rule,), created_at=NOW))
    found = columns(scene)
    assert sorted(found) == sorted(f"e{n}" for n in range(12))
    downward = [(one, other) for one, other in edges if other < one]
    if len(downward) == len(edges):  # then there is no circle
        assert all(found.index(f"e{other}") < found.index(f"e{one}") for one, other in edges)


@pytest.mark.parametrize(
    "selector, picked",
    [
        ('environment.name == "a" || environment.id == "x"', {("name", "a"), ("id", "x")}),
        ("environment.name in ['a', \"b\"]", {("name", "a"), ("name", "b")}),
        ('environment.metadata["tier"] == "1"', {("metadata.tier", "1")}),
        ("environment.metadata.tier == '1'", {("metadata.tier", "1")}),
        ('"a" == environment.name', {("name", "a")}),
        ('environment.name != "a" && environment.name.startsWith("b")', set()),
        ("resource.name == 'a'", set()),
    ],
)
def test_literals_of_environments_are_found(selector: str, picked: set[tuple[str, str]]) -> None:
    assert set(picked_by(selector).literals) == picked


def test_rows_stand_by_system_and_name() -> None:
    scene = Scene()
    for number, name in enumerate(("zeta", "alpha")):
        scene.when(planner.SystemSaved(system_id=uid(400 + number), name=name, created_at=NOW))
    for number, (name, system) in enumerate((("web", 0), ("api", 0), ("db", 1), ("lost", None))):
        scene.when(planner.DeploymentSaved(deployment_id=uid(600 + number), name=name, created_at=NOW))
        if system is not None:
            scene.when(planner.DeploymentLinked(system_id=uid(400 + system), deployment_id=uid(600 + number)))
    board = scene.live.board
    assert [board.deployments[one].name for one in deployments_in_order(board)] == ["db", "api", "web", "lost"]
