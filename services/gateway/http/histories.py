"""What happened on a release target, and where single versions stand on the board: lists of pages that are about one thing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.policy import ApprovalRecorded
from contracts.shapes import Json, Target
from services.gateway.board import decided, history, targets, versions
from services.gateway.board.state import pair_key
from services.gateway.http import answers, bodies
from services.gateway.http.board import board_of
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound
from services.gateway.http.seeking import FIRST, MOST_BYTES, fitting
from services.gateway.http.targets import target_of

routes = Routes("board")

_BATCH: Final = 500
_MOST_READ: Final = 5_000
"""Facts that one request looks through; whoever wants to look further back asks again from where it stopped."""


@routes.add("GET", "/board/targets/{releaseTargetKey}", answers={200: answers.BoardTargetAnswer})
async def get_board_target(call: Call) -> Reply:
    """How a target stands, as in the list of its cell, with the names of what it is made of."""
    key = target_of(call)
    board, position = await board_of(call)
    pair = board.pairs.get(pair_key(key.deployment_id, key.environment_id))
    if pair is None or key.resource_id not in pair.targets:
        raise NotFound("Release target")
    deployment = board.deployments.get(key.deployment_id)
    environment = board.environments.get(key.environment_id)
    if deployment is None or environment is None:
        raise NotFound("Release target")
    return Reply(
        200,
        {
            "position": position,
            "target": targets.target_row(board, pair, key.resource_id),
            "deployment": {"id": key.deployment_id, "name": deployment.name},
            "environment": {"id": key.environment_id, "name": environment.name},
        },
    )


@routes.add(
    "GET",
    "/board/targets/{releaseTargetKey}/history",
    answers={200: answers.TargetHistory},
    query=bodies.HistoryQuery,
)
async def get_target_history(call: Call) -> Reply:
    """What happened on a target, newest first; `before` is where to read on, 0 where nothing is left."""
    query: bodies.HistoryQuery = call.query
    target = target_of(call)
    board, position = await board_of(call)
    before = position + 1 if query.before is None else min(query.before, position + 1)
    found: list[Recorded] = []
    looked, looked_bytes, size, ended = 0, 0, FIRST, False
    while len(found) < query.limit and looked < _MOST_READ and looked_bytes < MOST_BYTES and not ended:
        batch = await call.deps.log.read_back(call.workspace_id, before, size, history.TYPES)
        ended = len(batch) < size
        looked += len(batch)
        looked_bytes += sum(len(one.data) for one in batch)
        size = min(_BATCH, fitting(looked, looked_bytes))
        # A fact that names thousands of targets takes milliseconds to read, and nobody else should wait for five hundred of them.
        concerned = await asyncio.to_thread(_concerned, batch, target)
        before = batch[-1].position if batch else before
        if len(found) + len(concerned) >= query.limit:
            concerned = concerned[: query.limit - len(found)]
            before, ended = concerned[-1].position, False
        found += concerned
    rows = [{**row, "by": _who(call, row["by"])} for row in history.rows_of(board, found, target)]
    return Reply(200, {"position": position, "items": rows, "before": 0 if ended else before})


@routes.add("GET", "/board/versions", answers={200: answers.Page[answers.VersionReach]}, query=bodies.BoardVersionsQuery)
async def list_board_versions(call: Call) -> Reply:
    """Versions of all deployments, newest first, each with on how many targets of each environment it runs."""
    query: bodies.BoardVersionsQuery = call.query
    board, _ = await board_of(call)
    rows, total = versions.page(
        board,
        deployment_id=query.deployment_id,
        status=query.status,
        text=query.text or "",
        limit=query.limit,
        offset=query.offset,
    )
    return Reply(200, {"items": rows, "total": total, "limit": query.limit, "offset": query.offset})


@routes.add("GET", "/board/approvals/decided", answers={200: answers.DecidedApprovals}, query=bodies.HistoryQuery)
async def list_decided_approvals(call: Call) -> Reply:
    """What people said of versions, newest first; `before` is where to read on, 0 where nothing is left."""
    query: bodies.HistoryQuery = call.query
    board, position = await board_of(call)
    before = position + 1 if query.before is None else min(query.before, position + 1)
    found = await call.deps.log.read_back(call.workspace_id, before, query.limit, (ApprovalRecorded.TYPE,))
    items: list[Json] = [decided.row_of(board, one.position, one.fact) for one in found if isinstance(one.fact, ApprovalRecorded)]
    return Reply(200, {"position": position, "items": items, "before": found[-1].position if len(found) == query.limit else 0})


def _concerned(facts: Sequence[Recorded], target: Target) -> list[Recorded]:
    return [one for one in facts if history.concerns(one, target)]


def _who(call: Call, auth_id: str) -> str:
    """Who did something, by name where it is a person that is known."""
    user = call.deps.system.state.users.get(auth_id.removeprefix("user:"))
    return user.name if user is not None else auth_id
