"""In which order columns and rows of the matrix stand."""

from __future__ import annotations

from heapq import heappop, heappush

from services.gateway.board.picking import picks
from services.gateway.board.state import Board


def environments_in_order(board: Board) -> list[str]:
    """Ids of the environments: what a version must succeed in first stands before what waits for it; else the older comes first.

    Policies say so by their progressions. Where these go round in a circle, age decides between those in it.
    """
    found = sorted(board.environments.items(), key=lambda one: (one[1].created_at, one[0]))
    behind: dict[str, set[str]] = {id_: set() for id_, _ in found}
    for policy in board.policies.values():
        if not policy.enabled or not policy.upstream:
            continue
        # One that names no environment applies to all of them, and so says nothing about their order but for those it waits for.
        here = [id_ for id_, one in found if not policy.here.literals or picks(policy.here, id_, one)]
        for _, upstream in policy.upstream:
            first = [id_ for id_, one in found if picks(upstream, id_, one)]
            for one in here:
                if one not in first:
                    behind[one].update(first)
    return _lined_up([id_ for id_, _ in found], behind)


def _lined_up(by_age: list[str], behind: dict[str, set[str]]) -> list[str]:
    """All of them, each after those it is behind, the oldest of those that may come next first."""
    age = {one: number for number, one in enumerate(by_age)}
    waits = {one: len(behind[one]) for one in by_age}
    followers: dict[str, list[str]] = {one: [] for one in by_age}
    for one, before in behind.items():
        for other in before:
            followers[other].append(one)
    ready = [age[one] for one in by_age if not waits[one]]
    left = dict.fromkeys(by_age, True)
    ordered: list[str] = []
    while left:
        # Where all that are left wait for one another, the oldest goes.
        one = by_age[heappop(ready)] if ready else next(iter(left))
        if left.pop(one, None) is None:
            continue
        ordered.append(one)
        for other in followers[one]:
            waits[other] -= 1
            if not waits[other]:
                heappush(ready, age[other])
    return ordered


def deployments_in_order(board: Board) -> list[str]:
    """Ids of the deployments by the name of their first system, then by their own; those without a system come last."""

    def place(id_: str) -> tuple[bool, str, str, str]:
        names = sorted(board.systems[one].name for one in board.homes.get(id_, ()) if one in board.systems)
        return not names, names[0] if names else "", board.deployments[id_].name, id_

    return sorted(board.deployments, key=place)
