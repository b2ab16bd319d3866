"""The end of a resource costs what is remembered of it, and where that is stays true whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated
from contracts.facts.inventory import ResourceDeleted
from contracts.facts.planner import (
    DeploymentDeleted,
    EnvironmentDeleted,
    PinReleased,
    RollbackStarted,
    TargetsChanged,
    VersionPinned,
)
from libs.runtime.codec import decode, encode
from libs.simulation.world import decode as decode_fact
from services.planner.pins import WHOLE
from services.planner.state import PlannerState, evolve, initial
from tests.unit.planner.planner_scenes import uid

NOW = datetime(2025, 1, 1, tzinfo=UTC)
RESOURCES, DEPLOYMENTS, ENVIRONMENTS = (tuple(uid(f"{kind} {n}") for n in range(3)) for kind in ("resource", "api", "place"))
VERSION = uid("version")


class Watched:
    """A map by pair that notes which pairs are looked at, and is never gone through."""

    def __init__(self, inner: Map[str, Any], seen: set[str]) -> None:
        self._inner, self._seen = inner, seen

    def get(self, key: str, default: Any = None) -> Any:
        self._seen.add(key)
        return self._inner.get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._seen.add(key)
        return self._inner[key]

    def __contains__(self, key: str) -> bool:
        self._seen.add(key)
        return key in self._inner

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("all pairs are gone through")

    def items(self) -> Iterator[tuple[str, Any]]:
        raise AssertionError("all pairs are gone through")

    def set(self, key: str, value: Any) -> Watched:
        return Watched(self._inner.set(key, value), self._seen)

    def delete(self, key: str) -> Watched:
        return Watched(self._inner.delete(key), self._seen)


def folded(*facts: Fact, state: PlannerState | None = None) -> PlannerState:
    """A state after more facts."""
    state = initial(uid("workspace")) if state is None else state
    for position, fact in enumerate(facts, start=1):
        state = evolve(state, recorded(fact, position))
    return state


def recorded(fact: Fact, position: int) -> Recorded:
    return Recorded(
        workspace_id=uid("workspace"), position=position, id=uid(f"fact {position}"), type=fact.TYPE, stream=fact.stream,
        time=NOW, recorded_time=NOW, correlation_id=uid("wish"), causation_id=uid("wish"), auth_id="user:somebody",
        traceparent="", data=fact.to_json(), decode=decode_fact,
    )  # fmt: skip


def targets(deployment: str, environment: str, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> TargetsChanged:
    return TargetsChanged(deployment_id=deployment, environment_id=environment, added=added, removed=removed)


def job(deployment: str, environment: str, resource: str) -> JobCreated:
    return JobCreated(
        job_id=uid(f"job {deployment} {environment} {resource}"),
        release_id=uid("release"),
        resource_id=resource,
        environment_id=environment,
        deployment_id=deployment,
        version_id=VERSION,
        status="pending",
        snapshot=DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1),
        created_at=NOW,
        deadline_at=NOW,
    )


def pinned(deployment: str, environment: str, resource: str | None) -> VersionPinned:
    return VersionPinned(
        deployment_id=deployment,
        environment_id=environment,
        resource_id=resource,
        version_id=VERSION,
        reason="",
        pinned_at=NOW,
    )


def released(deployment: str, environment: str, resource: str | None) -> PinReleased:
    return PinReleased(
        deployment_id=deployment,
        environment_id=environment,
        resource_id=resource,
        version_id=VERSION,
        reason="",
        released_at=NOW,
    )


def rolled_back(deployment: str, environment: str, resource: str) -> RollbackStarted:
    return RollbackStarted(
        deployment_id=deployment,
        environment_id=environment,
        resource_id=resource,
        version_id=VERSION,
        job_id="",
        release_id=None,
        to_version_id=None,
        reason="",
        policy_id="",
        rule_id="",
        started_at=NOW,
    )


def deleted(resource: str) -> ResourceDeleted:
    return ResourceDeleted(resource_id=resource, identifier=resource)


def test_the_end_of_a_resource_looks_only_at_pairs_in_which_something_is_remembered_of_it() -> None:
    (one, other, _), environment = RESOURCES, ENVIRONMENTS[0]
    apis = [uid(f"api {n}") for n in range(20)]
    state = folded(*(targets(api, environment, RESOURCES) for api in apis), *(job(api, environment, other) for api in apis))
    state = folded(job(apis[3], environment, one), pinned(apis[5], environment, one), state=state)
    seen: set[str] = set()
    watched: Any = replace(state, pasts=Watched(state.pasts, seen), pins=Watched(state.pins, seen))  # type: ignore[arg-type]  # stands in for a map
    after = folded(deleted(one), state=watched)
    assert seen == {f"{apis[3]}/{environment}", f"{apis[5]}/{environment}"}
    assert not [api for api in apis if after.pasts[f"{api}/{environment}"].get(one) is not None]
    assert f"{apis[5]}/{environment}" not in after.pins


def test_a_resource_of_which_nothing_is_remembered_ends_without_a_look_at_any_pair() -> None:
    api, environment = DEPLOYMENTS[0], ENVIRONMENTS[0]
    state = folded(targets(api, environment, RESOURCES), job(api, environment, RESOURCES[0]), pinned(api, environment, None))
    seen: set[str] = set()
    watched: Any = replace(state, pasts=Watched(state.pasts, seen), pins=Watched(state.pins, seen))  # type: ignore[arg-type]  # stands in for a map
    folded(deleted(RESOURCES[1]), state=watched)
    assert seen == set()


_pairs = (st.sampled_from(DEPLOYMENTS), st.sampled_from(ENVIRONMENTS))
_resource = st.sampled_from(RESOURCES)
_happenings = st.one_of(
    st.builds(lambda api, place, one: targets(api, place, added=(one,)), *_pairs, _resource),
    st.builds(lambda api, place, one: targets(api, place, removed=(one,)), *_pairs, _resource),
    st.builds(job, *_pairs, _resource),
    st.builds(pinned, *_pairs, st.one_of(st.none(), _resource)),
    st.builds(released, *_pairs, st.one_of(st.none(), _resource)),
    st.builds(rolled_back, *_pairs, _resource),
    st.builds(deleted, _resource),
    st.builds(lambda api: DeploymentDeleted(deployment_id=api), st.sampled_from(DEPLOYMENTS)),
    st.builds(lambda place: EnvironmentDeleted(environment_id=place), st.sampled_from(ENVIRONMENTS)),
)


@settings(max_examples=150)
@given(st.lists(_happenings, max_size=40))
def test_where_something_is_remembered_of_a_resource_is_known_after_any_history(facts: list[Fact]) -> None:
    state = folded(*facts)
    where: dict[str, set[str]] = {}
    for of_pairs in (state.pasts, state.pins):
        for key, of_pair in of_pairs.items():
            assert of_pair, "a pair of which nothing is remembered is let go"
            for one in of_pair:
                if one != WHOLE:
                    where.setdefault(one, set()).add(key)
    assert {one: list(keys) for one, keys in state.remembered_in.items()} == {one: sorted(keys) for one, keys in where.items()}
    assert decode(PlannerState, encode(PlannerState, state)) == state
