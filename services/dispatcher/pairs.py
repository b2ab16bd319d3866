"""Which targets are known of each deployment in each environment, so that whatever ends with one of the two is found without a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from immutables import Map

from services.dispatcher.state import State, pair_key

_NOTHING: Final[Map[str, bool]] = Map()


def targets_with(state: State, id_: str) -> Iterator[str]:
    """The keys of all targets of a deployment, or in an environment, in a fixed order."""
    for pair in sorted(state.pairs.get(id_, _NOTHING)):
        deployment_id, _, environment_id = pair.partition(":")
        for resource_id in sorted(state.members[pair]):
            yield f"{resource_id}-{environment_id}-{deployment_id}"


# --- how facts change it -----------------------------------------------------------------------------------------------------------


def noted(state: State, target: str) -> State:
    """The index after a target may have come to `targets`, or gone from there."""
    return _with(state, target[74:], target[37:73], (target[:36],))


def all_noted(state: State, deployment_id: str, environment_id: str, resource_ids: Iterable[str]) -> State:
    """`noted` for targets of one pair."""
    return _with(state, deployment_id, environment_id, resource_ids)


def _with(state: State, deployment_id: str, environment_id: str, resource_ids: Iterable[str]) -> State:
    pair, suffix = pair_key(deployment_id, environment_id), f"-{environment_id}-{deployment_id}"
    before = state.members.get(pair, _NOTHING)
    members = before.mutate()
    changed = False
    for resource_id in resource_ids:
        there = resource_id + suffix in state.targets
        if there == (resource_id in members):
            continue
        changed = True
        if there:
            members[resource_id] = True
        else:
            del members[resource_id]
    now = members.finish()
    if not changed:
        return state
    if not now:
        return state._replace(
            members=state.members.delete(pair), pairs=_without(state.pairs, pair, deployment_id, environment_id)
        )
    if not before:
        state = state._replace(pairs=_joined(state.pairs, pair, deployment_id, environment_id))
    return state._replace(members=state.members.set(pair, now))


def _joined(pairs: Map[str, Map[str, bool]], pair: str, *ids: str) -> Map[str, Map[str, bool]]:
    for id_ in ids:
        pairs = pairs.set(id_, pairs.get(id_, _NOTHING).set(pair, True))
    return pairs


def _without(pairs: Map[str, Map[str, bool]], pair: str, *ids: str) -> Map[str, Map[str, bool]]:
    for id_ in ids:
        rest = pairs[id_].delete(pair)
        pairs = pairs.set(id_, rest) if rest else pairs.delete(id_)
    return pairs
