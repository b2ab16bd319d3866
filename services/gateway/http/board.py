"""What is where at a glance: the matrix of deployments and environments, the targets of a cell, and what waits for an approval."""

from __future__ import annotations

import asyncio
from typing import Final

from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.access import name_of, roles_of
from services.gateway.board import inbox, rows, targets
from services.gateway.board.acting import Viewer, for_viewer
from services.gateway.board.live import Live
from services.gateway.board.state import Board, Pair, pair_key
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.deps import Deps
from services.gateway.http.operation import Routes
from services.gateway.http.problem import NotFound, unavailable

routes = Routes("board")

PAGE_S: Final = 1.0
LOAD_S: Final = 60.0
"""How long a request waits for a board that nobody has asked for in a while."""


@routes.add("GET", "/board", answers={200: answers.BoardAnswer})
async def get_board(call: Call) -> Reply:
    """The matrix: every deployment, environment and cell between them, as of one position of the log."""
    if call.as_of is None:
        return Reply(200, await first_shown(call.deps, call.workspace_id))
    past = call.as_of
    matrix = await call.deps.boards.matrices.at(call.workspace_id, past.position)
    return Reply(200, {"position": past.position, "at": stamp(past.time), **matrix})


@routes.add(
    "GET",
    "/board/rollouts/{deploymentId}/{environmentId}",
    answers={200: answers.BoardRollout},
    query=bodies.RolloutQuery,
)
async def get_rollout(call: Call) -> Reply:
    """The targets of a deployment in an environment: what failed or is held first, then by when it is their turn."""
    query: bodies.RolloutQuery = call.query
    deployment_id, environment_id = call.id("deploymentId", "Deployment"), call.id("environmentId", "Environment")
    board, position = await board_of(call)
    if deployment_id not in board.deployments:
        raise NotFound("Deployment")
    if environment_id not in board.environments:
        raise NotFound("Environment")
    if query.version_id is not None and query.version_id not in board.versions:
        raise NotFound("Version")
    pair = board.pairs.get(pair_key(deployment_id, environment_id)) or Pair(deployment_id, environment_id)
    found, total = targets.page(
        board, pair, status=query.status, version_id=query.version_id, limit=query.limit, offset=query.offset
    )
    head = {**rows.cell_row(board, pair), "statuses": rows.statuses_of(pair)}
    page = {"items": found, "total": total, "limit": query.limit, "offset": query.offset}
    return Reply(200, {"position": position, "cell": head, **page})


@routes.add("GET", "/board/approvals", answers={200: answers.BoardApprovals}, query=bodies.ApprovalsQuery)
async def list_approvals(call: Call) -> Reply:
    """What waits for an approval, the longest wait first."""
    query: bodies.ApprovalsQuery = call.query
    board, position = await board_of(call)
    viewer, is_now = viewer_of(call), call.as_of is None

    def work() -> tuple[list[Json], int]:
        found, total = inbox.page(board, limit=query.limit, offset=query.offset)
        return [for_viewer(row, viewer, now=is_now) for row in found], total

    # Expressions say who may approve, and whoever wrote them need not have thought of others who wait.
    items, total = await asyncio.to_thread(work)
    return Reply(200, {"position": position, "items": items, "total": total, "limit": query.limit, "offset": query.offset})


async def first_shown(deps: Deps, workspace_id: str, patience_s: float = LOAD_S) -> Json:
    """What the first page of a workspace shows, `{position, …}`. Raises: LogUnavailable; Problem (503): it takes too long to load."""
    async with deps.boards.used(workspace_id) as view:
        if not await view.reached_head(patience_s):
            raise unavailable("the board is still being loaded; send the same request again")
        return _matrix(view.live)


async def of_page(deps: Deps, workspace_id: str) -> Json:
    """The same for a page that can be shown without it: it does not wait long. Raises: as `first_shown`."""
    return await first_shown(deps, workspace_id, PAGE_S)


def viewer_of(call: Call) -> Viewer:
    """Who looks, as rules about people know them."""
    system = call.deps.system.state
    return Viewer(call.who.user_id, name_of(system, call.who), roles_of(system, call.who, call.workspace_id))


async def board_of(call: Call) -> tuple[Board, int]:
    """The board as of now or of then, and its position. Raises: LogUnavailable; Problem (503)."""
    if call.as_of is not None:
        return await call.deps.boards.past.at(call.workspace_id, call.as_of.position), call.as_of.position
    async with call.deps.boards.used(call.workspace_id) as view:
        if not await view.reached_head(LOAD_S):
            raise unavailable("the board is still being loaded; send the same request again")
        return view.live.board, view.live.position


def _matrix(live: Live) -> Json:
    return {"position": live.position, "at": stamp(live.time) if live.time is not None else None, **live.snapshot()}
