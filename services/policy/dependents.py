"""Who waits for what runs of another deployment? Found through the deployments that depend on it, and what is held or cleared there."""

from __future__ import annotations

from collections.abc import Iterator

from services.policy.state import Pair, State


def waiting_on_target(state: State, upstream_id: str, resource_id: str) -> Iterator[Pair]:
    """Pairs in which the target on a resource may be held, or cleared, because of what runs of a deployment there."""
    dependents = state.dependents.get(upstream_id)
    if not dependents:
        return
    for key in state.places.get(resource_id, ()):
        pair = state.pairs.get(key)
        if pair is None or pair.deployment_id not in dependents or resource_id not in pair.targets:
            continue
        if _needs(state, pair.open.get(resource_id), upstream_id) or any(
            _needs(state, version_id, upstream_id) and any(resource_id in verdicts for verdicts in by_rule.values())
            for version_id, by_rule in pair.held.items()
        ):
            yield pair


def waiting_on(state: State, upstream_id: str) -> Iterator[Pair]:
    """Pairs in which any target may be held, or cleared, because of what runs of a deployment."""
    for deployment_id in state.dependents.get(upstream_id, ()):
        for key in state.places.get(deployment_id, ()):
            pair = state.pairs.get(key)
            if pair is None or pair.deployment_id != deployment_id:
                continue
            waiting = (*pair.held, *dict.fromkeys(pair.open.values()))
            if any(_needs(state, version_id, upstream_id) for version_id in waiting):
                yield pair


def _needs(state: State, version_id: str | None, upstream_id: str) -> bool:
    version = state.versions.get(version_id) if version_id is not None else None
    return version is not None and any(needed == upstream_id for needed, _ in version.dependencies)
