"""The board as rows: columns, rows, cells and counters of the matrix. Each row is whole, so that whoever has an older one replaces it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from immutables import Map

from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.board.order import deployments_in_order, environments_in_order
from services.gateway.board.state import NOTHING, STATUSES, Board, Pair, Status, Why
from services.gateway.board.words import short, told

MATRIX: Final = "matrix"
COUNTERS: Final = "counters"
MOST_RUNNING: Final = 3
"""Versions that a cell names as running there."""


def deployment_key(deployment_id: str) -> str:
    """The key of a deployment's row in the topic of the matrix."""
    return f"deployment/{deployment_id}"


def environment_key(environment_id: str) -> str:
    """The key of an environment's row in the topic of the matrix."""
    return f"environment/{environment_id}"


def deployment_rows(board: Board) -> dict[str, Json]:
    """All deployments, by the key of their row, in order."""
    return {
        deployment_key(id_): {
            "id": id_,
            "name": board.deployments[id_].name,
            "position": position,
            "systems": _systems(board, id_),
            "newest": _version(board, board.newest.get(id_, "")),
        }
        for position, id_ in enumerate(deployments_in_order(board))
    }


def environment_rows(board: Board) -> dict[str, Json]:
    """All environments, by the key of their row, in order."""
    return {
        environment_key(id_): {
            "id": id_,
            "name": board.environments[id_].name,
            "position": position,
            "systems": _systems(board, id_),
        }
        for position, id_ in enumerate(environments_in_order(board))
    }


def cell_row(board: Board, pair: Pair) -> Json:
    """A cell; its key is that of its pair. `desired` is the newest version that is wanted, `heldVersion` one that may not go yet."""
    desired = newest_of(board, pair.wanted)
    running = sorted(
        (one for one in pair.running if one in board.versions), key=lambda one: board.versions[one].rank, reverse=True
    )
    why = leading(board, pair)
    until = _soonest(pair, why)
    said = told(board, pair, why, timed=until is not None) if len(pair.targets) else None
    done = pair.settled.get(desired, 0) if desired else 0
    targets = len(pair.targets)
    reason, message = (said.reason, said.message) if said is not None else ("", "No target.")
    if pair.status == "progressing" and targets > 1 and why.code in ("job", "checking", "going"):
        reason, message = short(f"rollout {done} of {targets}"), f"{message} {done} of {targets} targets have it."
    held = why.version_id if why.code == "hold" and why.version_id != desired else ""
    return {
        "key": pair.key,
        "deploymentId": pair.deployment_id,
        "environmentId": pair.environment_id,
        "targets": targets,
        "done": done,
        "active": pair.statuses.get("progressing", 0),
        "failed": pair.statuses.get("failed", 0),
        "held": sum(pair.statuses.get(one, 0) for one in ("blocked", "pending", "paused")),
        "status": pair.status,
        "desired": _version(board, desired),
        "heldVersion": _version(board, held),
        "running": [{**_shown(board, one), "targets": pair.running[one]} for one in running[:MOST_RUNNING]],
        "more": max(0, len(running) - MOST_RUNNING),
        "pinned": _version(board, pair.pin),
        "reason": reason,
        "message": message,
        "until": stamp(until) if until is not None else None,
        "since": stamp(pair.since) if pair.since is not None else None,
    }


def counters_of(statuses: dict[Status, int], approvals: int) -> Json:
    """How many cells stand so, and how many approvals are waited for."""
    return {**{one: statuses.get(one, 0) for one in STATUSES}, "approvals": approvals}


def status_counts(board: Board) -> dict[Status, int]:
    """How many cells stand so."""
    counts = dict.fromkeys(STATUSES, 0)
    for pair in cells(board):
        counts[pair.status] += 1
    return counts


def statuses_of(pair: Pair) -> Json:
    """How many targets of a cell stand so."""
    return {one: pair.statuses.get(one, 0) for one in STATUSES if one != "empty"}


def cells(board: Board) -> Iterator[Pair]:
    """Every cell of which deployment and environment exist."""
    return (pair for pair in board.pairs.values() if is_shown(board, pair))


def is_shown(board: Board, pair: Pair) -> bool:
    """Whether a cell has a row and a column."""
    return pair.deployment_id in board.deployments and pair.environment_id in board.environments


def leading(board: Board, pair: Pair) -> Why:
    """What speaks for a cell: of what leads to its status that of the newest version, then of most targets."""

    found = [one for one in pair.whys if one.status == pair.status]
    named = [one for one in found if one.version_id in board.versions]
    if not named:
        return max(found, default=NOTHING)
    return max(named, key=lambda one: (board.versions[one.version_id].rank, pair.whys[one], one))


def newest_of(board: Board, counts: Map[str, int]) -> str:
    """The newest of some versions; empty for none."""
    return max((one for one in counts if one in board.versions), key=lambda one: board.versions[one].rank, default="")


def _soonest(pair: Pair, why: Why) -> datetime | None:
    instants = pair.untils.get(why)
    return min(instants) if instants else None


def _shown(board: Board, version_id: str) -> Json:
    return {"versionId": version_id, "tag": board.tag(version_id)}


def _version(board: Board, version_id: str) -> Json | None:
    return _shown(board, version_id) if version_id in board.versions else None


def _systems(board: Board, entity_id: str) -> list[Json]:
    return [{"id": one, "name": board.systems[one].name} for one in board.homes.get(entity_id, ()) if one in board.systems]
