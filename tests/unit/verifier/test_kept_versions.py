"""Of versions no more is remembered than may be needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.facts.planner import (
    DeploymentDeleted,
    ReleaseItem,
    ReleasesCreated,
    TargetsChanged,
    VersionCreated,
    VersionUpdated,
)
from libs.runtime.codec import decode, encode
from libs.simulation.world import refold
from services.verifier import fold_versions
from services.verifier.app import service
from services.verifier.state import State
from tests.unit.verifier.verifier_scene import ABOUT, Scene, about_of, id_of, metric

URL = {"type": "http", "url": "https://monitoring/{{.version.tag}}"}
KEPT, AT_ONCE = 3, 2


@contextmanager
def few() -> Iterator[None]:
    """As if only a few were kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_versions, "KEPT", KEPT)
        patch.setattr(fold_versions, "KEPT_OF_DELETED", 1)
        patch.setattr(fold_versions, "AT_ONCE", AT_ONCE)
        yield


def posted(scene: Scene, number: int, kind: type[VersionCreated] | type[VersionUpdated] = VersionCreated) -> str:
    version_id, tag = id_of(f"version {number}"), f"v{number}"
    scene.record(kind(version_id=version_id, deployment_id=ABOUT["deployment_id"], tag=tag, name=tag, created_at=scene.now))
    scene.run()
    return version_id


def released(scene: Scene, number: int) -> None:
    about = about_of(f"release {number}")
    scene.record(
        ReleasesCreated(
            deployment_id=about["deployment_id"],
            environment_id=about["environment_id"],
            version_id=about["version_id"],
            items=(ReleaseItem(resource_id=about["resource_id"], release_id=about["release_id"]),),
            cleared_at=1,
            created_at=scene.now,
        )
    )
    scene.run()


def state_of(scene: Scene) -> State:
    state: State = scene.room("verifier").state
    return state


def test_versions_that_nobody_released_are_let_go_of_but_the_newest() -> None:
    with few():
        scene = Scene()
        ids = [posted(scene, number) for number in range(40)]
        known = state_of(scene).versions
        assert KEPT <= len(known) - 1 <= KEPT + AT_ONCE
        assert all(one in known for one in ids[-KEPT:])
        assert ABOUT["version_id"] in known  # it is on the target
        assert refold(service, scene.log) == state_of(scene)
        assert decode(State, encode(State, state_of(scene))) == state_of(scene)


def test_what_is_measured_keeps_its_version_however_many_are_posted() -> None:
    with few():
        scene = Scene()
        scene.require(metric(provider=URL, count=2))
        for number in range(40):
            posted(scene, number)
        scene.advance(120)
        assert [request["provider"]["url"] for _, _, request in scene.outside.asked] == ["https://monitoring/v2.0.0"] * 2


def test_what_may_be_verified_again_keeps_its_version() -> None:
    with few():
        scene = Scene()
        verification_id = scene.deploy("release", metric(provider=URL, count=1))
        for number in range(40):
            posted(scene, number)
        scene.again(verification_id)
        assert scene.outside.asked[-1][2]["provider"]["url"] == "https://monitoring/v2.0.0"


def test_a_version_that_targets_have_left_behind_is_let_go_of() -> None:
    with few():
        scene = Scene()
        for number in range(40):
            posted(scene, number)
            released(scene, number)
            scene.deploy(f"release {number}", metric(provider=URL, count=1))
            scene.advance(60)
        assert [request["provider"]["url"] for _, _, request in scene.outside.asked] == [
            f"https://monitoring/v{number}" for number in range(40)
        ]
        assert len(state_of(scene).versions) <= KEPT + AT_ONCE + 4


def test_a_version_that_is_changed_is_known_again() -> None:
    with few():
        scene = Scene()
        first = posted(scene, 0)
        for number in range(1, 20):
            posted(scene, number)
        assert first not in state_of(scene).versions
        posted(scene, 0, VersionUpdated)
        assert first in state_of(scene).versions


def test_of_a_deployment_that_is_gone_the_newest_is_known() -> None:
    with few():
        scene = Scene()
        ids = [posted(scene, number) for number in range(5)]
        scene.record(
            TargetsChanged(
                deployment_id=ABOUT["deployment_id"], environment_id=ABOUT["environment_id"], removed=(ABOUT["resource_id"],)
            ),
            DeploymentDeleted(deployment_id=ABOUT["deployment_id"]),
        )
        scene.run()
        assert list(state_of(scene).versions) == ids[-1:]


STEPS = st.one_of(
    st.tuples(st.just("post"), st.integers(1, 6)),
    st.tuples(st.just("release"), st.integers(0, 12)),
    st.tuples(st.just("deploy"), st.integers(0, 12)),
    st.tuples(st.just("advance"), st.integers(1, 120)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=30))
def test_what_is_needed_is_known_and_little_else(steps: list[tuple[str, int]]) -> None:
    with few():
        scene = Scene()
        newest = 0
        for what, number in steps:
            _step(scene, what, number, newest)
            newest += number if what == "post" else 0
            state = state_of(scene)
            needed = _needed_of(state)
            known = set(state.versions)
            assert needed <= known
            assert {id_of(f"version {newest - back}") for back in range(KEPT) if newest - back > 0} <= known
            assert set(state.versions_of[ABOUT["deployment_id"]].ids) == known
        for _ in range(KEPT + 2 * AT_ONCE + len(_needed_of(state_of(scene)))):
            newest += 1
            posted(scene, newest)
        assert len(state_of(scene).versions) <= KEPT + 2 * AT_ONCE + 2 * len(_needed_of(state_of(scene)))
        assert refold(service, scene.log) == state_of(scene)


def _step(scene: Scene, what: str, number: int, newest: int) -> None:
    match what:
        case "post":
            for back in range(1, number + 1):
                posted(scene, newest + back)
        case "release":
            if id_of(f"version {newest - number}") in state_of(scene).versions:
                released(scene, newest - number)
        case "deploy":
            if id_of(f"version {newest - number}") in state_of(scene).versions:
                released(scene, newest - number)
                scene.job(f"job {len(scene.log)}", f"release {newest - number}")
                scene.require(metric(provider=URL), job=f"job {len(scene.log)}", release=f"release {newest - number}")
        case _:
            scene.advance(number)


def _needed_of(state: State) -> set[Any]:
    return {
        *(one.version_id for releases in state.releases.values() for one in releases),
        *(one.fact.version_id for one in state.running.values()),
        *(one.version_id for one in state.known.values()),
    }
